"""Which examples make up which mini-batch: one answer for every way of training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def epoch_batches(seed: int, epoch: int, examples: int, batch_size: int) -> npt.NDArray[np.int32]:
    """Shuffle one epoch and cut it into full mini-batches.

    Returns indices of shape (steps, batch_size), steps = examples // batch_size. The remainder sits
    out this epoch: mini-batches of one size keep batch norm's noise and the compiled shapes alike.
    A batch_size above examples means one mini-batch of all of them.

    seed and epoch (from 0) alone decide the order, so any epoch can be had without those before it.
    Raises ValueError unless seed, epoch ≥ 0 and examples, batch_size ≥ 1.
    """
    if min(seed, epoch) < 0:
        raise ValueError(f"seed and epoch must be at least 0, got {seed} and {epoch}")
    if min(examples, batch_size) < 1:
        raise ValueError(
            f"examples and batch_size must be at least 1, got {examples} and {batch_size}"
        )
    size = min(batch_size, examples)
    steps = examples // size
    order = np.random.default_rng([seed, epoch]).permutation(examples)
    return order[: steps * size].reshape(steps, size).astype(np.int32)
