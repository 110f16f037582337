"""On which scale to draw a hyperparameter: uniformly, by order of magnitude, or by 1 − β."""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfcourse import _checks
from tfcourse._arrays import Floats
from tfcourse.lecture import ledger
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import Erratum, Evidence, claim, errata, judged, note
from tfcourse.lecture.statistics import share
from tfcourse.lecture.style import BOOK, Figure, Style
from tfcourse.tuning.scales import Choice, Integer, Linear, Log, OneMinusLog, Scale

ALPHA, BETA = Log(1e-4, 1), OneMinusLog(0.9, 0.999)
UNITS, LAYERS = Integer(50, 100), Choice(2, 3, 4)
DRAWS = 100_000  # shares come out within half a percentage point, whatever the seed


@cache
def picks(seed: int = 0, size: int = 200) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw numbers of hidden units and of layers uniformly, (size,) each."""
    u = np.random.default_rng(seed).random((size, 2))
    return np.array([*map(UNITS.from_unit, u[:, 0])]), np.array([*map(LAYERS.from_unit, u[:, 1])])


class Draws(NamedTuple):
    """Draws on two scales as r = log₁₀ α or log₁₀(1 − β), (size,), and where decades end."""

    linear: Floats
    log: Floats
    edges: Floats

    def shares(self, r: Floats) -> Floats:
        """Part of the draws in each decade, (decades,)."""
        return np.histogram(r, self.edges)[0] / len(r)


@cache
def draws(scale: Log | OneMinusLog, seed: int = 0, size: int = 10_000) -> Draws:
    """Draw from the scale's range, uniformly and on the scale itself."""
    rng = np.random.default_rng(seed)

    def r(any_scale: Scale) -> Floats:
        values = np.array([any_scale.from_unit(u) for u in rng.random(size)])
        return np.asarray(np.log10(values if isinstance(scale, Log) else 1 - values).round(12))

    ends = (scale.low, scale.high) if isinstance(scale, Log) else (1 - scale.high, 1 - scale.low)
    low, high = np.log10(ends).round(12)
    edges = np.unique([low, *np.arange(math.ceil(low), high), high])
    return Draws(r(Linear(scale.low, scale.high)), r(scale), edges)


class Averages(NamedTuple):
    """β, 1/(1 − β), and the measured age at which a value weighs 1/e of its first weight, (4,)."""

    betas: Floats
    values: Floats
    measured: Floats


@cache
def averages(step: float = 0.0005, size: int = 20_000) -> Averages:
    """Average a single 1 followed by `size` zeros with β = 0.9, 0.999, and each plus `step`."""
    betas = np.array([0.9, 0.9 + step, 0.999, 0.999 + step])
    weights, v = np.empty((size, 4)), 1 - betas  # v₁ = β v₀ + (1 − β) θ₁, θ₁ = 1, v₀ = 0
    for number in range(size):
        weights[number], v = v, betas * v
    fallen = np.log(weights / weights[0]) + 1  # crosses 0 where the weight is 1/e of the first
    after = np.argmax(fallen <= 0, axis=0)
    before, at = fallen[after - 1, range(4)], fallen[after, range(4)]
    return Averages(betas, 1 / (1 - betas), after - 1 + before / (before - at))


@figure(
    zh="""50 到 100 个隐藏单元，以及 2、3、4 层，可以均匀地随机取。

    两条数轴，各把 200 次抽取叠成小点。上面是 50 到 100 的整数，每个上有几个点；
    下面 2、3、4 上三堆点差不多高。"""
)
def uniform_picks(draws: int = 200, *, seed: int = 0, style: Style = BOOK) -> Figure:
    """Hidden units between 50 and 100, and 2, 3 or 4 layers, are drawn uniformly.

    Two number lines with 200 draws stacked on them as dots. Above, whole numbers from 50 to 100,
    each with a few dots; below, three heaps of about the same size over 2, 3 and 4.
    """
    found, say, s = picks(seed, draws), style.say, style.scale
    page = style.page(3.2)
    units, layers = page.subplots(2, 1)
    for axes, values, columns in ((units, found[0], 1), (layers, found[1], 9)):
        for number in np.unique(values):
            rank = np.arange(np.sum(values == number))
            spread = (rank % columns - (columns - 1) / 2) * 0.055 * (columns > 1)
            color, size = style.colors.neutral, 3.6 * s
            axes.plot(number + spread, rank // columns + 0.7, "o", ms=size, color=color, mew=0)
        axes.spines["left"].set_visible(False)
        axes.set(yticks=[], ylim=(0, None))
    units.set(xlim=(49, 101), xticks=range(50, 101, 10))
    name = say("hidden units $n^{[l]}$", "隐藏单元数 $n^{[l]}$")
    units.set_title(f"{name}{say(f', {draws} draws', f'，抽取 {draws} 次')}")
    layers.set(xlim=(1.5, 4.5), xticks=[2, 3, 4])
    layers.set_title(say(f"layers $L$, {draws} draws", f"层数 $L$，抽取 {draws} 次"))
    return page


@figure(
    zh="""从 [0.0001, 1] 均匀地取 α，十个里有九个大于 0.1；按对数标尺取，每个数量级各得四分之一。

    两行，共用一条 α 的对数轴，各有 100 次抽取的短线和每个数量级的份额柱。
    上面均匀地取：短线挤在右端，份额是 0.1%、1%、9%、90%。
    下面 r 均匀而 α 是 10 的 r 次方：短线散布全轴，四根柱各约 25%。"""
)
def learning_rate_scale(
    low: float = 1e-4, high: float = 1.0, *, seed: int = 0, style: Style = BOOK
) -> Figure:
    """Drawn uniformly from [0.0001, 1], nine in ten α lie above 0.1; drawn on the logarithmic
    scale, every decade gets a quarter.

    Two rows over one logarithmic axis of α, each with ticks for 100 draws and a bar for the share
    of each decade. Above, α drawn uniformly: the ticks crowd at the right end, and the shares are
    0.1%, 1%, 9% and 90%. Below, r drawn uniformly and α = 10 to the power r: the ticks spread over
    the whole axis, and four bars of about 25%.
    """
    page = _two_samples(Log(low, high), "$\\alpha$", "$\\alpha = 10^r$", seed, style)
    page.axes[1].set_xlabel(style.say("learning rate $\\alpha$", "学习率 $\\alpha$"))
    return page


@figure(
    zh="""从 [0.9, 0.999] 均匀地取 β，十个里有九个小于 0.99；取 1 − β 为 10 的 r 次方，两边各一半。

    两行，共用一条轴，轴上 0.9、0.99、0.999 等距，各有 100 次抽取的短线和份额柱。
    上面均匀地取 β：短线挤在左半，91% 和 9%。下面 r 在 −3 和 −1 之间均匀地取：
    短线散布全轴，两根柱各约 50%。"""
)
def beta_scale(
    low: float = 0.9, high: float = 0.999, *, seed: int = 0, style: Style = BOOK
) -> Figure:
    """Drawn uniformly from [0.9, 0.999], nine in ten β lie below 0.99; with 1 − β = 10 to the power
    r, as many lie above as below.

    Two rows over one axis on which 0.9, 0.99 and 0.999 stand at equal distances, each with ticks
    for 100 draws and bars for shares. Above, β drawn uniformly: the ticks crowd in the left half,
    91% and 9%. Below, r drawn uniformly between −3 and −1: the ticks spread over the whole axis,
    and two bars of about 50%.
    """
    page = _two_samples(OneMinusLog(low, high), "$\\beta$", "$\\beta = 1 - 10^r$", seed, style)
    page.axes[1].invert_xaxis()
    page.axes[1].set_xlabel(style.say("momentum $\\beta$", "动量 $\\beta$"))
    return page


def _two_samples(
    scale: Log | OneMinusLog, symbol: str, formula: str, seed: int, style: Style
) -> Figure:
    """Both samples over one axis of r: ticks for 100 draws, bars for the share of each decade."""
    found, page, s, colors = draws(scale, seed), style.page(3.6), style.scale, style.colors
    a, b = (f"{r:g}".replace("-", "−") for r in found.edges[[0, -1]])
    uniform = style.say("uniform in", "均匀取自")
    of_r = f"$r$ {uniform} [{a}, {b}], {formula}"
    titles = f"{symbol} {uniform} [{scale.low:g}, {scale.high:g}]", of_r
    values = 10**found.edges if isinstance(scale, Log) else 1 - 10**found.edges
    rows = page.subplots(2, 1, sharex=True, sharey=True)
    samples = ((found.linear, colors.baseline), (found.log, colors.recommended))
    for axes, title, (r, color) in zip(rows, titles, samples, strict=True):
        shares, widths = found.shares(r), np.diff(found.edges)
        middle = found.edges[:-1] + widths / 2
        bars = axes.bar(middle, shares, width=widths - 0.02, color=color)
        words = [f"{part:.0%}" if part >= 0.005 else f"{part:.1%}" for part in shares]
        axes.bar_label(bars, words, padding=2 * s)
        axes.vlines(r[:100], -0.3, -0.06, color=color, lw=0.8 * s)
        axes.set(ylim=(-0.32, 1.15), yticks=[], xlim=found.edges[[0, -1]], title=title)
        axes.spines["left"].set_visible(False)
        axes.margins(x=0)
    rows[1].set_xticks(found.edges, [f"{value:.6g}" for value in values])
    return page


@figure(
    zh="""指数加权平均大约取 1/(1 − β) 个值：β 加 0.0005，在 0.9 处没有什么变化，在 0.999 处却加倍。

    左边是 1/(1 − β) 的曲线，大部分平在 10 左右，右端急升；0.0005 的一步标在 0.9 处（10 到 10.05）
    和 0.999 处（1000 到 2000）。右边是一个值的权重随它的年龄下降：β = 0.9 和 0.9005 重合，
    0.999 和 0.9995 相距很远；短线标出各自降到 1/e 的地方，即年龄 1/(1 − β)。"""
)
def beta_sensitivity(step: float = 0.0005, *, seed: int = 0, style: Style = BOOK) -> Figure:
    """An exponentially weighted average takes in about 1/(1 − β) values: β + 0.0005 means nothing
    at 0.9, and twice as many at 0.999.

    Left, the curve of 1/(1 − β), flat at 10 over most of the range and shooting up at its right
    end; a step of 0.0005 is marked at 0.9, from 10 to 10.05, and at 0.999, from 1000 to 2000.
    Right, the weight of a value against its age, with β = 0.9 and 0.9005 on top of each other, and
    0.999 and 0.9995 far apart; a tick marks where each comes down to 1/e, at an age of 1/(1 − β).
    """
    _checks.number("step", step, above=0, at_most=0.0009)
    found, say, s, c = averages(step), style.say, style.scale, style.colors
    page = style.page(3.0)
    curve, weight = page.subplots(1, 2)
    top, two = float(found.values.max()), (c.baseline, c.recommended)
    beta = 1 - np.logspace(-1, math.log10(0.8 / top), 300)
    curve.plot(beta, 1 / (1 - beta), color=c.faint)
    pairs = np.split(np.stack([found.betas, found.values], axis=1), 2)
    for color, pair in zip(two, pairs, strict=True):
        curve.plot(*pair.T, "o-", color=color, clip_on=False)
    words = [f"{b:.6g} → {b2:.6g}:\n{v:.4g} → {v2:.4g}" for (b, v), (b2, v2) in pairs]
    curve.annotate(words[0], (0.902, 0.1 * top), color=two[0])
    curve.annotate(words[1], (0.9965, 0.75 * top), ha="right", va="center", color=two[1])
    curve.set(xlabel="$\\beta$", xlim=(0.9, 1), ylim=(0, 1.25 * top), xticks=[0.9, 0.95, 1])
    curve.set(title=say("values averaged, $1/(1-\\beta)$", "平均的个数 $1/(1-\\beta)$"))
    curve.locator_params(axis="y", nbins=4)
    age, end = np.logspace(0, 4, 200), np.exp(-1)
    for i, b in enumerate(found.betas):
        weight.plot(age, b**age, "--" if i % 2 else "-", color=two[i // 2])
    weight.plot(found.measured, np.full(4, end), "|", color=c.ink, ms=9 * s)
    weight.axhline(end, color=c.faint, lw=0.8 * s, zorder=0)
    weight.annotate("$1/e$", (1.1, end), (0, -0.2), textcoords="offset fontsize", va="top")
    names = [f"{b:.6g}" for b in found.betas]
    weight.annotate(names[0], (22, 0.2), color=two[0], ha="left", va="bottom")
    weight.annotate(names[1], (22, 0.2), color=two[0], ha="left", va="top")
    weight.annotate(names[2], (300, 0.62), color=two[1], ha="right", va="center")
    at = 0.8 * found.values[3]
    weight.annotate(names[3], (at, 0.62), color=two[1], ha="left", va="center")
    weight.set(xscale="log", xlim=(1, 1e4), ylim=(0, 1.02), yticks=[0, 0.5, 1])
    title = say("weight of a value, newest = 1", "值的权重，最新的为 1")
    weight.set(xlabel=say("age of the value, steps", "值的年龄（步）"), title=title)
    return page


@claim(
    "tuning.uniform-picks",
    "Hidden units from 50 to 100 and 2, 3 or 4 layers may be drawn uniformly.",
    note("000", 66, "n^{[l]}=50"),
    note("001", 105, "那么2，3，4随机均匀取样才比较合理", "2, 3, 4 uniformly is more reasonable"),
)
def picks_uniform(seed: int) -> Evidence:
    """Draws 100,000 of each and tests with χ² that every number is as likely. That a uniform draw
    may be taken is measured by how much thicker it lies at the top of the range than draws by
    order of magnitude do: in proportion to high/low, which is 2 here and 10,000 for α.
    """
    from scipy.stats import chisquare

    found, thicker = picks(seed, DRAWS), UNITS.high / UNITS.low
    p = [chisquare(np.bincount(x - x.min())).pvalue for x in found]
    ends = [(x.min(), x.max()) for x in found]
    return judged(
        ends == [(50, 100), (2, 4)] and min(p) > 1e-4 and thicker < 10,
        f"χ² of units has p = {p[0]:.2g}, of layers p = {p[1]:.2g}; high/low is {thicker:g}, for α "
        f"{ALPHA.high / ALPHA.low:g}",
    )


@claim(
    "tuning.linear-scale-wastes",
    "Drawn linearly from [0.0001, 1], 90% of the values of α lie in [0.1, 1].",
    note("000", 72, "90%的数据来自[0.1,1]这个区间", "90% of the draws come from [0.1, 1]"),
    note("001", 111, "此时使用随机均匀取值并不好", "here uniform values are no good"),
)
def linear_scale_wastes(seed: int) -> Evidence:
    """Draws 100,000 values on the linear scale and counts those of at least 0.1."""
    found = share(int((draws(ALPHA, seed, DRAWS).linear >= -1).sum()), DRAWS)
    return judged(abs(found.value - 0.9) < 0.005, found.show(".1f", "%"), effect=found)


@claim(
    "tuning.log-scale",
    "With r uniform in [−4, 0] and α = 10^r, every decade of [10⁻⁴, 1] gets a quarter of draws.",
    note("000", 85, "r = -4*np.random.rand()"),
    note("001", 111, "用对数标尺会更合理", "a logarithmic scale is more reasonable"),
    note("002", 28, "r=-4*np.random.rand()"),
    note("003", 1216, "equal resources are used to search at each scale"),
)
def log_scale(seed: int) -> Evidence:
    """Draws 100,000 values with r uniform and counts each decade; the one furthest off decides."""
    found = draws(ALPHA, seed, DRAWS)
    shares = found.shares(found.log)
    worst = shares[np.abs(shares - 0.25).argmax()]
    text = ", ".join(f"{value:.1%}" for value in shares)
    return judged(abs(worst - 0.25) < 0.0075, text, effect=share(round(worst * DRAWS), DRAWS))


@claim(
    "tuning.log-scale-general",
    "For [10^a, 10^b]: r uniform in [a, b] with a = log₁₀ of the lower bound, b of the upper.",
    ledger.video("take logs of the two ends, and draw r uniformly between a and b"),
)
def log_scale_general(seed: int) -> Evidence:
    """Makes the scale of 200 random ranges, asks it for a value at a random position u, and
    compares with 10^(a + u(b − a)). Draws from three of the ranges are counted by halves of r.
    """
    rng, off = np.random.default_rng(seed), 0.0
    for _ in range(200):
        (a, b), u = np.sort(rng.uniform(-8, 4, 2)), rng.random()
        off = max(off, abs(Log(10**a, 10**b).from_unit(u) / 10 ** (a + u * (b - a)) - 1))
    halves = []
    for a, b in ((-6.0, -2.0), (-3.0, 1.0), (0.5, 1.25)):
        scale = Log(10**a, 10**b)
        drawn = np.log10([scale.from_unit(u) for u in rng.random(DRAWS)])
        halves.append(float((drawn < (a + b) / 2).mean()))
    return judged(
        off < 1e-9 and all(abs(half - 0.5) < 0.01 for half in halves),
        f"largest relative difference {ledger.below(off, 1e-9)}; lower half of r gets "
        + ", ".join(f"{half:.1%}" for half in halves),
    )


@claim(
    "tuning.beta-scale",
    "For β in [0.9, 0.999]: r uniform in [−3, −1] and 1 − β = 10^r.",
    note("000", 95, "1-β=10^r"),
    note("001", 119, "你设定了$1- \\beta = 10^{r}$", "you set 1 − β = 10^r"),
    note("002", 43, "1-\\beta=10^r"),
    note("004", 19, "search between $0.9 \\sim 0.999$"),
)
def beta_halves(seed: int) -> Evidence:
    """Draws 100,000 β with r uniform and counts those above 0.99, beside as many uniform draws."""
    found = draws(BETA, seed, DRAWS)
    inside = bool(((found.log >= -3) & (found.log <= -1)).all())
    above = share(int((found.log < -2).sum()), DRAWS)
    measured = (
        f"above 0.99: {above.show('.1f', '%')}; drawn uniformly {(found.linear < -2).mean():.1%}"
    )
    return judged(inside and abs(above.value - 0.5) < 0.0075, measured, effect=above)


@claim(
    "tuning.beta-sensitivity",
    "1/(1−β) values are averaged: 0.9 → 0.9005 is about 10 either way, 0.999 → 0.9995 is 1000 → "
    "2000. Hence more draws near 1.",
    note("000", 99, "0.999, 0.9995 => 1000 -> 2000"),
    note("002", 48, "第一个大概取十个平均值", "the first averages about ten values"),
)
def sensitivity(seed: int) -> Evidence:
    """Computes 1/(1−β), and measures the average itself: fed a single 1 and then zeros, the
    steps are counted until its weight has fallen to 1/e.
    """
    found = averages()
    values = found.values.round(2).tolist()
    off = float(np.abs(found.measured - found.values).max())
    return judged(
        values == [10, 10.05, 1000, 2000] and off < 1,
        f"1/(1−β) = {', '.join(f'{value:g}' for value in values)}; weight 1/e after "
        + ", ".join(f"{value:.1f}" for value in found.measured),
    )


def randn(seed: int) -> Evidence:
    """Draws both 100,000 times. The normal r has no bounds, either sign, and most of its draws near
    0; counted are those within the range, and those that are no 1 − β at all, being above 1.
    """
    printed = np.power(10, 3 * np.random.default_rng(seed).standard_normal(DRAWS))
    ours = 10 ** (-1 - 2 * np.random.default_rng(seed).random(DRAWS))
    within, still = (float(((x >= 0.001) & (x <= 0.1)).mean()) for x in (printed, ours))
    above, middle = float((printed > 1).mean()), float((ours < 0.01).mean())
    return ledger.corrected(
        within < 0.5 and above > 0.25,
        still == 1 and abs(middle - 0.5) < 0.01,
        f"within the range: {within:.0%} of the draws as printed, with {above:.0%} above 1 and the "
        f"largest {printed.max():.0e}; corrected {still:.0%}, half of them below 0.01",
    )


errata(
    __name__,
    Erratum(
        "tuning.erratum.np-exp",
        note("003", 1220, "alpha = np.exp(10, r)"),
        "alpha = 10**r.",
        "np.exp raises e to one number; its second argument is where to write, hence a TypeError.",
    ),
    Erratum(
        "tuning.erratum.ten-to-minus-four",
        note("003", 1220, "10e-4"),
        "1e-4, the lower end of α.",
        "10e-4 is 10 times 10⁻⁴; a quarter of the draws of α lie below it.",
    ),
    Erratum(
        "tuning.erratum.alpha-range",
        note("003", 1215, "choice of alpha in [0.001, 1]"),
        "[0.0001, 1], for the r = −4·rand() that follows; or r = −3·rand() for this range.",
        "Range and program must agree: a quarter of the draws lie outside the range.",
    ),
    Erratum(
        "tuning.erratum.beta-range",
        note("003", 1223, "convert to sampling 1-beta, which is in range [0.0001, 0.1]"),
        "[0.001, 0.1], for β in [0.9, 0.999].",
        "1 − 0.999 is 0.001: a third of the draws would give β above 0.999.",
    ),
    Erratum(
        "tuning.erratum.xor",
        note("002", 29, "alpha=10^r"),
        "alpha=10**r.",
        "In Python ^ is exclusive or: a TypeError for a random r, and −10 for r = −4.",
    ),
    Erratum(
        "tuning.erratum.r-sign",
        note("001", 126, "$r \\in [ 4,0]$"),
        "r in [−4, 0].",
        "The minus sign is lost: r = −4·rand() is never above 0, and 10^r would reach 10,000.",
    ),
    Erratum(
        "tuning.erratum.randn",
        note("004", 24, "np.power(10, 3 * np.random.randn())"),
        "10**(−1 − 2·rand()), for 1 − β in [0.001, 0.1].",
        "randn is normal, not uniform: unbounded, and of either sign.",
        check=randn,
    ),
)
