"""Claims of part 2, batch normalization: what many trainings say."""

from __future__ import annotations

from tfcourse.claims.ledger import CONDITIONS, HOLDS, Evidence, claim, judged, note
from tfcourse.experiments import batch_norm_generalization as generalization
from tfcourse.experiments import batch_norm_training as training
from tfcourse.experiments import normalization as experiments
from tfcourse.lecture import statistics as intervals

IOFFE = "Ioffe and Szegedy 2015, Batch Normalization"
SANTURKAR = "Santurkar et al. 2018, How Does Batch Normalization Help Optimization?"


@claim(
    "bn.before-activation",
    "z is normalized rather than a: the better default, though it is debated.",
    CONDITIONS,
    note("000", "4. Normalizing Activations in a network"),
    note("001", "归一化隐藏层"),
    note("003", "Normalizing activations in a network"),
    trains=True,
    conditions="Before works as well as after: the two are within one percentage point.",
    literature=f"{IOFFE}: before, since sums are closer to Gaussian than what a rectifier leaves.",
)
def before_activation(seed: int) -> Evidence:
    """Trains networks with three hidden layers of rectifiers on the digits with batch norm before
    and after them, at eight learning rates each; then 64 new ones of each at its best rate. It
    holds if before is more accurate on the test set, and on condition if the two are within one
    percentage point.
    """
    found = training.positions(seed)
    better = intervals.difference(found.before, found.after)
    alike = better.within(0.01)
    return judged(
        better.above_zero and not alike,
        f"test accuracy {found.before.mean():.1%} before, {found.after.mean():.1%} after; "
        f"difference {better.show('.2f', '%')}",
        found.trainings,
        better,
        under_conditions=alike,
    )


@claim(
    "bn.robust-search",
    "With batch norm a much larger range of hyperparameters works.",
    HOLDS,
    note("000", "4. Normalizing Activations in a network"),
    note("001", "Batch Norm"),
    note("003", "Batch normalization"),
    trains=True,
    literature="Bjorck et al. 2018, Understanding Batch Normalization, find that it is the larger "
    "learning rates that matter.",
)
def robust_search(seed: int) -> Evidence:
    """Draws 192 settings of learning rate (10⁻⁴ to 10), momentum (0.5 to 0.99) and decay (10⁻³ to
    1) and trains each with and without batch norm for ten epochs on the digits. Works means a
    validation accuracy of 95%.
    """
    found = training.search(seed)
    of = len(found.with_norm)
    hits = [int((side >= training.TARGET).sum()) for side in (found.with_norm, found.without)]
    more = intervals.share_difference(hits[0], of, hits[1], of)
    return judged(
        more.above_zero,
        f"{hits[0] / of:.0%} of the settings work with it, {hits[1] / of:.0%} without; difference "
        f"{more.show('.0f', '%')}",
        2 * of,
        more,
    )


@claim(
    "bn.faster",
    "Batch norm speeds up learning.",
    HOLDS,
    note("000", "6. Why does Batch Norm work?"),
    note("001", "测试时的 Batch Norm"),
    note("002", "7.6 Batch Norm 奏效的原因"),
    trains=True,
    literature=f"{IOFFE}, need 14 times fewer steps on ImageNet. {SANTURKAR} "
    "They explain the speed by a smoother cost.",
)
def faster(seed: int) -> Evidence:
    """Looks for the fastest of eight learning rates with and without batch norm, then trains 32 new
    networks with each at its own, and counts the epochs until validation accuracy on the digits
    reaches 95%. Counted in epochs, not in seconds.
    """
    found = training.race(seed)
    with_norm, without = found.epochs
    saved = intervals.difference(without, with_norm)
    return judged(
        saved.above_zero,
        f"{with_norm.mean():.1f} epochs with it (α = {found.best[0]:g}), {without.mean():.1f} "
        f"without (α = {found.best[1]:g}); difference {saved.show('.1f')}",
        found.trainings,
        saved,
    )


@claim(
    "bn.deeper",
    "Batch norm makes much deeper networks trainable.",
    HOLDS,
    note("000", "4. Normalizing Activations in a network"),
    note("001", "测试时的 Batch Norm"),
    note("003", "Batch normalization"),
    trains=True,
    literature="Careful first weights (He et al. 2015) or residual connections with them (Zhang, "
    "Dauphin and Ma 2019, Fixup) reach great depth without batch norm too.",
)
def deeper(seed: int) -> Evidence:
    """Trains networks of 2, 10 and 20 hidden layers of 32 rectifiers with and without batch norm
    for 15 epochs on the digits, with Keras's default first weights, at three learning rates, eight
    each; the best rate counts.
    """
    found = training.deeper(seed)
    gains = [intervals.difference(norm, plain) for norm, plain in found.accuracy]
    means = found.accuracy.mean(axis=2)
    words = [
        f"{depth} layers {norm:.0%} with it, {plain:.0%} without"
        for depth, (norm, plain) in zip(found.depths, means, strict=True)
    ]
    return judged(
        gains[-1].above_zero,
        f"test accuracy: {'; '.join(words)}; difference at {found.depths[-1]} "
        f"{gains[-1].show('.0f', '%')}",
        found.trainings,
        gains[-1],
    )


@claim(
    "bn.covariate-shift",
    "A model trained on one input distribution fails on another, though the true function is the "
    "same.",
    HOLDS,
    note("000", "6. Why does Batch Norm work?"),
    note("001", "Covariate shift (协变量转变)"),
    note("003", "Why does Batch Norm work?"),
    note("004", "hard to use the same model when distributions are different"),
    trains=True,
)
def covariate_shift(seed: int) -> Evidence:
    """Two classes in the plane, above and below a wave: 16 networks trained on its left half are
    tried on the right half, beside 16 trained on both, which shows that one function fits both.
    And classifiers of dark digits on light are tried on the same digits light on dark.
    """
    found, digits = generalization.covariate_shift(seed), generalization.test_time(seed)
    lost = intervals.difference(found.here, found.there)
    fits = intervals.difference(found.both, found.there)
    return judged(
        lost.low > 0.02 and fits.above_zero,
        f"accuracy {found.here.mean():.1%} where trained, {found.there.mean():.1%} beside it, a "
        f"loss of {lost.show('.1f', '%')}; {found.both.mean():.1%} if trained on both; digits "
        f"{digits.moving[-1].mean():.1%}, inverted {digits.shifted[-1].mean():.1%}",
        2 * len(found.here) + digits.moving.shape[1],
        lost,
    )


@claim(
    "bn.hidden-shift",
    "A later layer's inputs shift as earlier weights change; batch norm keeps their mean and "
    "variance fixed, so that later layers learn more independently.",
    CONDITIONS,
    note("000", "6. Why does Batch Norm work?"),
    note("001", "Covariate shift (协变量转变)"),
    note("002", "7.6 Batch Norm 奏效的原因"),
    note("003", "Why does Batch Norm work?"),
    trains=True,
    conditions="Mean and variance stay nearly fixed at any learning rate. Later layers are more "
    "independent at a large learning rate only: at a small one their gradient turns no less.",
    literature=f"{SANTURKAR} They measure the gradients of later layers before and after earlier "
    "ones are updated, and find them to change no less with batch norm.",
)
def hidden_shift(seed: int) -> Evidence:
    """Trains 64–32–32–32–10 by gradient descent for 150 updates, six seeds with and six without
    batch norm, at α = 0.02 and 0.2. After each update: how far mean and deviation of what enters
    the second layer's activation have moved, and by what angle the gradient of the layers above
    turns when the layers below are updated.
    """
    found = experiments.hidden_shift(seed)
    moved = intervals.geometric_mean(found.moved[:, 0] / found.moved[:, 1])
    small, large = (intervals.mean(norm - plain) for norm, plain in found.turned)
    fixed = moved.high < 0.1 and large.below_zero
    return judged(
        fixed and small.below_zero,
        f"mean and deviation move {moved.show('.3f')} times as far; the gradient above turns "
        f"{small.show('+.1f', '°')} at α = {found.rates[0]:g}, where it turns "
        f"{found.turned[0, 1].mean():.1f}° without, and {large.show('+.1f', '°')} at "
        f"α = {found.rates[1]:g}, where it turns {found.turned[1, 1].mean():.1f}°",
        found.moved.size,
        large,
        under_conditions=fixed,
    )


@claim(
    "bn.regularizes",
    "The noise of μ and σ² regularizes slightly; a larger mini-batch regularizes less.",
    HOLDS,
    note("000", "6. Why does Batch Norm work?"),
    note("001", "正则化效果"),
    note("002", "7.6 Batch Norm 奏效的原因"),
    note("003", "Why does Batch Norm work?"),
    note("004", "similar to regularization"),
    trains=True,
    literature="Luo et al. 2019, Towards Understanding Regularization in Batch Normalization, "
    "part the effect into that of the noise and that of normalization itself; Hoffer et al. 2017 "
    "use small groups on purpose.",
)
def regularizes(seed: int) -> Evidence:
    """Trains networks on 512 digits, all of them in each of 200 updates, so that the gradient has
    no noise, with batch norm over random groups of 16, 64 or 512: nothing differs but the noise of
    μ and σ². Measured on the same 16 seeds: the gap of the loss between unseen digits and these.
    """
    found = generalization.regularizers(seed)
    gaps = {name: way.gap for name, way in found.items()}
    whole = gaps["statistics of 512"]
    less = [intervals.mean(gaps[f"statistics of {m}"] - whole) for m in (16, 64)]
    grows = intervals.mean(gaps["statistics of 64"] - gaps["statistics of 16"])
    means = ", ".join(f"{gaps[f'statistics of {m}'].mean():.3f} at {m}" for m in (16, 64, 512))
    return judged(
        less[1].below_zero and grows.above_zero,
        f"gap {means}, {gaps['no batch norm'].mean():.3f} without batch norm; 64 less 512 "
        f"{less[1].show('.4f')}, 16 less 512 {less[0].show('.4f')}",
        4 * len(whole),
        less[1],
    )


@claim(
    "bn.with-dropout",
    "Batch norm can be used together with dropout for a stronger regularization.",
    HOLDS,
    note("000", "6. Why does Batch Norm work?"),
    note("001", "正则化效果"),
    note("002", "7.6 Batch Norm 奏效的原因"),
    trains=True,
    literature="Li et al. 2019, Understanding the Disharmony between Dropout and Batch "
    f"Normalization by Variance Shift, warn of dropout before batch norm; {IOFFE}, leave it out.",
)
def with_dropout(seed: int) -> Evidence:
    """Trains as for bn.regularizes, with batch norm over groups of 64, with dropout of 0.3 after
    each hidden layer, with both and with neither, 16 seeds each. It holds if the gap of the loss is
    smaller with both than with batch norm alone.
    """
    found = generalization.regularizers(seed)
    both, norm = found["statistics of 64 and dropout"], found["statistics of 64"]
    stronger = intervals.mean(both.gap - norm.gap)
    more = intervals.mean(both.test_accuracy - norm.test_accuracy)
    return judged(
        stronger.below_zero,
        f"gap {both.gap.mean():.3f} with both, {norm.gap.mean():.3f} with batch norm, "
        f"{found['dropout'].gap.mean():.3f} with dropout, {found['no batch norm'].gap.mean():.3f} "
        f"with neither; both less batch norm {stronger.show('.4f')}; accuracy on unseen digits "
        f"{more.show('+.1f', '%')}",
        4 * len(both.gap),
        stronger,
    )


@claim(
    "bn.test-time",
    "At test time the averages of the mini-batches' μ and σ² serve, those of the whole training "
    "set as well; any reasonable estimate does.",
    CONDITIONS,
    note("000", "7. Batch Norm at test time"),
    note("001", "测试时的 Batch Norm"),
    note("002", "7.7 测试时的Batch Norm"),
    note("003", "Batch Norm at test time"),
    note("004", "how to use batch norm at test time"),
    trains=True,
    conditions="The averages have seen several times 1/(1 − momentum) updates: with Keras's 0.99, "
    "hundreds. Before that they are no reasonable estimate.",
    literature=f"{IOFFE}, take the training set's; Wu and Johnson 2021, Rethinking “Batch” in "
    "BatchNorm, compare the estimates.",
)
def test_time(seed: int) -> Evidence:
    """Trains 16 classifiers of digits, momentum of the averages 0.99, for 16 to 640 updates. Test
    accuracy with the averages, with the training set's statistics, and with those of test
    mini-batches of 60 themselves. They serve alike if they are within two percentage points.
    """
    found = generalization.test_time(seed)
    apart = [intervals.mean(differences) for differences in found.population - found.moving]
    batch = intervals.mean(found.population[-1] - found.batch[-1])
    in_the_end = apart[-1].within(0.02) and batch.within(0.02)
    return judged(
        in_the_end and apart[0].within(0.02),
        f"after {found.updates[-1]} updates {found.moving[-1].mean():.1%} with the averages, "
        f"{found.population[-1].mean():.1%} with the training set's, {found.batch[-1].mean():.1%} "
        f"with the test mini-batch's; after {found.updates[0]}, {found.moving[0].mean():.1%}, "
        f"{found.population[0].mean():.1%} and {found.batch[0].mean():.1%}",
        found.moving.size,
        apart[-1],
        under_conditions=in_the_end,
    )
