"""From coarse to fine: sample again, denser, in the box around what did best."""

from functools import cache, partial
from itertools import product
from typing import Any

import numpy as np

from tfcourse.lecture import population
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.grid_and_random import AXES
from tfcourse.lecture.ledger import HOLDS, NOT_SHOWN, REFUTED, Evidence, claim, note, video, weighed
from tfcourse.lecture.scales import ALPHA, BETA
from tfcourse.lecture.searching import FIXED, MATTERS, WHY, Duel, Played, duel, play
from tfcourse.lecture.statistics import Interval, holm, mean
from tfcourse.lecture.style import BOOK, Figure, Style
from tfcourse.tuning import search
from tfcourse.tuning.scales import Linear, OneMinusLog
from tfcourse.tuning.space import Space

SPACE = Space(**AXES, beta_2=OneMinusLog(0.9, 0.9999))
LINEAR = Space(**{**AXES, "learning_rate": Linear(1e-4, 1)}, beta_2=OneMinusLog(0.9, 0.9999))
KEEP = {12: 3, 48: 5}  # by number of trials, how many of the first half the box is drawn around
WAYS = ("one go", "two rounds", "one go, α linear", "two rounds, α linear")


@cache
def rivals(seed: int = 0, searches: int = 24) -> dict[int, Duel]:
    """Search Adam's five hyperparameters `searches` times each way, with 12 trials and with 48."""
    data, found = population.teacher(seed).data, {}
    for trials, keep in KEEP.items():
        rngs = [np.random.default_rng([seed, trials, number]) for number in range(searches)]
        ways = search.random, partial(_two_rounds, keep=keep)
        each = [
            way(space, trials, rng) for rng in rngs for space in (SPACE, LINEAR) for way in ways
        ]
        found[trials] = duel(WAYS, each, FIXED, seed, data, typical=WAYS[:1])
    return found


def _two_rounds(space: Space, trials: int, rng: search.Seed, keep: int = 5) -> search.Search:
    return search.coarse_to_fine(space, 2, trials, keep, rng)


@cache
def gains(seed: int = 0) -> dict[tuple[str, int], Interval]:
    """Gain of each way over one go on the logarithmic scale, by trials; corrected for all."""
    each = product(rivals(seed).items(), WAYS[1:])
    return holm({(way, n): partial(mean, one.gain(way, WAYS[0])) for (n, one), way in each})


@cache
def refinement(seed: int = 0, trials: int = 50) -> tuple[Played, Space]:
    """Search α and momentum β from coarse to fine; return what was tried, and the second box."""
    space, fixed = Space(learning_rate=ALPHA, momentum=BETA), {**FIXED, "optimizer": "momentum"}
    data = population.teacher(seed).data
    [played] = play([_two_rounds(space, trials, seed)], fixed, seed, data)
    order = np.argsort(played.loss[: -(-trials // 2)], kind="stable")[:5]
    return played, space.around([played.trials[i] for i in order])


@figure(
    zh="""由粗到精：先随机试 25 次，再在最好的五次周围的方框里试 25 次。图上写着每一轮的最好成绩。

    两个方块，横轴是学习率 α，纵轴是动量 β，都用各自的对数标尺；点的颜色是真实训练的验证损失，
    好的深，差的浅。左边 25 个点散布全图，最好的几个周围有方框；右边把方框放大，里面有 25 个点。
    两边各有一个圈，标出最好的点。""",
    trains=True,
)
def coarse_to_fine(trials: int = 50, *, seed: int = 0, style: Style = BOOK) -> Figure:
    """From coarse to fine: 25 random trials, the box around the best five, and 25 more in the box;
    above each stands the lowest loss that it found.

    Two squares with the learning rate α across and the momentum β up, both on their logarithmic
    scales, and points coloured by the validation loss of real trainings, dark for good and bright
    for bad. Left, points all over the square, and a box around the best. Right, the box enlarged,
    with the other points in it. A ring marks the best point of each.
    """
    from matplotlib.colors import LogNorm

    (played, box), say, s, c = refinement(seed, trials), style.say, style.scale, style.colors
    alpha, beta = (np.array([trial[name] for trial in played.trials]) for name in box)
    low, high = ([getattr(scale, end) for scale in box.values()] for end in ("low", "high"))
    page, first = style.page(3.2), -(-trials // 2)
    panels: Any = page.subplots(1, 2)
    loss = np.where(np.isfinite(played.loss), played.loss, played.loss[played.loss < np.inf].max())
    shade: dict[str, Any] = {"norm": LogNorm(loss.min(), loss.max()), "cmap": "cividis"}
    shade |= {"s": 48 * s**2, "edgecolors": c.muted, "linewidths": 0.5 * s}
    for axes, part in zip(panels, (slice(0, first), slice(first, None)), strict=True):
        x, y, each = alpha[part], 1 - beta[part], loss[part]
        points = axes.scatter(x, y, c=each, clip_on=False, zorder=5, **shade)
        at = int(each.argmin())
        axes.plot(x[at], y[at], "o", ms=11 * s, mfc="none", mec=c.ink, mew=1.6 * s, zorder=6)
        axes.set(xscale="log", yscale="log")
        axes.set_xlabel(say("learning rate $\\alpha$", "学习率 $\\alpha$"))
        n, best = len(each), f"{each.min():.3f}"
        en = f"{n} trials, best {best}" if axes is panels[0] else f"{n} in the box, best {best}"
        zh = f"{n} 次，最好 {best}" if axes is panels[0] else f"方框里 {n} 次，最好 {best}"
        axes.set_title(say(en, zh))
        axes.minorticks_off()
    edge = {"fc": "none", "ec": c.recommended, "lw": 1.6 * s}
    panels[0].fill_between([low[0], high[0]], 1 - high[1], 1 - low[1], **edge)
    panels[0].set(xlim=(7e-5, 1.4), ylim=(0.13, 7.7e-4))
    panels[1].set(xlim=(low[0], high[0]), ylim=(1 - low[1], 1 - high[1]))
    panels[0].set_yticks([0.1, 0.01, 0.001], ["0.9", "0.99", "0.999"])
    panels[0].set_xticks([1e-4, 1e-2, 1], ["0.0001", "0.01", "1"])
    ends: Any = (panels[1].get_xlim(), panels[1].get_ylim())
    inner: Any = [[a ** (1 - u) * b**u for u in (0.2, 0.8)] for a, b in ends]
    panels[1].set_xticks(inner[0], [f"{x:.2g}" for x in inner[0]])
    panels[1].set_yticks(inner[1], [f"{1 - y:.3g}" for y in inner[1]])
    panels[0].set_ylabel(say("momentum $\\beta$", "动量 $\\beta$"))
    for spine in panels[1].spines.values():
        spine.set(visible=True, color=c.recommended, lw=1.6 * s)
    bar = page.colorbar(points, ax=panels, aspect=28)
    bar.set_label(say("validation loss", "验证损失"))
    ticks = np.geomspace(loss.min(), loss.max(), 6)[1:-1].tolist()
    bar.set_ticks(ticks, labels=[f"{tick:.2g}" for tick in ticks])
    bar.minorticks_off()
    return page


def _told(found: dict[tuple[str, int], Interval], way: str) -> str:
    return "; ".join(f"{way}, {n} trials {found[way, n].show('.0f', '%')}" for n in KEEP)


@claim(
    "tuning.coarse-to-fine",
    "Zoom in on the region that did best, and sample it more densely: the same budget finds better "
    "settings than in one go.",
    note("001", 81, "放大这块小区域", "enlarge this small region"),
    note("003", 1210, "zoom in to smaller regions of hyperparam space"),
    note("004", 11, "Coarse to fine"),
    verdict=REFUTED,
    trains=True,
    matters=WHY,
)
def finds_better(seed: int) -> Evidence:
    """Searches α, ε, decay, β₁ and β₂ of Adam 24 times, with 12 trials and with 48: all at random,
    and half at random, then half in the box around the best three or five. The classes to learn are
    a random network's, the models have batch norm. What each search found in validation is trained
    three times again and judged by its loss on 4000 test examples. Gains are shares of what a
    middling trial lacks. It holds if two rounds gain what matters with either budget, is refuted if
    with neither, and is not shown otherwise.
    """
    found = gains(seed)
    each = [found[WAYS[1], trials] for trials in KEEP]
    seen = {weighed(one, MATTERS) for one in each}
    return Evidence(
        seen.pop() if len(seen) == 1 else NOT_SHOWN,
        f"gain over one go: {_told(found, WAYS[1])}",
        "Two rounds gained {:.0%} of what a middling trial lacks with 12 trials, {:.0%} with "
        "48.".format(*(one.value for one in each)).replace("-", "−"),
        each[-1],
        tuple(rivals(seed).values()),
    )


@claim(
    "tuning.wrong-scale-forgives",
    "A wrong scale is not fatal, least of all from coarse to fine, if one samples enough.",
    video("even on the wrong scale, coarse to fine search may come out fine"),
    trains=True,
    matters=WHY,
)
def wrong_scale_forgives(seed: int) -> Evidence:
    """Takes the searches of tuning.coarse-to-fine once more with α drawn uniformly from
    [0.0001, 1]. With 48 trials from coarse to fine, what is lost beside one go on the right scale
    must be less than what matters; it is refuted if more is lost for certain.
    """
    found = gains(seed)
    one_go, refined = (found[way, 48] for way in WAYS[2:])
    lost = refined.below_zero and refined.value <= -MATTERS
    return Evidence(
        HOLDS if refined.low > -MATTERS else REFUTED if lost else NOT_SHOWN,
        f"gain over one go on the right scale: {_told(found, WAYS[2])}; {_told(found, WAYS[3])}",
        f"With 48 trials, α on the wrong scale cost {-one_go.value:.0%} of what a middling trial "
        f"lacks, and {-refined.value:.0%} from coarse to fine.".replace("-", "−"),
        refined,
        tuple(rivals(seed).values()),
    )
