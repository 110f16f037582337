"""The ways to train that `benchmark_training.py` compares, each run in a process of its own.

    python scripts/benchmark_peers.py tfcourse '{"trials": 64}'

prints what it found as JSON: seconds per trial, of the first run and of the best of those after it,
and seconds of imports. Status 3: a package is missing.
"""

# %%
import contextlib
import importlib
import io
import itertools
import json
import os
import sys
import tempfile
import time

import numpy as np

MOMENTUM = 0.9  # of batch norm's averages
LOSS = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
case = {"data": "digits", "units": [64, 64], "batch": 64, "epochs": 20, "trials": 3, "repeats": 3}


def load():
    """Standardized training and validation sets, each example a row."""
    from tfcourse import datasets

    data = datasets.load(case["data"]).standardized()
    x, x_validation = (v.reshape(len(v), -1) for v in (data.x_train, data.x_validation))
    return x, data.y_train, x_validation, data.y_validation


def learning_rates(count):
    return (10 ** np.random.default_rng(0).uniform(-4, -1, count)).tolist()


def batches(seed, epoch, examples):
    from tfcourse.training.batches import epoch_batches

    return epoch_batches(seed, epoch, examples, case["batch"])


def timed(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def repeated(prepare, trials, *, twice=True):
    """Seconds per trial of the best run: `first` with what is prepared and compiled, `warm` after.

    Ways that compile nothing, or for every trial again, need not run twice.
    """
    first, warm = [], []
    for _ in range(case["repeats"]):
        began = time.perf_counter()
        run = prepare()
        run()
        first.append(time.perf_counter() - began)
        warm.append(timed(run) if twice else first[-1])
    return {"trials": trials, "first": min(first) / trials, "warm": min(warm) / trials}


# %% [markdown]
# ## tfcourse


# %%
def keras_model(features):
    import keras

    layers = [keras.Input((features,))]
    for width in case["units"]:
        layers += [
            keras.layers.Dense(width, use_bias=False),
            keras.layers.BatchNormalization(momentum=MOMENTUM),
            keras.layers.Activation("relu"),
        ]
    return keras.Sequential([*layers, keras.layers.Dense(10), keras.layers.Softmax()])


def tfcourse(**how):
    """As `tfcourse tune` does it: chunk after chunk, of which only figures are kept."""
    from tfcourse.training import Data, train

    data, count = load(), case["trials"]
    shared = {"optimizer": "adam", "batch_size": case["batch"]}
    trials = [{"learning_rate": rate, **shared} for rate in learning_rates(count)]

    def prepare():
        sets, build = Data(*data), lambda trial: keras_model(data[0].shape[1])

        def run():
            for chunk in train(build, trials, sets, epochs=case["epochs"], **how):
                max(one.history["val_accuracy"].max() for one in chunk)

        return run

    return repeated(prepare, count)


def tfcourse_one():
    case["trials"] = 1
    return tfcourse()


def tfcourse_one_thread():
    return tfcourse(threads=1)


# %% [markdown]
# ## Keras, and what is built around `model.fit`


# %%
def fit(model, data, rate=None):
    import keras

    if rate is not None:
        model.compile(keras.optimizers.Adam(rate), **LOSS)
    x, y, *validation = data
    how = {"batch_size": case["batch"], "epochs": case["epochs"], "verbose": 0}
    return max(model.fit(x, y, validation_data=validation, **how).history["val_accuracy"])


def model_fit():
    """The first run compiles the model; the one after it goes on with the same."""
    data = load()

    def prepare():
        model = keras_model(data[0].shape[1])
        rates = iter([0.003])
        return lambda: fit(model, data, next(rates, None))

    return repeated(prepare, 1)


def keras_tuner():
    import keras
    import keras_tuner as kt

    data = load()
    x, y, *validation = data

    def build(hp):
        model = keras_model(x.shape[1])
        rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
        model.compile(keras.optimizers.Adam(rate), **LOSS)
        return model

    def run():
        how = {"batch_size": case["batch"], "epochs": case["epochs"], "verbose": 0}
        with tempfile.TemporaryDirectory() as folder:
            tuner = kt.RandomSearch(build, "val_accuracy", max_trials=3, directory=folder)
            tuner.search(x, y, validation_data=validation, **how)

    return repeated(lambda: run, 3, twice=False)


def optuna():
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    data = load()

    def objective(trial):
        rate = trial.suggest_float("rate", 1e-4, 1e-1, log=True)
        return fit(keras_model(data[0].shape[1]), data, rate)

    def run():
        optuna.create_study(direction="maximize").optimize(objective, n_trials=3)

    return repeated(lambda: run, 3, twice=False)


# %% [markdown]
# ## Other frameworks


# %%
def torch_model(features):
    import torch

    layers = []
    for width in case["units"]:
        layers += [
            torch.nn.Linear(features, width, bias=False),
            torch.nn.BatchNorm1d(width, eps=1e-3, momentum=1 - MOMENTUM),
            torch.nn.ReLU(),
        ]
        features = width
    return torch.nn.Sequential(*layers, torch.nn.Linear(features, 10))


def torch_train(data, rate):
    import torch

    x, y, x_validation, y_validation = map(torch.as_tensor, data)
    model = torch_model(x.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), rate)
    for epoch in range(case["epochs"]):
        model.train()
        for rows in torch.as_tensor(batches(0, epoch, len(x))):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            (model(x_validation).argmax(1) == y_validation).float().mean().item()


def torch_loop():
    """With one thread or with all, whichever is faster."""
    import torch

    data, found = load(), []
    rates = learning_rates(case["trials"])[:3]

    def run():
        for rate in rates:
            torch_train(data, rate)

    for threads in (torch.get_num_threads(), 1):
        torch.set_num_threads(threads)
        found.append(repeated(lambda: run, len(rates), twice=False))
    return min(found, key=lambda times: times["warm"])


def torch_vmap():
    import torch
    from torch.nn.functional import cross_entropy

    trials, units = min(case["trials"], 128), case["units"]
    x, y, x_validation, y_validation = map(torch.as_tensor, load())
    rates = torch.tensor(learning_rates(trials))

    def forward(weights, x, moving=None):
        seen = []
        for layer in range(len(units)):
            W, gamma, beta = weights[3 * layer : 3 * layer + 3]
            z = x @ W
            mean, variance = moving[layer] if moving else (z.mean(0), z.var(0, unbiased=False))
            seen.append((mean, variance))
            x = torch.relu(gamma * (z - mean) / torch.sqrt(variance + 1e-3) + beta)
        return x @ weights[-2] + weights[-1], seen

    def loss(weights, rows):
        logits, seen = forward(weights, x[rows])
        return cross_entropy(logits, y[rows]), seen

    step = torch.func.vmap(torch.func.grad(loss, has_aux=True))
    validate = torch.func.vmap(lambda weights, moving: forward(weights, x_validation, moving)[0])

    def run():
        models = [torch_model(x.shape[1]) for _ in range(trials)]
        columns = zip(*(list(model.parameters()) for model in models), strict=True)
        weights = [
            torch.stack([w.detach().T if w.ndim == 2 else w.detach() for w in column])
            for column in columns
        ]
        averages = [torch.zeros_like(w) for w in weights]
        squares = [torch.zeros_like(w) for w in weights]
        moving = [(torch.zeros(trials, width), torch.ones(trials, width)) for width in units]
        count = 0
        for epoch in range(case["epochs"]):
            rows = np.stack([batches(k, epoch, len(x)) for k in range(trials)], axis=1)
            for row in torch.as_tensor(rows):
                gradients, seen = step(weights, row)
                count += 1
                moving = [
                    tuple(MOMENTUM * a + (1 - MOMENTUM) * b for a, b in zip(old, new, strict=True))
                    for old, new in zip(moving, seen, strict=True)
                ]
                rate = rates * np.sqrt(1 - 0.999**count) / (1 - 0.9**count)
                for w, g, v, s in zip(weights, gradients, averages, squares, strict=True):
                    v.mul_(0.9).add_(g, alpha=0.1)
                    s.mul_(0.999).addcmul_(g, g, value=0.001)
                    w -= rate.reshape(-1, *[1] * (w.ndim - 1)) * v / (s.sqrt() + 1e-7)
            (validate(weights, moving).argmax(-1) == y_validation).float().mean(1).tolist()

    return repeated(lambda: run, trials, twice=False)


def scikit_learn():
    """Without batch norm, which it does not have."""
    import warnings

    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore")  # that 20 epochs are not yet convergence
    x, y, x_validation, y_validation = load()
    how = {"batch_size": case["batch"], "max_iter": case["epochs"]}

    def run():
        for rate in learning_rates(3):
            model = MLPClassifier(case["units"], learning_rate_init=rate, **how).fit(x, y)
            model.score(x_validation, y_validation)

    return repeated(lambda: run, 3, twice=False)


def jax_vmap():
    import jax
    import jax.numpy as jnp

    x, y, x_validation, y_validation = map(jnp.asarray, load())
    units, trials = case["units"], case["trials"]
    rates = jnp.array(learning_rates(trials))

    def start(key):
        shapes = list(itertools.pairwise((x.shape[1], *units, 10)))
        keys = jax.random.split(key, len(shapes))
        glorot = jax.nn.initializers.glorot_uniform()
        kernels = [glorot(k, shape) for k, shape in zip(keys, shapes, strict=True)]
        hidden = [(w, jnp.ones(w.shape[1]), jnp.zeros(w.shape[1])) for w in kernels[:-1]]
        moving = [(jnp.zeros(u), jnp.ones(u)) for u in units]
        return (hidden, kernels[-1], jnp.zeros(10)), moving

    def forward(weights, x, moving=None):
        hidden, W, b = weights
        seen = []
        for layer, (V, gamma, beta) in enumerate(hidden):
            z = x @ V
            mean, variance = moving[layer] if moving else (z.mean(0), z.var(0))
            seen.append((mean, variance))
            x = jax.nn.relu(gamma * (z - mean) / jnp.sqrt(variance + 1e-3) + beta)
        return x @ W + b, seen

    def cross_entropy(logits, y):
        rows = jnp.take_along_axis(logits, y[:, None], axis=1)[:, 0]
        return (jax.nn.logsumexp(logits, axis=1) - rows).mean()

    def loss(weights, rows):
        logits, seen = forward(weights, x[rows])
        return cross_entropy(logits, y[rows]), seen

    def train(key, rate, orders):
        weights, moving = start(key)
        each = jax.tree.map
        zeros = each(jnp.zeros_like, weights)

        def step(state, rows):
            weights, moving, v, s, count = state
            (cost, seen), g = jax.value_and_grad(loss, has_aux=True)(weights, rows)
            moving = each(lambda a, b: MOMENTUM * a + (1 - MOMENTUM) * b, moving, seen)
            v = each(lambda v, g: 0.9 * v + 0.1 * g, v, g)
            s = each(lambda s, g: 0.999 * s + 0.001 * g * g, s, g)
            alpha = rate * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
            weights = each(lambda w, v, s: w - alpha * v / (jnp.sqrt(s) + 1e-7), weights, v, s)
            return (weights, moving, v, s, count + 1), cost

        def epoch(state, order):
            state, costs = jax.lax.scan(step, state, order)
            logits, _ = forward(state[0], x_validation, state[1])
            accuracy = (logits.argmax(1) == y_validation).mean()
            return state, (costs.mean(), cross_entropy(logits, y_validation), accuracy)

        return jax.lax.scan(epoch, (weights, moving, zeros, zeros, jnp.float32(1)), orders)

    def prepare():
        jax.clear_caches()
        program = jax.jit(jax.vmap(train))

        def run():
            keys = jax.random.split(jax.random.key(0), trials)
            orders = [
                [batches(k, epoch, len(x)) for epoch in range(case["epochs"])]
                for k in range(trials)
            ]
            jax.block_until_ready(program(keys, rates, jnp.array(np.array(orders))))

        return run

    return repeated(prepare, trials)


# %%
NEEDS = {
    "tfcourse": ["tfcourse.training.engine"],
    "tfcourse_one": ["tfcourse.training.engine"],
    "tfcourse_one_thread": ["tfcourse.training.engine"],
    "model_fit": ["tfcourse._tensorflow"],
    "keras_tuner": ["tfcourse._tensorflow", "keras_tuner"],
    "optuna": ["tfcourse._tensorflow", "optuna"],
    "torch_loop": ["torch"],
    "torch_vmap": ["torch"],
    "scikit_learn": ["sklearn.neural_network"],
    "jax_vmap": ["jax"],
}


def peak_memory():
    """The most memory this process has had, in KiB; NaN where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**10 if sys.platform == "darwin" else most  # bytes on macOS, else KiB


def main(name="tfcourse", settings="{}"):
    case.update(json.loads(settings))
    os.environ["TFCOURSE_CACHE"] = "off"  # its compilation is to be measured, too
    try:
        seconds = timed(lambda: [importlib.import_module(module) for module in NEEDS[name]])
    except ImportError as missing:
        print(missing, file=sys.stderr)
        raise SystemExit(3) from None
    with contextlib.redirect_stdout(io.StringIO()):  # KerasTuner reports there
        found = globals()[name]()
    print(json.dumps({**found, "imports": seconds, "peak_memory": peak_memory()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
