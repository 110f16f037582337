"""Softmax without a hidden layer: between any two classes the boundary is a straight line."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfcourse import softmax
from tfcourse._arrays import Floats
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import Evidence, below, claim, judged, note, video
from tfcourse.lecture.style import BOOK, Figure, Style

Integers = NDArray[np.integer]

CLASSES = (3, 3, 3, 4, 5, 6)  # C of the lecture's six panels


class Problem(NamedTuple):
    """Points of the plane and a classifier without a hidden layer."""

    x: Floats  # (m, 2)
    y: Integers  # (m,)
    predict: Callable[[Floats], Integers]  # the classes of points (…, 2)
    borders: dict[tuple[int, int], Floats]  # by pair of classes that meet, its points, (n, 2)
    trainings: int = 1

    @property
    def accuracy(self) -> float:
        """On x, which it was trained on."""
        return float((self.predict(self.x) == self.y).mean())

    @property
    def bent(self) -> list[float]:
        """How far each border of eight points or more leaves its best straight line, per length."""
        centred = [p - p.mean(axis=0) for p in self.borders.values() if len(p) >= 8]
        along = [np.linalg.svd(points)[2] @ points.T for points in centred]
        return [float(np.ptp(across) / 2 / np.ptp(length)) for length, across in along]


@cache
def problems(
    seed: int = 0, classes: tuple[int, ...] = CLASSES, size: int = 40, squares: bool = False
) -> tuple[Problem, ...]:
    """Train softmax, no hidden layer, on a problem for each C; squares: on x₁², x₂², x₁x₂ too."""
    randoms = [np.random.default_rng([seed, panel]) for panel in range(len(classes))]
    return tuple(_problem(r, C, size, squares) for r, C in zip(randoms, classes, strict=True))


def _problem(random: np.random.Generator, C: int, size: int, squares: bool) -> Problem:
    angles = 2 * np.pi * (np.arange(C) + random.uniform(-0.15, 0.15, C)) / C
    angles += random.uniform(0, 2 * np.pi)
    radii = random.uniform(0.55, 0.75, C)
    centres = radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    y = np.repeat(np.arange(C), size)
    spread = random.uniform(0.5, 1.0, (C, 2)) * 0.9 / C
    x = centres[y] + spread[y] * random.normal(size=(len(y), 2))
    while (outside := np.abs(x).max(axis=1) > 0.95).any():
        again = y[outside]
        x[outside] = centres[again] + spread[again] * random.normal(size=(len(again), 2))

    def inputs(x: Floats) -> Floats:
        return np.concatenate([x, x**2, x[..., :1] * x[..., 1:]], axis=-1) if squares else x

    n, everything = inputs(x).shape[1], np.arange(len(y))
    trained = softmax.train_linear_classifier(
        inputs(x), y, np.zeros((n, C)), np.zeros(C), batches=[everything] * 500, learning_rate=2.0
    )

    def predict(x: Floats) -> Integers:
        return np.asarray((inputs(x) @ trained.kernel + trained.bias).argmax(axis=-1))

    return Problem(x, y, predict, _borders(predict))


def _borders(predict: Callable[[Floats], Integers]) -> dict[tuple[int, int], Floats]:
    """Find where predicted classes change on [−1, 1]², by bisection between points of a grid."""
    axis = np.linspace(-1, 1, 240)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    found = predict(grid)
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


@figure(
    zh="""没有隐藏层的 softmax 在类别之间画出的都是直线，不管有多少类。

    六个方格，平面上的点，每一类有自己的颜色和形状，底色是预测的类别。前三个 C = 3，然后是
    4、5、6。每一格里，底色都是多边形：直线把它们隔开，在角上相遇，很少有点落在错的一边。""",
    trains=True,
)
def softmax_boundaries(
    classes: Sequence[int] = CLASSES, size: int = 40, *, seed: int = 0, style: Style = BOOK
) -> Figure:
    """Softmax without a hidden layer draws straight lines between classes, however many there are.

    Six square panels of points in the plane, each class in a colour and with a shape of its own, on
    a ground tinted by the predicted class. C = 3 three times, then 4, 5 and 6. In every panel the
    tinted areas are polygons: straight lines part them and meet in corners, and few points lie on
    the wrong side.
    """
    from matplotlib.colors import to_rgba_array

    colors, s, rows = style.colors, style.scale, -(-len(classes) // 3)
    page = style.page(2.3 * rows)
    panels = page.subplots(rows, 3, squeeze=False).ravel()
    axis = np.linspace(-1, 1, 401)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    for axes in panels[len(classes) :]:
        axes.axis("off")
    for axes, C, problem in zip(panels, classes, problems(seed, (*classes,), size), strict=False):
        tints = to_rgba_array([*colors.classes[:C]], alpha=0.16)[problem.predict(grid)]
        axes.imshow(tints, extent=(-1, 1, -1, 1), origin="lower", interpolation="none")
        for points in problem.borders.values():
            along = points[np.lexsort(np.round(points.T, 9))]
            axes.plot(*along.T, color=colors.ink, lw=1 * s, solid_capstyle="projecting")
        for label, (color, marker) in enumerate(zip(colors.classes[:C], "os^DPv", strict=False)):
            own = problem.x[problem.y == label]
            axes.plot(*own.T, marker, color=color, ms=3.6 * s, mec=colors.ink, mew=0.3 * s)
        axes.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xticks=[], yticks=[])
        right = f"{problem.accuracy:.1%}".replace("100.0%", "100%")
        axes.set_title(style.say(f"$C = {C}$, {right} right", f"$C = {C}$，答对 {right}"))
        axes.spines[:].set_visible(False)
    return page


@claim(
    "softmax.linear-boundaries",
    "Without a hidden layer the boundary between any two classes is a straight line.",
    note("003", 1309, "(no hidden layer) softmax is also linear"),
    video("the six panels, with C = 3 three times, 4, 5 and 6"),
    trains=True,
    matters="A border that leaves a straight line by a thousandth of its length would be seen to "
    "bend; what rounding does is a millionth of that.",
)
def linear_boundaries(seed: int) -> Evidence:
    """Trains softmax without a hidden layer on six problems in the plane (C = 3, 3, 3, 4, 5, 6),
    finds by bisection where the predicted class changes, and fits a straight line to each border.
    The same with x₁², x₂², x₁x₂ as further inputs shows what a border that bends would measure.
    """
    straight, curved = problems(seed), problems(seed, squares=True)
    bent = [value for problem in straight for value in problem.bent]
    control = float(np.median([max(problem.bent) for problem in curved]))
    measured = (
        f"{len(bent)} borders leave a straight line by {below(max(bent), 1e-9)} of their length; "
        f"with squared inputs the most bent by {control:.1%}"
    )
    plain = "Every border was straight; given squared inputs, the same program bends them."
    return judged(max(bent) < 1e-9 and control > 1e-3, measured, *(straight + curved), plain=plain)
