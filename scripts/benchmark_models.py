"""Seconds a trial for families of Keras models: tfcourse, KerasTuner, and `model.fit` one by one.

Every way runs in a process of its own, from the first line of the search to its end, building and
compilation included. tfcourse trains all trials, with nothing compiled before; then once more in
the same process (warm), and in another one, which finds what the first compiled (again). The others
train as many as `--peers` says, after which the time of a trial is known. Needs the extra `bench`.

    python scripts/benchmark_models.py --json
    python scripts/benchmark_models.py --families dense conv --trials 64 --peers 4
"""

# %%
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

# %%
WAYS = ("tfcourse", "keras_tuner", "model_fit")
EPOCHS = 20


def draws(count):
    """Hyperparameters of every family, the same for every way."""
    rng = np.random.default_rng(0)
    return [
        {
            "learning_rate": float(10 ** rng.uniform(-3.5, -1.5)),
            "l2": float(10 ** rng.uniform(-5, -1)),
            "dropout": float(rng.uniform(0.05, 0.5)),
            "filters": int(rng.integers(16, 33)),
        }
        for _ in range(count)
    ]


def digits(shape):
    from tfcourse import datasets

    data = datasets.load("digits").standardized()
    x = [part.reshape(-1, *shape) for part in (data.x_train, data.x_validation)]
    return x[0], data.y_train, x[1], data.y_validation


def made(x, y, train=1000):
    return x[:train], y[:train], x[train:], y[train:]


def images():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 1200)
    x = rng.normal(size=(1200, 28, 28, 1)).astype("float32")
    for k in range(10):
        x[y == k, 2 * k : 2 * k + 6] += 1
    return made(x, y)


def tokens():
    rng = np.random.default_rng(0)
    x = rng.integers(1, 500, (1250, 40))
    return made(x, (x[:, 0] > 250).astype(int))


def numbers(binary=False):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1250, 20)).astype("float32")
    y = x[:, :5].sum(axis=1)
    return made(x, (y > 0).astype(int) if binary else y)


def compiled(h, inputs, outputs_of, loss="sparse_categorical_crossentropy", metrics=("accuracy",)):
    import keras

    model = keras.Model(inputs, outputs_of)
    model.compile(keras.optimizers.Adam(h["learning_rate"]), loss, metrics=list(metrics))
    return model


def chain(h, shape, *layers, last=None, **how):
    import keras

    x = inputs = keras.Input(shape)
    for layer in (*layers, last or keras.layers.Dense(10, "softmax")):
        x = layer(x)
    return compiled(h, inputs, x, **how)


def dense(h):
    """The packaged classifier, which training compiles itself."""
    from tfcourse import Hyperparameters, build

    return build((64,), 10, Hyperparameters(units=64, layers=2))


def dense_l2_dropout(h):
    from keras import layers, regularizers

    penalty = regularizers.L2(h["l2"])
    hidden = layers.Dense(64, "relu", kernel_regularizer=penalty)
    return chain(h, (64,), hidden, layers.Dropout(h["dropout"]))


def conv(h, filters=32, penalty=None):
    from keras import layers

    return chain(
        h,
        (8, 8, 1),
        layers.Conv2D(filters, 3, activation="relu", kernel_regularizer=penalty),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(64, "relu"),
    )


def conv_drawn(h):
    from keras import regularizers

    return conv(h, h["filters"], regularizers.L2(h["l2"]))


def conv_28(h):
    from keras import layers

    blocks = [
        layer
        for filters in (32, 64)
        for layer in (
            layers.Conv2D(filters, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
        )
    ]
    return chain(h, (28, 28, 1), *blocks, layers.Flatten(), layers.Dense(64, "relu"))


def embedding(h):
    from keras import layers

    middle = layers.Embedding(500, 16), layers.GlobalAveragePooling1D(), layers.Dense(32, "relu")
    last = layers.Dense(1, "sigmoid")
    return chain(h, (40,), *middle, last=last, loss="binary_crossentropy")


def conv_1d(h):
    from keras import layers

    middle = layers.Conv1D(32, 3), layers.BatchNormalization(), layers.ReLU()
    return chain(h, (8, 8), *middle, layers.GlobalMaxPooling1D())


def lstm(h):
    from keras import layers

    return chain(h, (8, 8), layers.LSTM(32))


def gru(h):
    from keras import layers

    return chain(h, (8, 8), layers.GRU(32))


def attention(h):
    import keras
    from keras import layers

    inputs = keras.Input((8, 8))
    x = layers.Dense(32)(inputs)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(4, 8)(x, x))
    x = layers.Dense(10, "softmax")(layers.GlobalAveragePooling1D()(x))
    return compiled(h, inputs, x)


def regression(h):
    from keras import layers

    hidden = layers.Dense(64, "relu"), layers.Dense(32, "relu")
    return chain(h, (20,), *hidden, last=layers.Dense(1), loss="mse", metrics=("mae",))


def binary(h):
    from keras import layers

    hidden = layers.Dense(64, "relu"), layers.Dense(32, "relu")
    return chain(h, (20,), *hidden, last=layers.Dense(1, "sigmoid"), loss="binary_crossentropy")


FAMILIES = {
    "dense": (dense, lambda: digits((64,))),
    "dense_l2_dropout": (dense_l2_dropout, lambda: digits((64,))),
    "conv": (conv, lambda: digits((8, 8, 1))),
    "conv_drawn": (conv_drawn, lambda: digits((8, 8, 1))),
    "conv_28": (conv_28, images),
    "embedding": (embedding, tokens),
    "conv_1d": (conv_1d, lambda: digits((8, 8))),
    "lstm": (lstm, lambda: digits((8, 8))),
    "gru": (gru, lambda: digits((8, 8))),
    "attention": (attention, lambda: digits((8, 8))),
    "regression": (regression, numbers),
    "binary": (binary, lambda: numbers(binary=True)),
}


def tfcourse(build, data, trials):
    from tfcourse.training import Data, train

    data = Data(*data)
    for _ in range(2):
        started = time.perf_counter()
        finished = [one for chunk in train(build, trials, data, epochs=EPOCHS) for one in chunk]
        assert all(one.error is None for one in finished)
        yield time.perf_counter() - started


def compiled_too(model, h):
    import keras

    if not model.compiled:
        adam = keras.optimizers.Adam(h["learning_rate"])
        model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def model_fit(build, data, trials):
    x, y, *validation = data
    started = time.perf_counter()
    for h in trials:
        compiled_too(build(h), h).fit(x, y, 64, EPOCHS, validation_data=validation, verbose=0)
    yield time.perf_counter() - started


def keras_tuner(build, data, trials):
    import keras_tuner as kt

    x, y, *validation = data

    def hypermodel(hp):
        h = {
            "learning_rate": hp.Float("learning_rate", 10**-3.5, 10**-1.5, sampling="log"),
            "l2": hp.Float("l2", 1e-5, 1e-1, sampling="log"),
            "dropout": hp.Float("dropout", 0.05, 0.5),
            "filters": hp.Int("filters", 16, 32),
        }
        return compiled_too(build(h), h)

    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        tuner = kt.RandomSearch(
            hypermodel, "val_loss", max_trials=len(trials), directory=folder, seed=0
        )
        tuner.search(x, y, batch_size=64, epochs=EPOCHS, validation_data=validation, verbose=0)
        yield time.perf_counter() - started


def measured(family, way, count, folder):
    """Seconds a trial of one way, in a process of its own; of tfcourse, warm and again too."""

    def run():
        command = [sys.executable, __file__, "--one", family, way, str(count)]
        own = os.environ | {"TFCOURSE_CACHE": folder}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=own)
        if done.returncode:
            sys.exit(done.stderr)
        return json.loads(done.stdout.splitlines()[-1])

    if way != "tfcourse":
        return {way: run()[0]}
    first, warm = run()
    return {way: first, f"{way}_warm": warm, f"{way}_again": run()[0]}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--trials", type=int, default=64)
    parser.add_argument("--peers", type=int, default=4, help="trials that the peers train")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        family, way, count = options.one
        build, data = FAMILIES[family]
        arrays = data()
        import tfcourse._tensorflow  # noqa: F401 - its import is not part of the time

        took = globals()[way](build, arrays, draws(int(count)))
        print(json.dumps([seconds / int(count) for seconds in took]))
        return
    found = {}
    for family in options.families:
        counts = {w: options.trials if w == "tfcourse" else options.peers for w in options.ways}
        with tempfile.TemporaryDirectory() as folder:
            parts = [measured(family, way, count, folder) for way, count in counts.items()]
        found[family] = {way: seconds for part in parts for way, seconds in part.items()}
        told = "  ".join(f"{way} {1000 * s:.0f} ms" for way, s in found[family].items())
        print(f"{family:18} a trial: {told}", file=sys.stderr)
    if options.json:
        table = {family: {"per_trial_seconds": ways} for family, ways in found.items()}
        print(json.dumps({"families": table}))


if __name__ == "__main__":
    main()
