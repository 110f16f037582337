"""Test time: averages are those of the recursion, and verdicts turn."""

from types import SimpleNamespace

import numpy as np
import pytest
from breaking import put, wrap

from tfcourse import batch_norm
from tfcourse.lecture import ledger
from tfcourse.lecture import test_time as topic

one_only = wrap(batch_norm, "forward", lambda f: lambda z, *a: SimpleNamespace(z_tilde=z))


def losses(early, late):
    """A break: losses above those with the training set's statistics, the same for every way."""
    rng = np.random.default_rng(0)
    of = dict(zip(topic.AFTER, (early, late), strict=True))
    loss = {(t, way): 1 + of[t] + rng.normal(0, 0.001, 12) for t in of for way in topic.WAYS}
    found = topic.Tried(loss | {(t, topic.WHOLE): np.ones(12) for t in of}, 12)
    return put(topic, "tried", lambda seed: found)


BREAKS = {
    "bn.single-example": one_only,
    "bn.ewma": wrap(batch_norm, "RunningStatistics", lambda f: lambda momentum: f(0.5)),
    "bn.test-time": losses(0.0, 0.0),
}


@pytest.mark.parametrize("id", BREAKS)
def test_it_holds_with_another_seed_and_turns_when_broken(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    if id != "bn.test-time":
        assert verdict(id, seed=1) == one.verdict
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


@pytest.mark.parametrize(
    ("early", "late", "expected"),
    [(0, 0, "holds"), (0.3, 0, "holds under conditions"), (0.3, 0.1, "refuted")],
)
def test_the_verdict_follows_from_the_losses(early, late, expected, verdict, monkeypatch):
    losses(early, late)(monkeypatch)
    assert verdict("bn.test-time") == expected


def test_few_updates_cost_the_averages_dearly(monkeypatch, nothing_remembered):
    monkeypatch.setattr(topic, "AFTER", (8, 40))
    found = topic.tried(1, networks=3)
    lost = {way: found.loss[8, way] - found.loss[8, topic.WHOLE] for way in topic.WAYS}
    assert (lost["average, 0.99"] > 3 * np.abs(lost["corrected, 0.99"])).all()
    assert found.trainings == 3 and all(len(one) == 3 for one in found.loss.values())


@pytest.mark.parametrize("momentum", [0.9, 0.5])
def test_the_average_is_that_of_the_points_and_near_the_whole_sets(momentum):
    [axes] = topic.test_time_average(momentum).axes
    points, whole, average, corrected, _ = (line.get_ydata() for line in axes.lines)
    v, expected = 0.0, []
    for mu in points:
        v = momentum * v + (1 - momentum) * mu
        expected.append(v)
    assert average == pytest.approx(expected)
    assert corrected == pytest.approx(average / (1 - momentum ** np.arange(1, len(points) + 1)))
    off = [np.abs(line - whole) for line in (average, corrected, points)]
    assert off[1][:10].mean() < off[0][:10].mean()
    assert off[1][30:].mean() < off[2][30:].mean()
    assert f"off by {off[0][:10].mean():.2f}, corrected by {off[1][:10].mean():.2f}" in (
        axes.get_title(loc="left")
    )
