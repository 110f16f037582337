"""The hidden shift: its trace is what the formulas give, and verdicts follow from traces."""

import numpy as np
import pytest

from tfcourse.lecture import hidden_shift as topic
from tfcourse.lecture import ledger
from tfcourse.lecture import network as net


@pytest.fixture
def traces(monkeypatch, nothing_remembered):
    """Replace traces: `moved(rate)` and `turned(rate)` with batch norm; 0.1 and 20° without."""

    def put(moved, turned):
        def trace(seed, kind, rate):
            rng = np.random.default_rng([seed, topic.KINDS.index(kind)])
            of, by = (0.1, 20.0) if kind == "none" else (moved(rate), turned(rate))
            steps = np.cumsum(np.full((20, 1), of * rng.normal(1, 0.02)), axis=0)
            angles = np.full(20, by + rng.normal(0, 0.2))
            return topic.Trace(steps, np.ones_like(steps), angles, 1.0)

        monkeypatch.setattr(topic, "trace", trace)

    return put


CASES = {
    "holds": (lambda rate: 0.02, lambda rate: 10),
    "holds under conditions": (
        lambda rate: 0.02 if rate > 0.1 else 0.3,
        lambda rate: 10 if rate > 0.1 else 21,
    ),
    "refuted": (lambda rate: 0.02, lambda rate: 20),
}
BREAKS = {"bn.hidden-shift"}  # turned by other traces


@pytest.mark.parametrize("expected", CASES)
def test_the_verdict_follows_from_the_traces(expected, traces):
    traces(*CASES[expected])
    [entry] = ledger.run(ledger.find(["bn.hidden-shift"]))
    assert entry.evidence.verdict == expected, entry.evidence
    assert entry.evidence.trainings == 3 * 8 * 20


def test_a_trace_can_fail_where_it_once_could_not():
    shift = [topic.trace(3, kind, 0.64, 8) for kind in topic.KINDS]
    assert shift[0].moved > 2 * shift[1].moved > 0.02
    assert shift[2].moved > 3 * shift[1].moved
    assert all(one.turned.shape == (8,) and np.isfinite(one.loss) for one in shift)
    assert np.ptp(shift[1].means, axis=0).max() > 0.05  # held-out: not 0 by construction


def test_the_disturbed_networks_gradients_are_those_of_differences():
    """dγ and dβ of the disturbed network, scaled as `trace` scales them, against differences."""
    x, y = net.digits()
    rng = np.random.default_rng(0)
    one = net.start(0, [64, 32, 32, 32, 10], normalize=True, activation="tanh")
    stretch, move = ([rng.uniform(0.5, 1.5, 32) for _ in range(3)] for _ in range(2))
    slopes = net.gradients(topic._disturbed(one, stretch, move), x[:64], y[:64])[1]
    for name in ("gamma", "beta"):
        by, h = getattr(slopes, name)[0][5] * stretch[0][5], 1e-5
        costs = []
        for step in (h, -h):
            changed = [values.copy() for values in getattr(one, name)]
            changed[0][5] += step
            other = topic.replace(one, **{name: changed})
            costs.append(net.gradients(topic._disturbed(other, stretch, move), x[:64], y[:64])[0])
        assert by == pytest.approx((costs[0] - costs[1]) / (2 * h), rel=1e-4, abs=1e-9)


def test_hidden_units_shift_further_without_batch_norm(drawn):
    axes = drawn("hidden_shift").axes
    moved = [np.ptp(panel.lines[0].get_ydata()) for panel in axes]
    assert min(moved[0], moved[2]) > 2 * max(moved[1], moved[3])
    assert all(len(panel.lines[0].get_ydata()) == 100 for panel in axes)
    run = topic.trace(0, "none", 0.16, 100)
    assert axes[0].get_title(loc="left") == f"without batch norm: {run.moved:.2f} an update"
