"""Two inputs: a dict of arrays, under the names that the model's inputs have."""

import keras
import numpy as np

import tfcourse as tfc

rng = np.random.default_rng(0)
x = {"place": rng.normal(size=(600, 2)), "shape": rng.normal(size=(600, 4, 4, 1))}
y = (x["place"][:, 0] > x["shape"].mean(axis=(1, 2, 3))).astype("int32")


def build(hp):
    place, shape = keras.Input((2,), name="place"), keras.Input((4, 4, 1), name="shape")
    seen = keras.layers.Conv2D(hp.Int("filters", 2, 8), 3, activation="relu")(shape)
    both = keras.layers.Concatenate()([place, keras.layers.Flatten()(seen)])
    hidden = keras.layers.Dense(hp.Int("units", 4, 32, sampling="log"), "relu")(both)
    output = keras.layers.Dense(1, "sigmoid")(hidden)
    model = keras.Model({"place": place, "shape": shape}, output)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


study = tfc.tune(build, (x, y), trials=10, epochs=10)
print(study)
