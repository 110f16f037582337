"""Pictures: a small convolutional net on the packaged digits, with a condition between choices."""

import keras

import tfcourse as tfc


def build(hp):
    model = keras.Sequential([keras.Input((8, 8)), keras.layers.Reshape((8, 8, 1))])
    model.add(keras.layers.Conv2D(hp.Choice("filters", [4, 8]), 3, activation="relu"))
    model.add(keras.layers.Flatten())
    if hp.Boolean("hidden"):
        with hp.conditional_scope("hidden", [True]):
            model.add(keras.layers.Dense(hp.Int("units", 16, 64, step=16), "relu"))
    model.add(keras.layers.Dense(10, "softmax"))
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return model


study = tfc.tune(build, "digits", trials=8, epochs=3)
print(study)
print(study.best.test_accuracy)
