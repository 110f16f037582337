"""How long the lecture's 1000 steps take: in a session, eagerly, as a graph, as one program.

The same minimization of (w − 5)² by gradient descent, from w = 0, in every way; the best of several
runs, after a first one that builds, traces and compiles. JAX and PyTorch take part where they are
installed.

`--json` prints one JSON object; `--record` writes the times that `framework_speed` draws.
"""

# %%
import argparse
import json
import os
import platform
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import metadata
from importlib.util import find_spec
from multiprocessing import get_all_start_methods, get_context

from tfcourse import _terminal
from tfcourse.experiments import speed

_terminal.prepare()

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--json", action="store_true", help="print one JSON object")
parser.add_argument("--record", action="store_true", help="write what framework_speed draws")
parser.add_argument("--runs", type=int, default=5, help="timed runs of each way")
arguments = parser.parse_args()


# %% [markdown]
# ## Peers
#
# The same loop in JAX, compiled as TensorFlow's is by XLA, and in PyTorch, step by step; each in a
# process of its own, and before TensorFlow is loaded: two copies of XLA do not bear each other.


# %%
def jax_scan() -> Callable[[], float]:
    import jax

    def cost(w, x):
        return x[0] * w**2 + x[1] * w + x[2]

    def step(w, x):
        return w - 0.01 * jax.grad(cost)(w, x), w

    loop = jax.jit(lambda stream: jax.lax.scan(step, 0.0, stream))
    stream = jax.numpy.tile(jax.numpy.array([1.0, -10.0, 25.0]), (1000, 1))
    return lambda: float(loop(stream)[0])


def torch_eager() -> Callable[[], float]:
    import torch

    def run():
        w = torch.zeros((), requires_grad=True)
        optimizer = torch.optim.SGD([w], lr=0.01)
        for _ in range(1000):
            optimizer.zero_grad()
            (w**2 - 10 * w + 25).backward()
            optimizer.step()
        return w.item()

    return run


def best_of(make: Callable[[], Callable[[], float]], runs: int) -> tuple[float, float]:
    """Seconds of the best run after a first one, and where w ended."""
    run = make()
    w = run()
    return speed.best_time(run, runs), w


peers = {}
for name, package, make in (
    ("JAX, lax.scan compiled", "jax", jax_scan),
    ("PyTorch, eager", "torch", torch_eager),
):
    if find_spec(package):
        if "fork" in get_all_start_methods():  # not on Windows: there they share this process
            with ProcessPoolExecutor(1, get_context("fork")) as process:
                peers[name] = process.submit(best_of, make, arguments.runs).result()
        else:
            peers[name] = best_of(make, arguments.runs)

# %% TensorFlow's four ways
ours = speed.measure(size=arguments.runs)
seconds = ours.seconds | {name: value for name, (value, _) in peers.items()}
ends = ours.w | {name: w for name, (_, w) in peers.items()}

# %%
machine = (
    f"{os.cpu_count()} cores ({platform.machine()}), TensorFlow {metadata.version('tensorflow')}"
)
if arguments.record:
    times = {way: float(f"{ours.seconds[way]:.2g}") for way in speed.WAYS}
    record = {"machine": machine, "seconds": times}
    speed.RECORD.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
if arguments.json:
    print(json.dumps({"seconds": seconds, "w": ends, "machine": machine}))
else:
    print(f"1000 steps on {machine}")
    for name, value in seconds.items():
        ratio = seconds[speed.WAYS[0]] / value
        print(
            f"{name:<28} {1e3 * value:10.3f} ms  {ratio:8.1f} times as fast   w = {ends[name]:.5f}"
        )
