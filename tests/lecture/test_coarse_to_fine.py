"""From coarse to fine: verdicts that follow from known landscapes, the box, and its figure."""

from functools import cache, partial

import numpy as np
import pytest

from tfcourse.lecture import coarse_to_fine as topic
from tfcourse.lecture import ledger, population, searching


@pytest.fixture
def landscape(monkeypatch, nothing_remembered):
    """Replace trainings by `loss(trial)`, with a little noise."""

    def put(loss, noise=0.001, searches=60):
        def train(trials, *, epochs, seed, dataset, test=False):
            rng = np.random.default_rng([seed, len(trials)])
            found = np.array([loss(trial) for trial in trials])
            found = found + rng.normal(0, noise, len(trials))
            history = {"validation_loss": found[:, None], "validation_accuracy": -found[:, None]}
            return population.Outcomes(history, np.zeros(len(trials), int), -found, found)

        monkeypatch.setattr(population, "train", train)
        many = cache(partial(topic.rivals.__wrapped__, searches=searches))
        monkeypatch.setattr(topic, "rivals", many)

    return put


def bowl(at, *names):
    """The nearer α is to 10^at the lower; and so with the others in the middle of their axes."""

    def loss(trial):
        lost = ((np.log10(trial["learning_rate"]) - at) / 4) ** 2
        return lost + sum((topic.SPACE[n].to_unit(trial[n]) - 0.5) ** 2 for n in names)

    return loss


flat = lambda trial: 0.1  # noqa: E731
LANDSCAPES = {
    "tuning.coarse-to-fine": {
        "holds": bowl(-2, "epsilon", "decay", "beta_1", "beta_2"),
        "refuted": bowl(-2),
        "not shown": flat,
    },
    "tuning.wrong-scale-forgives": {"holds": bowl(-0.5), "refuted": bowl(-4), "not shown": flat},
}
BREAKS = set(LANDSCAPES)  # turned by other landscapes


@pytest.mark.parametrize(
    ("id", "expected"), [(id, verdict) for id, cases in LANDSCAPES.items() for verdict in cases]
)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.long)])
def test_the_verdict_follows_from_the_landscape(landscape, id, expected, seed):
    landscape(LANDSCAPES[id][expected], searches=12 if expected == "not shown" else 60)
    [entry] = ledger.run(ledger.find([id]), seed)
    assert entry.evidence.verdict == expected, entry.evidence
    assert entry.evidence.trainings > 500


def test_the_second_round_stays_in_the_box_around_the_best(landscape):
    landscape(bowl(-2))
    played, box = topic.refinement(seed=2, trials=20)
    best = np.argsort(played.loss[:10], kind="stable")[:5]
    for name, scale in box.items():
        values = np.array([trial[name] for trial in played.trials])
        assert len(values) == 20
        assert ((values[10:] >= scale.low) & (values[10:] <= scale.high)).all()
        assert ((values[best] >= scale.low) & (values[best] <= scale.high)).all()


def test_what_diverged_is_never_found(landscape):
    landscape(lambda trial: np.nan if trial["learning_rate"] > 0.01 else 0.1)
    played, _ = topic.refinement(seed=1)
    assert played.best["learning_rate"] <= 0.01
    assert topic.coarse_to_fine(seed=1).axes


@pytest.mark.whole
def test_searches_are_trained_and_counted(monkeypatch):
    monkeypatch.setattr(topic, "KEEP", {4: 2})
    monkeypatch.setattr(searching, "EPOCHS", 1)
    [found] = topic.rivals.__wrapped__(seed=1, searches=2).values()
    assert found.loss.shape == (2, 4) and np.isfinite(found.loss).all() and found.lack > 0
    assert found.trainings == 2 * 4 * (4 + searching.REPEATS)
    gain = (found.loss[:, 0] - found.loss[:, 1]) / found.lack
    assert found.gain("two rounds", "one go") == pytest.approx(gain)


def test_the_figure_enlarges_the_box_and_colours_each_point_by_its_loss(landscape):
    landscape(lambda trial: 0.1 + bowl(-2)(trial))
    coarse, fine, bar = topic.coarse_to_fine().axes
    played, box = topic.refinement(0)
    alpha = box["learning_rate"]
    assert fine.get_xlim() == pytest.approx((alpha.low, alpha.high))
    colors = [np.array(axes.collections[0].get_array()) for axes in (coarse, fine)]
    assert [len(each) for each in colors] == [25, 25]
    assert np.concatenate(colors) == pytest.approx(played.loss)
    for axes, each in zip((coarse, fine), colors, strict=True):
        assert f"best {each.min():.3f}" in axes.get_title(loc="left")
    ticks, labels = bar.get_yticks(), bar.get_yticklabels()
    assert len(ticks) == 4
    for tick, label in zip(ticks, labels, strict=True):  # the bar says what its colours are
        assert float(label.get_text()) == pytest.approx(tick, rel=0.05)
    norm = fine.collections[0].norm
    assert (norm.vmin, norm.vmax) == (played.loss.min(), played.loss.max())
