"""Experiments of part 3, softmax: the lecture's examples, gradients, boundaries, orientations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfcourse import softmax
from tfcourse._arrays import Floats

Integers = NDArray[np.integer]

PREDICTION, TRUTH = (0.3, 0.2, 0.1, 0.4), (0.0, 1.0, 0.0, 0.0)
"""ŷ and y of the lecture's second example."""


@dataclass(frozen=True, eq=False)
class LossCurve:
    """Probabilities of the true class, (n,), their losses, and the example among them."""

    probability: Floats
    loss: Floats
    example_probability: float
    example_loss: float


def loss_curve(seed: int = 0, size: int = 400) -> LossCurve:
    """Give the true class `size` probabilities, the other share the rest: L of each."""
    probability = np.linspace(1, 0.01, size)
    rows = np.stack([probability, *3 * [(1 - probability) / 3]], axis=1)
    loss = softmax.cross_entropy(rows, np.zeros(size, int), reduction="none")
    example = softmax.cross_entropy(np.array(PREDICTION), np.array(TRUTH))
    return LossCurve(probability, loss, PREDICTION[TRUTH.index(1)], float(example))


@dataclass(frozen=True, eq=False)
class GradientCheck:
    """dz by formula and by central differences, (n, C); row 0 is the lecture's example."""

    y_hat: Floats
    y: Floats
    formula: Floats
    differences: Floats


def gradient_check(seed: int = 0, size: int = 100, step: float = 1e-5) -> GradientCheck:
    """Differentiate the loss numerically at the example's logits and at `size` random ones."""
    random = np.random.default_rng(seed)
    z = np.vstack([np.log(PREDICTION), random.normal(0, 3, (size, 4))])
    y = np.vstack([TRUTH, np.eye(4)[random.integers(0, 4, size)]])

    def loss(z: Floats) -> Floats:
        return softmax.cross_entropy_from_logits(z, y, reduction="none")

    slopes = [(loss(z + move) - loss(z - move)) / (2 * step) for move in step * np.eye(4)]
    formula = softmax.cross_entropy_with_gradient(z, y, reduction="none").gradient
    return GradientCheck(softmax.softmax(z), y, formula, np.stack(slopes, axis=1))


@dataclass(frozen=True, eq=False)
class Boundaries:
    """A classifier without hidden layer on points of the plane, and where its classes meet.

    x: (m, 2). y: (m,). kernel, bias: what was learnt. accuracy: on x.
    borders: for each pair of classes that meet, points of the border between them, (n, 2).
    bent: for each pair the largest distance of its border from a straight line, per length, where
    the border is long enough to tell.
    """

    x: Floats
    y: Integers
    kernel: Floats
    bias: Floats
    accuracy: float
    borders: dict[tuple[int, int], Floats]
    bent: dict[tuple[int, int], float]

    @property
    def classes(self) -> int:
        """How many classes there are: C."""
        return len(self.bias)


LECTURE_CLASSES = (3, 3, 3, 4, 5, 6)
"""C of the lecture's six panels."""


@cache
def boundaries(seed: int = 0, size: int = 40, squares: bool = False) -> tuple[Boundaries, ...]:
    """Train softmax without hidden layer on the lecture's six problems, `size` points a class.

    squares: give it x₁², x₂² and x₁x₂ as inputs too, which allows curved borders.
    """
    return tuple(
        _boundaries(np.random.default_rng([seed, panel]), classes, size, squares)
        for panel, classes in enumerate(LECTURE_CLASSES)
    )


def _boundaries(random: np.random.Generator, classes: int, size: int, squares: bool) -> Boundaries:
    angles = 2 * np.pi * (np.arange(classes) + random.uniform(-0.15, 0.15, classes)) / classes
    angles += random.uniform(0, 2 * np.pi)
    radii = random.uniform(0.55, 0.75, classes)
    centres = radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    y = np.repeat(np.arange(classes), size)
    spread = random.uniform(0.5, 1.0, (classes, 2)) * 0.9 / classes
    x = centres[y] + spread[y] * random.normal(size=(len(y), 2))
    while (outside := np.abs(x).max(axis=1) > 0.95).any():
        again = y[outside]
        x[outside] = centres[again] + spread[again] * random.normal(size=(len(again), 2))

    def inputs(x: Floats) -> Floats:
        if not squares:
            return x
        return np.column_stack([x, x**2, x[:, 0] * x[:, 1]])

    features = inputs(x)
    trained = softmax.train_linear_classifier(
        features,
        y,
        np.zeros((features.shape[1], classes)),
        np.zeros(classes),
        batches=[np.arange(len(y))] * 500,
        learning_rate=2.0,
    )

    def predict(x: Floats) -> Integers:
        probabilities = softmax.softmax(inputs(x) @ trained.kernel + trained.bias)
        classes: Integers = probabilities.argmax(axis=1)
        return classes

    borders = _borders(predict)
    # Fewer than 8 points cannot say whether they are on a line.
    bent = {pair: _departure(points) for pair, points in borders.items() if len(points) >= 8}
    accuracy = float((predict(x) == y).mean())
    return Boundaries(x, y, trained.kernel, trained.bias, accuracy, borders, bent)


def _borders(predict: Callable[[Floats], Integers]) -> dict[tuple[int, int], Floats]:
    """Find where predicted classes change on [−1, 1]², by bisection between points of a grid."""
    axis = np.linspace(-1, 1, 240)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    found = predict(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    ends: list[tuple[Floats, Floats]] = []
    for down, right in ((0, 1), (1, 0)):
        beside = found[down:, right:]
        rows, columns = np.nonzero(found[: len(beside), : beside.shape[1]] != beside)
        ends.append((grid[rows, columns], grid[rows + down, columns + right]))
    a, b = (np.concatenate(side) for side in zip(*ends, strict=True))
    class_a, class_b = predict(a), predict(b)
    for _ in range(45):
        middle = (a + b) / 2
        of_middle = predict(middle)
        on_a = of_middle == class_a
        a, b = np.where(on_a[:, None], middle, a), np.where(on_a[:, None], b, middle)
        class_b = np.where(on_a, class_b, of_middle)
    pairs = np.sort(np.stack([class_a, class_b], axis=1), axis=1)
    return {
        (int(i), int(j)): ((a + b) / 2)[(pairs == (i, j)).all(axis=1)]
        for i, j in np.unique(pairs, axis=0)
    }


def _departure(points: Floats) -> float:
    """Largest distance of points (n, 2) from their best straight line, per length."""
    along = np.linalg.svd(points - points.mean(axis=0))[2] @ (points - points.mean(axis=0)).T
    return float(np.ptp(along[1]) / 2 / np.ptp(along[0]))


@dataclass(frozen=True, eq=False)
class Frequencies:
    """A classifier that sees nothing but labels, trained by cross-entropy: (C,) each.

    frequency: of each class among the labels. learnt: probabilities that the training ends at.
    cost, log_likelihood: of `size` random probability vectors, (n,), and of the learnt one, last.
    """

    frequency: Floats
    learnt: Floats
    cost: Floats
    log_likelihood: Floats
    examples: int


def frequencies(seed: int = 0, size: int = 200) -> Frequencies:
    """Minimize J with nothing but a bias to learn, over 50 labels of four classes.

    The likelihood is the product of the probabilities of the 50 labels, multiplied out.
    """
    random = np.random.default_rng(seed)
    labels = random.choice(4, 50, p=[0.4, 0.3, 0.2, 0.1])
    everything = [np.arange(50)] * 2000
    trained = softmax.train_linear_classifier(
        np.zeros((50, 1)),
        labels,
        np.zeros((1, 4)),
        np.zeros(4),
        batches=everything,
        learning_rate=1.0,
    )
    learnt = softmax.softmax(trained.bias)
    guesses = np.vstack([random.dirichlet(np.ones(4), size), learnt])
    cost = [softmax.cross_entropy(np.tile(guess, (50, 1)), labels) for guess in guesses]
    likelihood = [np.log(np.prod(guess[labels])) for guess in guesses]
    frequency = np.bincount(labels, minlength=4) / 50
    return Frequencies(frequency, learnt, np.array(cost), np.array(likelihood), 50)


@dataclass(frozen=True)
class Means:
    """The cost of m examples in mini-batches of 64, the last one smaller, taken in three ways."""

    examples: int
    last: int
    cost: float
    mean_of_means: float
    sum_over_examples: float


def means(seed: int = 0, size: int = 1000) -> Means:
    """Score `size` random predictions of ten classes, sure ones last, where the small batch is."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1, (size, 10)) * np.linspace(1, 6, size)[:, None]
    losses = softmax.cross_entropy_from_logits(
        logits, random.integers(0, 10, size), reduction="none"
    )
    batches = [losses[start : start + 64] for start in range(0, size, 64)]
    return Means(
        size,
        len(batches[-1]),
        float(losses.mean()),
        float(np.mean([batch.mean() for batch in batches])),
        float(sum(batch.sum() for batch in batches) / size),
    )


@dataclass(frozen=True)
class Orientation:
    """What Keras's cross-entropy says of logits the right and the wrong way round.

    refused: whether it raised an error when C ≠ m.
    """

    cost: float
    turned: float
    refused: bool
    one_hot_turned: float
    one_hot_cost: float


def orientation(seed: int = 0, size: int = 5) -> Orientation:
    """Hand Keras (C, m) instead of (m, C): C = m = `size` with integer labels, then C ≠ m."""
    from tfcourse._tensorflow import keras, tf

    random = np.random.default_rng(seed)
    logits, labels = random.normal(0, 3, (size, size)), random.integers(0, size, size)

    def cost(logits: Floats, labels: Integers) -> float:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return float(loss(labels, logits))

    wide = random.normal(0, 3, (size, size + 2))  # (m, C)
    wide_labels = random.integers(0, size + 2, size)
    try:
        cost(wide.T, wide_labels)
        refused = False
    except (ValueError, tf.errors.InvalidArgumentError):
        refused = True
    dense = keras.losses.CategoricalCrossentropy(from_logits=True)
    one_hot = np.eye(size + 2)[wide_labels]
    return Orientation(
        cost(logits, labels),
        cost(np.ascontiguousarray(logits.T), labels),
        refused,
        float(dense(one_hot.T, wide.T)),
        float(dense(one_hot, wide)),
    )


class Route(NamedTuple):
    """Losses, (n,), their gradients by the true class's logit, and where either is lost.

    Lost: off by more than a tenth.
    """

    loss: Floats
    gradient: Floats
    lost: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sureness:
    """Keras's float32 loss of two classes whose logits differ by `gap`, (n,), on two routes.

    The other class has the larger logit where gap > 0: there the model is wrong.
    """

    gap: Floats
    probabilities: Route
    logits: Route


def sureness(seed: int = 0, size: int = 121) -> Sureness:
    """Let the logits differ by −30 to 30, in `size` steps; nothing is random in it."""
    from tfcourse._tensorflow import keras, tf

    gap = np.linspace(-30, 30, size)
    exact = np.stack([np.logaddexp(0, gap), -softmax.sigmoid(gap)])
    z = tf.constant(np.stack([gap, np.zeros(size)], axis=1), tf.float32)

    def route(from_logits: bool) -> Route:
        with tf.GradientTape() as tape:
            tape.watch(z)
            t = tf.exp(z)
            output = z if from_logits else t / tf.reduce_sum(t, axis=-1, keepdims=True)
            loss = keras.losses.sparse_categorical_crossentropy(
                np.ones(size, int), output, from_logits=from_logits
            )
        found = np.stack([loss, tape.gradient(loss, z)[:, 1]])
        lost = np.abs(found - exact) > 0.1 * np.abs(exact)
        return Route(found[0], found[1], lost.any(axis=0))

    return Sureness(gap, route(from_logits=False), route(from_logits=True))


def autodiff(seed: int = 0, size: int = 32) -> dict[str, float]:
    """Differentiate a network with a hidden layer on `size` examples: by tape and by hand.

    The tape sees the forward pass alone. By hand: dz₂ = (ŷ − y)/m, and back from there.

    Returns: the largest difference of the two gradients, relative, by parameter.
    """
    from tfcourse._tensorflow import tf

    random = np.random.default_rng(seed)
    x, y = random.normal(size=(size, 6)), random.integers(0, 4, size)
    W1, b1 = random.normal(size=(6, 8)), random.normal(size=8)
    W2, b2 = random.normal(size=(8, 4)), random.normal(size=4)

    variables = [tf.Variable(value) for value in (W1, b1, W2, b2)]
    with tf.GradientTape() as tape:
        hidden = tf.tanh(x @ variables[0] + variables[1])
        logits = hidden @ variables[2] + variables[3]
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
        cost = tf.reduce_mean(loss)
    by_tape = tape.gradient(cost, variables)

    a1 = np.tanh(x @ W1 + b1)
    dz2 = softmax.cross_entropy_with_gradient(a1 @ W2 + b2, y).gradient
    dz1 = dz2 @ W2.T * (1 - a1**2)
    by_hand = {"W1": x.T @ dz1, "b1": dz1.sum(axis=0), "W2": a1.T @ dz2, "b2": dz2.sum(axis=0)}
    return {
        name: float(np.abs(tape - hand).max() / np.abs(hand).max())
        for tape, (name, hand) in zip(by_tape, by_hand.items(), strict=True)
    }
