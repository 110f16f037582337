"""95% intervals, against SciPy and against simulation."""

from functools import partial

import numpy as np
import pytest
from scipy import stats

from tfcourse.lecture import statistics as intervals
from tfcourse.lecture.statistics import Interval


def test_a_mean_and_a_difference_are_those_of_scipy():
    a, b = np.random.default_rng(0).normal(size=(2, 12)) * [[1], [5]]
    expected = stats.ttest_1samp(a, 0).confidence_interval(0.95)
    assert intervals.mean(a)[1:] == pytest.approx(expected, rel=1e-9)
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    found = intervals.difference(a, b)
    assert found.value == pytest.approx(a.mean() - b.mean())
    assert found[1:] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("hits", "of"), [(0, 10), (3, 10), (10, 10), (180, 256)])
def test_a_share_is_wilsons(hits, of):
    expected = stats.binomtest(hits, of).proportion_ci(0.95, method="wilson")
    assert intervals.share(hits, of)[1:] == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_a_difference_of_shares_is_newcombes():
    # Newcombe 1998, table II, (a) method 10: 56/70 against 48/80
    found = intervals.share_difference(56, 70, 48, 80)
    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


def test_a_slope_is_that_of_scipy():
    random = np.random.default_rng(1)
    x = np.arange(8.0)
    y = 3 - 0.5 * x + random.normal(0, 0.1, 8)
    line = stats.linregress(x, y)
    half = stats.t.ppf(0.975, 6) * line.stderr
    assert intervals.slope(x, y) == pytest.approx(
        (line.slope, line.slope - half, line.slope + half), rel=1e-9
    )


def test_ratios_turned_over_have_the_mean_and_the_ends_turned_over():
    ratios = np.exp(np.random.default_rng(3).normal(size=9))
    found, turned = (intervals.geometric_mean(values) for values in (ratios, 1 / ratios))
    assert found.value == pytest.approx(stats.gmean(ratios))
    assert turned == pytest.approx((1 / found.value, 1 / found.high, 1 / found.low))


def test_95_of_100_hold_the_truth():
    random = np.random.default_rng(2)
    inside = [
        low <= 0 <= high for _, low, high in map(intervals.mean, random.normal(size=(4000, 8)))
    ]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.012)


def test_equal_values_have_no_width():
    assert intervals.difference([2, 2, 2], [1, 1, 1]) == (1, 1, 1)
    assert intervals.mean([0.5] * 4) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: intervals.mean([1, 2]),
        lambda: intervals.difference([1, 2], [1, 2, 3]),
        lambda: intervals.slope([1, 2, 3], [1, 2, 3]),
    ],
)
def test_too_few_values_have_none(call):
    with pytest.raises(ValueError, match="needs at least"):
        call()


def test_it_shows_itself_and_where_it_lies():
    found = Interval(-0.012, -0.02, -0.004)
    assert found.show(".1f", "%") == "−1.2% [−2.0, −0.4]"
    assert Interval(1.234, 1.1, 1.3).show() == "1.23 [1.1, 1.3]"
    assert (found.below_zero, found.above_zero) == (True, False)
    assert not Interval(0, -1, 1).below_zero and not Interval(0, -1, 1).above_zero


def family(*samples):
    return {name: partial(intervals.mean, sample) for name, sample in enumerate(samples)}


def test_holm_widens_by_rank_and_gives_what_holm_gave():
    rng = np.random.default_rng(4)
    samples = [rng.normal(shift, 1, 12) for shift in (0.0, 3.0, 1.5)]
    found = intervals.holm(family(*samples))
    assert found[1] == intervals.mean(samples[1], 1 - 0.05 / 3)  # the clearest
    assert found[2] == intervals.mean(samples[2], 1 - 0.05 / 2)
    assert found[0] == intervals.mean(samples[0], 0.95)
    assert intervals.holm(family(samples[2]))[0] == intervals.mean(samples[2])


def test_holm_corrects_no_less_after_the_first_that_shows_nothing():
    rng = np.random.default_rng(4)
    scatter = rng.normal(size=12)
    scatter = (scatter - scatter.mean()) / scatter.std(ddof=1)
    samples = [scatter + t * 12**-0.5 for t in (2.6, 2.5, 2.4)]  # p of 0.025, 0.03 and 0.035
    for place, found in intervals.holm(family(*samples)).items():
        assert not found.above_zero and intervals.mean(samples[place]).above_zero
        assert found == intervals.mean(samples[place], 1 - 0.05 / 3)


def test_holm_rarely_finds_anything_where_nothing_is():
    rng = np.random.default_rng(5)
    false = 0
    for _ in range(200):
        found = intervals.holm(family(*rng.normal(size=(4, 10))))
        false += any(one.above_zero or one.below_zero for one in found.values())
    assert false <= 20  # 10 expected; without correction 37
