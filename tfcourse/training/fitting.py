"""Training with `model.fit`: one model, on the same mini-batches as the compiled engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tfcourse._tensorflow import keras, tf
from tfcourse.training.batches import epoch_batches
from tfcourse.training.compiled import Member, Run
from tfcourse.training.data import BLOCK, given
from tfcourse.training.objective import chosen
from tfcourse.training.trained import Epoch, Trained, memory_of, remember


def fit(
    model: keras.Model,
    member: Member,
    run: Run,
    *,
    batch_size: int,
    epochs: int,
    rate: Callable[[int], float] | None,
    notes: tuple[str, ...],
) -> Trained | None:
    """Train a member's compiled `model` from its first weights, or from where it goes on.

    rate: from an epoch to its learning rate, where the model's optimizer does not decide it. None
    is returned if `run.stop` is set before the end.
    """
    started = time.perf_counter()
    start, first, data = member.start, member.first, run.data
    size = min(batch_size, data.examples)
    if start:
        model.set_weights(list(start.final_weights))
        if start.memory:
            remember(model, start.memory)
    generators = [v for v in model.non_trainable_variables if v.name == "seed_generator_state"]
    for number, variable in enumerate(generators):  # what goes on draws anew
        own = np.random.SeedSequence([member.seed, first, number])
        variable.assign(own.generate_state(2).astype(variable.dtype))
    record = _Record(member, run, epochs, rate)
    numbers = range(first, first + epochs)
    order = [epoch_batches(member.seed, number, data.examples, size) for number in numbers]
    tensors = tf.nest.map_structure(tf.constant, given(data.training))
    dataset = tf.data.Dataset.from_tensor_slices(np.concatenate(order)).map(
        lambda rows: tf.nest.map_structure(lambda array: tf.gather(array, rows), tensors)
    )
    model.fit(
        dataset,
        epochs=epochs,
        steps_per_epoch=data.examples // size,
        validation_data=given(data.validation) if data.has_validation else None,
        validation_batch_size=BLOCK if data.has_validation else None,
        shuffle=False,
        callbacks=[record],
        verbose=0,
    )
    if run.stop.is_set():
        return None
    return Trained(
        member.trial,
        member.hyperparameters,
        member.seed,
        {name: np.array(values) for name, values in record.history.items()},
        record.best,
        record.weights,
        model.get_weights(),
        record.ended,
        first + record.lasted,
        time.perf_counter() - started,
        member.make,
        memory_of(model),
        notes=notes,
    )


class _Record(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps what each epoch came to and the best weights; ends training when it must."""

    def __init__(
        self, member: Member, run: Run, epochs: int, rate: Callable[[int], float] | None
    ) -> None:
        super().__init__()
        self.history: dict[str, list[float]] = {}
        self.best: int | None = None
        self.weights: list[Any] = []
        self.lasted, self.ended = 0, "complete"
        self._member, self._run, self._epochs, self._rate = member, run, epochs, rate

    def on_train_begin(self, logs: Any = None) -> None:
        self.weights = self.model.get_weights()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._rate is not None:
            self.model.optimizer.learning_rate = self._rate(self._member.first + epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        figures = {name: float(value) for name, value in (logs or {}).items()}
        shown = {name: np.array([value]) for name, value in figures.items()}
        run, member = self._run, self._member
        run.tell(Epoch(member.first + epoch, (member.trial,), shown))
        if run.stop.is_set():
            self.model.stop_training = True
            return
        if not np.isfinite([figures["loss"], figures.get("val_loss", 0.0)]).all():
            self.ended, self.model.stop_training = "diverged", True
            return
        objective = chosen(run.objective, figures)
        self.lasted += 1
        for name, value in figures.items():
            self.history.setdefault(name, []).append(value)
        best = objective.best_epoch(self.history)
        if best == epoch:
            self.weights = self.model.get_weights()
        self.best = best
        waited = epoch - (-1 if best is None else best)
        if run.patience is not None and waited >= run.patience and epoch + 1 < self._epochs:
            self.ended, self.model.stop_training = "stopped", True
