"""Optuna's samplers search our spaces: in batches, with conditions, without repeats."""

import statistics

import pytest

from tfcourse.tuning import Choice, Integer, Linear, Log, OneMinusLog, Space, Study, When
from tfcourse.tuning.rounds import run
from tfcourse.tuning.samplers import sampled, sampler

optuna = pytest.importorskip("optuna")

from tiny import SPACE, TinyTrainer  # noqa: E402

MIXED = Space(
    rate=Log(1e-4, 1),
    kind=Choice("a", "b", None),
    momentum=When("kind=a", OneMinusLog(0.9, 0.999)),
    units=Integer(10, 100),
)


def search(space, by, trials, batch=8, seed=0):
    return sampled(space, trials, sampler(by, seed), "max", seed, batch)


def tuned(by, trials, folder=None, batch=8):
    with Study(SPACE, folder) as study:
        study.ended = run(study, search(SPACE, by, trials, batch), TinyTrainer, seed=0, epochs=2)
    return study


@pytest.mark.parametrize("by", ["tpe", optuna.samplers.RandomSampler(seed=0)])
def test_draws_lie_in_the_space_and_conditions_hold(by):
    for chosen in search(MIXED, by, 30, batch=30):
        assert all(MIXED[name].contains(value) for name, value in chosen.items())
        assert ("momentum" in chosen) == (chosen["kind"] == "a")


def test_tpe_learns_where_it_is_good():
    study = tuned("tpe", 96)
    early, late = (
        [abs(t.hyperparameters["x"] - 0.3) for t in some]
        for some in (study.trials[:16], study.trials[-32:])
    )
    assert statistics.median(late) < 0.4 * statistics.median(early)


def test_asked_again_it_goes_on_where_it_was(tmp_path):
    for by in ("tpe", optuna.samplers.RandomSampler()):  # without a seed: it draws otherwise
        folder = tmp_path / type(by).__name__
        first = tuned(by, 16, folder)
        again = tuned(by, 40, folder)
        assert again.trials[:16] == first.trials and len(again.trials) == 40
    alone = tuned("tpe", 40)
    resumed = tuned("tpe", 40, tmp_path / "str")
    assert [t.hyperparameters for t in resumed.trials] == [t.hyperparameters for t in alone.trials]


def test_a_small_space_is_exhausted_without_repeats():
    small = Space(units=Integer(1, 3), kind=Choice("a", "b"))
    found, searched = [], search(small, "tpe", 50, batch=50)
    with pytest.raises(StopIteration) as end:
        while True:
            found.append(next(searched))
    assert len(found) == len(set(map(repr, found))) == 6
    assert end.value.value == "the space holds only 6 combinations: all are tried"


def test_what_is_no_sampler_is_refused():
    with pytest.raises(TypeError, match="a name or a sampler of Optuna's, got 7"):
        sampler(7, 0)
    with pytest.raises(TypeError, match='say search="grid"'):
        sampler(optuna.samplers.GridSampler({"x": [1, 2]}), 0)


def test_a_line_of_values_is_sampled_as_it_is_meant():
    values = [c["rate"] for c in search(Space(rate=Log(1e-4, 1)), "tpe", 10, batch=10)]
    assert min(values) < 1e-2 < max(values)
    assert all(0 <= c["x"] <= 1 for c in search(Space(x=Linear(0, 1)), "tpe", 5))
