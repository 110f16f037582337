"""Scales are transforms to the unit interval: inverse, bounds, uniformity, grids, smaller boxes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tfcourse.tuning import Choice, Integer, Linear, Log, OneMinusLog, ReverseLog, Stepped

LEARNING_RATE = Log(1e-4, 1)
BETA = OneMinusLog(0.9, 0.999)
CONTINUOUS = [Linear(-3, 7), Linear(1e-4, 1), LEARNING_RATE, Log(2e-7, 3e5), BETA]
CONTINUOUS += [ReverseLog(1, 100)]
DISCRETE = [Integer(50, 100), Integer(0, 1), Integer(1, 1000, log=True), Choice(2, 3, 4)]
DISCRETE += [Integer(1, 100, reverse=True), Stepped(32, 512, 32, whole=True), Stepped(0, 1, 0.1)]
DISCRETE += [Stepped(1e-4, 1, 10, "log"), Stepped(1, 64, 2, "reverse-log", whole=True)]

unit = st.floats(0, 1)


def draws(scale, n=100_000):
    return [scale.from_unit(u) for u in np.random.default_rng(7).random(n)]


@pytest.mark.parametrize("scale", CONTINUOUS, ids=str)
@given(u=unit)
def test_transform_and_inverse_undo_each_other(scale, u):
    value = scale.from_unit(u)
    assert scale.low <= value <= scale.high
    assert scale.to_unit(value) == pytest.approx(u, abs=1e-12)
    assert scale.from_unit(scale.to_unit(value)) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("scale", DISCRETE, ids=str)
def test_every_discrete_value_comes_back(scale):
    values = scale.grid(10_000)
    assert [scale.from_unit(scale.to_unit(value)) for value in values] == values
    assert all(0 < scale.to_unit(value) < 1 for value in values)


@pytest.mark.parametrize("scale", CONTINUOUS, ids=str)
def test_bounds_are_met_exactly(scale):
    assert (scale.from_unit(0), scale.from_unit(1)) == (scale.low, scale.high)
    assert (scale.to_unit(scale.low), scale.to_unit(scale.high)) == (0, 1)


@pytest.mark.parametrize("scale", CONTINUOUS, ids=str)
def test_draws_are_uniform_in_the_transformed_space(scale):
    values = draws(scale)
    assert scale.low <= min(values) and max(values) <= scale.high
    assert stats.kstest([scale.to_unit(value) for value in values], "uniform").pvalue > 1e-3


def test_log_draws_follow_scipys_log_uniform():
    assert stats.kstest(draws(LEARNING_RATE), stats.loguniform(1e-4, 1).cdf).pvalue > 1e-3


def test_one_minus_beta_follows_scipys_log_uniform():
    one_minus = [1 - beta for beta in draws(BETA)]
    assert stats.kstest(one_minus, stats.loguniform(1e-3, 1e-1).cdf).pvalue > 1e-3


@pytest.mark.parametrize("scale", [Integer(50, 100), Choice("a", "b", "c", "d")], ids=str)
def test_discrete_draws_are_equally_likely(scale):
    values = draws(scale)
    counts = [values.count(value) for value in scale.grid(1000)]
    assert sum(counts) == len(values)
    assert stats.chisquare(counts).pvalue > 1e-3


def test_a_linear_scale_wastes_ninety_percent_above_a_tenth():
    share = np.mean(np.array(draws(Linear(1e-4, 1))) > 0.1)
    assert share == pytest.approx(0.900, abs=0.003)


def test_a_log_scale_gives_each_decade_a_quarter():
    decade = np.floor(np.log10(draws(LEARNING_RATE)))
    shares = [np.mean(decade == d) for d in (-4, -3, -2, -1)]
    assert shares == pytest.approx([0.25] * 4, abs=0.005)


@pytest.mark.parametrize("scale", [*CONTINUOUS, Integer(50, 100), Integer(1, 500, log=True)])
@given(n=st.integers(2, 30))
def test_a_grid_has_n_distinct_values_from_end_to_end(scale, n):
    values = scale.grid(n)
    assert len(set(values)) == n and values == sorted(values)
    assert (values[0], values[-1]) == (scale.low, scale.high)


def test_a_grid_lies_on_the_scales_own_grid():
    assert Log(1e-4, 1).grid(5) == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1], rel=1e-12)
    assert OneMinusLog(0.9, 0.999).grid(3) == pytest.approx([0.9, 0.99, 0.999], rel=1e-12)
    assert Linear(0, 1).grid(3) == [0, 0.5, 1]
    assert Linear(0, 1).grid(1) == [0.5]
    assert Integer(2, 4).grid(10) == [2, 3, 4]
    assert Choice("adam", "rmsprop", "momentum").grid(2) == ["adam", "momentum"]


@pytest.mark.parametrize("scale", CONTINUOUS[:-1], ids=str)
@given(us=st.lists(unit, min_size=1, max_size=5))
def test_the_box_around_values_is_the_smallest_widened_and_clipped(scale, us):
    box = scale.around([scale.from_unit(u) for u in us])
    assert scale.to_unit(box.low) == pytest.approx(max(0, min(us) - 0.1), abs=1e-9)
    assert scale.to_unit(box.high) == pytest.approx(min(1, max(us) + 0.1), abs=1e-9)


@given(values=st.lists(st.integers(1, 1000), min_size=1), log=st.booleans())
def test_the_box_around_whole_numbers_holds_them_and_stays_inside(values, log):
    scale = Integer(1, 1000, log=log)
    box = scale.around(values)
    assert scale.low <= box.low <= min(values) and max(values) <= box.high <= scale.high
    assert box.low < box.high


def test_the_box_around_options_is_those_options():
    assert Choice("a", "b", "c").around(["c", "a", "c"]) == Choice("a", "c")


def test_values_are_shown_with_the_digits_that_matter():
    assert Log(1e-4, 1).show(0.00123456) == "0.00123"
    assert OneMinusLog(0.9, 0.9999).show(0.99912345) == "0.999123"
    assert OneMinusLog(0.9, 0.9999).show(0.9) == "0.900"
    assert Integer(50, 100).show(64) == "64"
    assert Choice(True, False).show(True) == "true"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Linear(1, 1), "Linear must have low below high, got low 1, high 1"),
        (lambda: Log(0.1, 0.01), "low 0.1, high 0.01"),
        (lambda: Log(0, 1), "Log's low must be a finite number above 0, got 0"),
        (lambda: Log(-1, 1), "above 0, got -1"),
        (lambda: OneMinusLog(0.9, 1), "OneMinusLog's high .* above 0 and below 1, got 1"),
        (lambda: OneMinusLog(0, 0.9), "above 0 and below 1, got 0"),
        (lambda: Linear(0, math.inf), "finite number, got inf"),
        (lambda: Linear(math.nan, 1), "got nan"),
        (lambda: Integer(5, 5), "low 5, high 5"),
        (lambda: Integer(0, 5, log=True), "at least 1, got 0"),
        (lambda: Choice(), "at least one option, got none"),
        (lambda: Choice(1, 1), "must differ, got 1, 1"),
        (lambda: Stepped(0, 1, 0), "above 0 and at most what leads from 0 to 1, got 0"),
        (lambda: Stepped(0, 1, 2), "got 2"),
        (lambda: Stepped(1, 8, 1, "log"), "above 1 where it multiplies"),
        (lambda: Stepped(1, 8, 2, "square"), "sampling must be one of linear, log, reverse-log"),
        (lambda: Stepped(8, 1, 2), "low must be below high, got low 8, high 1"),
        (lambda: Choice(math.nan), "got nan"),
        (lambda: Choice((64, 32)), r"texts, True, False or None, got \(64, 32\)"),
        (lambda: Log(1e-4, 1).grid(0), "points per axis must be a whole number at least 1, got 0"),
    ],
)
def test_what_makes_no_scale_is_refused_in_one_line(make, says):
    with pytest.raises(ValueError, match=says) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_bounds_of_the_wrong_type_are_refused():
    with pytest.raises(TypeError, match="Log's low must be a finite number above 0, got 'small'"):
        Log("small", 1)
    with pytest.raises(TypeError, match=r"whole number, got 2\.5"):
        Integer(2.5, 4)


def test_steps_reach_what_they_are_said_to_reach():
    assert Stepped(0, 1, 0.1).grid(100) == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
    assert Stepped(32, 100, 32, whole=True).grid(100) == [32, 64, 96]
    assert Stepped(1e-4, 1, 10, "log").grid(100) == [1e-4, 1e-3, 1e-2, 0.1, 1]
    assert Stepped(1, 8, 2, "reverse-log", whole=True).grid(100) == [1, 5, 7, 8]


def test_a_finer_box_of_steps_holds_the_best_and_a_step_more():
    assert Stepped(0, 100, 10, whole=True).around([40, 60]) == Stepped(30, 70, 10, whole=True)
    assert Stepped(1, 64, 2, "log").around([1, 2]) == Stepped(1, 4, 2, "log")


def test_reverse_log_puts_most_draws_near_the_upper_end():
    assert np.median(draws(ReverseLog(1, 100))) == pytest.approx(91, abs=1)
    assert np.median(draws(Integer(1, 100, reverse=True))) > 85


def test_a_finer_box_of_a_scale_is_of_its_own_kind():
    for scale, values in (
        (Integer(1, 1000, log=True), [10, 20]),
        (Integer(1, 1000), [10, 20]),
        (Log(1e-4, 1), [1e-3, 1e-2]),
    ):
        finer = scale.around(values)
        assert type(finer) is type(scale)
        assert getattr(finer, "log", None) == getattr(scale, "log", None)
