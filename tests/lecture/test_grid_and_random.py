"""Grid and random: counts, figures, and verdicts that follow from known landscapes."""

from functools import cache, partial

import numpy as np
import pytest
from breaking import put

from tfcourse.lecture import grid_and_random as topic
from tfcourse.lecture import ledger, population, searching
from tfcourse.tuning import search

as_a_grid = put(search, "random", lambda space, trials, seed: search.grid(space, 5))


@pytest.fixture
def landscape(monkeypatch, nothing_remembered):
    """Replace trainings by `loss(trial)`, with a little noise."""

    def put(loss, searches=24, noise=0.003):
        def train(trials, *, epochs, seed, dataset, test=False):
            rng = np.random.default_rng([seed, len(trials)])
            found = np.array([loss(trial) for trial in trials])
            found = found + rng.normal(0, noise, len(trials))
            history = {"validation_loss": found[:, None], "validation_accuracy": -found[:, None]}
            return population.Outcomes(history, np.zeros(len(trials), int), -found, found)

        monkeypatch.setattr(population, "train", train)
        many = cache(partial(topic.duels.__wrapped__, searches=searches))
        monkeypatch.setattr(topic, "duels", many)

    return put


def bowl(width, *others):
    """The nearer α is to 0.01 the lower; a tenth is lost at `width` decades, and by the others."""

    def loss(trial):
        lost = ((np.log10(trial["learning_rate"]) + 2) / width) ** 2
        if "decay" in trial and "decay" in others:
            lost += (trial["decay"] - 0.7) ** 2 / width**2
        return min(1.0, 0.1 + 0.1 * lost)

    return loss


flat = lambda trial: 0.1  # noqa: E731
LANDSCAPES = {
    "tuning.random-beats-grid": {
        "holds": bowl(0.15),
        "holds under conditions": bowl(1.2),
        "refuted": bowl(30),
    },
    "tuning.few-hyperparameters-grid": {"holds": bowl(1.2), "not shown": flat},
    "tuning.quasi-random": {"holds": bowl(1.2), "not shown": flat},
}
BREAKS = {
    "tuning.grid-distinct": as_a_grid,
    "tuning.grid-distinct-3d": as_a_grid,
    **dict.fromkeys(LANDSCAPES),  # turned by other landscapes
}


@pytest.mark.parametrize("id", ["tuning.grid-distinct", "tuning.grid-distinct-3d"])
def test_counts_hold_with_another_seed_and_turn_when_random_is_a_grid(id, verdict, monkeypatch):
    assert verdict(id, seed=1) == "holds"
    topic.budget.cache_clear()
    BREAKS[id](monkeypatch)
    assert verdict(id) == "refuted"


@pytest.mark.parametrize(
    ("id", "expected"), [(id, verdict) for id, cases in LANDSCAPES.items() for verdict in cases]
)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.long)])
def test_the_verdict_follows_from_the_landscape(landscape, id, expected, seed):
    landscape(LANDSCAPES[id][expected], searches=24 if expected == "not shown" else 120)
    [entry] = ledger.run(ledger.find([id]), seed)
    assert entry.evidence.verdict == expected, entry.evidence
    assert entry.evidence.trainings > 500


def test_three_claims_rest_on_the_same_trainings(landscape):
    landscape(bowl(1))
    entries = [*ledger.run(ledger.find(list(LANDSCAPES)))]
    each = {entry.evidence.trainings for entry in entries}
    assert {ledger.trainings([entry.evidence for entry in entries])} == each


@pytest.mark.whole
def test_every_search_and_what_it_found_is_trained_and_counted(monkeypatch):
    monkeypatch.setattr(topic, "POINTS", {2: 2})
    monkeypatch.setattr(searching, "EPOCHS", 1)
    for duel in topic.duels.__wrapped__(seed=1, searches=2).values():
        assert duel.loss.shape == (2, 3) and np.isfinite(duel.loss).all()
        assert duel.trainings == 2 * 3 * (4 + searching.REPEATS)
        assert duel.lack > 0
        gain = (duel.loss[:, 0] - duel.loss[:, 1]) / duel.lack
        assert duel.gain("random", "grid") == pytest.approx(gain)


@pytest.mark.long
def test_trained_in_earnest_they_come_out_as_recorded(nothing_remembered):
    for entry in ledger.run(ledger.find(list(LANDSCAPES)), seed=2):
        assert entry.as_recorded, entry.evidence


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def ticks(axes):
    """Places of the upright lines in the axes' last collection of lines."""
    return np.unique([segment[0][0] for segment in axes.collections[-1].get_segments()])


def test_grid_vs_random_projects_5_ticks_and_25(drawn):
    figure = drawn("grid_vs_random")
    squares, lines = figure.axes[:2], figure.axes[2:]
    assert [len(ticks(line)) for line in lines] == [5, 25]
    for square, line in zip(squares, lines, strict=True):
        points = square.lines[0].get_xydata()
        assert len(points) == 25
        assert np.array_equal(np.unique(points[:, 0]), ticks(line))
        assert square.get_xlim() == line.get_xlim()
    assert "25 trials, grid: 5 values" in titles(figure)[0]
    assert "25 trials, random: 25 values" in titles(figure)[1]


def test_random_cube_projects_5_ticks_and_125(drawn):
    for axes, few in zip(drawn("random_cube").axes, (5, 125), strict=True):
        [points] = [c for c in axes.collections if hasattr(c, "get_sizes") and len(c.get_offsets())]
        assert len(points.get_offsets()) == 125
        assert len(ticks(axes)) == few
