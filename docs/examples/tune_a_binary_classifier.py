"""Two classes: one sigmoid, its cross-entropy, and the area under the curve to choose by."""

import keras
import numpy as np

import tfcourse as tfc

rng = np.random.default_rng(0)
x = rng.normal(size=(600, 2)).astype("float32")
y = (x[:, 0] * x[:, 1] > 0).astype("int32")


def build(hp):
    model = keras.Sequential([keras.Input((2,))])
    for layer in range(hp.Int("layers", 1, 2)):
        model.add(keras.layers.Dense(hp.Int(f"units_{layer}", 4, 32, sampling="log"), "relu"))
    model.add(keras.layers.Dense(1, "sigmoid"))
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy", "auc"])
    return model


study = tfc.tune(build, (x, y), trials=20, epochs=10, objective="val_auc", patience=4)
print(study)
