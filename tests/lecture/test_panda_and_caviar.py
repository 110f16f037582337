"""Panda and caviar: undoing is exact, figures show every curve, and verdicts that can turn."""

import dataclasses

import numpy as np
import pytest

from tfcourse.lecture import ledger
from tfcourse.lecture import panda_and_caviar as topic


def babies(rule=(0.85, 0.88), **broken):
    noise = np.linspace(0, 0.01, 40)
    found = {"first": np.repeat([2.0, 0.1], 20), "rule": np.repeat(rule, 20) + noise}
    found |= {"alone": np.repeat([0.8, 0.9], 20) + noise[::-1], "all_kept": 0.7 + noise}
    return topic.Babies(**{**found, "kept": 0.5, "restored": 0.0, **broken})


def caviar(default, best, at_panda_price=0.9):
    noise = np.random.default_rng(0).normal(0, 0.005, (3, 60))
    return topic.Caviar(*(np.array([default, best, at_panda_price])[:, None] + noise), 1860)


BREAKS = {
    "tuning.panda": [
        (babies(), None, "holds under conditions"),
        (babies(restored=1e-3), None, "refuted"),
        (babies(all_kept=np.full(40, 0.9)), None, "refuted"),
        (babies(rule=(0.8, 0.8)), None, "refuted"),
        (babies(rule=(0.95, 0.95)), None, "holds"),
    ],
    "tuning.caviar": [
        (None, caviar(0.9, 0.95), "holds"),
        (None, caviar(0.945, 0.95), "refuted"),
        (None, caviar(0.94, 0.9495), "not shown"),
    ],
    "tuning.panda-or-caviar": [
        (babies(), caviar(0.9, 0.95, at_panda_price=0.95), "holds"),
        (babies(), caviar(0.9, 0.95, at_panda_price=0.80), "refuted"),
    ],
}


@pytest.mark.parametrize(
    ("id", "one", "many", "expected"), [(id, *case) for id in BREAKS for case in BREAKS[id]]
)
def test_the_verdict_follows(monkeypatch, nothing_remembered, id, one, many, expected):
    monkeypatch.setattr(topic, "babies", lambda seed: one)
    monkeypatch.setattr(topic, "best_of_many", lambda seed: many)
    [entry] = ledger.run(ledger.find([id]))
    assert entry.evidence.verdict == expected, entry.evidence


def test_the_same_models_are_compared_pair_by_pair(monkeypatch):
    """Models differ by far more than the rule gains each of them."""
    wide = np.linspace(0.2, 0.9, 40)
    found = dataclasses.replace(babies(all_kept=wide, alone=wide), rule=wide + 0.02)
    monkeypatch.setattr(topic, "babies", lambda seed: found)
    [entry] = ledger.run(ledger.find(["tuning.panda"]))
    assert entry.evidence.effect == pytest.approx((0.02, 0.02, 0.02))
    assert entry.evidence.verdict == "holds"


def test_models_that_began_badly_are_those_of_the_first_day_wherever_they_end(monkeypatch):
    """Those that began badly end best, and gain; the others lose."""
    ends_best = babies(rule=(0.95, 0.85), alone=np.full(40, 0.9))
    monkeypatch.setattr(topic, "babies", lambda seed: ends_best)
    [entry] = ledger.run(ledger.find(["tuning.panda"]))
    assert entry.evidence.verdict == "holds under conditions"


@pytest.fixture(scope="module")
def few():
    return topic.babies(seed=3, size=6)


def test_what_is_undone_is_undone_exactly(few):
    assert few.restored == 0 and 0 < few.kept < 1 and few.trainings == 18
    for accuracy in (few.rule, few.alone, few.all_kept):
        assert accuracy.shape == (6,) and ((accuracy > 0.05) & (accuracy <= 1)).all()
    assert not np.array_equal(few.rule, few.all_kept)


def test_what_is_not_undone_is_seen(monkeypatch, nothing_remembered):
    monkeypatch.setattr(topic, "_undo", lambda today, yesterday, better: today)
    found = topic.babies(seed=3, size=6)
    assert found.restored > 0 and np.array_equal(found.rule, found.all_kept)


def test_a_day_changes_one_hyperparameter_threefold():
    settings = {"learning_rate": 0.1, "momentum": 0.9, "decay": 0.2}
    for name, up, new in (
        ("learning_rate", 1, 0.3),
        ("momentum", -1, 1 - 0.1 / 3),
        ("decay", 1, 0.6),
    ):
        changed = topic._changed(settings, name, up)
        assert changed[name] == pytest.approx(new)
        assert {k: v for k, v in changed.items() if k != name} == {
            k: v for k, v in settings.items() if k != name
        }
    assert topic._changed({"momentum": 0.5}, "momentum", 1)["momentum"] == 0  # never below 0


@pytest.mark.whole
def test_many_are_trained_and_counted():
    found = topic.best_of_many(seed=1, searches=2, models=5)
    assert found.default.shape == found.best.shape == found.at_panda_price.shape == (2,)
    assert found.trainings == 2 * (5 + 6)


@pytest.mark.long
def test_panda_goes_on_from_where_it_went_back_to(drawn):
    found = topic.diary(0)
    lines = [line.get_ydata() for line in drawn("panda").axes[0].lines]
    lines = [y for y in lines if len(y) > 2]
    assert len(lines) == len(found) == 6
    [bad] = [day for day, (_, kept, _) in enumerate(found) if not kept]
    assert lines[bad][-1] > lines[bad][0]
    assert lines[bad + 1][0] == lines[bad][0] == found[bad - 1][2][-1]


@pytest.mark.long
def test_caviar_draws_every_curve_and_marks_the_lowest(drawn):
    [axes] = drawn("caviar").axes
    every = [line for line in axes.lines if len(line.get_xdata()) == 12]
    assert len(every) == 40
    thick = max(every, key=lambda line: line.get_linewidth())
    assert thick.get_ydata().min() == min(line.get_ydata().min() for line in every)
    assert any(f"{thick.get_ydata().min():.3f}" in text.get_text() for text in axes.texts)
