"""How long the lecture's 1000 steps take: in a session, eagerly, as a graph, as one program.

The same minimization of (w − 5)² by gradient descent, from w = 0, in every way; in several rounds,
after a first run that builds, traces and compiles. JAX and PyTorch take part where they are
installed.

`--json` prints one JSON object; `--record` writes the times that `framework_speed` draws.
"""

# %%
import argparse
import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_all_start_methods, get_context
from statistics import median

from tfcourse import _terminal
from tfcourse.lecture import choosing_a_framework as speed

_terminal.prepare()

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--json", action="store_true", help="print one JSON object")
parser.add_argument("--record", action="store_true", help="write what framework_speed draws")
parser.add_argument("--runs", type=int, default=9, help="rounds in which each way is timed")
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


def times_of(make: Callable[[], Callable[[], float]], runs: int) -> tuple[list[float], float]:
    """Seconds of the best run of each round after a first one, and where w ended."""
    run = make()
    w = run()
    return [speed.best_time(run) for _ in range(runs)], w


peers = {}
for name, package, make in (
    ("JAX, lax.scan compiled", "jax", jax_scan),
    ("PyTorch, eager", "torch", torch_eager),
):
    if find_spec(package):
        if "fork" in get_all_start_methods():  # not on Windows: there they share this process
            with ProcessPoolExecutor(1, get_context("fork")) as process:
                peers[name] = process.submit(times_of, make, arguments.runs).result()
        else:
            peers[name] = times_of(make, arguments.runs)

# %% TensorFlow's four ways
ours = speed.measure(arguments.runs)
rounds = ours.seconds | {name: times for name, (times, _) in peers.items()}
seconds = {name: median(times) for name, times in rounds.items()}
ends = ours.w | {name: w for name, (_, w) in peers.items()}

# %%
if arguments.record:
    record = vars(ours) | {
        "seconds": {
            way: [float(f"{value:.3g}") for value in times] for way, times in ours.seconds.items()
        }
    }
    speed.RECORD.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
if arguments.json:
    print(json.dumps({"seconds": seconds, "w": ends, "machine": ours.machine}))
else:
    print(
        "1000 steps on {cores} cores ({processor}), TensorFlow {tensorflow}".format(**ours.machine)
    )
    for name, value in seconds.items():
        ratio = seconds["session loop"] / value
        print(
            f"{name:<28} {1e3 * value:10.3f} ms  {ratio:8.1f} times as fast   w = {ends[name]:.5f}"
        )
