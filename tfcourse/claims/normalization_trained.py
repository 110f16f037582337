"""Claims of part 2, batch normalization: what many trainings say."""

from __future__ import annotations

from tfcourse.claims.ledger import CONDITIONS, Evidence, claim, judged, note
from tfcourse.experiments import batch_norm_training as training
from tfcourse.lecture import statistics as intervals

IOFFE = "Ioffe and Szegedy 2015, Batch Normalization"


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
