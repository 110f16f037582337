"""Test time: one example has no μ and σ² of its own, so averages from training stand in."""

from collections import defaultdict
from functools import cache, partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from tfcourse import batch_norm
from tfcourse._arrays import Floats
from tfcourse.lecture import ledger, population
from tfcourse.lecture import network as net
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import HOLDS, REFUTED, Evidence, apart, below, claim, judged, note
from tfcourse.lecture.statistics import holm, mean
from tfcourse.lecture.style import BOOK, Figure, Style

AFTER = (16, 600)  # updates after which networks are tried
WAYS = ("average, 0.99", "average, 0.9", "corrected, 0.99", "plain mean", "test mini-batch")
"""Where μ and σ² come from, to be compared with those of the whole training set."""
WHOLE = "training set"
MATTERS = 0.01


class Tried(NamedTuple):
    """Loss on test examples, (n,), by updates and by where μ and σ² come from."""

    loss: dict[tuple[int, str], Floats]
    trainings: int


@cache
def tried(seed: int = 0, networks: int = 12) -> Tried:
    """Train 20–32–32–5 with batch norm on a random network's classes; try it in all `WAYS`."""
    data = population.teacher(seed).data
    x, y = data.x_train.astype(float), data.y_train
    test, labels = data.x_test[:2048].astype(float), data.y_test[:2048]
    loss: dict[tuple[int, str], list[float]] = defaultdict(list)
    for start in range(1000 * seed, 1000 * seed + networks):
        now = net.start(start, [20, 32, 32, 5], normalize=True, activation="tanh")
        slow, quick = ([batch_norm.RunningStatistics(m)] * 2 for m in (0.99, 0.9))
        sums = np.zeros((2, 2, 32))
        for t, rows in enumerate(net.mini_batches(start, len(x), AFTER[-1]), 1):
            seen = [norm.statistics for norm in net.forward(now, x[rows]).normalized]
            slow = [v.update(s) for v, s in zip(slow, seen, strict=True)]
            quick = [v.update(s) for v, s in zip(quick, seen, strict=True)]
            sums += [[s.mean, s.variance()] for s in seen]
            now = now.moved(net.gradients(now, x[rows], y[rows])[1], 0.1)
            if t not in AFTER:
                continue
            given: tuple[Any, ...] = (
                [(v.moving_mean, v.moving_variance) for v in slow],
                [(v.moving_mean, v.moving_variance) for v in quick],
                [v.corrected() for v in slow],
                sums / t,
                [(norm.mean, norm.variance) for norm in net.forward(now, x).normalized],
            )
            z = [net.inference(now, test, statistics)[-1] for statistics in given]
            blocks = [net.forward(now, block).z[-1] for block in np.split(test, len(test) // 64)]
            ways = (*WAYS[:4], WHOLE, WAYS[4])
            for way, each in zip(ways, (*z, np.concatenate(blocks)), strict=True):
                loss[t, way].append(population.measured(each, labels)[1])
    return Tried({key: np.array(values) for key, values in loss.items()}, networks)


@figure(
    zh="""测试时用什么 μ：单个小批量的 μ 很散，指数加权平均跟着整个训练集的均值走，只是稍晚。
    它从零开始，起初太小；偏差修正去掉了这一点。

    横轴是第几次更新，纵轴是一个隐藏单元的 μ。点是各个小批量的，散布在整个训练集均值的黑线周围。
    β = 0.9 的平均从零出发，约二十次更新后才贴近黑线；修正后的虚线从一开始就贴近。"""
)
def test_time_average(
    momentum: float = 0.9, updates: int = 60, *, seed: int = 0, style: Style = BOOK
) -> Figure:
    """For test time: μ of single mini-batches scatters; its exponentially weighted average follows
    the mean over the whole training set, a little late. It starts at 0, too small at first; the
    bias correction takes that out.

    Updates across, μ of a hidden unit up. Points, the mini-batches', scatter around a line, the
    mean over all training examples. The average with β = 0.9 sets out from 0 and is close to the
    line after some twenty updates; a dashed line, corrected, is close from the beginning.
    """
    say, s, c = style.say, style.scale, style.colors
    x, y = net.digits()
    now = net.start(seed, [64, 32, 32, 32, 10], normalize=True, activation="tanh")
    running = batch_norm.RunningStatistics(momentum)
    found = []
    for rows in net.mini_batches(seed, len(x), updates):
        seen = net.forward(now, x[rows]).normalized[0].statistics
        running = running.update(seen)
        of_all = net.forward(now, x).z[0].mean(axis=0)
        found.append((seen.mean, of_all, running.moving_mean, running.corrected()[0]))
        now = now.moved(net.gradients(now, x[rows], y[rows])[1], 0.2)
    every = np.array(found)  # (updates, 4, units)
    off = np.abs(every[:, 1]).mean(axis=0)
    points, whole, average, corrected = every[:, :, int(off.argmax())].T
    page, steps = style.page(3.2), np.arange(1, updates + 1)
    axes = page.subplots()
    axes.plot(steps, points, "o", ms=4 * s, color=c.faint)
    axes.plot(steps, whole, color=c.neutral, lw=1.6 * s)
    axes.plot(steps, average, color=c.recommended, lw=1.8 * s)
    axes.plot(steps, corrected, "--", color=c.recommended, lw=1.8 * s)
    axes.axhline(0, color=c.faint, lw=0.8 * s, zorder=0)
    axes.set(xlabel=say("update", "更新次数"), xlim=(0, updates))
    axes.set_ylabel(say("$\\mu$ of a hidden unit", "一个隐藏单元的 $\\mu$"))
    lost = [float(np.abs(line - whole)[:10].mean()) for line in (average, corrected)]
    en = "In the first ten updates the average is off by {:.2f}, corrected by {:.2f}"
    zh = "前十次更新，平均值偏离 {:.2f}，修正后偏离 {:.2f}"
    axes.set_title(say(en, zh).format(*lost))
    words = (
        (say("each mini-batch", "各个小批量"), c.muted),
        (say("whole training set", "整个训练集"), c.neutral),
        (say(f"average, $\\beta$ = {momentum:g}", f"平均，$\\beta$ = {momentum:g}"), c.recommended),
        (say("dashed: corrected", "虚线：修正后"), c.recommended),
    )
    top = 0.86 if whole.mean() < 0 else 0.5  # between 0 and the lines
    for i, (text, color) in enumerate(words):
        axes.text(0.98, top - 0.12 * i, text, color=color, ha="right", transform=axes.transAxes)
    return page


@claim(
    "bn.single-example",
    "One example has no mean and variance of its own to speak of.",
    note("001", 532, "一个样本的均值和方差没有意义", "those of one example mean nothing"),
    note("002", 112, "可能需要对每一个样本逐一处理", "examples may come one by one"),
    note("003", 1288, "at test time needs to treat examples one at a time"),
    note("004", 122, "one instance at a time"),
)
def single_example(seed: int) -> Evidence:
    """Normalizes 100 single examples with their own statistics: σ² = 0, so z̃ must be β whatever z
    was. Keras's layer in training mode must do the same; in inference mode z comes through.
    """
    from tfcourse._tensorflow import keras

    random = np.random.default_rng(seed)
    z, beta = random.normal(0, 10, (100, 5)), random.normal(size=5)
    layer = keras.layers.BatchNormalization()
    layer.build((None, 5))
    layer.beta.assign(beta)
    own = np.array([batch_norm.forward(one[None], 2.0, beta).z_tilde[0] for one in z])
    varies = float(np.abs(np.asarray(layer(z, training=False))).std(axis=0).min())
    keras_own = np.array([np.asarray(layer(one[None], training=True))[0] for one in z])
    off = apart((own, beta), (keras_own, beta))
    return judged(
        off < 1e-3 and varies > 1,
        f"z̃ differs from β by {below(off, 1e-3)}, in Keras too; with given statistics it varies "
        f"by {varies:.1f}",
        plain="Normalized by itself, every example becomes the same.",
    )


@claim(
    "bn.ewma",
    "v_t = β v_(t−1) + (1−β) θ_t over the mini-batches' μ and σ² tracks them while training.",
    note("001", 544, "指数加权平均", "exponentially weighted average"),
    note("002", 118, "使用指数加权平均", "an exponentially weighted average is used"),
    note("003", 1290, "exp-weighted-avg"),
    note("004", 114, "exponentially moving average"),
)
def ewma(seed: int) -> Evidence:
    """Feeds Keras's layer 300 mini-batches of 64 and compares its averages with that recursion; and
    compares μ's average, after 50 mini-batches, with the true mean: a weighted average of noise
    should vary √((1−β)/(1+β)) times as much as μ does.
    """
    from tfcourse._tensorflow import keras

    random = np.random.default_rng(seed)
    z = random.normal(3, 2, (300, 64, 64)).astype(np.float32)
    layer = keras.layers.BatchNormalization(momentum=0.9)
    running = batch_norm.RunningStatistics(momentum=0.9)
    errors = []
    for step, mini_batch in enumerate(z):
        layer(mini_batch, training=True)
        running = running.update(batch_norm.forward(mini_batch).statistics)
        if step >= 50:
            errors.append(running.moving_mean - 3)
    means = layer.moving_mean, running.moving_mean
    off = apart(means, (layer.moving_variance, running.moving_variance))
    rest = float(np.std(errors) / (z.mean(axis=1)[50:] - 3).std())
    theory = np.sqrt(0.1 / 1.9)
    return judged(
        off < 1e-3 and abs(rest / theory - 1) < 0.15,
        f"Keras and the recursion apart by {below(off, 1e-3)}; β = 0.9 leaves {rest:.2f} of μ's "
        f"noise (theory {theory:.2f})",
    )


@claim(
    "bn.test-time",
    "At test time the averages of the mini-batches' μ and σ² serve, those of the whole training "
    "set as well; any reasonable estimate does.",
    note("000", 256, "计算所有训练集的均值和方差", "those of the whole training set"),
    note("001", 559, "在最终的网络中运行整个训练集", "run the whole training set"),
    note("002", 118, "使用指数加权平均", "an exponentially weighted average is used"),
    note("003", 1289, "estimate the value of meu/sigma2"),
    trains=True,
    matters="A hundredth of the loss: it makes the probability of the true class one per cent "
    "smaller.",
    conditions="The averages have seen several times 1/(1 − momentum) updates: with Keras's 0.99, "
    "hundreds. Before that they are no reasonable estimate, unless their start is corrected.",
    literature="Ioffe and Szegedy 2015 take the training set's; Wu and Johnson 2021, Rethinking "
    "“Batch” in BatchNorm, compare the estimates.",
)
def test_time(seed: int) -> Evidence:
    """Trains 12 networks with two hidden layers on a random network's classes. After 16 updates and
    after 600: the loss on 2048 test examples with the weighted averages, momentum 0.99 and 0.9, and
    with the plain mean of all mini-batches' statistics, beside that with the whole training set's.
    It holds if all are within what matters at both times, on condition if the averages are after
    600. Test mini-batches of 64, normalized by themselves, stand beside.
    """
    found, pairs = tried(seed), product(AFTER, WAYS)
    more = {(t, way): found.loss[t, way] - found.loss[t, WHOLE] for t, way in pairs}
    seen = holm({pair: partial(mean, each) for pair, each in more.items()})
    early, late = ([seen[t, way] for way in WAYS[:4]] for t in AFTER)
    late_ones = all(one.within(MATTERS) for one in late[:3])
    words = [
        f"after {t} updates {found.loss[t, WHOLE].mean():.3f} with the training set's; above it "
        + ", ".join(f"{way} {seen[t, way].show('.3f')}" for way in WAYS)
        for t in AFTER
    ]
    holds = late_ones and late[3].within(MATTERS) and all(one.within(MATTERS) for one in early)
    return Evidence(
        HOLDS if holds else ledger.CONDITIONS if late_ones else REFUTED,
        f"loss {'; '.join(words)}",
        f"After {AFTER[0]} updates the averages cost {early[0].value:.2f} of loss, after "
        f"{AFTER[1]} {abs(late[0].value):.3f}; the plain mean, with the first weights' in it, "
        f"{late[3].value:.3f}.",
        effect=early[0],
        rests_on=(found,),
    )


ledger.errata(
    __name__,
    ledger.Erratum(
        "bn.erratum.misnumbered-section",
        note("000", 238, "就是第三节所介绍的", "which section 3 introduced"),
        "which last week's lecture introduced, on optimization",
        "Section 3 of this note is on pandas and caviar; weighted averages belong to week 2.",
    ),
    ledger.Erratum(
        "bn.erratum.test-sets-average",
        note("000", 240, "来得到测试集的均值和方差", "to get the test set's mean and variance"),
        "to estimate the mean and variance of the training data",
        "The averages run over the training set's mini-batches; the test set is not looked at.",
        also=(note("000", 256, "测试集的均值和方差", "the test set's mean and variance"),),
    ),
    ledger.Erratum(
        "bn.erratum.second-for-first",
        note("001", 539, "训练第2个mini-batch，得到第一个", "mini-batch 2 gives the first"),
        "训练第1个mini-batch，得到第一个",
        "The first μ and σ² come from the first mini-batch.",
    ),
    ledger.Erratum(
        "bn.erratum.recomputed-at-test-time",
        note("004", 128, "但由于是新数据,需要重新计算", "new data, so it must be computed again"),
        "the averages from training are used as they are, for one example or many",
        "Nothing is computed from test examples, and their number makes no difference.",
        also=(note("004", 132, "若有多个 samples", "if there are several samples"),),
    ),
)
