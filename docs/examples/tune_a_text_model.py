"""Texts: their words become numbers before, and the model's embedding takes the numbers."""

import keras
import numpy as np

import tfcourse as tfc

rng = np.random.default_rng(0)
words = ["a", "the", "film", "plot", "actor", "scene", "fine", "great", "dull", "bad"]
texts = [" ".join(rng.choice(words, 8)) for _ in range(600)]
labels = ["good" if t.count("fine") + t.count("great") > 1 else "poor" for t in texts]
vectorize = keras.layers.TextVectorization(output_sequence_length=8, vocabulary=words)


def build(hp):
    layers = [keras.Input((8,)), keras.layers.Embedding(12, hp.Int("dimensions", 2, 16))]
    layers += [keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(2, "softmax")]
    model = keras.Sequential(layers)
    adam = keras.optimizers.Adam(hp.Float("learning_rate", 1e-3, 1e-1, sampling="log"))
    model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


study = tfc.tune(build, (np.asarray(vectorize(texts)), labels), trials=20, epochs=10)
print(study)
