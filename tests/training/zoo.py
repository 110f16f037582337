"""Models as users write them: each is trained by both engines and by plain `model.fit`."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfcourse.training import Data
from tfcourse.training.seeds import keras_starts_anew

layers, regularizers = keras.layers, keras.regularizers


@dataclass(frozen=True)
class Case:
    """A build, its trials, and the data it is for.

    data: a key of `DATA`. random: it draws while it trains, so that figures agree only in
    distribution. mapped: none if `model.fit` must train it, which a note says. suite: which one
    runs it. epochs: fewer where another call of `fit` would begin anew.
    """

    build: Callable[[dict[str, Any]], keras.Model]
    data: str
    trials: tuple[dict[str, Any], ...] = ({"rate": 0.01}, {"rate": 0.003})
    random: bool = False
    mapped: bool = True
    epochs: int = 2
    suite: str = "long"


def _rng():
    return np.random.default_rng(0)


def _classes():
    y = np.arange(90) % 3
    x = (_rng().normal(size=(90, 6)) + np.eye(3, 6)[y] * 2).astype("float32")
    return Data(x[:60], y[:60], x[60:], y[60:])


def _images():
    y = np.arange(60) % 2
    x = _rng().normal(size=(60, 8, 8, 2)).astype("float32")
    x[y == 1, 2:5, 2:5] += 4
    return Data(x[:40], y[:40], x[40:], y[40:])


def _series():
    y = np.arange(60) % 2
    x = _rng().normal(size=(60, 8, 4)).astype("float32") + y[:, None, None] * 0.5
    return Data(x[:40], y[:40], x[40:], y[40:])


def _tokens():
    x = _rng().integers(1, 20, (90, 7))
    x[::3, 5:] = 0
    y = (x[:, 0] > 10).astype(int)
    return Data(x[:60], y[:60], x[60:], y[60:])


def _numbers():
    x = _rng().normal(size=(90, 5)).astype("float32")
    y = x @ np.arange(5.0)
    return Data(x[:60], y[:60], x[60:], y[60:])


def _two_inputs():
    rng = _rng()
    x = {"numbers": rng.normal(size=(90, 3)).astype("float32"), "kind": rng.integers(0, 4, (90, 1))}
    y = {"value": x["numbers"].sum(axis=1), "sign": (x["kind"][:, 0] > 1).astype("float32")}

    def part(rows):
        return {k: v[rows] for k, v in x.items()}, {k: v[rows] for k, v in y.items()}

    return Data(*part(slice(0, 60)), *part(slice(60, None)))


def _weighted():
    data = _classes()
    weights = np.linspace(0.1, 3, 60)
    return Data(
        data.x,
        data.y,
        data.x_validation,
        data.y_validation,
        weights,
        np.linspace(3, 0.1, 30),
        {0: 2.0, 2: 0.5},
    )


def _one_hot():
    data = _classes()
    return Data(data.x, np.eye(3)[data.y], data.x_validation, np.eye(3)[data.y_validation])


DATA = {
    "classes": _classes,
    "images": _images,
    "series": _series,
    "tokens": _tokens,
    "numbers": _numbers,
    "two inputs": _two_inputs,
    "weighted": _weighted,
    "one-hot": _one_hot,
}


def _compiled(model, h, loss="sparse_categorical_crossentropy", metrics=("accuracy",), opt=None):
    rate = h.get("rate", 0.01)
    metrics = [m() if callable(m) else m for m in metrics]
    model.compile(opt or keras.optimizers.Adam(rate), loss, metrics=metrics)
    return model


def _dense(*middle, last=None, inputs=(6,)):
    last = last or layers.Dense(3, "softmax")
    return keras.Sequential([keras.Input(inputs), *middle, last])


def _of(*middle, **how):
    """A build of these layers, each made anew: `middle` are functions of the draw."""

    def build(h):
        made = [make(h) for make in middle]
        last = how.get("last", lambda h: layers.Dense(3, "softmax"))(h)
        model = _dense(*made, last=last, inputs=how.get("inputs", (6,)))
        opt = how["opt"](h) if "opt" in how else None
        return _compiled(
            model,
            h,
            how.get("loss", "sparse_categorical_crossentropy"),
            how.get("metrics", ("accuracy",)),
            opt,
        )

    return build


def _two(name, *values):
    return tuple({"rate": 0.01, name: value} for value in values)


def _dense8(h):
    return layers.Dense(8, "relu")


def _two_classes(h):
    return layers.Dense(2, "softmax")


def _conv(make, **how):
    inputs = how.pop("inputs", (8, 8, 2))
    return _of(make, lambda h: layers.Flatten(), last=_two_classes, inputs=inputs, **how)


def _optimized(opt):
    return Case(_of(_dense8, opt=opt), "classes")


def attention(h):
    inputs = keras.Input((8, 4))
    x = layers.Dense(8)(inputs)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4)(x, x))
    outputs = layers.Dense(2, "softmax")(layers.GlobalAveragePooling1D()(x))
    return _compiled(keras.Model(inputs, outputs), h)


def joined(h):
    inputs = keras.Input((6,))
    left = layers.Dense(h["left"], "tanh")(inputs)
    right = layers.Dense(h["right"], "sigmoid")(inputs)
    outputs = layers.Dense(3, "softmax")(layers.Concatenate()([left, right]))
    return _compiled(keras.Model(inputs, outputs), h)


def residual(h):
    inputs = keras.Input((6,))
    x = layers.Dense(h["units"], "relu")(inputs)
    x = layers.Add()([x, layers.Dense(h["units"], "tanh")(x)])
    return _compiled(keras.Model(inputs, layers.Dense(3, "softmax")(x)), h)


def shared(h):
    inputs = keras.Input((6,))
    twice = layers.Dense(6, "tanh")
    return _compiled(keras.Model(inputs, layers.Dense(3, "softmax")(twice(twice(inputs)))), h)


def frozen(h):
    first = layers.Dense(8, "relu")
    model = _dense(first, layers.BatchNormalization(trainable=False))
    first.trainable = False
    return _compiled(model, h)


def loaded(h):
    model = _dense(layers.Dense(4, "relu"))
    rng = np.random.default_rng(int(h["start"]))
    model.set_weights([rng.normal(size=w.shape) / 2 for w in model.weights])
    return _compiled(model, h)


def two_inputs(h):
    numbers, kind = keras.Input((3,), name="numbers"), keras.Input((1,), dtype="int32", name="kind")
    known = layers.Flatten()(layers.Embedding(4, 3)(kind))
    x = layers.Dense(8, "relu")(layers.Concatenate()([numbers, known]))
    outputs = {
        "value": layers.Dense(1, name="value")(x),
        "sign": layers.Dense(1, "sigmoid", name="sign")(x),
    }
    model = keras.Model({"numbers": numbers, "kind": kind}, outputs)
    model.compile(
        keras.optimizers.Adam(h["rate"]),
        {"value": "mse", "sign": "binary_crossentropy"},
        loss_weights={"value": 0.3, "sign": 2.0},
        metrics={"value": ["mae"], "sign": ["accuracy"]},
    )
    return model


def branching(h):
    extra = [layers.Dense(5, "relu")] if h["x"] > 0.5 else []
    return _compiled(_dense(layers.Dense(8, "relu"), *extra), h)


def ruled(h, **rules):
    """A kernel with rules that its layer does not know."""
    model = _dense(layers.Dense(8, "relu"))
    for name, rule in rules.items():
        setattr(model.layers[0].kernel, name, rule)
    return _compiled(model, h)


class Traced(keras.layers.Layer):
    """TensorFlow traces its call when it is first made, with the weights that it has then."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 6))

    @tf.function
    def call(self, inputs):
        return tf.tanh(tf.matmul(inputs, self.kernel))


class Counting(keras.layers.Layer):
    """Counts its calls, in validation too."""

    def build(self, shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs):
        self.calls.assign(self.calls + 1.0)
        return inputs * keras.ops.exp(-0.1 * self.calls)


class Penalty(keras.layers.Layer):
    """Brings a loss of its own."""

    def call(self, inputs):
        self.add_loss(keras.ops.mean(keras.ops.square(inputs)))
        return inputs


def penalty_alone(h):
    model = _dense(layers.Dense(4), last=Penalty())
    model.compile(keras.optimizers.SGD(h["rate"]))
    return model


def by_row(h):
    def scaled(row):
        return row * h["f"]

    inputs = keras.Input((6,))
    x = keras.ops.map(scaled, inputs)
    return _compiled(keras.Model(inputs, layers.Dense(3, "softmax")(x)), h)


class Unknown(keras.layers.Layer):
    """A variable that Keras does not know."""

    def __init__(self):
        super().__init__()
        self.factor = tf.Variable(0.0, trainable=False)

    def call(self, inputs):
        self.factor.assign_add(0.1)
        return inputs * (1 + self.factor)


class Noise(keras.layers.Layer):
    """Draws with whatever stream Keras has for those that bring none."""

    def call(self, inputs, training=False):
        return inputs + keras.random.normal(keras.ops.shape(inputs)) if training else inputs


def behind(h):
    model = _dense(layers.Dense(8, "relu"))
    opt = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(h["rate"], 2, 0.5))
    opt.iterations.assign(8)
    return _compiled(model, h, opt=opt)


def stepping(h):
    model = _compiled(_dense(layers.Dense(8, "relu")), h)
    own = model.train_step
    model.train_step = lambda data: own((0 * data[0], data[1]))
    return model


class Metrics(keras.Model):
    """Tells a figure more."""

    def __init__(self):
        super().__init__()
        self.last = layers.Dense(3, "softmax")

    def call(self, inputs):
        return self.last(inputs)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        told = super().compute_metrics(x, y, y_pred, sample_weight)
        return {**told, "largest": keras.ops.max(y_pred)}


class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    """Does not tell its configuration."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, step):
        return self.rate * keras.ops.minimum(1.0, (keras.ops.cast(step, "float32") + 1) / 4)


class AtLeast(keras.constraints.Constraint):
    """Leaves no zero."""

    def __call__(self, w):
        return keras.ops.clip(w, 0.5, 1.0)


def closure_loss(h):
    def focal(y_true, y_pred):
        index = keras.ops.reshape(keras.ops.cast(y_true, "int32"), (-1, 1))
        p = keras.ops.take_along_axis(y_pred, index, axis=-1)
        return -keras.ops.power(1 - p, h["gamma"]) * keras.ops.log(p + 1e-7)

    data = _dense(layers.Dense(8, "relu"))
    return _compiled(data, h, focal)


class Scaled(keras.layers.Layer):
    """A layer of the user's own, with a number that its configuration does not tell."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def get_config(self):
        return {}

    def call(self, inputs):
        return inputs * self.factor


class OwnWeight(keras.layers.Layer):
    """A weight drawn by an initializer that is no attribute of the layer."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 4), initializer="he_normal")

    def call(self, inputs):
        return keras.ops.tanh(inputs @ self.kernel)


class OwnStep(keras.Model):
    """A model with a training step of its own."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3, "softmax")

    def call(self, inputs):
        return self.dense(inputs)

    def train_step(self, data):
        return super().train_step(data)


class Subclassed(keras.Model):
    """A model without a graph of layers."""

    def __init__(self, units):
        super().__init__()
        self.first, self.last = layers.Dense(units, "relu"), layers.Dense(3, "softmax")

    def call(self, inputs, training=False):
        return self.last(self.first(inputs))


class Untold(keras.Model):
    """A model whose configuration tells nothing of its layers."""

    def __init__(self, activation):
        super().__init__()
        self.first = layers.Dense(6, activation)
        self.last = layers.Dense(3, "softmax")

    def get_config(self):
        return {}

    def call(self, inputs):
        return self.last(self.first(inputs))


class Around(keras.layers.Layer):
    """A layer of the user's own around one of Keras's, of which it tells nothing."""

    def __init__(self, activation):
        super().__init__()
        self.inner = layers.Dense(6, activation)

    def get_config(self):
        return {}

    def call(self, inputs):
        return self.inner(inputs)


class AtMost(keras.constraints.Constraint):
    """A constraint of the user's own that tells nothing of its number."""

    def __init__(self, most):
        self.most = most

    def __call__(self, w):
        return keras.ops.clip(w, -self.most, self.most)


class Scale:
    """A callable object as an activation."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, x):
        return x * self.factor


def logits_uncompiled(h):
    return keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu"), layers.Dense(3)])


def averaged(h):
    inputs = keras.Input((6,))
    heads = [layers.Dense(3, "softmax")(inputs) for _ in range(2)]
    return keras.Model(inputs, layers.Average()(heads))


def reshaped(h):
    middle = layers.Dense(8, "relu"), layers.Dense(3, "softmax")
    return keras.Sequential([keras.Input((6,)), *middle, layers.Reshape((3,))])


def float64_last(h):
    return _compiled(_dense(_dense8(h), last=layers.Dense(3, "softmax", dtype="float64")), h)


def scheduled(h):
    return keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(h["rate"], 2, 0.7))


def _l2(h):
    return layers.Dense(8, "relu", kernel_regularizer=regularizers.L2(h["decay"]))


make = keras.optimizers
ZOO = {
    "dense": Case(_of(_dense8), "classes", suite="default"),
    "drawn L2": Case(_of(_l2), "classes", _two("decay", 1e-4, 1.0), suite="default"),
    "drawn L1L2 of a bias": Case(
        _of(lambda h: layers.Dense(8, bias_regularizer=regularizers.L1L2(h["a"], 0.1))),
        "classes",
        _two("a", 0.01, 0.5),
    ),
    "activity penalty": Case(
        _of(lambda h: layers.Dense(8, activity_regularizer=regularizers.L2(h["a"]))),
        "classes",
        _two("a", 0.01, 0.5),
    ),
    "batch norm, drawn epsilon and momentum": Case(
        _of(
            lambda h: layers.Dense(8),
            lambda h: layers.BatchNormalization(momentum=h["m"], epsilon=10 * h["m"] - 4),
        ),
        "classes",
        _two("m", 0.5, 0.9),
        suite="default",
    ),
    "drawn slope": Case(
        _of(lambda h: layers.Dense(8), lambda h: layers.LeakyReLU(negative_slope=h["a"])),
        "classes",
        _two("a", 0.1, 0.7),
    ),
    "drawn activation": Case(
        _of(lambda h: layers.Dense(8, h["g"])), "classes", _two("g", "tanh", "relu")
    ),
    "drawn deviation": Case(
        _of(
            lambda h: layers.Dense(8, kernel_initializer=keras.initializers.RandomNormal(0, h["s"]))
        ),
        "classes",
        _two("s", 0.01, 1.0),
    ),
    "padded sigmoid": Case(
        _of(lambda h: layers.Dense(h["hidden"], "sigmoid"), lambda h: layers.BatchNormalization()),
        "classes",
        _two("hidden", 5, 8),
    ),
    "softmax inside": Case(
        _of(lambda h: layers.Dense(h["n"], "softmax")), "classes", _two("n", 5, 8)
    ),
    "layer norm of drawn width": Case(
        _of(lambda h: layers.Dense(h["n"]), lambda h: layers.LayerNormalization()),
        "classes",
        _two("n", 5, 8),
    ),
    "branches joined": Case(
        joined,
        "classes",
        ({"rate": 0.01, "left": 3, "right": 5}, {"rate": 0.01, "left": 4, "right": 3}),
    ),
    "residual": Case(residual, "classes", _two("units", 4, 6)),
    "one layer twice": Case(shared, "classes"),
    "frozen": Case(frozen, "classes"),
    "loaded weights": Case(loaded, "classes", _two("start", 1, 2)),
    "a layer more above a threshold": Case(branching, "classes", _two("x", 0.4, 0.6)),
    "names like options": Case(
        _of(lambda h: layers.Dense(8), lambda h: layers.Activation(h["act"], name=h["act"])),
        "classes",
        _two("act", "tanh", "relu"),
        suite="default",
    ),
    "a variable's own regularizer": Case(
        lambda h: ruled(h, regularizer=keras.regularizers.L2(h["d"])),
        "classes",
        _two("d", 1e-4, 0.5),
        suite="whole",
    ),
    "a variable's own constraint": Case(
        lambda h: ruled(h, constraint=keras.constraints.MaxNorm(h["c"])),
        "classes",
        _two("c", 0.05, 0.5),
        suite="whole",
    ),
    "a call traced by TensorFlow": Case(
        _of(lambda h: Traced()), "classes", mapped=False, suite="whole"
    ),
    "a variable that Keras does not know": Case(
        _of(lambda h: Unknown()), "classes", mapped=False, suite="whole"
    ),
    "a weight that changes in validation": Case(
        _of(lambda h: Counting()), "classes", mapped=False, suite="default"
    ),
    "no loss but a layer's own": Case(penalty_alone, "classes", suite="whole"),
    "a function in an operation": Case(by_row, "classes", _two("f", 0.1, 2.0), suite="whole"),
    "padded before a softmax": Case(
        _of(lambda h: layers.Dense(h["n"], "relu")), "classes", _two("n", 5, 8), suite="default"
    ),
    "noise without a seed": Case(
        _of(lambda h: Noise()), "classes", random=True, mapped=False, epochs=1, suite="whole"
    ),
    "an optimizer with steps behind it": Case(
        behind, "classes", mapped=False, epochs=1, suite="whole"
    ),
    "a model with another train_step": Case(stepping, "classes", mapped=False, suite="whole"),
    "a model with a figure more": Case(
        lambda h: _compiled(Metrics(), h), "classes", mapped=False, suite="whole"
    ),
    "a schedule that tells nothing": Case(
        _of(_dense8, opt=lambda h: keras.optimizers.SGD(Warmup(h["rate"]))),
        "classes",
        suite="whole",
    ),
    "a constraint that leaves no zero": Case(
        _of(
            lambda h: layers.Dense(h["n"], "sigmoid"),
            last=lambda h: layers.Dense(1, kernel_constraint=AtLeast()),
            loss="mse",
            metrics=(),
            inputs=(5,),
        ),
        "numbers",
        _two("n", 5, 8),
        suite="whole",
    ),
    "a loss that closes over a number": Case(closure_loss, "classes", _two("gamma", 0.0, 3.0)),
    "a number outside the configuration": Case(
        _of(lambda h: Scaled(h["f"])), "classes", _two("f", 0.1, 2.0), suite="default"
    ),
    "a model that tells nothing": Case(
        lambda h: _compiled(Untold(h["g"]), h), "classes", _two("g", "relu", "tanh")
    ),
    "a layer that tells nothing": Case(
        _of(lambda h: Around(h["g"])), "classes", _two("g", "relu", "tanh")
    ),
    "a number in a partial": Case(
        _of(
            lambda h: layers.Dense(
                6, functools.partial(keras.activations.leaky_relu, negative_slope=h["a"])
            )
        ),
        "classes",
        _two("a", 0.1, 0.9),
        suite="whole",
    ),
    "a number in a callable object": Case(
        _of(lambda h: layers.Dense(6, Scale(h["f"]))), "classes", _two("f", 0.1, 2.0), suite="whole"
    ),
    "a constraint of its own": Case(
        _of(lambda h: layers.Dense(6, kernel_constraint=AtMost(h["c"]))),
        "classes",
        _two("c", 0.05, 0.5),
    ),
    "everything dropped": Case(
        _of(_dense8, lambda h: layers.Dropout(h["d"])), "classes", _two("d", 1.0), suite="whole"
    ),
    "a number in a Lambda": Case(
        _of(lambda h: layers.Lambda(lambda x: x * h["f"])), "classes", _two("f", 0.1, 2.0)
    ),
    "a weight of its own": Case(_of(lambda h: OwnWeight()), "classes"),
    "a training step of its own": Case(
        lambda h: _compiled(OwnStep(), h), "classes", mapped=False, suite="whole"
    ),
    "subclassed": Case(lambda h: _compiled(Subclassed(h["n"]), h), "classes", _two("n", 4, 6)),
    "kernel constraint": Case(
        _of(lambda h: layers.Dense(8, kernel_constraint=keras.constraints.MaxNorm(0.3))),
        "classes",
        suite="default",
    ),
    "float64 last": Case(float64_last, "classes", mapped=False),
    "logits, compiled": Case(
        _of(
            _dense8,
            last=lambda h: layers.Dense(3),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        ),
        "classes",
    ),
    "logits, uncompiled": Case(logits_uncompiled, "classes", _two("learning_rate", 0.01, 0.1)),
    "averaged softmaxes": Case(averaged, "classes", _two("learning_rate", 0.01, 0.1)),
    "softmax, then a reshape": Case(reshaped, "classes", _two("learning_rate", 0.01, 0.1)),
    "weights of examples and classes": Case(_of(_dense8), "weighted", suite="default"),
    "one-hot": Case(_of(_dense8, loss="categorical_crossentropy"), "one-hot"),
    "several metrics": Case(
        _of(
            _dense8,
            loss="categorical_crossentropy",
            metrics=(
                "accuracy",
                lambda: keras.metrics.TopKCategoricalAccuracy(2, name="top"),
                "mean_absolute_error",
            ),
        ),
        "one-hot",
    ),
    "regression": Case(
        _of(_dense8, last=lambda h: layers.Dense(1), inputs=(5,), loss="mse", metrics=("mae",)),
        "numbers",
    ),
    "binary": Case(
        _of(
            lambda h: layers.Embedding(20, 4),
            lambda h: layers.GlobalAveragePooling1D(),
            last=lambda h: layers.Dense(1, "sigmoid"),
            inputs=(7,),
            loss="binary_crossentropy",
        ),
        "tokens",
        suite="default",
    ),
    "embedding with a mask": Case(
        _of(
            lambda h: layers.Embedding(20, 4, mask_zero=True),
            lambda h: layers.GlobalAveragePooling1D(),
            last=_two_classes,
            inputs=(7,),
        ),
        "tokens",
    ),
    "two inputs, two outputs": Case(two_inputs, "two inputs", suite="whole"),
    "sgd with momentum and clipnorm": _optimized(
        lambda h: make.SGD(h["rate"], momentum=0.8, clipnorm=0.1)
    ),
    "nesterov, weight decay": _optimized(
        lambda h: make.SGD(h["rate"], momentum=0.8, nesterov=True, weight_decay=0.1)
    ),
    "rmsprop, global clipnorm": _optimized(
        lambda h: make.RMSprop(h["rate"], rho=0.7, global_clipnorm=0.1)
    ),
    "adamw, clipvalue": _optimized(
        lambda h: make.AdamW(h["rate"], weight_decay=0.1, clipvalue=0.01)
    ),
    "adagrad": _optimized(lambda h: make.Adagrad(h["rate"])),
    "learning-rate schedule": Case(_of(_dense8, opt=scheduled), "classes", suite="default"),
    "averaged weights": Case(
        _of(_dense8, opt=lambda h: make.Adam(h["rate"], use_ema=True)),
        "classes",
        mapped=False,
        epochs=1,
    ),
    "lion": Case(_of(_dense8, opt=lambda h: make.Lion(h["rate"])), "classes", mapped=False),
    "conv": Case(
        _of(
            lambda h: layers.Conv2D(h["filters"], 3, activation="relu"),
            lambda h: layers.MaxPooling2D(),
            lambda h: layers.Conv2D(4, 2, padding="same"),
            lambda h: layers.Flatten(),
            last=_two_classes,
            inputs=(8, 8, 2),
        ),
        "images",
        _two("filters", 3, 5),
        suite="default",
    ),
    "conv, strides": Case(_conv(lambda h: layers.Conv2D(4, 3, strides=2)), "images"),
    "conv, dilation": Case(
        _conv(lambda h: layers.Conv2D(4, 3, dilation_rate=2, padding="same")), "images"
    ),
    "conv, groups": Case(_conv(lambda h: layers.Conv2D(4, 3, groups=2)), "images"),
    "conv 1-D with batch norm": Case(
        _of(
            lambda h: layers.Conv1D(4, 3),
            lambda h: layers.BatchNormalization(),
            lambda h: layers.GlobalMaxPooling1D(),
            last=_two_classes,
            inputs=(8, 4),
        ),
        "series",
    ),
    "conv transposed": Case(_conv(lambda h: layers.Conv2DTranspose(3, 3, strides=2)), "images"),
    "depthwise": Case(_conv(lambda h: layers.DepthwiseConv2D(3)), "images"),
    "separable": Case(_conv(lambda h: layers.SeparableConv2D(4, 3)), "images"),
    "batch norm over channels": Case(
        _of(
            lambda h: layers.Conv2D(4, 3, padding="same"),
            lambda h: layers.BatchNormalization(),
            lambda h: layers.GlobalAveragePooling2D(),
            last=_two_classes,
            inputs=(8, 8, 2),
        ),
        "images",
    ),
    "average pooling, upsampling": Case(
        _of(
            lambda h: layers.AveragePooling2D(2),
            lambda h: layers.UpSampling2D(),
            lambda h: layers.Flatten(),
            last=_two_classes,
            inputs=(8, 8, 2),
        ),
        "images",
    ),
    "pooling that overlaps": Case(_conv(lambda h: layers.MaxPooling2D(3, strides=2)), "images"),
    "rescaling": Case(_conv(lambda h: layers.Rescaling(0.5)), "images"),
    "group norm": Case(_conv(lambda h: layers.GroupNormalization(2)), "images"),
    "lstm": Case(_of(lambda h: layers.LSTM(4), last=_two_classes, inputs=(8, 4)), "series"),
    "gru of drawn width": Case(
        _of(lambda h: layers.GRU(h["n"]), last=_two_classes, inputs=(8, 4)),
        "series",
        _two("n", 3, 4),
        suite="whole",
    ),
    "simple rnn": Case(
        _of(lambda h: layers.SimpleRNN(4), last=_two_classes, inputs=(8, 4)), "series"
    ),
    "bidirectional": Case(
        _of(lambda h: layers.Bidirectional(layers.LSTM(3)), last=_two_classes, inputs=(8, 4)),
        "series",
    ),
    "masked lstm": Case(
        _of(
            lambda h: layers.Embedding(20, 4, mask_zero=True),
            lambda h: layers.LSTM(3),
            last=_two_classes,
            inputs=(7,),
        ),
        "tokens",
    ),
    "attention": Case(attention, "series"),
    "spectral norm": Case(
        _of(lambda h: layers.SpectralNormalization(layers.Dense(8))), "classes", mapped=False
    ),
    "dropout, drawn": Case(
        _of(_dense8, lambda h: layers.Dropout(h["d"] / 2)),
        "classes",
        _two("d", 0.2, 1.0),
        random=True,
    ),
    "gaussian dropout": Case(
        _of(_dense8, lambda h: layers.GaussianDropout(h["d"])),
        "classes",
        _two("d", 0.1, 0.5),
        random=True,
    ),
    "gaussian noise": Case(
        _of(lambda h: layers.GaussianNoise(h["s"])), "classes", _two("s", 0.1, 0.9), random=True
    ),
    "alpha dropout": Case(
        _of(_dense8, lambda h: layers.AlphaDropout(h["d"])),
        "classes",
        _two("d", 0.1, 0.5),
        random=True,
    ),
    "spatial dropout": Case(
        _conv(lambda h: layers.SpatialDropout2D(h["d"])), "images", _two("d", 0.2, 0.6), random=True
    ),
    "lstm with dropout": Case(
        _of(lambda h: layers.LSTM(4, dropout=0.4), last=_two_classes, inputs=(8, 4)),
        "series",
        random=True,
    ),
}

try:
    layers.Dropout(1.0)(np.ones((1, 1)), training=True)
except ValueError:  # Keras 3.8's own refuses to drop everything
    del ZOO["everything dropped"]

if not keras_starts_anew():  # nor does `model.fit` then end twice alike
    del ZOO["noise without a seed"]
