"""How close the NumPy formulas come to the speed of memory, and to PyTorch's fused kernels.

Batch norm forward and backward, and softmax cross-entropy with its gradient, on (512, 1024)
float32: 2 MiB an array. All on one thread, taking turns in one run.

The fewest passes (one array read or written once is a pass):

- Batch norm takes five. Forward must read z and write z̃. Backward must read dz̃ and z again, which
  nothing kept a copy of in the meantime, and write dz. That grants each direction all of its
  statistics for free: a real kernel has to read z, and dz̃ and z, once before it can write.
- Softmax cross-entropy takes two: read the logits, write the gradient. But each number must go
  through e^z, and that takes longer than its way through memory; so the fewest passes are one call
  of `np.exp` from the logits to the gradient. The two plain passes are printed beside it.

A pass costs half of what `np.copyto` needs for a copy, measured here. "in memory" has each call
work on arrays that have left the cache, as in a network larger than the cache; "in cache" has each
call work on the same arrays again.

`--json` prints one JSON object instead of the table. PyTorch takes part where it is installed.
"""

# %%
import os

for library in ("OPENBLAS", "MKL", "OMP", "VECLIB_MAXIMUM"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from tfcourse import batch_norm, softmax

SHAPE = (512, 1024)
COPIES = 32  # times two arrays of 2 MiB: several times what a cache holds
ROUNDS = 8

random = np.random.default_rng(0)
logits, gradients = (
    [random.standard_normal(SHAPE, np.float32) for _ in range(COPIES)] for _ in range(2)
)
targets = [np.zeros(SHAPE, np.float32) for _ in range(COPIES)]
labels = random.integers(0, SHAPE[1], SHAPE[0])
gamma, beta = np.ones(SHAPE[1], np.float32), np.zeros(SHAPE[1], np.float32)

Job = Callable[[int], Any]


# %% What is timed: each job works on the i-th arrays.
def copy(i: int) -> None:
    np.copyto(targets[i], logits[i])


def exponentials(i: int) -> None:
    np.exp(logits[i], out=targets[i])


def batch_norm_in_numpy(i: int) -> Any:
    forward = batch_norm.forward(logits[i], gamma, beta)
    return forward.z_tilde, batch_norm.backward(gradients[i], forward)


def cross_entropy_in_numpy(i: int) -> Any:
    return softmax.cross_entropy_with_gradient(logits[i], labels)


def pytorch_jobs() -> dict[str, Job]:
    import torch

    torch.set_num_threads(1)
    inputs = [torch.from_numpy(z.copy()).requires_grad_() for z in logits]
    outer = [torch.from_numpy(d) for d in gradients]
    layer, classes = torch.nn.BatchNorm1d(SHAPE[1], eps=1e-3), torch.from_numpy(labels)

    def batch_norm_in_torch(i: int) -> Any:
        inputs[i].grad = None
        layer(inputs[i]).backward(outer[i])

    def cross_entropy_in_torch(i: int) -> Any:
        inputs[i].grad = None
        torch.nn.functional.cross_entropy(inputs[i], classes).backward()

    return {
        "batch_norm torch": batch_norm_in_torch,
        "softmax_cross_entropy torch": cross_entropy_in_torch,
    }


# %% The jobs take turns, so that whatever else the machine does slows them alike.
def seconds(jobs: dict[str, Job], arrays: Sequence[int]) -> dict[str, float]:
    """Return the median time of each job over the arrays named."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            for i in arrays:
                start = time.perf_counter()
                job(i)
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in times.items()}


def report(measured: dict[str, float]) -> dict[str, Any]:
    """Return each formula's time, its bound, and the ratios."""
    a_pass = measured["copy"] / 2
    result: dict[str, Any] = {"gigabytes_per_second": logits[0].nbytes / a_pass / 1e9}
    for formula, passes, bound in (
        ("batch_norm", 5, 5 * a_pass),
        ("softmax_cross_entropy", 2, measured["exp"]),
    ):
        took, torch_took = measured[f"{formula} numpy"], measured.get(f"{formula} torch")
        result[formula] = {
            "seconds": took,
            "bound_seconds": bound,
            "torch_seconds": torch_took,
            "ratio_to_bound": took / bound,
            "ratio_to_plain_passes": took / (passes * a_pass),
            "ratio_to_torch": took / torch_took if torch_took else None,
        }
    return result


# %%
parser = argparse.ArgumentParser(description="Time the NumPy formulas beside their bounds.")
parser.add_argument("--json", action="store_true", help="print one JSON object")
as_json = parser.parse_args().json

jobs: dict[str, Job] = {
    "copy": copy,
    "exp": exponentials,
    "batch_norm numpy": batch_norm_in_numpy,
    "softmax_cross_entropy numpy": cross_entropy_in_numpy,
}
if find_spec("torch"):
    jobs |= pytorch_jobs()
results = {
    "in_memory": report(seconds(jobs, range(COPIES))),
    "in_cache": report(seconds(jobs, [0] * COPIES)),
}

# %%
if as_json:
    print(json.dumps(results))
else:
    for place, result in results.items():
        print(f"{place.replace('_', ' ')}: {result.pop('gigabytes_per_second'):.0f} GB/s")
        for formula, figures in result.items():
            torch_ratio = figures["ratio_to_torch"]
            print(
                f"  {formula.replace('_', ' '):<22}{figures['seconds'] * 1e6:6.0f} µs"
                f"  {figures['ratio_to_bound']:5.2f} × bound"
                f"  {figures['ratio_to_plain_passes']:5.2f} × plain passes"
                + (f"  {torch_ratio:5.2f} × PyTorch" if torch_ratio else "")
            )
