"""Hidden shift: what a later layer gets to see shifts as the weights before it change."""

from dataclasses import replace
from functools import cache, partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from tfcourse import batch_norm
from tfcourse._arrays import Floats
from tfcourse.lecture import network as net
from tfcourse.lecture import population
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import CONDITIONS, HOLDS, REFUTED, Evidence, claim, note, weighed
from tfcourse.lecture.statistics import holm, mean
from tfcourse.lecture.style import BOOK, Figure, Style

KINDS = ("none", "batch norm", "noisy")  # noisy: z̃ stretched and moved at random, always anew
RATES = tuple(0.01 * 2.0**k for k in range(8))
CUT = 2  # layers below the cut feed those above


class Trace(NamedTuple):
    """What enters the second activation in each of T updates, over 128 digits not trained on."""

    means: Floats  # (T, units)
    deviations: Floats  # (T, units)
    turned: Floats  # degrees by which updates below turn the gradient of the layers above, (T,)
    loss: float  # on these examples at last

    @property
    def moved(self) -> float:
        """How far mean, in deviations, and log deviation move in an update, over the units."""
        of_mean = np.abs(np.diff(self.means, axis=0)) / self.deviations[:-1]
        return float((of_mean + np.abs(np.diff(np.log(self.deviations), axis=0))).mean())


@cache
def trace(
    seed: int = 0, kind: str = "batch norm", learning_rate: float = 0.16, updates: int = 20
) -> Trace:
    """Train 64–32–32–32–10 with tanh by gradient descent with mini-batches of 64."""
    x, y = net.digits()
    unseen = population.digits().x_validation[:128].astype(float)
    labels = population.digits().y_validation[:128]
    rng = np.random.default_rng([seed, 2])
    normal = kind != "none"
    now = net.start(seed, [64, 32, 32, 32, 10], normalize=normal, activation="tanh")
    running = [batch_norm.RunningStatistics(momentum=0.9)] * (3 if normal else 0)
    seen, turned = [], []
    for rows in net.mini_batches(seed, len(x), updates):
        stretch, move = np.ones((3, 32)), np.zeros((3, 32))
        if kind == "noisy":
            stretch, move = rng.uniform(0.5, 1.5, (3, 32)), rng.uniform(-0.5, 0.5, (3, 32))
        noisy = _disturbed(now, stretch, move)
        passed = net.forward(noisy, x[rows])
        pairs = zip(running, passed.normalized, strict=True)
        running = [one.update(norm.statistics) for one, norm in pairs]
        z_tilde = net.inference(noisy, unseen, [one.corrected() for one in running])[CUT - 1]
        seen.append((z_tilde.mean(axis=0), z_tilde.std(axis=0)))
        _, slopes = net.gradients(noisy, x[rows], y[rows])
        if kind == "noisy":  # z̃ = (γ s) z_norm + β s + t, so dγ and dβ are s times what they were
            both = slopes.gamma, slopes.beta
            gamma, beta = ([*map(np.multiply, d[:3], stretch), d[3]] for d in both)
            slopes = replace(slopes, gamma=gamma, beta=beta)
        moved = now.moved(slopes, learning_rate)
        partly = _disturbed(now.below(CUT, moved), stretch, move)
        turned.append(_angle(slopes.W[CUT:], net.gradients(partly, x[rows], y[rows])[1].W[CUT:]))
        now = moved
    means, deviations = (np.array(found) for found in zip(*seen, strict=True))
    z = net.inference(now, unseen, [one.corrected() for one in running])[-1]
    return Trace(means, deviations, np.array(turned), population.measured(z, labels)[1])


def _disturbed(one: net.Network, stretch: Floats, move: Floats) -> net.Network:
    if not one.normalize:
        return one
    gamma = [*map(np.multiply, one.gamma[:3], stretch), one.gamma[3]]
    beta = [b * s + t for b, s, t in zip(one.beta[:3], stretch, move, strict=True)]
    return replace(one, gamma=gamma, beta=[*beta, one.beta[3]])


def _angle(a: list[Floats], b: list[Floats]) -> float:
    u, v = (np.concatenate([w.ravel() for w in ws]) for ws in (a, b))
    cosine = u @ v / np.linalg.norm(u) / np.linalg.norm(v)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


class Shift(NamedTuple):
    """By kind: how far inputs move, how far the gradient turns, the loss, (3, rates, runs)."""

    of: dict[str, Floats]
    trainings: int


@cache
def shift(seed: int = 0, runs: int = 20) -> Shift:
    """Trace `runs` trainings of each kind at each of `RATES`, from the same first weights."""
    found = {}
    for kind in KINDS:
        traces = [[trace(runs * seed + i, kind, rate) for i in range(runs)] for rate in RATES]
        each = [[(t.moved, t.turned.mean(), t.loss) for t in row] for row in traces]
        found[kind] = np.moveaxis(np.array(each), -1, 0)
    return Shift(found, len(KINDS) * len(RATES) * runs)


@figure(
    zh="""前面的权重一变，隐藏单元看到的输入就移动；有批归一化时移动得少，但并非不动。
    用的是没有训练过的样本，归一化用滑动平均。标题写着每次更新移动多少，以标准差为单位。

    两行是两个单元，横轴是第几次更新，线是均值，带是上下一个标准差。左边没有批归一化，两条线从远处移向零点，
    带越来越宽。右边有批归一化，线和带几乎是平的。"""
)
def hidden_shift(updates: int = 100, *, seed: int = 0, style: Style = BOOK) -> Figure:
    """What a hidden unit gets to see shifts as the weights below it change; with batch norm it
    shifts less, though it does. The titles say how far in an update, in deviations.

    Two rows for two units, over 100 updates: the mean as a line, one deviation on either side as a
    band. Left, without batch norm, the lines come from far off towards 0, and the bands grow wider.
    Right, with batch norm, lines and bands are nearly level.
    """
    say, s, c = style.say, style.scale, style.colors
    page = style.page(3.6)
    panels: Any = page.subplots(2, 2, sharex=True, sharey=True)
    runs = [trace(seed, kind, 0.16, updates) for kind in KINDS[:2]]
    drift = runs[0].means[-1] - runs[0].means[0]
    names = say("without batch norm", "没有批归一化"), say("with batch norm", "有批归一化")
    steps, colors = np.arange(updates), (c.baseline, c.recommended)
    for column, (run, name, color) in enumerate(zip(runs, names, colors, strict=True)):
        for row, unit in enumerate((drift.argmax(), drift.argmin())):
            axes = panels[row, column]
            middle, spread = run.means[:, unit], run.deviations[:, unit]
            band = middle - spread, middle + spread
            axes.fill_between(steps, *band, color=color, alpha=0.25, lw=0)
            axes.plot(steps, middle, color=color, lw=1.8 * s)
            axes.set(xlim=(0, updates - 1), yticks=[-2, 0, 2])
            axes.set_ylabel("$\\tilde z$" if column else "$z$", rotation=0, labelpad=8 * s)
        moved = say(": {:.2f} an update", "：每次更新移动 {:.2f}").format(run.moved)
        panels[0, column].set_title(name + moved)
        panels[1, column].set_xlabel(say("update", "更新次数"))
    corner = {"ha": "left", "va": "bottom", "color": c.muted, "transform": panels[1, 1].transAxes}
    panels[1, 1].text(0.03, 0.02, say("mean ± one deviation", "均值 ± 一个标准差"), **corner)
    return page


@claim(
    "bn.hidden-shift",
    "A later layer's inputs shift as earlier weights change; batch norm keeps their mean and "
    "variance fixed, so that later layers learn more independently.",
    note("000", 224, "它减弱了前层参数的作用", "it weakens the coupling to earlier layers"),
    note("001", 463, "的均值和方差保持不变", "mean and variance stay the same"),
    note("002", 92, "使得网络每层都可以自己学习", "each layer can learn by itself"),
    note("003", 1277, "always have the same mean/variance"),
    trains=True,
    matters="Half as far, and three degrees: less than that mini-batches differ by themselves.",
    conditions="At large learning rates. At small ones running averages move inputs more than the "
    "weights do. And steady inputs are not the reason: with z̃ disturbed at random in every update "
    "later layers learn as independently, and as fast.",
    literature="Santurkar et al. 2018, How Does Batch Normalization Help Optimization?, disturb "
    "what batch norm gives out, as here.",
)
def shifts(seed: int) -> Evidence:
    """Trains 64–32–32–32–10 on the digits by gradient descent for 20 updates at eight learning
    rates from 0.01 to 1.28, 20 times each: without batch norm, with it, and with it but z̃ of every
    unit stretched and moved at random in every update. Measured: how far mean and deviation of what
    enters the second activation move in an update, over 128 examples that are not trained on, with
    the running averages; and by what angle the gradient of the layers above turns when those below
    are updated. It holds if at every rate inputs move less than half as far with batch norm, and
    the gradient turns at least three degrees less; on condition if at some.
    """
    found, last, least = shift(seed), len(RATES) - 3, {"moved": np.log(2), "turned": 3.0}
    none, norm = (found.of[kind] for kind in KINDS[:2])
    more = {"moved": np.log(none[0] / norm[0]), "turned": none[1] - norm[1]}  # without batch norm
    each = product(enumerate(RATES), more)
    seen = holm({(what, rate): partial(mean, more[what][i]) for (i, rate), what in each})
    both = [r for r in RATES if all(weighed(seen[what, r], least[what]) == HOLDS for what in least)]
    names = "without batch norm", "with it", "with it, disturbed"
    words = "; ".join(
        "{} inputs move {:.2f}, the gradient turns {:.0f}°, loss {:.2f}".format(
            name, *found.of[kind][:, last].mean(axis=1)
        )
        for kind, name in zip(KINDS, names, strict=True)
    )
    small = norm[0, 0].mean() / none[0, 0].mean()
    return Evidence(
        HOLDS if len(both) == len(RATES) else CONDITIONS if both else REFUTED,
        f"at α = {RATES[last]:g}: {words}; the gradient turns "
        f"{seen['turned', RATES[last]].show('.0f', '°')} less with batch norm; both hold at α = "
        f"{', '.join(f'{rate:g}' for rate in both) or 'none'}; at {RATES[0]:g} inputs move "
        f"{small:.1f} times as far with it",
        "At large learning rates inputs move less and later layers are more independent with batch "
        "norm; disturbed at random they are as independent.",
        effect=seen["turned", RATES[last]],
        rests_on=(found,),
    )
