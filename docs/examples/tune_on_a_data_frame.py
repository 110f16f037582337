"""A data frame: numbers stay, categories get a column each, and the space is given beside."""

import keras
import numpy as np
import pandas as pd

import tfcourse as tfc

rng = np.random.default_rng(0)
table = pd.DataFrame({"size": rng.uniform(20, 200, 600), "town": rng.choice(["A", "B"], 600)})
table["price"] = table["size"] * (1 + (table["town"] == "A")) / 100 + rng.normal(0, 0.1, 600)


def build(h):
    layers = [keras.Input((3,)), keras.layers.BatchNormalization()]
    layers += [keras.layers.Dense(h["units"], "relu"), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(h["learning_rate"]), "mse")
    return model


space = tfc.Space(units=tfc.Integer(4, 64, log=True), learning_rate=tfc.Log(1e-3, 0.1))
study = tfc.tune(build, table, target="price", space=space, trials=20, epochs=10)
print(study.to_dataframe().nsmallest(3, "val_loss"))
