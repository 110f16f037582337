"""How long one training takes when many are wanted: tfcourse beside the usual ways.

The same everywhere: the packaged digits, two hidden layers of 64 with batch norm, mini-batches of
64, 20 epochs, Adam, a learning rate per trial, validation after every epoch. Each way of
`benchmark_peers.py` runs in a process of its own, imports apart, the best of several runs, with
nothing compiled before; one whose package is missing is left out. `--growth` adds more and more
trials, and `--mnist FOLDER` one larger model on real MNIST. `--json` prints one JSON object.
"""

# %%
import argparse
import itertools
import json
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import numpy as np

from tfcourse import _terminal

_terminal.prepare()

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--json", action="store_true", help="print one JSON object")
parser.add_argument("--trials", type=int, default=256, help="models to train at once")
parser.add_argument("--repeats", type=int, default=3, help="runs of each way")
parser.add_argument("--only", nargs="+", default=[], metavar="WAY", help="leave out all others")
parser.add_argument("--growth", action="store_true", help="64 to 4096 trials")
parser.add_argument("--mnist", metavar="FOLDER", help="one model of 2×256 units, by batch size")
arguments = parser.parse_args()

WAYS = {
    "tfcourse": "tfcourse",
    "tfcourse_one_thread": "tfcourse, on one thread",
    "keras_tuner": "KerasTuner, RandomSearch",
    "optuna": "Optuna around model.fit",
    "model_fit": "model.fit",
    "torch_loop": "PyTorch, plain loop",
    "torch_vmap": "PyTorch, torch.func.vmap",
    "scikit_learn": "scikit-learn (no batch norm)",
    "jax_vmap": "JAX, jit of vmap of scan",
}


def say(text):
    print(text, file=sys.stderr if arguments.json else sys.stdout, flush=True)


def measure(way, **case):
    """Run a way in its own process; none if a package it needs is missing."""
    settings = json.dumps({"trials": arguments.trials, "repeats": arguments.repeats, **case})
    peers = Path(__file__).with_name("benchmark_peers.py")
    done = subprocess.run([sys.executable, peers, way, settings], capture_output=True, text=True)
    if done.returncode == 3:
        say(f"{way}: left out, {done.stderr.strip().splitlines()[-1]}")
        return None
    if done.returncode:
        raise SystemExit(f"{way} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


# %% [markdown]
# ## The bound
#
# Counting only multiplications and additions of the matrix products: forward, and backward for
# weights and (but for the first layer) for activations; validation only forward. Divided by the
# highest rate that the machine reaches on one large product, in NumPy or in TensorFlow. Small
# products cannot be had at that rate: the second figure is what a training's own products take,
# those of 16 models at a time, compiled in a loop that does nothing else, one on each core.


# %%
def operations(examples, validation, sizes, epochs=20, batch=64):
    products = [a * b for a, b in itertools.pairwise(sizes)]
    trained = examples // batch * batch
    return 2 * epochs * (trained * (3 * sum(products) - products[0]) + validation * sum(products))


def peak():
    """Floating-point operations per second of a 2048×2048 matrix product."""
    from tfcourse._tensorflow import tf

    a = np.random.default_rng(0).random((2048, 2048), np.float32)
    t = tf.constant(a)
    times = []
    for product in (lambda: a @ a, lambda: tf.matmul(t, t).numpy()):
        for _ in range(10):
            start = time.perf_counter()
            product()
            times.append(time.perf_counter() - start)
    return 2 * 2048**3 / min(times)


def products(sizes=(64, 64, 64, 10), models=16, batch=64, steps=400):
    """Seconds that the matrix products of a training step of one model take."""
    from tfcourse._tensorflow import tf

    rng = np.random.default_rng(0)
    layers = [
        [
            tf.constant(rng.normal(size=(models, *shape)).astype(np.float32))
            for shape in ((batch, a), (a, b), (batch, b))
        ]
        for a, b in itertools.pairwise(sizes)
    ]

    def step(index, layers):
        """Forward, and backward for weights and for all inputs but the first layer's."""
        new = []
        for number, (x, w, dz) in enumerate(layers):
            forward, of_weights = x @ w, tf.matmul(x, dz, transpose_a=True)
            inputs = tf.matmul(dz, w, transpose_b=True) if number else -8 * x
            new.append([inputs / 8, of_weights / 8, forward / 8])  # which keeps their spread
        return index + 1, new

    @tf.function(jit_compile=True, autograph=False)
    def run(layers):
        return tf.while_loop(lambda i, _: i < steps, step, (tf.constant(0), layers))[1]

    run(layers)
    cores, best = os.cpu_count(), np.inf
    with ThreadPoolExecutor(cores) as pool:
        for _ in range(5):
            start = time.perf_counter()
            list(pool.map(lambda _: run(layers)[0][0].numpy(), range(cores)))
            best = min(best, time.perf_counter() - start)
    return best / (cores * models * steps)


def bounds():
    """Seconds a trial: all products at the highest rate, and those of its steps as they come."""
    from tfcourse import datasets

    data = datasets.load("digits")
    count = operations(len(data.x_train), len(data.x_validation), (64, 64, 64, 10))
    return count / peak(), 20 * (len(data.x_train) // 64) * products()


# %% [markdown]
# ## Side by side

# %%
machine = (
    f"{os.cpu_count()} cores ({platform.machine()}), TensorFlow {metadata.version('tensorflow')}"
)
say(f"One training of {arguments.trials}, on {machine}")
found = {}
for way in WAYS:
    if arguments.only and way not in arguments.only:
        continue
    if result := measure(way):
        found[way] = result
        say(
            f"{WAYS[way]:<30} {1e3 * result['first']:9.2f} ms a trial, compilation included"
            f" {1e3 * result['warm']:9.2f} ms after it {result['imports']:6.1f} s imports"
        )
lowest, small = bounds()
say(f"{'bound: products, highest rate':<30} {1e3 * lowest:9.2f} ms a trial")
say(f"{'products of these sizes alone':<30} {1e3 * small:9.2f} ms a trial")

report = {
    "machine": machine,
    "trials": arguments.trials,
    "per_trial_seconds": {way: result["first"] for way, result in found.items()},
    "per_trial_seconds_warm": {way: result["warm"] for way, result in found.items()},
    "import_seconds": {way: result["imports"] for way, result in found.items()},
    "bound_seconds": lowest,
    "products_seconds": small,
}

# %% [markdown]
# One model alone is compared with `model.fit`: first run with first run, warm with warm.

# %%
if "model_fit" in found:
    one = measure("tfcourse_one")
    report["one_fit_seconds"] = found["model_fit"]["warm"]
    report["one_seconds"] = {"tfcourse": one, "model_fit": found["model_fit"]}
    for run in ("first", "warm"):
        ratio = found["model_fit"][run] / one[run]
        say(f"one model, {run} run: {one[run]:.3f} s, model.fit takes {ratio:.1f} times as long")
if "tfcourse" in found:
    say("\nHow many times as long a trial takes, compilation included (and without):")
    ours = found["tfcourse"]
    for way, result in found.items():
        first, warm = result["first"] / ours["first"], result["warm"] / ours["warm"]
        say(f"{WAYS[way]:<30} {first:8.1f} ({warm:.1f})")
    say(f"{'share of the bound, warm':<30} {lowest / ours['warm']:8.2f}")

# %% [markdown]
# ## More and more trials

# %%
if arguments.growth:
    report["growth"] = {}
    say("\ntrials  ms a trial  peak memory")
    for trials in (64, 256, 1024, 4096):
        result = measure("tfcourse", trials=trials, repeats=1)
        report["growth"][trials] = result
        say(f"{trials:6d} {1e3 * result['warm']:11.2f} {result['peak_memory'] / 2**10:9.0f} MiB")

# %% [markdown]
# ## One larger model, by batch size

# %%
if arguments.mnist:
    report["mnist_seconds"] = {}
    say("\nMNIST, 2×256 units, seconds for 5 epochs, warm\nbatch  tfcourse  model.fit  PyTorch")
    for batch in (32, 64, 128, 256, 512, 1024):
        case = {"data": arguments.mnist, "units": [256, 256], "batch": batch, "epochs": 5}
        case |= {"trials": 1, "repeats": 1}
        times = {way: measure(way, **case) for way in ("tfcourse", "model_fit", "torch_loop")}
        report["mnist_seconds"][batch] = {way: t["warm"] for way, t in times.items() if t}
        say(f"{batch:5d} " + " ".join(f"{t['warm']:9.2f}" for t in times.values() if t))

if arguments.json:
    print(json.dumps(report))
