"""A regression: the model is compiled with its loss, and the best one has the lowest error."""

import keras
import numpy as np

import tfcourse as tfc

rng = np.random.default_rng(0)
x = rng.uniform(-3, 3, (600, 2)).astype("float32")
y = np.sin(x[:, 0]) * x[:, 1] + rng.normal(0, 0.1, 600).astype("float32")


def build(hp):
    units = hp.Int("units", 8, 64, sampling="log")
    hidden = keras.layers.Dense(units, hp.Choice("activation", ["relu", "tanh"]))
    model = keras.Sequential([keras.Input((2,)), hidden, keras.layers.Dense(1)])
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "mse", metrics=["mae"])
    return model


study = tfc.tune(build, (x, y), trials=20, epochs=10, objective="val_mae")
print(study)
