"""Normalized inputs: the cost's long bowl becomes rounder, gradient descent takes fewer steps."""

import math
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from tfcourse import datasets
from tfcourse._arrays import Floats
from tfcourse.lecture import ledger
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import HOLDS, REFUTED, Evidence, claim, corrected, note, weighed, worst
from tfcourse.lecture.statistics import Interval, geometric_mean, holm, mean
from tfcourse.lecture.style import BOOK, Figure, Style
from tfcourse.softmax import sigmoid

ROUND = 4.0  # λ_max/λ_min: contours twice as long as wide


class Bowl(NamedTuple):
    """The cost of logistic regression, and gradient descent on it at the best constant α."""

    x: Floats  # (m, n)
    y: Floats  # (m,), 0 or 1
    best: Floats  # w and b at the lowest cost, (n + 1,)
    condition: float  # λ_max/λ_min of the cost's second derivatives there; 1 is a circle
    path: Floats  # w and b, (steps + 1, n + 1)

    def cost(self, theta: Floats) -> Floats:
        """J of w and b, (…, n + 1)."""
        z = theta[..., :-1] @ self.x.T + theta[..., -1:]
        return np.asarray((np.logaddexp(0, z) - self.y * z).mean(axis=-1))


def bowl(x: Floats, y: Floats, left: float) -> Bowl:
    """Descend from 0 until a share `left` of the way down is left; take the α that needs least."""
    ones = np.column_stack([x, np.ones(len(x))])

    def gradient(theta: Floats) -> Floats:
        return np.asarray(ones.T @ (sigmoid(ones @ theta) - y) / len(y))

    best, hessian = np.zeros(ones.shape[1]), np.eye(1)
    for _ in range(30):  # Newton's method
        y_hat = sigmoid(ones @ best)
        hessian = (ones.T * (y_hat * (1 - y_hat))) @ ones / len(y)
        best = best - np.linalg.solve(hessian, gradient(best))
    low, *_, high = np.linalg.eigvalsh(hessian)
    found = Bowl(x, y, best, float(high / low), best[None])
    lowest = found.cost(best)
    goal = lowest + left * (found.cost(0 * best) - lowest)
    steepest = np.linalg.eigvalsh(ones.T @ ones)[-1] / len(y) / 4
    path: list[Floats] = []
    for alpha in np.array([1, 2, 4, 8]) / steepest:
        tried = [0 * best]
        while found.cost(tried[-1]) > goal and (not path or len(tried) < len(path)):
            tried.append(tried[-1] - alpha * gradient(tried[-1]))
        path = tried if not path or len(tried) < len(path) else path
    return found._replace(path=np.array(path))


def sides(x: Floats, y: Floats, left: float = 1e-3) -> tuple[Bowl, Bowl]:
    """Return the bowl of the inputs as they are, and that of the inputs normalized."""
    return bowl(x, y, left), bowl((x - x.mean(axis=0)) / x.std(axis=0), y, left)


@cache
def problem(
    seed: int, correlation: float = 0.0, spread: float = 0.25, far: float = 0.0
) -> tuple[Bowl, Bowl]:
    """Two inputs with deviations 1 and `spread`, means up to `far`; 200 examples, two classes."""
    random = np.random.default_rng(seed)
    u = random.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], 200)
    angle = random.uniform(0, 2 * np.pi)
    y_hat = sigmoid(1.5 * u @ [np.cos(angle), np.sin(angle)])
    y = (random.random(200) < y_hat).astype(float)
    return sides(u * [1, spread] + random.uniform(-far, far, 2), y)


@cache
def digits(seed: int) -> tuple[Bowl, Bowl]:
    """Odd or even, of 500 digits: the pixels that are lit in a tenth of them, not in all."""
    dataset = datasets.load("digits")
    rows = np.random.default_rng(seed).choice(len(dataset.x_train), 500, replace=False)
    x = dataset.x_train[rows].reshape(500, -1).astype(np.float64)
    lit = (x > 0).mean(axis=0)
    return sides(x[:, (lit > 0.1) & (lit < 1)], dataset.y_train[rows] % 2.0, left=0.1)


@figure(
    zh="""输入的分散程度不同，代价就像一只长碗，梯度下降沿着碗底慢慢地爬；归一化后碗变圆，步数少得多。
    输入彼此相关时，碗仍然偏长。

    三幅图，横轴 w₁，纵轴 w₂，画着代价的等高线和梯度下降从 w = 0 出发的路径，数到下降 99.9% 为止。
    左：原来的输入，椭圆狭长，路径很快到碗底，再爬几十步。中：归一化的输入，接近圆形，几步就到中心。
    右：归一化但相关系数为 0.9 的输入，椭圆是斜的。"""
)
def normalized_contours(
    spread: float = 0.25, correlation: float = 0.9, *, seed: int = 0, style: Style = BOOK
) -> Figure:
    """Inputs of different spread make the cost a long bowl, along which gradient descent
    creeps; normalized ones make it rounder and the path shorter. What is correlated stays oblong.

    Three panels with w₁ across and w₂ up, contour lines of the cost, and the path of gradient
    descent from w = 0, until 99.9% of the way down. Left, inputs as they are: narrow ellipses, and
    a path that soon reaches the valley and creeps along it for dozens of steps. Middle, inputs
    normalized: almost circles, and a few steps to the middle. Right, inputs normalized whose
    correlation is 0.9: slanting ellipses.
    """
    raw, normalized = problem(seed, 0.0, spread)
    _, correlated = problem(seed, correlation, spread)
    say, colors, s = style.say, style.colors, style.scale
    slanting = f"normalized,\ncorrelation {correlation:g}", f"归一化，\n相关系数 {correlation:g}"
    panels = (
        (say("as they are", "原来的输入"), raw, colors.baseline),
        (say("normalized", "归一化"), normalized, colors.recommended),
        (say(*slanting), correlated, colors.neutral),
    )
    page, tall = style.page(2.9), 1.4 if style.slide else 1.0
    for axes, (name, one, color) in zip(page.subplots(1, 3), panels, strict=True):
        reach = 1.25 * np.abs(one.path - one.best)[:, :2].max()
        line = np.linspace(-reach, reach, 101)
        w = np.stack(np.meshgrid(one.best[0] + line, one.best[1] + tall * line), axis=-1)
        heights = one.cost(np.concatenate([w, np.full((*w.shape[:2], 1), one.best[2])], axis=-1))
        levels = one.cost(one.best) + np.ptp(one.cost(one.path)) * np.arange(0.15, 2.5, 0.25) ** 2
        axes.contour(*w.T, heights.T, levels, colors=colors.faint, linewidths=s)
        axes.plot(*one.path[:, :2].T, "o-", color=color, ms=3 * s, lw=1.2 * s)
        axes.plot(*one.best[:2], "+", color=colors.ink, ms=11 * s, mew=2 * s)
        steps = len(one.path) - 1
        axes.set_title(f"{name}{say(f': {steps} steps', f'：{steps} 步')}", va="bottom")
        axes.set(aspect="equal", xlabel="$w_1$", xticks=[], yticks=[])
        axes.set_ylabel("$w_2$", rotation=0, labelpad=10 * s)
    return page


@claim(
    "bn.normalize-inputs",
    "Normalized inputs turn the cost's long bowl round, and gradient descent needs fewer steps.",
    note("001", 241, "从扁长变得更圆", "the cost's bowl, long before, becomes rounder"),
    note("001", 222, "归一化输入特征可以加快学习过程", "normalized inputs speed up learning"),
    note("003", 1243, 'normalize inputs to speedup learning. "make contours round"'),
    matters="Half the steps: what is saved must be worth the line of code.",
    conditions="Fewer steps wherever spreads differ. Round only where the inputs are not "
    "correlated: normalizing takes each for itself.",
)
def normalize_inputs(seed: int) -> Evidence:
    """Fits logistic regression by gradient descent, inputs raw and normalized, at the best constant
    α of each, until 99.9% of the way down: 20 random problems whose two inputs differ fourfold in
    spread, 20 more with a correlation of 0.9, and 4 samples of 500 digits, odd or even, until 90%.
    Measured: the ratio of steps, and λ_max/λ_min of the cost's second derivatives at the bottom.
    Round means that contours are at most twice as long as wide: 4.
    """
    pairs = {
        "two inputs": [problem(100 * seed + n, far=1.0) for n in range(20)],
        "correlation 0.9": [problem(100 * seed + n, 0.9, far=1.0) for n in range(20)],
        "digits": [digits(100 * seed + n) for n in range(4)],
    }
    saved, before, after = {}, {}, {}
    for name, of in pairs.items():
        saved[name] = [math.log((len(raw.path) - 1) / (len(now.path) - 1)) for raw, now in of]
        before[name] = geometric_mean([raw.condition for raw, _ in of])
        after[name] = geometric_mean([now.condition for _, now in of])
    fewer = holm({name: partial(mean, values) for name, values in saved.items()})
    verdict = worst(*(weighed(f, math.log(2)) for f in fewer.values()))
    oblong = [name for name, condition in after.items() if condition.high > ROUND]
    if verdict == HOLDS and oblong:
        verdict = REFUTED if "two inputs" in oblong else ledger.CONDITIONS
    words = [
        f"{name}: steps fewer by a factor of {Interval(*map(math.exp, f)).show('.1f')}, "
        f"λ_max/λ_min from {before[name].value:,.0f} to {after[name].show('.3g')}"
        for name, f in fewer.items()
    ]
    plain = (
        f"On digits, {math.exp(fewer['digits'].value):.0f} times fewer steps. Correlated inputs "
        "gain too, but their bowl stays long."
    )
    return Evidence(verdict, "; ".join(words), plain, fewer["digits"])


def _x(seed: int) -> Floats:
    """An input far from mean 0 and variance 1, for 64 examples."""
    return np.random.default_rng(seed).normal(5, 3, 64)


def divide_by_variance(seed: int) -> Evidence:
    """Runs both on 64 numbers with σ near 3: the printed form has variance 1/σ², not 1."""
    x = _x(seed)
    printed, ours = ((x - x.mean()) / by for by in (x.var(), x.std()))
    words = f"σ² = {x.var():.2f}: variance printed {printed.var():.3f}, corrected {ours.var():.3f}"
    return corrected(abs(printed.var() - 1) > 0.5, abs(ours.var() - 1) < 1e-12, words)


def uncentred_variance(seed: int) -> Evidence:
    """Runs both on 64 numbers with mean near 5: the printed form is σ² + μ²."""
    x = _x(seed)
    printed, ours = (float((each**2).mean()) for each in (x, x - x.mean()))
    return corrected(
        printed > 2 * x.var() and abs(printed - x.var() - x.mean() ** 2) < 1e-9,
        abs(ours - x.var()) < 1e-12,
        f"printed {printed:.2f} = σ² + μ², corrected {ours:.2f}",
    )


ledger.errata(
    __name__,
    ledger.Erratum(
        "bn.erratum.divide-by-variance",
        note("000", 138, r"x=\frac{x-μ}{σ^2}"),
        "(x − μ)/σ",
        "What is divided by σ² has variance 1/σ². The lecture's slide has it so too.",
        whose="lecturer",
        check=divide_by_variance,
        also=(note("001", 231, r"x^{(i)}:=& \frac {x^{(i)}}{\sigma^2}"),),
    ),
    ledger.Erratum(
        "bn.erratum.uncentred-variance",
        note("000", 134, r"σ^2=\frac{1}{m}\sum\_{i}x^{(i)^2}"),
        "(1/m) Σ (x − μ)²",
        "Right only if μ is subtracted from x before, as the lecture and 001:229 do.",
        check=uncentred_variance,
    ),
    ledger.Erratum(
        "bn.erratum.inputs-by-mini-batch",
        note("000", 141, "而不是整个训练集", "m is the mini-batch's, not the whole training set's"),
        "m is the number of training examples",
        "Inputs are normalized once, with the training set's μ and σ, test inputs too: "
        "mini-batches come in with the hidden layers.",
    ),
)
