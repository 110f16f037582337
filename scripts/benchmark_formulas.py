"""How close the NumPy formulas come to the speed of memory, and to PyTorch's fused kernels.

Batch norm forward and backward, and softmax cross-entropy with its gradient, on (512, 1024)
float32: 2 MiB an array. All on one thread, taking turns in one run.

The bound is the time of the fewest passes that can do the work; a pass reads or writes one array.

- Batch norm takes eight. Forward must have read all of z before it knows μ and σ², then reads it
  again and writes z̃. Backward must have read all of z and dz̃ before it knows dγ and dβ, then reads
  both again and writes dz. What is read again comes from the cache at best, not from nearer: 2 MiB
  are too much for it, and strips of columns are no way out, since their rows lie 4 KiB apart and
  contend for the same few cache lines. So five passes go over memory and three over the cache. The
  five alone, as if the second reading were free, are printed beside it.
- Softmax cross-entropy takes two, from the logits to the gradient: a row fits in the nearest cache,
  where it can be read as often as need be. But every number goes through e^z on its way, which
  takes longer than the way, so the bound is one call of `np.exp` from one array to another. The two
  passes alone, as if e^z were free, are printed beside it.

A pass costs half a copy by `np.copyto`, measured here. "in memory" has each call work on arrays
that have left the cache, as in a network larger than the cache; "in cache" has each call work on
the same arrays again, so that every pass goes over the cache and NumPy's arithmetic takes the time.

`--json` prints one JSON object instead. PyTorch takes part where it is installed.
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

from tfcourse import _terminal, batch_norm, softmax

_terminal.prepare()

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
        "torch batch_norm": batch_norm_in_torch,
        "torch softmax_cross_entropy": cross_entropy_in_torch,
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


def report(measured: dict[str, float], cached_copy: float) -> dict[str, Any]:
    """Return each formula's time, its bound, and the ratios."""
    a_pass, cached_pass = measured["copy"] / 2, cached_copy / 2
    bounds = {
        "batch_norm": (5 * a_pass + 3 * cached_pass, 5 * a_pass),
        "softmax_cross_entropy": (measured["exp"], 2 * a_pass),
    }
    result: dict[str, Any] = {"gigabytes_per_second": logits[0].nbytes / a_pass / 1e9}
    for formula, (bound, memory_alone) in bounds.items():
        took, torch_took = measured[formula], measured.get(f"torch {formula}")
        result[formula] = {
            "seconds": took,
            "bound_seconds": bound,
            "torch_seconds": torch_took,
            "ratio_to_bound": took / bound,
            "ratio_to_memory_alone": took / memory_alone,
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
    "batch_norm": batch_norm_in_numpy,
    "softmax_cross_entropy": cross_entropy_in_numpy,
}
if find_spec("torch"):
    jobs |= pytorch_jobs()
in_memory, in_cache = seconds(jobs, range(COPIES)), seconds(jobs, [0] * COPIES)
results = {
    "in_memory": report(in_memory, in_cache["copy"]),
    "in_cache": report(in_cache, in_cache["copy"]),
}

# %%
if as_json:
    print(json.dumps(results))
else:
    for place, result in results.items():
        print(f"{place.replace('_', ' ')}, {result.pop('gigabytes_per_second'):.0f} GB/s")
        for formula, figures in result.items():
            torch_ratio = figures["ratio_to_torch"]
            print(
                f"  {formula.replace('_', ' '):22}{figures['seconds'] * 1e6:6.0f} µs"
                f"{figures['ratio_to_bound']:7.2f} × bound"
                f"{figures['ratio_to_memory_alone']:7.2f} × memory alone"
                + (f"{torch_ratio:7.2f} × PyTorch" if torch_ratio else "")
            )
