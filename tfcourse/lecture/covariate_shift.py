"""Covariate shift: who has seen black cats alone fails on coloured ones, batch norm or not."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from tfcourse import datasets
from tfcourse._arrays import Floats
from tfcourse.datasets import Dataset
from tfcourse.lecture import ledger, population
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import NOT_SHOWN, REFUTED, Evidence, claim, note, weighed
from tfcourse.lecture.statistics import Interval, difference, holm, mean
from tfcourse.lecture.style import BOOK, Figure, Style

FIXED = {"layers": 2, "units": 32, "learning_rate": 0.01}
EPOCHS = 40
MATTERS = 0.05
WHY = "Five of a hundred examples: a model that errs on so many more is another model."
BATCH_NORM = {True: "with batch norm", False: "without"}


def height(x: Floats) -> Floats:
    """How far points (…, 2) lie above a wave; the true class is 1 above it, 0 below."""
    return np.asarray(x[..., 1] - 1.5 * np.sin(1.2 * x[..., 0]))


class Shift(NamedTuple):
    """Shares right, (models,), by batch norm, of models that learnt on the left of the plane."""

    left: Dataset  # to learn from, on the left; its test examples are on the right
    weights: Sequence[Floats]  # of the first model with batch norm
    here: dict[bool, Floats]  # on the left
    there: dict[bool, Floats]  # on the right
    both: dict[bool, Floats]  # on the right, of models trained on both halves
    dark: Floats  # on dark digits, of models trained on them
    light: Floats  # on the same digits light on dark
    trainings: int


@cache
def shift(seed: int = 0, models: int = 16) -> Shift:
    """Train as many `models` on either side, with and without batch norm."""
    rng = np.random.default_rng(seed)

    def task(low: float, high: float, m: int) -> Dataset:
        sets: dict[str, Any] = dict.fromkeys(("name", "source", "licence"), "computed")
        for name, ends in {"train": (low, high), "validation": (low, high), "test": (0, 3)}.items():
            count = m if name == "train" else 1000
            x = rng.uniform((ends[0], -3), (ends[1], 3), (count, 2)).astype(np.float32)
            sets |= {f"x_{name}": x, f"y_{name}": (height(x) > 0).astype(np.int64)}
        return Dataset(class_names=("below", "above"), **sets)

    def train(data: Dataset, epochs: int, *norms: bool) -> population.Outcomes:
        trials = [{**FIXED, "batch_norm": norm} for norm in norms for _ in range(models)]
        how: dict[str, Any] = {"epochs": epochs, "seed": seed, "dataset": data}
        return population.train(trials, test=True, keep=True, starts=models, **how)

    raw = datasets.load("digits")
    center, variance = datasets.standardization(raw.x_train)
    inverted = ((1 - raw.x_test - center) / np.sqrt(variance)).reshape(len(raw.x_test), -1)
    digits = replace(population.digits(), x_test=inverted.astype(np.float32))
    left = task(-3, 0, 400)
    one = train(left, EPOCHS, True, False)
    both = train(task(-3, 3, 800), EPOCHS // 2, True, False)  # as many updates
    third = train(digits, 10, True)
    halves = (np.split(each, 2) for each in (one.validation, one.test_accuracy, both.test_accuracy))
    sides = [dict(zip(BATCH_NORM, half, strict=True)) for half in halves]
    on_digits = third.validation, third.test_accuracy
    return Shift(left, one.weights[0], sides[0], sides[1], sides[2], *on_digits, 5 * models)


@cache
def effects(seed: int = 0) -> dict[tuple[str, bool], Interval]:
    """By batch norm: accuracy lost on the right, and won there by training on both; corrected."""
    found = shift(seed)
    family: dict[tuple[str, bool], Any] = {}
    for norm in BATCH_NORM:
        family["lost", norm] = partial(mean, found.here[norm] - found.there[norm])
        family["won", norm] = partial(difference, found.both[norm], found.there[norm])
    family["cured", True] = partial(difference, found.there[True], found.there[False])
    return holm(family)


@figure(
    zh="""在左半边训练的模型学会了那里的边界，到了右半边就错了，尽管同一个函数能分开两边。

    平面上有两类点，黑色波浪线以下是圆，以上是方块。左半边颜色深的是训练样本，右半边颜色浅的是移动后的样本。
    学到的边界是虚线：在左边紧贴波浪线，在右边离开了它。上方写着正确率：左边几乎全对，右边约四分之三。""",
    trains=True,
)
def covariate_shift(*, seed: int = 0, style: Style = BOOK) -> Figure:
    """A model trained on the left half learns the boundary there, and misses it on the right,
    though one function parts the classes on both.

    A plane with points of two classes, circles below a wave and squares above it. The left half
    holds the training examples, in full colour; the right half the shifted ones, pale. A dashed
    line, the boundary learnt, runs along the wave on the left and leaves it on the right. Above
    stand the shares right: nearly all on the left, far fewer on the right.
    """
    found, say, s, c = shift(seed), style.say, style.scale, style.colors
    page = style.page(3.7)
    axes = page.subplots()
    data, m = found.left, len(found.left.x_train)
    sides = (data.x_train, data.y_train, 1.0), (data.x_test[:m], data.y_test[:m], 0.35)
    for x, y, alpha in sides:
        for label, marker in enumerate("os"):
            how: dict[str, Any] = {"ms": 3.4 * s, "mew": 0, "clip_on": False, "zorder": 1}
            axes.plot(*x[y == label].T, marker, color=c.classes[label], alpha=alpha, **how)
    grid = np.linspace(-3, 3, 201)
    points = np.stack(np.meshgrid(grid, grid), axis=-1)
    learnt = np.diff(population.logits(found.weights, points), axis=-1)[..., 0]
    lines = (
        (height(points), "-", say("true", "真实的"), 184),
        (learnt, "--", say("learnt", "学到的"), 156),
    )
    for level, dashes, name, column in lines:
        axes.contour(grid, grid, level, [0], colors=c.ink, linestyles=dashes, linewidths=1.9 * s)
        row = int(np.abs(level[:, column]).argmin())
        box = {"boxstyle": "round,pad=0.15", "fc": c.paper, "ec": "none", "alpha": 0.9}
        at: dict[str, Any] = {"ha": "center", "va": "center", "bbox": box, "zorder": 4}
        axes.text(grid[column], grid[row], name, **at)
    axes.axvline(0, color=c.muted, lw=s, zorder=0)
    here = say("trained here: {:.0%} right", "在此训练：对 {:.0%}").format(found.here[True][0])
    there = say("tried here: {:.0%} right", "在此测试：对 {:.0%}").format(found.there[True][0])
    axes.text(-3, 3.15, here, va="bottom")
    axes.text(0.1, 3.15, there, va="bottom")
    axes.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], xlabel="$x_1$")
    axes.set_ylabel("$x_2$", rotation=0, labelpad=10 * s)
    return page


@claim(
    "bn.covariate-shift",
    "A model trained on one input distribution fails on another, though the true function is the "
    "same.",
    note("001", 428, "有色猫", "coloured cats"),
    note("003", 1270, "trained all with black cats, but applied to colored cats"),
    note("004", 99, "hard to use the same model when distributions"),
    trains=True,
    matters=WHY,
)
def fails_elsewhere(seed: int) -> Evidence:
    """Two classes in the plane, above and below a wave: 16 networks with batch norm and 16 without
    are trained on its left half and tried on the right, beside as many trained on both for as many
    updates, which shows that one function fits both. And classifiers of dark digits are tried on
    the same digits light on dark. It holds if what is lost, and what training on both wins, matter
    with batch norm and without.
    """
    found, seen = shift(seed), effects(seed)
    four = [seen[name, norm] for name in ("lost", "won") for norm in BATCH_NORM]
    verdicts = {weighed(one, MATTERS) for one in four}
    worst = min(four, key=lambda one: one.low)
    words = "; ".join(
        f"{name}: {found.here[norm].mean():.1%} where trained, {found.there[norm].mean():.1%} "
        f"beside it, {seen['lost', norm].show('.1f', '%')} lost, by training on both "
        f"{seen['won', norm].show('.1f', '%')} won"
        for norm, name in BATCH_NORM.items()
    )
    return Evidence(
        verdicts.pop() if len(verdicts) == 1 else NOT_SHOWN,
        f"{words}; digits {found.dark.mean():.1%}, inverted {found.light.mean():.1%}",
        f"Right on {found.here[True].mean():.0%} where it was trained, on "
        f"{found.there[True].mean():.0%} beside it.",
        effect=worst,
        rests_on=(found,),
    )


@claim(
    "bn.covariate-shift-not-cured",
    "Batch norm does not make a model right on shifted inputs: when x shifts, train again.",
    note("001", 443, "那么你可能需要重新训练你的学习算法", "you may have to train it again"),
    trains=True,
    matters=WHY,
    literature="Li et al., Revisiting batch normalization for practical domain adaptation, 2016: "
    "what helps is to take μ and σ² anew on the shifted inputs.",
)
def not_cured(seed: int) -> Evidence:
    """Takes the networks of bn.covariate-shift. It holds if, with batch norm, training on both
    halves wins more than matters on the right half, and batch norm alone wins for certain less than
    half of that; it is refuted if batch norm wins more.
    """
    found, seen = shift(seed), effects(seed)
    won, cured = seen["won", True], seen["cured", True]
    left = weighed(won, MATTERS)
    verdict = left if cured.high < won.value / 2 else REFUTED if cured.low > 0 else NOT_SHOWN
    norm, plain = (found.there[norm].mean() for norm in BATCH_NORM)
    return Evidence(
        verdict,
        f"right of the middle {norm:.1%} with batch norm, {plain:.1%} without, batch norm's gain "
        f"{cured.show('.1f', '%')}; training on both wins {won.show('.1f', '%')}",
        f"On shifted inputs {norm:.0%} are right with batch norm, {plain:.0%} without, and "
        f"{found.both[True].mean():.0%} after training on both.",
        effect=cured,
        rests_on=(found,),
    )


ledger.errata(
    __name__,
    ledger.Erratum(
        "bn.erratum.covariant",
        note("003", 1268, "covariant shift"),
        "covariate shift",
        "A covariate is an input variable; it is the distribution of these that shifts.",
    ),
    ledger.Erratum(
        "bn.erratum.solves-covariate-shift",
        note("001", 422, "可以很好地解决 Covariate shift 问题", "batch norm solves it well"),
        "batch norm lessens the shift that hidden layers see when earlier weights change",
        "That of the inputs it does not cure: see bn.covariate-shift-not-cured, and 001:443.",
    ),
)
