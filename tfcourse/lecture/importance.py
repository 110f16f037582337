"""Which hyperparameter to tune first: α, says the lecture, and in which order the others."""

from collections.abc import Sequence
from functools import cache, partial
from itertools import chain, pairwise, product
from typing import Any, NamedTuple

import numpy as np

from tfcourse._arrays import Floats
from tfcourse.lecture import ledger, population
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.grid_and_random import BERGSTRA, EPSILON
from tfcourse.lecture.ledger import HOLDS, Erratum, Evidence, claim, errata, note, weighed
from tfcourse.lecture.scales import ALPHA, BETA
from tfcourse.lecture.searching import FIXED, MATTERS, WHY, Duel, duel
from tfcourse.lecture.statistics import Interval, holm, mean, slope
from tfcourse.lecture.style import BOOK, Figure, Style
from tfcourse.tuning import search
from tfcourse.tuning.scales import Choice, Linear, OneMinusLog
from tfcourse.tuning.space import Chosen, Space

SHARED: dict[str, Any] = {
    "learning_rate": ALPHA,
    "units": Choice(*range(24, 49, 6)),  # half the lecture's: the data are simple
    "batch_size": Choice(16, 64),  # few values make few programs
    "layers": Choice(2, 4),
    "decay": Linear(0, 1),
}
ADAM: dict[str, Any] = {"beta_1": BETA, "beta_2": OneMinusLog(0.9, 0.9999), "epsilon": EPSILON}
SPACES = {"momentum": Space(**SHARED, momentum=BETA), "adam": Space(**SHARED, **ADAM)}
RANKS = {  # the lecture's order of importance, by the colour of each rank
    ("red", "红"): ("learning_rate",),
    ("yellow", "黄"): ("momentum", "units", "batch_size"),
    ("purple", "紫"): ("layers", "decay"),
    ("none", "无"): ("beta_1", "beta_2", "epsilon"),
}
ORDER = tuple(RANKS.values())
UPDATES = {16: 1, 64: 4}  # epochs by mini-batch size: all trials have as many updates
CASES = [*product(SPACES, (False, True))]  # optimizer, batch norm
TRIALS = 1280  # of a case; few sizes of the engine's windows of 256 make few programs


def trained(trials: Sequence[Chosen], seed: int) -> Floats:
    """Lowest validation loss of each trial on the teacher's task, (n,): a guess's at most."""
    data = population.teacher(seed).data
    worst, most = float(np.log(data.classes)), max(UPDATES.values())
    each = [{**trial, "epochs": UPDATES[trial["batch_size"]]} for trial in trials]
    found = population.train(each, epochs=most, seed=seed, dataset=data)
    loss: Floats = np.nan_to_num(found.history["validation_loss"], nan=worst).min(axis=1)
    return np.minimum(loss, worst)


class Importance(NamedTuple):
    """Parts whose means are the hyperparameters' Sobol' indices, (base, inputs) each."""

    names: tuple[str, ...]
    alone: Floats  # of the first order: what one explains by itself
    total: Floats  # what would remain if only it were free, less the effect of other first weights
    trainings: int

    def interval(self, name: str, of: str = "total", level: float = 0.95) -> Interval:
        """An index with its interval."""
        return mean(getattr(self, of)[:, self.names.index(name)], level)

    def lead(self, a: str, b: str, level: float = 0.95) -> Interval:
        """How much more a matters than b in all, with its interval."""
        i, j = self.names.index(a), self.names.index(b)
        return mean(self.total[:, i] - self.total[:, j], level)


@cache
def importance(seed: int, trials: int) -> dict[tuple[str, bool], Importance]:
    """Train pairs of random trials, and crosses between the two, by optimizer and norm."""
    return {
        (way, norm): crossed(SPACES[way], {"optimizer": way, "batch_norm": norm}, seed, trials)
        for way, norm in CASES
    }


def crossed(space: Space, fixed: Chosen, seed: int, trials: int) -> Importance:
    """Train some `trials`: random pairs, and the first with one hyperparameter of the second."""
    k, base = len(space), trials // (len(space) + 3)
    first, second = np.random.default_rng([seed, k]).random((2, base, k))
    crosses = [np.where(np.arange(k) == i, second, first) for i in range(k)]
    points = [first, second, *crosses, first]  # the last with other first weights
    each = [{**fixed, **space.from_unit(u)} for rows in points for u in rows]
    loss = trained(each, seed).reshape(len(points), base)
    return Importance(tuple(space), *indices(loss), loss.size)


def indices(y: Floats) -> tuple[Floats, Floats]:
    """Return the parts of first-order and total-effect indices, each (base, inputs).

    y: results at A, at B, at A with one input of B, for each input, and at A again, (inputs + 3,
    base). Means of the parts are the indices: Saltelli et al. 2010, Jansen 1999.
    """
    a, b, *crosses, again = y - y[:2].mean()
    variance = np.concatenate([a, b]).var()
    chance = (a - again) ** 2
    alone = [b * (cross - a) / variance for cross in crosses]
    total = [((cross - a) ** 2 - chance) / (2 * variance) for cross in crosses]
    return np.transpose(alone), np.transpose(total)


SYMBOLS = {
    "learning_rate": ("learning rate $\\alpha$", "学习率 $\\alpha$"),
    "momentum": ("momentum $\\beta$", "动量 $\\beta$"),
    "units": ("hidden units", "隐藏单元数"),
    "batch_size": ("mini-batch size", "mini-batch 大小"),
    "layers": ("layers", "层数"),
    "decay": ("learning rate decay", "学习率衰减"),
    "beta_1": ("Adam's $\\beta_1$", "Adam 的 $\\beta_1$"),
    "beta_2": ("Adam's $\\beta_2$", "Adam 的 $\\beta_2$"),
    "epsilon": ("Adam's $\\varepsilon$", "Adam 的 $\\varepsilon$"),
}


@figure(
    zh="""各个超参数在随机试验结果的差异中占多少（总效应指数，95% 区间），按讲座的重要性排列。

    九行分成四级，从学习率到 Adam 的 ε，右边写着讲座给每级的颜色。每行有动量法和 Adam 的点，
    都带区间。左图没有 batch norm，右图有：学习率远远领先，
    约占十分之九，其余都不到三分之一。""",
    trains=True,
)
def hyperparameter_importance(
    trials: int = TRIALS, *, seed: int = 0, style: Style = BOOK
) -> Figure:
    """The share of the spread of random trials' results that each hyperparameter accounts for
    (total-effect index, 95% interval), in the lecture's order of importance.

    Nine rows in four ranks, from the learning rate to Adam's ε, with the lecture's colour for each
    rank at the right. In each row a point with its interval for training with momentum and with
    Adam. Left without batch norm, right with it: the learning rate is far ahead, at about nine
    tenths, and no other comes to a third.
    """
    found, say, s, c = importance(seed, trials), style.say, style.scale, style.colors
    page = style.page(3.8)
    panels: Any = page.subplots(1, 2, sharex=True, sharey=True)
    rows = {name: -row for row, name in enumerate(chain(*ORDER))}
    edges = 0.6 - np.cumsum([0, *map(len, ORDER)])
    ways = (("momentum", "动量", c.recommended, "o"), ("Adam", "Adam", c.baseline, "D"))
    for normalize, axes in enumerate(panels):
        for line, (way, _, color, marker) in enumerate(ways):
            one = found[way.lower(), bool(normalize)]
            for name in one.names:
                at = rows[name] + (0.16 - 0.32 * line) * (name in SHARED)
                index = one.interval(name)
                axes.plot(index[1:], [at, at], color=color, lw=1.4 * s)
                gid = f"{way.lower()} {name}"
                axes.plot(index.value, at, marker, color=color, ms=5 * s, gid=gid)
        for ends in (edges[1:3], edges[3:]):
            axes.axhspan(*ends, color=c.faint, alpha=0.3, lw=0, zorder=0)
        axes.axvline(0, color=c.muted, lw=0.8 * s, zorder=0.5)
        axes.set(xlabel=say("share of the spread", "占差异的份额"), ylim=edges[[-1, 0]])
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    panels[0].set_title(say("without batch norm", "没有批归一化"))
    panels[1].set_title(say("with batch norm", "有批归一化"))
    panels[0].set_yticks([*rows.values()], [say(*SYMBOLS[name]) for name in rows])
    for line, (en, zh, color, _) in enumerate(ways):
        place = {"transform": panels[0].transAxes, "ha": "right", "va": "center"}
        panels[0].text(0.97, 0.5 - 0.09 * line, say(en, zh), color=color, **place)
    beside: dict[str, Any] = {"transform": panels[1].get_yaxis_transform(), "color": c.muted}
    for colour, (top, bottom) in zip(RANKS, pairwise(edges), strict=True):
        panels[1].text(1.02, (top + bottom) / 2, say(*colour), va="center", **beside)
    panels[1].text(1.02, 0.75, say("lecture", "讲座"), va="bottom", **beside)
    return page


@claim(
    "tuning.importance-order",
    "The learning rate α matters most; then momentum β, hidden units and mini-batch size; then "
    "layers and learning rate decay; Adam's β₁, β₂ and ε hardly at all.",
    note("000", 38, "α"),
    note("001", 16, "最重要", "most important"),
    note("002", 9, "第一个是学习率", "the first is the learning rate"),
    note("003", 1192, "mark importance by colors (red > yellow > purple)"),
    note("004", 6, "¹ α , ² β"),
    trains=True,
    matters="A tenth of the spread of the results: less would not be seen among first weights.",
    conditions="Only the first place can be told: α is ahead of every other, with momentum and "
    "with Adam, without and with batch norm. Few of the pairs behind it are in the lecture's order "
    "for certain.",
    literature="Saltelli et al., Variance based sensitivity analysis of model output, 2010. "
    + BERGSTRA,
)
def importance_order(seed: int) -> Evidence:
    """Draws 142 pairs of random trials over all hyperparameters with momentum, 116 with Adam,
    without and with batch norm, and crosses them, so that one hyperparameter changes at a time. All
    have the same number of updates, whatever their mini-batch; the classes are a random
    network's. Measured is the total-effect Sobol' index of the validation loss: the share of its
    spread that would remain if only this one were free. Neighbouring ranks are compared in pairs,
    and α with all; the intervals are corrected for the number of pairs. α is first if every lead of
    it matters; that is refuted if one of them does not for certain, and not shown otherwise.
    """
    found = importance(seed, TRIALS)
    leads = holm(  # α's over each other, and every rank's over the next
        {
            (*case, a, b): partial(one.lead, a, b)
            for case, one in found.items()
            for upper, lower in (*pairwise(ORDER), (ORDER[0], [*chain(*ORDER[2:])]))
            for a, b in product(upper, lower)
            if a in one.names and b in one.names
        }
    )
    ahead = [one for pair, one in leads.items() if pair[2] == "learning_rate"]
    behind = [one for pair, one in leads.items() if pair[2] != "learning_rate"]
    in_order = sum(one.above_zero for one in behind)
    seen = {weighed(one, MATTERS) for one in ahead}
    verdict = HOLDS if in_order == len(behind) else ledger.CONDITIONS
    if seen != {HOLDS}:
        verdict = ledger.REFUTED if ledger.REFUTED in seen else ledger.NOT_SHOWN
    alpha, second, words = [], [], []
    for (way, norm), one in found.items():
        name = max(one.names[1:], key=lambda name: one.interval(name).value)
        both = [(n, one.interval(n), one.interval(n, "alone")) for n in ("learning_rate", name)]
        alpha.append(both[0][1].value)
        second.append(both[1][1].value)
        shares = [f"{n} {a.show('.0f', '%')} (alone {b.show('.0f', '%')})" for n, a, b in both]
        words.append(f"{way}{' with batch norm' if norm else ''}: {', '.join(shares)}")
    return Evidence(
        verdict,
        f"{'; '.join(words)}. α ahead in {sum(one.above_zero for one in ahead)} of {len(ahead)} "
        f"pairs, the lower ranks in order in {in_order} of {len(behind)}",
        f"The learning rate accounts for at least {min(alpha):.0%} of the spread, no other "
        f"for more than {max(second):.0%}.",
        min(ahead, key=lambda one: one.low),
        tuple(found.values()),
    )


@claim(
    "tuning.not-hard-and-fast",
    "The order is no fixed rule: the number of layers, of the third rank, can sometimes make a "
    "huge difference.",
    ledger.video("the number of layers can sometimes make a huge difference"),
    trains=True,
    matters="A tenth of the spread of the results, as in tuning.importance-order.",
)
def not_hard_and_fast(seed: int) -> Evidence:
    """Takes the crosses of tuning.importance-order with two hyperparameters: α over its four
    decades, and 2 or 12 layers instead of 2 or 4, with Adam and without batch norm. It holds if the
    layers account for a tenth of the spread, as they do not between 2 and 4.
    """
    space = Space(learning_rate=ALPHA, layers=Choice(2, 12))
    crosses = crossed(space, {**FIXED, "batch_norm": False}, seed, TRIALS)
    two = {"2 or 12": crosses, "2 or 4": importance(seed, TRIALS)["adam", False]}
    layers = {n: partial(mean, one.total[:, one.names.index("layers")]) for n, one in two.items()}
    deep, shallow = (both := holm(layers)).values()
    measured = "share of the layers: " + "; ".join(
        f"{n} {one.show('.0f', '%')}" for n, one in both.items()
    )
    plain = (
        f"Between 2 and 12 layers, their number accounted for {deep.value:.0%} of the spread; "
        f"between 2 and 4 for {max(shallow.value, 0):.0%}."
    )
    return Evidence(weighed(deep, MATTERS), measured, plain, deep, tuple(two.values()))


@cache
def tuned(seed: int = 0, searches: int = 24, trials: int = 12) -> dict[str, Duel]:
    """Search α alone, and α with the optimizer's other hyperparameters, `searches` times each."""
    data, found = population.teacher(seed).data, {}
    for optimizer, others in {"momentum": {"momentum": BETA}, "adam": ADAM}.items():
        fixed = {**FIXED, "optimizer": optimizer, "momentum": 0.9, "epsilon": 1e-8}
        spaces = Space(learning_rate=ALPHA), Space(learning_rate=ALPHA, **others)
        rngs = [np.random.default_rng([seed, trials, number]) for number in range(searches)]
        each = [search.random(space, trials, rng) for rng in rngs for space in spaces]
        found[optimizer] = duel(("α", "all"), each, fixed, seed, data)
    return found


@claim(
    "tuning.good-defaults",
    "Momentum 0.9 and Adam's β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸ need no tuning.",
    note("001", 17, "总是选定其分别为0.9，0.999", "always set to 0.9, 0.999"),
    note("002", 9, "第三行参数一般有默认值", "those in the third row have default values"),
    trains=True,
    matters=WHY,
)
def good_defaults(seed: int) -> Evidence:
    """Searches α alone, with these defaults, and α with momentum's β, or with Adam's β₁, β₂ and ε,
    24 times with 12 random trials each, on a random network's classes, with batch norm. What was
    found in validation is trained three times again and judged by its test loss. It holds if both
    intervals shut out that tuning all gains what matters, and is refuted if it gains that with
    either.
    """
    found = tuned(seed)
    gain = holm({way: partial(mean, one.gain("all", over="α")) for way, one in found.items()})
    seen = {weighed(one, MATTERS) for one in gain.values()}
    holds = HOLDS if seen == {ledger.REFUTED} else ledger.NOT_SHOWN
    return Evidence(
        ledger.REFUTED if HOLDS in seen else holds,
        "gain of tuning all over tuning α: "
        + "; ".join(f"{way} {one.show('.0f', '%')}" for way, one in gain.items()),
        "Tuning more than α gained {:.0%} of what a middling trial lacks with momentum, {:.0%} "
        "with Adam.".format(*(one.value for one in gain.values())).replace("-", "−"),
        gain["adam"],
        tuple(found.values()),
    )


SIZES, RATES = (16, 64, 256), np.geomspace(3e-3, 3, 12).tolist()


class Together(NamedTuple):
    """By mini-batch size: loss by α, (seeds, sizes, rates); and the best α, (seeds, sizes)."""

    loss: Floats
    best: Floats
    trainings: int


@cache
def together(seed: int = 0, seeds: int = 7) -> Together:
    """Train with plain gradient descent for 4 epochs with each mini-batch size and α."""
    fixed = {**FIXED, "optimizer": "gradient_descent"}
    each = product(range(seeds), SIZES, RATES)
    trials = [{**fixed, "batch_size": size, "learning_rate": rate} for _, size, rate in each]
    found = population.train(trials, epochs=4, seed=seed, dataset=population.teacher(seed).data)
    loss = np.nan_to_num(found.history["validation_loss"][:, -1], nan=np.inf)
    loss = loss.reshape(seeds, len(SIZES), len(RATES))
    return Together(loss, np.array(RATES)[loss.argmin(axis=2)], loss.size)


@claim(
    "tuning.batch-size-and-alpha",
    "Mini-batch size and α go together: the best α grows with the mini-batch; and at equal epochs "
    "a small mini-batch has more updates, and learns more.",
    trains=True,
    matters="A slope of a quarter: α doubled for a mini-batch sixteen times as large.",
    literature="Goyal et al., Accurate, large minibatch SGD, 2017: α in proportion (slope 1).",
)
def batch_size_and_alpha(seed: int) -> Evidence:
    """Trains 7 models of a random network's classes by plain gradient descent for 4 epochs with
    each of 12 values of α and mini-batches of 16, 64 and 256. Measured is the slope of the best α's
    logarithm over the mini-batch's, and the loss that the best α reaches: with 16, which has
    sixteen times the updates of 256, it must be lower.
    """
    found = together(seed)
    steep = slope(np.tile(np.log2(SIZES), len(found.loss)), np.log2(found.best).ravel())
    least = found.loss.min(axis=2)
    more = mean(least[:, -1] - least[:, 0])
    verdict = weighed(steep, 0.25)
    return Evidence(
        verdict if verdict != HOLDS or more.above_zero else ledger.NOT_SHOWN,
        f"slope {steep.show('.2f')}; lowest loss with 16 lower by {more.show('.2f')}",
        "The best α was {:.2g} with mini-batches of 16, {:.2g} with 64, {:.2g} with 256.".format(
            *np.exp(np.log(found.best).mean(axis=0))
        ),
        steep,
        (found,),
    )


errata(
    __name__,
    Erratum(
        "tuning.erratum.adams-second",
        note(
            "001",
            17,
            r"$\beta~(\beta_1，\beta_2，\varepsilon)$",
            "Adam's parameters, of second importance",
        ),
        "β (momentum) is of the second rank; β₁, β₂ and ε are of none.",
        "Momentum's β and Adam's β₁ and β₂ share a letter; the same row says they are never tuned.",
    ),
    Erratum(
        "tuning.erratum.decay-second",
        note("004", 7, "²learning rate decay"),
        "learning rate decay is of the third rank, with the layers.",
        "The lecture marks it purple; 000:43 and 001:20 have it third.",
    ),
)
