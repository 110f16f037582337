"""Noise: a mini-batch's μ and σ² are estimates, and what they normalize is noisy, like dropout."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from tfcourse import batch_norm
from tfcourse._arrays import Floats
from tfcourse.lecture import population
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import Erratum, Evidence, claim, corrected, errata, judged, note
from tfcourse.lecture.statistics import mean, slope
from tfcourse.lecture.style import BOOK, Figure, Style

SIZES = (16, 32, 64, 128, 256, 512, 1024)
KEPT = 0.5  # share of activations that dropout keeps; what is kept is divided by it


class Noise(NamedTuple):
    """How much μ and σ² vary from mini-batch to mini-batch in three hidden layers, by `SIZES`."""

    mean: Floats  # deviation of μ over σ, averaged over the units, (layers, sizes)
    variance: Floats  # likewise of σ² over σ²
    dropout: Floats  # deviation of a kept or dropped activation over the activation, (sizes,)

    def fall(self, of: Floats) -> float:
        """What is left at 512 examples of the noise at 64."""
        return float(of[SIZES.index(512)] / of[SIZES.index(64)])


@cache
def noise(seed: int = 0, draws: int = 120) -> Noise:
    """Run `draws` mini-batches of each size, drawn with replacement, through 64–32–32–32."""
    rng = np.random.default_rng(seed)
    x = population.digits().x_train.astype(float)
    layers = [rng.normal(0, np.sqrt(2 / n), (n, 32)) for n in (64, 32, 32)]

    def statistics(a: Floats) -> list[tuple[Floats, Floats]]:
        found: list[tuple[Floats, Floats]] = []
        for W in layers:
            norm = batch_norm.forward(a @ W)
            found.append((norm.mean, norm.variance))
            a = np.maximum(norm.z_tilde, 0)
        return found

    whole = np.array(statistics(x))
    found, dropout = np.zeros((2, len(layers), len(SIZES))), np.zeros(len(SIZES))
    for i, m in enumerate(SIZES):
        drawn = [statistics(x[rng.integers(0, len(x), m)]) for _ in range(draws)]
        mean, variance = np.std(drawn, axis=0).swapaxes(0, 1)  # (layers, units)
        found[0, :, i] = (mean / np.sqrt(whole[:, 1])).mean(axis=1)
        found[1, :, i] = (variance / whole[:, 1]).mean(axis=1)
        dropout[i] = ((rng.random((500_000 // m, m)) < KEPT) / KEPT).std(axis=0).mean()
    return Noise(found[0], found[1], dropout)


VALUES = np.linspace(-3, 3, 7)


@cache
def kinds(seed: int = 0, m: int = 64, draws: int = 1000) -> dict[str, Floats]:
    """What dropout and batch norm make of `VALUES`, in a unit's deviations σ, (draws, 7) each."""
    rng = np.random.default_rng([seed, m])
    x = population.digits().x_train.astype(float)
    z = x @ rng.normal(0, np.sqrt(2 / 64), 64)
    batches = [batch_norm.forward(z[rng.integers(0, len(z), m), None]) for _ in range(draws)]
    shown = (z.mean() + VALUES * z.std())[:, None]
    normalized = [batch_norm.inference(shown, one.mean, one.variance)[:, 0] for one in batches]
    kept = rng.random((draws, 1)) < KEPT
    return {"dropout": kept / KEPT * VALUES, "batch norm": np.array(normalized)}


def parts(out: Floats) -> tuple[float, float]:
    """Deviation of what values are multiplied by, and of what is added: where the value is 0."""
    return float(((out[:, -1] - out[:, 0]) / 6).std()), float(out[:, 3].std())


@figure(
    zh="""小批量的 μ 带有噪声。第一隐藏层的噪声是 σ/√m；后面各层的输入已归一化过，噪声小得多，
    但同样随 √m 下降。样本有放回地抽取。

    横轴是小批量的大小 m，从 16 到 1024，纵轴是 μ 的标准差，以 σ 为单位，都是对数刻度。
    三个隐藏层各有七个点。第一层的点落在 σ/√m 这条直线上；第二、三层的点在它下面很远，与它平行。"""
)
def batch_norm_noise(*, seed: int = 0, style: Style = BOOK) -> Figure:
    """A mini-batch's μ is noisy: by σ/√m in the first hidden layer, and by far less in later ones,
    whose inputs are normalized already. In all it falls as 1/√m. Examples are drawn with
    replacement.

    The mini-batch's size m, from 16 to 1024, across and the deviation of μ in σ up, both
    logarithmic. Seven points for each of three hidden layers. The first layer's lie on the line
    σ/√m, the others' far below it, parallel to it.
    """
    found, say, s, c = noise(seed), style.say, style.scale, style.colors
    page = style.page(3.3)
    axes = page.subplots()
    line = np.array([12.0, 1900.0])
    axes.plot(line, line**-0.5, color=c.faint, zorder=0)
    words: dict[str, Any] = {"textcoords": "offset fontsize"}
    axes.annotate(r"$\sigma/\sqrt{m}$", (24, 24**-0.5), (0.8, 0.5), color=c.muted, **words)
    looks = (("o", c.neutral, 1), ("s", c.neutral, 0.94), ("^", c.muted, 1.06))  # side by side
    for values, (marker, color, aside) in zip(found.mean, looks, strict=True):
        axes.plot(np.array(SIZES) * aside, values, marker, color=color, ms=6 * s)
    named = found.mean[0, [SIZES.index(m) for m in (64, 512)]]
    axes.plot((64, 512), named, "o", color=c.recommended, ms=8 * s)
    end = SIZES[-1]
    axes.annotate(say("layer 1", "第 1 层"), (end, found.mean[0, -1]), (-0.3, 0.8), **words)
    axes.annotate(say("layers 2, 3", "第 2、3 层"), (end, found.mean[2, -1]), (-0.9, 0.8), **words)
    axes.set(xscale="log", yscale="log", xlim=line, ylim=(found.mean.min() / 1.5, 0.4))
    en = "From 64 to 512 examples, the noise of $\\mu$ falls from {:.3f} to {:.3f} $\\sigma$"
    zh = "从 64 个样本到 512 个，$\\mu$ 的噪声从 {:.3f} $\\sigma$ 降到 {:.3f} $\\sigma$"
    axes.set_title(say(en, zh).format(*named))
    axes.set_xlabel(say("examples in the mini-batch, $m$", "小批量的样本数 $m$"))
    axes.set_ylabel(say("deviation of $\\mu$, in $\\sigma$", "$\\mu$ 的标准差，单位 $\\sigma$"))
    axes.set_xticks(SIZES, [str(m) for m in SIZES])
    axes.set_yticks([0.01, 0.03, 0.1, 0.3], ["0.01", "0.03", "0.1", "0.3"])
    axes.minorticks_off()
    return page


@figure(
    zh="""两种噪声。随机失活（dropout）只乘：乘以 0 或 2。批归一化既乘（除以小批量的 σ）
    又加（减去它的 μ）。这里小批量只有 16 个样本，让噪声看得见。

    两幅图，横轴是进来的值，纵轴是出去的值。左边随机失活只有两条线，一条是平的，一条斜率为 2，
    在零点相交。右边批归一化有 24 条线，一个小批量一条，斜率各不相同，也不都经过零点。"""
)
def batch_norm_two_noises(m: int = 16, *, seed: int = 0, style: Style = BOOK) -> Figure:
    """Two kinds of noise. Dropout multiplies, by 0 or by 2. Batch norm multiplies, by 1/σ of the
    mini-batch, and adds, −μ/σ; here with mini-batches of only 16, for it to be seen.

    Two panels, what comes in across and what goes out up. Dropout on the left has two lines, a
    level one and one of slope 2, which cross at zero. Batch norm on the right has 24 lines, one
    a mini-batch, of different slopes, which miss zero on either side.
    """
    found, say, s, c = kinds(seed, m, 24), style.say, style.scale, style.colors
    page = style.page(3.1)
    panels: Any = page.subplots(1, 2, sharey=True)
    names = say("dropout", "随机失活"), say("batch norm", "批归一化")
    sides = zip(panels, names, found.values(), (c.baseline, c.recommended), strict=True)
    for axes, name, out, own in sides:
        axes.axhline(0, color=c.faint, lw=0.8 * s, zorder=0)
        axes.axvline(0, color=c.faint, lw=0.8 * s, zorder=0)
        axes.plot(VALUES, np.unique(out, axis=0).T, color=own, lw=s, alpha=0.7)
        times, plus = parts(out)
        axes.set_title(f"{name}: × 1 ± {times:.2f}" + (f", + 0 ± {plus:.2f}" if plus else ""))
        axes.set(xlim=(-3, 3), ylim=(-6, 6), xticks=[-3, 0, 3], yticks=[-6, -3, 0, 3, 6])
        axes.set_xlabel(say("value that comes in, in $\\sigma$", "进来的值，单位 $\\sigma$"))
    panels[0].set_ylabel(say("what goes out", "出去的值"))
    return page


@claim(
    "bn.noise",
    "μ and σ² of a mini-batch are noisy estimates; from 64 to 512 examples the noise falls.",
    note("000", 232, "它在 mini-batch 上计算期望与方差", "computed on a mini-batch"),
    note("001", 479, "均值和方差有一些小的噪声", "mean and variance have a little noise"),
    note("003", 1281, "add noise"),
    note("004", 102, "every mini-batch has dif mean & variance"),
)
def noisy(seed: int) -> Evidence:
    """Draws 120 mini-batches of each size from 16 to 1024 from the digits, with replacement, and
    measures how much μ and σ² of the units vary in three hidden layers with batch norm. Theory: as
    m^(−1/2); every exponent must be within 0.05 of it.
    """
    found = noise(seed)
    exponents = [slope(np.log(SIZES), np.log(row)) for row in (*found.mean, *found.variance)]
    worst = max(exponents, key=lambda one: abs(one.value + 0.5))
    named = enumerate(found.mean[:, [SIZES.index(m) for m in (64, 512)]], start=1)
    layers = "; ".join("layer {}: {:.3f} σ, {:.3f} σ".format(i, *row) for i, row in named)
    return judged(
        abs(worst.value + 0.5) < 0.05 and found.fall(found.mean[0]) < 0.5,
        f"deviation of μ at 64 and at 512: {layers}; exponent of m furthest from −1/2 "
        f"{worst.show('.3f')}",
        plain=f"At 512 examples {found.fall(found.mean[0]):.0%} of the noise at 64 is left.",
        effect=worst,
    )


@claim(
    "bn.noise-kinds",
    "Dropout multiplies by noise; batch norm multiplies, by 1/σ, and adds, −μ/σ.",
    note("001", 488, "因为它乘以0或1", "because it multiplies by 0 or 1"),
    note("001", 494, "标准偏差的缩放和减去均值带来的额外噪音", "scaling, and subtracting the mean"),
    note("002", 96, "以一定的概率乘以 0", "multiplied by 0 with some probability"),
)
def noise_kinds(seed: int) -> Evidence:
    """Takes ten units of a first layer on the digits. Values from −3 σ to 3 σ are dropped or kept,
    and normalized with the μ and σ² of 1000 mini-batches of 64. Measured: how much what a value is
    multiplied by varies, and what is added to it. What is added shows where the value is 0.
    """
    units = [kinds(1000 * seed + unit) for unit in range(10)]
    dropped, normalized = (np.transpose([parts(one[k]) for one in units]) for k in units[0])
    times, plus = mean(normalized[0]), mean(normalized[1])
    return judged(
        dropped[0].min() > 0.1 and dropped[1].max() == 0 and min(times.low, plus.low) > 0.01,
        f"dropout × 1 ± {dropped[0].mean():.2f}, + 0 ± {dropped[1].mean():.2g}; batch norm's "
        f"factor varies by {times.show('.3f')}, what it adds by {plus.show('.3f')} σ",
        plain="Dropout leaves 0 at 0; batch norm shifts it too.",
        effect=plus,
    )


def dropout_noise(seed: int) -> Evidence:
    """Measures the noise that dropout of a half gives an activation, relative to it, and that of
    batch norm's μ, relative to σ, in mini-batches of 64 and of 512.
    """
    found = noise(seed)
    dropout, norm = found.fall(found.dropout), found.fall(found.mean[0])
    measured = f"from 64 to 512: dropout's noise × {dropout:.2f}, batch norm's × {norm:.2f}"
    return corrected(abs(dropout - 1) < 0.02, norm < 0.5, measured)


errata(
    __name__,
    Erratum(
        "bn.erratum.dropout-noise",
        note("001", 505, "这是dropout的一个奇怪的性质", "this is an odd property of dropout"),
        "that a larger mini-batch regularizes less is an odd property of batch norm",
        "Dropout's noise does not depend on the size of the mini-batch; batch norm's does.",
        whose="lecturer",
        check=dropout_noise,
        also=(note("000", 228, "这是 dropout 的一个奇怪的性质", "an odd property of dropout"),),
    ),
    Erratum(
        "bn.erratum.multiplicative-noise",
        note("001", 488, "dropout含几重噪音", "dropout has several layers of noise"),
        "dropout has multiplicative noise (乘性噪声)",
        "The lecture says multiplicative noise: noise that a value is multiplied by.",
        whose="translation",
        also=(
            note("001", 494, "Batch归一化含几重噪音", "batch norm has several layers of noise"),
            note("002", 96, "dropout含几重噪音", "dropout has several layers of noise"),
            note("002", 98, "Batch归一化含有几重噪音", "batch norm has several layers of noise"),
        ),
    ),
)
