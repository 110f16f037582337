"""What a study teaches, on studies whose answer is known."""

import numpy as np
import pytest

from tfcourse.tuning import Choice, Integer, Linear, Log, Space, Study, Trial, When, random
from tfcourse.tuning.insight import advice, importance

SPACE = Space(rate=Log(1e-4, 1), width=Integer(10, 100), kind=Choice("a", "b"), idle=Linear(0, 1))


def known(score, trials=200, *, space=SPACE, noise=0.01, seed=0, **about):
    """A study whose scores are a function of the place on each scale, and a little noise."""
    rng = np.random.default_rng(seed)
    study = Study(space, **about)
    for number, chosen in enumerate(random(space, trials, seed)):
        units = {name: space[name].to_unit(value) for name, value in chosen.items()}
        value = float(score(units) + noise * rng.normal())
        history = {"val_accuracy": [value], "val_loss": [1 - value]}
        study.add([Trial(number, chosen, number, 1, "complete", history, 0, (value,))])
    return study


def shares(study):
    return {one.name: one.first for one in importance(study)}


def test_what_decides_alone_explains_all_and_the_rest_nothing():
    found = importance(known(lambda u: u["rate"]))
    assert found[0].name == "rate" and found[0].first > 0.9 and found[0].matters
    assert all(one.first < 0.1 and not one.matters for one in found[1:])


def test_a_sum_is_shared_out_by_variance():
    found = shares(known(lambda u: 2 * u["rate"] + u["width"], trials=1000, noise=0))
    assert found["rate"] == pytest.approx(0.8, abs=0.08)
    assert found["width"] == pytest.approx(0.2, abs=0.08)


def test_the_interval_holds_the_share_and_narrows_with_trials():
    def width(trials):
        one = importance(known(lambda u: u["rate"] + u["width"], trials=trials, noise=0))[0]
        assert one.low <= one.first + 0.05 and one.first - 0.05 <= one.high
        return one.high - one.low

    assert width(1000) < 0.6 * width(100)


def test_chance_reaches_its_bound_in_one_study_of_twenty():
    above = [
        one.matters
        for seed in range(40)
        for one in importance(known(lambda u: 0, trials=40, noise=1, seed=seed))
    ]
    assert 0.01 < np.mean(above) < 0.12


def test_an_option_and_a_middle_count_as_much_as_an_end():
    assert shares(known(lambda u: u["kind"]))["kind"] > 0.7
    assert shares(known(lambda u: -abs(u["width"] - 0.5)))["width"] > 0.9


def test_where_less_is_better_the_shares_are_the_same():
    accuracy, loss = known(lambda u: u["rate"]), known(lambda u: u["rate"], objective="val_loss")
    assert shares(accuracy)["rate"] == pytest.approx(shares(loss)["rate"], abs=0.01)


def test_a_hyperparameter_under_a_condition_is_judged_where_it_is():
    space = Space(kind=Choice("a", "b"), rate=When("kind=a", Linear(0, 1)), x=Linear(0, 1))
    found = importance(known(lambda u: 0.1 * u["kind"] + u.get("rate", 0.5), space=space))
    rate = next(one for one in found if one.name == "rate")
    assert rate.first > 0.9 and 80 < rate.trials < 120


def test_a_few_trials_tell_nothing_and_it_is_said():
    study = known(lambda u: u["rate"], trials=10)
    assert advice(study) == []
    with pytest.raises(ValueError, match="at least 20 trials, got 10"):
        importance(study)


def test_advice_to_widen_a_range_whose_end_is_best():
    assert "rate: the best trials lie at its upper end, 1; widen it" in advice(
        known(lambda u: u["rate"])
    )
    assert "width: the best trials lie at its lower end, 10; widen it" in advice(
        known(lambda u: -u["width"])
    )


def test_advice_to_search_where_the_best_trials_lie():
    told = advice(known(lambda u: -abs(u["rate"] - 0.5)))
    assert any("rate: the best trials lie between" in line for line in told)
    assert not any("widen" in line for line in told)


def test_advice_to_fix_what_does_not_matter():
    told = advice(known(lambda u: u["rate"], trials=400))
    assert any(line.startswith("width") or "idle" in line for line in told if "no sign" in line)
    assert not any("rate" in line for line in told if "no sign" in line)


def test_advice_where_the_best_trials_are_tied():
    tied = known(lambda u: min(round(u["rate"], 1), 0.9), noise=0, validation_examples=100)
    assert any("best trials cannot be told apart" in line for line in advice(tied))
    apart = known(lambda u: u["rate"], noise=0, validation_examples=10**9)
    assert not any("told apart" in line for line in advice(apart))


def test_no_advice_where_nothing_is_clear():
    told = advice(known(lambda u: 0, noise=1, trials=60, seed=3))
    assert not any("widen" in line or "between" in line for line in told)


def test_what_two_do_together_counts_in_total_for_both():
    found = {
        one.name: one for one in importance(known(lambda u: (u["rate"] - 0.5) * (u["width"] - 0.5)))
    }
    for name in ("rate", "width"):
        assert found[name].first < 0.15 and found[name].total > 0.5
        assert found[name].total_low <= found[name].total <= found[name].total_high + 0.05
    assert found["idle"].total < 0.3
    alone = {one.name: one for one in importance(known(lambda u: u["rate"]))}
    assert alone["rate"].total == pytest.approx(alone["rate"].first, abs=0.15)
    assert alone["idle"].total < 0.2
