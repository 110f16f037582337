"""Batch norm's formulas: z_norm, z̃, γ and β, their shapes, and what follows from them."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tfcourse import batch_norm, softmax
from tfcourse._arrays import Float64, Floats
from tfcourse.lecture import ledger, network
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import Evidence, apart, below, claim, corrected, judged, note
from tfcourse.lecture.style import BOOK, Figure, Style

EPSILON = 1e-3  # Keras's

Shapes = dict[str, tuple[int, ...]]


def anatomy(sizes: Sequence[int], examples: int, seed: int = 0) -> list[tuple[Shapes, ...]]:
    """Return the shapes in each layer of a network with batch norm: of the arrays as computed, and
    of the parameters, by symbol, (units, examples). sizes: inputs, units, …, classes.
    """
    net = network.start(seed, [*sizes], normalize=True, activation="tanh")
    passed = network.forward(net, np.random.default_rng(seed).normal(size=(examples, sizes[0])))
    layers = []
    for i, W in enumerate(net.W):
        l = f"^{{[{i + 1}]}}"  # noqa: E741 - the lecture's letter
        arrays = {f"a^{{[{i}]}}" if i else "x": passed.a[i], f"z{l}": passed.z[i]}
        parameters = {f"W{l}": W}
        if i < len(passed.normalized):
            arrays[rf"z_\mathrm{{norm}}{l}"] = passed.normalized[i].z_norm
            arrays |= {rf"\tilde z{l}": passed.z_tilde[i], f"a{l}": passed.a[i + 1]}
            parameters |= {rf"\gamma{l}": net.gamma[i][None], rf"\beta{l}": net.beta[i][None]}
        else:
            arrays[r"\hat y"] = softmax.softmax(passed.z[i])
            parameters[f"b{l}"] = net.beta[i][None]
        both = (arrays, parameters)
        layers.append(tuple({name: a.T.shape for name, a in each.items()} for each in both))
    return layers


@figure(
    zh="""带批归一化的网络：在隐藏层里，z 先变成 z_norm，再变成 z̃，g 作用于 z̃。

    三行方框由箭头相连，一行一层，m = 64 个样本。前两行是隐藏层：输入、z、z_norm、z̃、a。
    第三行是输出层，没有批归一化：输入、z、ŷ。每个方框写着一个数组和它的形状，例如 4 × 64；
    箭头旁是这一步学习的参数：从输入到 z 的 W，从 z_norm 到 z̃ 的 γ 和 β，各为 4 × 1；
    第三行是 W 和 b。"""
)
def batch_norm_network(
    sizes: Sequence[int] = (3, 4, 4, 2), examples: int = 64, *, seed: int = 0, style: Style = BOOK
) -> Figure:
    """A network with batch norm: in hidden layers z becomes z_norm, then z̃, and g is applied to z̃.

    Three rows of boxes joined by arrows, a row for each layer, for m = 64 examples. Rows one and
    two, the hidden layers: input, z, z_norm, z̃, a. Row three, the output layer, has no batch norm:
    input, z, ŷ. Each box names an array and its shape, such as 4 × 64; at the arrows stand the
    parameters that each step learns: W from input to z, and γ and β, 4 × 1 each, from z_norm to z̃;
    in row three W and b.
    """
    from matplotlib.patches import FancyBboxPatch

    layers, colors, s = anatomy(sizes, examples, seed), style.colors, style.scale
    page = style.page(0.4 + len(layers))
    axes = page.subplots()
    text: dict[str, Any] = {"ha": "center", "color": colors.ink}
    line: dict[str, Any] = {"color": colors.muted, "lw": s}
    head = line | {"arrowstyle": "-|>", "mutation_scale": 10 * s, "shrinkA": 0, "shrinkB": 0}
    form: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.05", "ec": "none"}
    for row, (arrays, parameters) in enumerate(layers):
        y, hidden = -row, len(arrays) == 5
        names = [f"${name}$" for name in parameters]
        shapes = [" × ".join(map(str, shape)) for shape in parameters.values()]
        columns: Sequence[int] = range(5) if hidden else (0, 2, 4)
        steps = [(", ".join(names), ", ".join(shapes)), ("softmax", "")]
        if hidden:
            gamma_beta = ", ".join(names[1:]), shapes[1]
            steps = [(names[0], shapes[0]), (r"$\mu,\ \sigma^2$", ""), gamma_beta, ("$g$", "")]
        title = style.say(f"layer {row + 1}", f"第 {row + 1} 层")
        title += "" if hidden else style.say(", the output", "，输出")
        for x, (symbol, shape) in zip(columns, arrays.items(), strict=True):
            color = colors.recommended if hidden and x in (2, 3) else colors.neutral
            axes.add_patch(FancyBboxPatch((x - 0.22, y - 0.26), 0.44, 0.52, fc=color, **form))
            inside = text | {"va": "center", "color": colors.paper}
            axes.text(x, y + 0.09, f"${symbol}$", **inside)
            axes.text(x, y - 0.15, " × ".join(map(str, shape)), fontsize=9 * s, **inside)
        for (start, end), (above, below_it) in zip(pairwise(columns), steps, strict=True):
            axes.annotate("", (end - 0.24, y), (start + 0.24, y), arrowprops=head)
            middle = (start + end) / 2
            axes.text(middle, y + 0.06, above, va="bottom", fontsize=10 * s, **text)
            axes.text(middle, y - 0.09, below_it, va="top", fontsize=9 * s, **text)
        axes.text(0.06 if row else -0.22, y + 0.3, title, color=colors.muted, va="bottom")
        if row:
            axes.plot([4, 4, 0, 0], [y + 0.74, y + 0.62, y + 0.62, y + 0.26], **line, zorder=0)
    axes.set(xlim=(-0.25, 4.25), ylim=(-len(layers) + 0.72, 0.52))
    axes.axis("off")
    return page


@claim(
    "bn.zero-mean-unit-variance",
    "z_norm = (z − μ)/√(σ² + ε), with μ and σ² over the mini-batch, has mean 0 and variance 1.",
    note("000", 157, "均值为0，方差为1", "mean 0, variance 1"),
    note("001", 272, "每一个分量都是平均值0和方差1", "each component has mean 0, variance 1"),
    note("002", 74, "使得隐藏单元值的均值和方差标准化", "standardizes mean and variance of units"),
    note("003", 1250, "get normalized z[l]_normed. (mean=0, std=1)"),
    note("004", 32, r"\frac{z^{(i)} - \mu}{\sqrt{\sigma^2 + \epsilon}}"),
    conditions="σ² is large beside ε: the variance is σ²/(σ² + ε), a half where σ² = ε.",
)
def zero_mean_unit_variance(seed: int) -> Evidence:
    """Normalizes mini-batches of 64 whose σ² runs from 10⁶ ε down to ε/100, with means up to 100 σ,
    in float64, ε = 0.001 as in Keras, and measures mean and variance of z_norm.
    """
    ratio = np.array([1e6, 1e3, 1.0, 0.01])  # σ²/ε
    z = np.random.default_rng(seed).normal(size=(64, 4))
    z = (z - z.mean(axis=0)) / z.std(axis=0) * np.sqrt(ratio * EPSILON)
    z_norm = batch_norm.forward(z + 100 * z.std(axis=0), epsilon=EPSILON).z_norm
    mean, variance = float(np.abs(z_norm.mean(axis=0)).max()), z_norm.var(axis=0)
    where_large = bool(mean < 1e-9 and abs(variance[0] - 1) < 1e-5)
    return judged(
        where_large and np.abs(variance - 1).max() < 0.01,
        f"|mean| {below(mean, 1e-9)}; variance {variance[0]:.4f} at σ² = 10⁶ ε, {variance[1]:.3f} "
        f"at 10³ ε, {variance[2]:.3f} at ε, {variance[3]:.3f} at ε/100",
        plain="The mean is 0 always, the variance 1 only where ε is small beside σ².",
        under_conditions=where_large,
    )


@claim(
    "bn.any-mean-variance",
    "z̃ = γ z_norm + β has mean β and standard deviation γ, and both are learnt.",
    note("000", 163, "$β$ 可以设置均值", "β sets the mean"),
    note("001", 274, "是你模型的学习参数", "γ and β are parameters that your model learns"),
    note("002", 74, r"均值和方差的大小由$\gamma$和$\beta$两个参数来控制", "γ and β control both"),
    note("003", 1251, "mean=beta, std=gamma, beta and gamma are learnable params"),
    note("004", 44, "learnable parameter"),
)
def any_mean_variance(seed: int) -> Evidence:
    """Sets γ, β of 16 units at random and measures deviation and mean of z̃ over a mini-batch. Then
    gradient descent, with dγ and dβ from the backward formula, must take another layer from γ = 1,
    β = 0 to the same z̃.
    """
    random = np.random.default_rng(seed)
    z = random.normal(5, 40, (64, 16))
    gamma, beta = random.uniform(0.2, 3, 16), random.normal(0, 2, 16)
    wanted = batch_norm.forward(z, gamma, beta).z_tilde
    off = apart((wanted.mean(axis=0), beta), (wanted.std(axis=0), gamma))
    learnt_gamma, learnt_beta = np.ones(16), np.zeros(16)
    for _ in range(200):
        now = batch_norm.forward(z, learnt_gamma, learnt_beta)
        _, dgamma, dbeta = batch_norm.backward((now.z_tilde - wanted) / len(z), now)
        learnt_gamma, learnt_beta = learnt_gamma - 0.5 * dgamma, learnt_beta - 0.5 * dbeta
    unlearnt = apart((learnt_gamma, gamma), (learnt_beta, beta))
    return judged(
        off < 1e-4 and unlearnt < 1e-6,
        f"mean and deviation off β and γ by {below(off, 1e-4)}; γ and β as learnt off by "
        f"{below(unlearnt, 1e-6)}",
    )


@claim(
    "bn.identity",
    "γ = √(σ² + ε) and β = μ give z̃ = z back.",
    note("001", 291, r"\gamma= \sqrt{\sigma^{2} +\varepsilon}，\beta=\mu"),
    note("004", 39, r"then $\tilde{z}^{(i)} = z^{(i)}$"),
)
def identity(seed: int) -> Evidence:
    """Normalizes a mini-batch of 64 examples of 16 units with those γ and β, in float64."""
    z = np.random.default_rng(seed).normal(3, 2, (64, 16))
    gamma, beta = np.sqrt(z.var(axis=0) + EPSILON), z.mean(axis=0)
    off = apart((batch_norm.forward(z, gamma, beta, epsilon=EPSILON).z_tilde, z))
    return judged(off < 1e-12, f"largest |z̃ − z| {below(off, 1e-12)}")


@claim(
    "bn.bias-cancels",
    "A bias b before batch norm is subtracted with μ: drop it, β takes its place. db is 0.",
    note("000", 183, "这一项可以省略", "the term b^[l] can be left out"),
    note("001", 373, r"没有意义，功能由${\beta}^{[l]}$代替", "b is of no use, β replaces it"),
    note("003", 1259, "No bias term (b) in BN"),
    note("004", 54, "doesn't make any difference"),
)
def bias_cancels(seed: int) -> Evidence:
    """Normalizes z and z + b, b up to 100, and takes db = Σ dz backward from random dz̃, relative to
    the terms that it sums, in float64.
    """
    random = np.random.default_rng(seed)
    z, b = random.normal(size=(64, 16)), random.uniform(-100, 100, 16)
    gamma, beta = random.normal(size=16), random.normal(size=16)
    plain, biased = batch_norm.forward(z, gamma, beta), batch_norm.forward(z + b, gamma, beta)
    off = apart((plain.z_tilde, biased.z_tilde))
    dz = batch_norm.backward(random.normal(size=z.shape), plain).dz
    db = float((np.abs(dz.sum(axis=0)) / np.abs(dz).sum(axis=0)).max())
    measured = f"z̃ with and without b differ by {below(off, 1e-10)}; |db|/Σ|dz| {below(db, 1e-12)}"
    return judged(off < 1e-10 and db < 1e-12, measured)


@claim(
    "bn.parameter-shapes",
    "b, γ and β of layer l are (n^[l], 1) each.",
    note("001", 363, r"${\beta}^{[l]}$和$\gamma^{[l]}$的维度也是$(n^{[l]},1)$", "so are β and γ"),
    note("003", 1264, "Dimension of beta[l], gamma[l]: the same as b[l] ( = n[l] * 1)"),
)
def parameter_shapes(seed: int) -> Evidence:
    """Builds Keras's Dense and BatchNormalization of n = 5 units and reads the shapes of b, γ, β:
    (n,), which is the lecture's column. The lecture's own orientation, Z (n, m) with γ and β
    (n, 1), must give the transpose of what the layer gives.
    """
    from tfcourse._tensorflow import keras

    random = np.random.default_rng(seed)
    dense, layer = keras.layers.Dense(5), keras.layers.BatchNormalization()
    dense.build((None, 3))
    layer.build((None, 5))
    gamma, beta, Z = (random.normal(size=(5, n)) for n in (1, 1, 7))
    layer.gamma.assign(gamma[:, 0])
    layer.beta.assign(beta[:, 0])
    mu, variance = Z.mean(axis=1, keepdims=True), Z.var(axis=1, keepdims=True)
    Z_tilde = gamma * (Z - mu) / np.sqrt(variance + EPSILON) + beta
    off = apart((np.asarray(layer(Z.T, training=True)).T, Z_tilde))
    shapes = {"b": dense.bias.shape, "γ": layer.gamma.shape, "β": layer.beta.shape}
    return judged(
        {*shapes.values()} == {(5,)} and off < 1e-5,
        f"n = 5: {', '.join(f'{name} {shape}' for name, shape in shapes.items())}; as columns "
        f"(5, 1) they give Keras's z̃, off by {below(off, 1e-5)}",
    )


@claim(
    "bn.per-channel",
    "In a convolutional network batch norm has one μ, σ², γ and β per channel, taken over examples "
    "and positions.",
    literature="Ioffe and Szegedy 2015, section 3.2: so that what a filter finds is normalized "
    "alike wherever it is found.",
)
def per_channel(seed: int) -> Evidence:
    """Feeds Keras's layer 32 images of 6 × 5 pixels and 3 channels, whose mean differs from pixel
    to pixel. It must have one γ, β, μ and σ² a channel; give what `batch_norm.forward` gives, and
    what a column of all examples and positions gives; leave the pixels' means different; and give
    the same for images that are moved.
    """
    from tfcourse._tensorflow import keras

    random = np.random.default_rng(seed)
    z = random.normal(size=(32, 6, 5, 3)) + random.normal(0, 3, (6, 5, 3))
    layer = keras.layers.BatchNormalization()
    both = z, np.roll(z, (2, 1), (1, 2))
    found, moved = (np.asarray(layer(images, training=True)) for images in both)
    shapes = {tuple(weight.shape) for weight in layer.weights}
    column = batch_norm.forward(z.reshape(-1, 3)).z_tilde.reshape(z.shape)
    off = apart((batch_norm.forward(z).z_tilde, found), (column, found))
    off_moved = apart((moved, np.roll(found, (2, 1), (1, 2))))
    pixels = float(found.mean(axis=0).std())
    return judged(
        shapes == {(3,)} and max(off, off_moved) < 1e-4 and pixels > 0.5,
        f"weights of shape {', '.join(map(str, shapes))} on images 6 × 5 × 3; z̃ off the formula by "
        f"{below(off, 1e-4)}; pixels' means still vary by {pixels:.2f}; moved images give the "
        f"moved z̃, off by {below(off_moved, 1e-4)}",
        plain="Three channels, three of each, however many pixels there are.",
    )


@claim(
    "bn.scale-invariance",
    "Weights before batch norm may be scaled without effect, and their gradient scales inversely: "
    "weight decay acts as a learning rate.",
    literature="van Laarhoven 2017, L2 Regularization versus Batch and Weight Normalization; Li "
    "and Arora 2020, An Exponential Learning Rate Schedule for Deep Learning.",
)
def scale_invariance(seed: int) -> Evidence:
    """Takes a layer of batch norm and softmax on the digits, with ε = 10⁻¹², and scales its W by 10
    and by 0.1: ŷ must stay, and dW shrink and grow tenfold. Then trains it for 100 updates with
    α = 1 and weight decay λ = 0.01, and again without, but with α growing by 1/(1 − αλ)² an update:
    ŷ must be the same at last, and other than with α alone.
    """
    x, y = network.digits()
    first = np.random.default_rng(seed).normal(0, 0.5, (64, 10))

    def run(W: Floats, rows: Any) -> tuple[Floats, Floats]:
        passed = batch_norm.forward(x[rows] @ W, epsilon=1e-12)
        _, d = softmax.cross_entropy_with_gradient(passed.z_tilde, y[rows])
        return softmax.softmax(passed.z_tilde), x[rows].T @ batch_norm.backward(d, passed).dz

    def trained(keep: float, grow: float) -> tuple[Floats, float]:
        W: Floats = first
        for t, rows in enumerate(network.mini_batches(seed, len(x), 100)):
            y_hat, dW = run(W, rows)
            W = keep * W - grow ** (2 * t + 1) * dW
        return y_hat, float(np.linalg.norm(W))

    y_hat, dW = run(first, slice(64))
    scaled = [(c, *run(c * first, slice(64))) for c in (10, 0.1)]
    off = apart(*((other, y_hat) for _, other, _ in scaled))
    off_gradient = apart(*((c * other, dW) for c, _, other in scaled))
    decay, growing, alone = trained(0.99, 1), trained(1, 1 / 0.99), trained(1, 1)
    alike, other = apart((decay[0], growing[0])), apart((decay[0], alone[0]))
    return judged(
        max(off, off_gradient, alike) < 1e-6 < 0.01 < other,
        f"W × 10 and × 0.1: ŷ off by {below(off, 1e-6)}, dW times the scale by "
        f"{below(off_gradient, 1e-6)}; ŷ with weight decay (‖W‖ {decay[1]:.1f} at last) and with "
        f"growing α (‖W‖ {growing[1]:.1f}) apart by {below(alike, 1e-6)}, with α alone {other:.2f}",
        plain="Ten times the weights: the same output, a tenth of the gradient. Weight decay does "
        "what a growing learning rate does.",
    )


def mini_batch(seed: int) -> Float64:
    """Return z of 64 examples and one unit, far from mean 0 and variance 1."""
    return np.random.default_rng(seed).normal(5, 3, (64, 1))


def against(three: Callable[[Float64], tuple[Any, Any, Any]]) -> Callable[[int], Evidence]:
    """Return a check of what is printed and what is correct, by what it ought to be."""

    def check(seed: int) -> Evidence:
        """Runs both forms on 64 numbers with mean 5 and deviation 3, ε = 0.001, γ = 2 and β = 1
        where no others are named; measured is how far each is from what it ought to be.
        """
        printed, ours, wanted = three(mini_batch(seed))
        off, own = apart((printed, wanted)), apart((ours, wanted))
        return corrected(off > 0.4, own < 1e-9, f"off by {off:.2f}, corrected {below(own, 1e-9)}")

    return check


def z_tilde(z: Float64, gamma: Any, beta: Any) -> Floats:
    """γ z_norm + β."""
    return batch_norm.forward(z, gamma, beta, epsilon=EPSILON).z_tilde


def by_hand(z: Float64, gamma: Any, beta: Any) -> Any:
    """The same, written out."""
    return gamma * (z - z.mean()) / np.sqrt(((z - z.mean()) ** 2).mean() + EPSILON) + beta


ledger.errata(
    __name__,
    ledger.Erratum(
        "bn.erratum.hidden-mean",
        note("000", 146, r"μ=\frac{1}{m}\sum\_{i}{z^{(i)}-μ}"),
        r"μ=\frac{1}{m}\sum_{i}{z^{(i)}}",
        "μ stands on both sides; solved for, it is half the mean.",
        check=against(lambda z: (z.mean() / 2, z.sum() / len(z), z.mean())),
    ),
    ledger.Erratum(
        "bn.erratum.hidden-variance",
        note("000", 150, r"σ^2=\frac{1}{m}\sum\_{i}(z^{(i)^2}-μ)^2"),
        r"σ^2=\frac{1}{m}\sum_{i}(z^{(i)}-μ)^2",
        "z is squared once too often.",
        check=against(
            lambda z: (((z**2 - z.mean()) ** 2).mean(), ((z - z.mean()) ** 2).mean(), z.var())
        ),
    ),
    ledger.Erratum(
        "bn.erratum.no-normalization",
        note("000", 186, r"z\_{norm}^{[l]}=w^{[l]}a^{[l-1]}"),
        "z = Wa, and z_norm = (z − μ)/√(σ² + ε)",
        "The line drops b, which is right, and calls what is left normalized, which it is not.",
        check=against(lambda z: (z, by_hand(z, 1, 0), z_tilde(z, 1, 0))),
    ),
    ledger.Erratum(
        "bn.erratum.gamma-times-z",
        note("000", 160, r"\tilde{z}^{(i)}=γz^{(i)} + β"),
        "z̃ = γ z_norm + β",
        "It is z_norm that is scaled. Lines 192 and 217 of the same note have it right.",
        check=against(lambda z: (2 * z + 1, by_hand(z, 2, 1), z_tilde(z, 2, 1))),
    ),
    ledger.Erratum(
        "bn.erratum.gamma-is-variance",
        note("000", 217, r"方差为 $γ^{\[2\]}$ 的分布", "a distribution of variance γ^[2]"),
        "standard deviation γ, variance γ²",
        "What is multiplied by γ has γ times the deviation.",
        check=against(lambda z: (2, 4 * z_tilde(z, 1, 0).var(), z_tilde(z, 2, 1).var())),
    ),
    ledger.Erratum(
        "bn.erratum.identity-gamma",
        note("004", 37, r"if $\gamma = 1/\sigma^2 + \epsilon$"),
        r"\gamma = \sqrt{\sigma^2 + \epsilon}",
        "γ must undo the division by √(σ² + ε).",
        check=against(
            lambda z: (
                by_hand(z, 1 / z.var() + EPSILON, z.mean()),
                z_tilde(z, np.sqrt(z.var() + EPSILON), z.mean()),
                z,
            )
        ),
    ),
    ledger.Erratum(
        "bn.erratum.z-tilde-for-z-norm",
        note("004", 57, r"\xrightarrow{\text{normalize}} \tilde{z}^{(i)}"),
        r"\xrightarrow{\text{normalize}} z_{\text{norm}}^{[l]}",
        "Between normalizing and γ, β comes z_norm; z̃ comes after. And (i) counts examples, not "
        "layers.",
    ),
)
