"""Claims of part 2, batch normalization: what many trainings say."""

from __future__ import annotations

from tfcourse.claims.ledger import CONDITIONS, HOLDS, Evidence, claim, judged, note
from tfcourse.experiments import batch_norm_generalization as generalization
from tfcourse.experiments import batch_norm_training as training
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
    "bn.any-optimizer",
    "Batch norm works with gradient descent, momentum, RMSprop and Adam.",
    HOLDS,
    note("001", "结合mini-batch"),
    note("004", "can also try"),
    trains=True,
)
def any_optimizer(seed: int) -> Evidence:
    """Trains 32 networks with batch norm on the digits with each of the four update rules, ten
    epochs each. Works means a test accuracy above 95%.
    """
    accuracies = training.optimizers(seed)
    found = {name: intervals.mean(values) for name, values in accuracies.items()}
    worst = min(found.values(), key=lambda interval: interval.low)
    words = ", ".join(
        f"{name.replace('_', ' ')} {accuracy.show('.1f', '%')}" for name, accuracy in found.items()
    )
    return judged(worst.low > 0.95, words, sum(map(len, accuracies.values())), worst)


@claim(
    "bn.moving-average-lags",
    "With Keras's momentum of 0.99 the averages need hundreds of updates; after a few, inference "
    "is far worse than training suggests, and recalibrating with the training set's statistics "
    "cures it.",
    HOLDS,
    trains=True,
    literature="Keras issues 3949, 6977 and 7265.",
)
def moving_average_lags(seed: int) -> Evidence:
    """Trains 16 classifiers of digits for 16, 32, 80, 160 and 640 updates and compares test
    accuracy with the averages and with the whole training set's statistics. Far worse means by more
    than five percentage points after 16 updates; hundreds, that one is still lost after 80; cured,
    that the recalibrated model is within two of what mini-batch statistics give, as in training.
    """
    found = generalization.test_time(seed)
    lost = [intervals.mean(differences) for differences in found.population - found.moving]
    cured = intervals.mean(found.batch[0] - found.population[0])
    words = ", ".join(
        f"{each.value:.1%} after {updates}"
        for each, updates in zip(lost, found.updates, strict=True)
    )
    lags = lost[0].low > 0.05 and lost[2].low > 0.01
    return judged(
        lags and lost[-1].high < 0.01 and cured.high < 0.02,
        f"accuracy lost to the averages: {words} updates; recalibrated after {found.updates[0]}, "
        f"{found.population[0].mean():.1%}, with mini-batch statistics {found.batch[0].mean():.1%}",
        found.moving.size,
        lost[0],
    )
