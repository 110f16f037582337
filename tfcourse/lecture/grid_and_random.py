"""Grid or random? 25 trials on a grid try 5 learning rates, 25 random ones try 25."""

from collections.abc import Iterator, Mapping
from functools import cache, partial
from itertools import combinations, product
from typing import Any

import numpy as np

from tfcourse._arrays import Floats
from tfcourse.lecture import ledger, population
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import HOLDS, NOT_SHOWN, REFUTED, Evidence, claim, note, weighed
from tfcourse.lecture.scales import ALPHA, BETA
from tfcourse.lecture.searching import FIXED, MATTERS, WHY, Duel, duel
from tfcourse.lecture.statistics import Interval, holm, mean
from tfcourse.lecture.style import BOOK, Figure, Style
from tfcourse.tuning import search
from tfcourse.tuning.scales import Linear, Log
from tfcourse.tuning.space import Space

EPSILON = Log(1e-10, 1e-4)
BERGSTRA = "Bergstra and Bengio, Random search for hyper-parameter optimization, JMLR 2012."
Tried = Mapping[str, Floats]


@cache
def budget(axes: int = 2, points: int = 5, seed: int = 0) -> tuple[Space, Tried, Tried]:
    """Return a space of α and ε, or α, β and ε; and what a grid and chance try of it, (trials,)."""
    space = Space(learning_rate=ALPHA, **({"momentum": BETA} if axes == 3 else {}), epsilon=EPSILON)
    ways = [*search.grid(space, points)], [*search.random(space, points**axes, seed)]
    grid, random = ({n: np.array([one[n] for one in way]) for n in space} for way in ways)  # type: ignore[index]
    return space, grid, random


def _ways(found: tuple[Space, Tried, Tried], style: Style) -> Iterator[tuple[Tried, str, str]]:
    """The grid and the random trials, each with its colour and its title."""
    ways = (("grid", "网格", style.colors.baseline), ("random", "随机", style.colors.recommended))
    for tried, (en, zh, color) in zip(found[1:], ways, strict=True):
        alpha = tried["learning_rate"]
        n, values = len(alpha), len(np.unique(alpha))
        title = style.say(
            f"{n} trials, {en}: {values} values of $\\alpha$",
            f"{zh} {n} 次：{values} 个不同的 $\\alpha$",
        )
        yield tried, color, title


@figure(
    zh="""网格上的 25 次试验只试了 5 个学习率 α，随机的 25 次试验试了 25 个。

    两幅图，横轴是 α，纵轴是 ε，都是对数刻度，各有 25 个点。每幅图下方把点投到 α 轴上：
    左边网格只留下 5 条短线，右边随机的点留下 25 条。"""
)
def grid_vs_random(points: int = 5, *, seed: int = 0, style: Style = BOOK) -> Figure:
    """25 trials on a grid try 5 values of the learning rate α; 25 random trials try 25.

    Two panels with α across and ε up, both logarithmic, 25 points in each. Below each the points
    are dropped onto the axis of α: 5 ticks under the grid on the left, 25 under the random points
    on the right.
    """
    say, s, page = style.say, style.scale, style.page(3.5)
    axes = page.subplots(2, 2, sharex=True, sharey="row", height_ratios=(7, 1))
    ways = _ways(budget(2, points, seed), style)
    for (square, line), (tried, color, title) in zip(axes.T, ways, strict=True):
        alpha, epsilon = tried["learning_rate"], tried["epsilon"]
        values = np.unique(alpha)
        square.vlines(alpha, 0, epsilon, color=style.colors.faint, lw=0.6 * s, zorder=1)
        square.plot(alpha, epsilon, "o", ms=6 * s, color=color, clip_on=False)
        square.set(xscale="log", yscale="log", xlim=(7e-5, 1.4), ylim=(6e-11, 1.7e-4), title=title)
        line.vlines(values, 0, 1, color=color, lw=(1.6 if len(values) < 20 else 0.9) * s)
        line.set(ylim=(0, 1.3), yticks=[])
        line.set_xlabel(say("learning rate $\\alpha$", "学习率 $\\alpha$"))
        line.spines["left"].set_visible(False)
        for panel in (square, line):
            panel.minorticks_off()
        square.tick_params(bottom=False)
    axes[0, 0].set_ylabel(say("Adam's $\\varepsilon$", "Adam 的 $\\varepsilon$"))
    return page


@figure(
    zh="""有三个超参数 α、动量的 β 和 Adam 的 ε 时，网格成了立方体：125 次试验，每个仍只有 5 个值。

    两个由 α、β、ε 张成的立方体，各有 125 个点；点投到下方前面的棱即 α 轴上。
    左边网格留下 5 条短线，右边随机的点留下 125 条。"""
)
def random_cube(points: int = 5, *, seed: int = 0, style: Style = BOOK) -> Figure:
    """With three hyperparameters, α, momentum's β and Adam's ε, the grid is a cube: 125 trials, and
    still 5 values of each.

    Two cubes spanned by α, β and ε, 125 points in each, and the points dropped onto the lower front
    edge, the axis of α. The grid on the left leaves 5 ticks there, the random points 125.
    """
    found, s, colors, page = budget(3, points, seed), style.scale, style.colors, style.page(3.65)
    for column, (tried, color, title) in enumerate(_ways(found, style), start=1):
        axes = page.add_subplot(1, 2, column)
        unit = np.array([[*map(scale.to_unit, tried[n])] for n, scale in found[0].items()]).T
        for edge in combinations(np.array([*np.ndindex(2, 2, 2)], float), 2):
            if np.abs(edge[0] - edge[1]).sum() == 1:
                axes.plot(*_project(np.array(edge)).T, color=colors.faint, lw=0.8 * s, zorder=0)
        order = np.argsort(-unit[:, 1])  # the rear ones first
        near, (x, y) = 1 - unit[order, 1], _project(unit[order]).T
        axes.scatter(x, y, s=(8 + 20 * near) * s**2, c=color, alpha=0.35 + 0.6 * near, lw=0)
        alpha = np.unique(unit[:, 0].round(12))
        axes.vlines(alpha, -0.2, -0.1, color=color, lw=(1.4 if len(alpha) < 20 else 0.7) * s)
        axes.plot([0, 1], [-0.2, -0.2], color=colors.muted, lw=0.8 * s)
        axes.set_title(title)
        small: dict[str, Any] = {"color": colors.muted, "ha": "center", "va": "center"}
        axes.text(0.5, -0.3, style.say("learning rate $\\alpha$", "学习率 $\\alpha$"), **small)
        axes.text(1.28, 0.1, "$\\beta$", **small)
        axes.text(-0.07, 0.5, "$\\varepsilon$", **small)
        axes.set(xlim=(-0.12, 1.47), ylim=(-0.36, 1.33), aspect="equal", anchor="N")
        axes.axis("off")
    return page


def _project(points: Floats) -> Floats:
    """Where points of the unit cube (n, 3) appear on paper (n, 2): width, depth, height."""
    x, depth, height = points.T
    return np.stack([x + 0.42 * depth, height + 0.3 * depth], axis=1)


@claim(
    "tuning.grid-distinct",
    "25 trials on a 5×5 grid try 5 values of α; 25 random trials try 25.",
    note(
        "000",
        56,
        "假设超参1是学习率α，超参2是ε",
        "say hyperparameter 1 is α, hyperparameter 2 is ε",
    ),
    note("001", 61, "值只有5个", "there are only 5 values of α"),
    note("003", 1205, "in grid search: only n distinct values of alpha are tried"),
)
def grid_distinct(seed: int) -> Evidence:
    """Runs both searches over α and ε and counts the different values of each."""
    return _distinct(budget(2, seed=seed), 5, 25)


@claim(
    "tuning.grid-distinct-3d",
    "With three hyperparameters it is a cube: 5×5×5 tries 5 values of each, 125 random trials 125.",
    note("001", 72, "搜索的不是一个方格，而是一个立方体", "you search not a square but a cube"),
)
def grid_distinct_3d(seed: int) -> Evidence:
    """Runs both searches over α, β and ε and counts the different values of each."""
    return _distinct(budget(3, seed=seed), 5, 125)


def _distinct(found: tuple[Space, Tried, Tried], on_grid: int, trials: int) -> Evidence:
    counts = {n: tuple(len(np.unique(tried[n])) for tried in found[1:]) for n in found[0]}
    text = "; ".join(f"{name}: {few} and {many}" for name, (few, many) in counts.items())
    as_said = set(counts.values()) == {(on_grid, trials)}
    return ledger.judged(as_said, f"{text} values of {trials} trials")


AXES = {"learning_rate": ALPHA, "epsilon": EPSILON, "decay": Linear(0, 2), "beta_1": BETA}
"""Adam's hyperparameters, in the order in which a search takes them up."""
POINTS = {1: 16, 2: 4, 3: 3, 4: 2}  # on each axis: about as many trials, for any number of axes
WAYS = ("grid", "random", "Halton")


@cache
def duels(seed: int = 0, searches: int = 24) -> dict[tuple[int, bool], Duel]:
    """Search 1 to 4 axes `searches` times each way, without and with batch norm."""
    task, found = population.teacher(seed).data, {}
    for axes, norm in product(POINTS, (False, True)):
        each = [*_searches(axes, seed, searches)]
        found[axes, norm] = duel(WAYS, each, {**FIXED, "batch_norm": norm}, seed, task)
    return found


def _searches(axes: int, seed: int, searches: int) -> Iterator[Any]:
    """Each search, one way after the other."""
    from scipy.stats import qmc

    space = Space(**{name: AXES[name] for name in [*AXES][:axes]})
    cells = np.array(list(np.ndindex(*[POINTS[axes]] * axes)))
    for number in range(searches):
        rng = np.random.default_rng([seed, axes, number])
        halton = qmc.Halton(axes, rng=np.random.default_rng([seed, axes, number, 1]))
        # Nobody knows where on a range the best value lies: each search moves the grid.
        grid = (cells + rng.random(axes)) / POINTS[axes]
        for points in (grid, rng.random(cells.shape), halton.random(len(cells))):
            yield (space.from_unit(u) for u in points)


@cache
def gains(seed: int = 0) -> dict[tuple[str, str, int, bool], Interval]:
    """Gain of a way over another, by number of axes and batch norm; corrected for all of these."""
    each = product(duels(seed).items(), (("random", "grid"), ("Halton", "random")))
    return holm({(*pair, *case): partial(mean, one.gain(*pair)) for (case, one), pair in each})


def _told(seed: int, way: str, over: str) -> str:
    found, text = gains(seed), []
    for axes in POINTS:
        without, normed = (found[way, over, axes, norm].show(".0f", "%") for norm in (False, True))
        text.append(f"axes {axes}: {without}, with batch norm {normed}")
    return f"gain of {way}: {'; '.join(text)}"


def _seen(seed: int) -> dict[int, set[str]]:
    """By number of axes, what random search's gain over a grid comes to without and with norm."""
    found = gains(seed)
    return {
        axes: {weighed(found["random", "grid", axes, norm], MATTERS) for norm in (False, True)}
        for axes in POINTS
    }


@claim(
    "tuning.random-beats-grid",
    "At the same budget random search finds better settings than a grid, when one hyperparameter, "
    "α, matters and the other, ε, hardly does.",
    note("001", 63, "最后会产生25种差距比较大的模型", "that gives 25 rather different models"),
    note("002", 13, "对于参数进行随机取值能够提高搜索效率", "random values make search efficient"),
    note("003", 1196, "NOT use grid search (grid of n * n)"),
    note("004", 9, "Try random values: don't use a grid"),
    trains=True,
    matters=WHY,
    conditions="The grid's step must be wider than the region that works. Four or five values of α "
    "over four decades always hit it; two do not, which is what a grid over four hyperparameters "
    "leaves of 16 trials.",
    literature=BERGSTRA,
)
def random_beats_grid(seed: int) -> Evidence:
    """Searches 24 times over Adam's α and ε with 4×4 trials, then over α, ε and decay (3×3×3), and
    those and β₁ (2×2×2×2), on a grid and at random, without and with batch norm, all with the same
    number of updates. The classes to learn are those of a random network. What each search found
    in validation is trained three times again from other first weights and judged by its loss on
    4000 test examples.
    """
    seen, found = _seen(seed), gains(seed)
    two, four = (found["random", "grid", axes, False] for axes in (2, 4))
    return ledger.judged(
        seen[2] == {HOLDS},
        _told(seed, "random", "grid"),
        *duels(seed).values(),
        plain=f"With two hyperparameters random search gained {two.value:.0%} of what a middling "
        f"trial lacks, with four {four.value:.0%}.".replace("-", "−"),
        effect=two,
        under_conditions=HOLDS in seen[4],
    )


@claim(
    "tuning.few-hyperparameters-grid",
    "With few hyperparameters a grid is practical; with more, random search is better.",
    note("001", 43, "当参数的数量相对较少时", "when there are relatively few parameters"),
    note("003", 1198, "this was OK in pre-DL era"),
    trains=True,
    matters=WHY,
    literature=BERGSTRA,
)
def few_hyperparameters_grid(seed: int) -> Evidence:
    """Takes the searches of tuning.random-beats-grid, and as many with 16 trials of α alone. A grid
    is practical where the interval shuts out that random search gains what matters, without and
    with batch norm; random search is better where it gains that.
    """
    seen = _seen(seed)
    practical = max((axes for axes in seen if seen[axes] == {REFUTED}), default=0)
    first = next((n for n in seen if HOLDS in seen[n] and REFUTED not in seen[n]), 0)
    verdict = HOLDS if 0 < practical < first else REFUTED if seen[4] == {REFUTED} else NOT_SHOWN
    return Evidence(
        verdict,
        _told(seed, "random", "grid"),
        f"A grid was as good with up to {practical} hyperparameters; from {first} on random search "
        "was better."
        if verdict == HOLDS
        else "",
        gains(seed)["random", "grid", 4, False],
        tuple(duels(seed).values()),
    )


@claim(
    "tuning.quasi-random",
    "Low-discrepancy points do at least as well as random ones at the same budget.",
    trains=True,
    matters=WHY,
    literature="Bousquet et al., Critical hyper-parameters: no random, no cry, 2017.",
)
def quasi_random(seed: int) -> Evidence:
    """Takes the searches of tuning.few-hyperparameters-grid once more with scrambled Halton points.
    They do as well if every interval shuts out that they lose what matters.
    """
    found = [one for case, one in gains(seed).items() if case[0] == "Halton"]
    worst = min(found, key=lambda one: one.low)
    lost = any(one.below_zero for one in found)
    verdict = HOLDS if worst.low > -MATTERS else REFUTED if lost else NOT_SHOWN
    measured = _told(seed, "Halton", "random")
    return Evidence(verdict, measured, effect=worst, rests_on=tuple(duels(seed).values()))


ledger.errata(
    __name__,
    ledger.Erratum(
        "tuning.erratum.adequate-search",
        note("001", 29, "充分搜索（Adequate search）", "adequate search"),
        "网格搜索 (grid search)",
        "“A grid” was heard as “adequate”: the method described under it is the grid.",
        whose="translation",
    ),
)
