"""Searches: distinct values, seeds, exhaustion, the box of the fine round."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

from tfcourse.tuning import (
    Choice,
    Integer,
    Linear,
    Log,
    Space,
    coarse_to_fine,
    grid,
    quasi_random,
    random,
)
from tfcourse.tuning.search import largest_grid, unseen

PLANE = Space(learning_rate=Log(1e-4, 1), epsilon=Log(1e-9, 1e-5))
CUBE = Space(a=Linear(0, 1), b=Linear(0, 1), c=Linear(0, 1))


@dataclass
class Tried:
    hyperparameters: dict


def finish(search):
    """All proposals, and the reason why the search ended."""
    proposals = []
    while True:
        try:
            proposals.append(next(search))
        except StopIteration as end:
            return proposals, end.value


def run(search, loss):
    """Drive a search as a study does: results whenever it asks for them."""
    tried, answer, asked = [], None, []
    while True:
        try:
            proposal = search.send(answer)
        except StopIteration as end:
            return tried, asked, end.value
        answer = None
        if proposal is None:
            answer = sorted((Tried(h) for h in tried), key=lambda t: loss(t.hyperparameters))
            asked.append(len(tried))
        else:
            tried.append(proposal)


@pytest.mark.parametrize(("space", "n"), [(PLANE, 5), (CUBE, 5)])
def test_a_grid_tries_n_values_of_each_and_random_as_many_as_trials(space, n):
    points, reason = finish(grid(space, n))
    trials = n ** len(space)
    assert len(points) == trials == len({tuple(p.values()) for p in points})
    assert reason == f"the grid has {trials} points: all are tried"
    for name in space:
        assert len({point[name] for point in points}) == n
        assert len({point[name] for point in random(space, trials, 0)}) == trials


def test_the_nth_draw_depends_on_the_seed_and_n_alone():
    long, short = list(random(CUBE, 50, 3)), list(random(CUBE, 20, 3))
    assert long[:20] == short
    assert list(random(CUBE, 20, 4)) != short


def test_a_generator_serves_as_seed():
    first = list(random(CUBE, 5, np.random.default_rng(1)))
    assert first == list(random(CUBE, 5, np.random.default_rng(1)))
    assert first != list(random(CUBE, 5, np.random.default_rng(2)))


@settings(max_examples=25)
@given(seed=st.integers(0, 1000))
def test_a_small_space_is_exhausted_without_repeats(seed):
    space = Space.parse(["layers=choice:2,3,4", "units=int:1:3", "extra=int:0:1 if layers>=4"])
    points, reason = finish(random(space, 100, seed))
    assert len(points) == 12 == len({str(point) for point in points})
    assert reason == "the space holds only 12 combinations: all are tried"


def test_unequally_likely_values_are_all_found():
    points, _ = finish(random(Space(n=Integer(1, 300, log=True)), 1000, 0))
    assert sorted(point["n"] for point in points) == list(range(1, 301))


def test_the_fine_round_lies_in_the_box_around_the_best():
    space = Space(x=Linear(0, 1), optimizer=Choice("a", "b", "c"))
    tried, asked, reason = run(coarse_to_fine(space, 2, 60, 4, 0), lambda h: abs(h["x"] - 0.3))
    assert asked == [30] and len(tried) == 60 and reason is None
    best = sorted(tried[:30], key=lambda h: abs(h["x"] - 0.3))[:4]
    box = space.around(best)
    assert box["x"].high - box["x"].low < 0.5
    assert all(box["x"].contains(h["x"]) for h in tried[30:])
    assert {h["optimizer"] for h in tried[30:]} <= {h["optimizer"] for h in best}


@pytest.mark.parametrize("keep", [1, 2, 5])
def test_every_finer_round_fills_the_box_around_the_keep_best_clipped_to_the_space_alone(keep):
    """Not to the last box, and around neither one more nor one less of the best."""
    space = Space(x=Linear(0, 1))

    def loss(h):
        return abs(h["x"] - 0.3)

    tried, asked, _ = run(coarse_to_fine(space, 3, 300, keep, 1), loss)
    assert asked == [100, 200]
    for end in asked:
        box = space.around(sorted(tried[:end], key=loss)[:keep])["x"]
        fine = [h["x"] for h in tried[end : end + 100]]
        room = 0.05 * (box.high - box.low)
        assert box.low <= min(fine) < box.low + room
        assert box.high - room < max(fine) <= box.high


@given(seed=st.integers(0, 1000))
@settings(max_examples=10)
def test_neighbouring_seeds_share_no_draw(seed):
    one, other = ({h["a"] for h in random(CUBE, 30, s)} for s in (seed, seed + 1))
    assert not one & other


def test_no_two_numbers_of_a_study_have_the_same_draw():
    """Each has its own, whatever was drawn before: so a study that was killed goes on alike."""
    draws = [unseen(CUBE, 3, number, set()) for number in range(40)]
    assert len({draw["a"] for draw in draws}) == 40


@pytest.mark.parametrize("dimensions", [1, 2, 3, 4])
def test_quasi_random_steps_solve_the_equation_of_their_own_dimension(dimensions):
    space = Space(**{name: Linear(0, 1) for name in "abcd"[:dimensions]})
    points = np.array([[*h.values()] for h in quasi_random(space, 20, 2)])
    steps = np.diff(points, axis=0) % 1
    phi = 1 / steps[0, 0]
    assert phi ** (dimensions + 1) == pytest.approx(phi + 1)
    assert steps == pytest.approx(np.tile(phi ** -np.arange(1.0, dimensions + 1), (19, 1)))


def test_the_coarse_round_is_a_random_search():
    tried, _, _ = run(coarse_to_fine(CUBE, 3, 31, 2, 5), lambda h: h["a"])
    assert tried[:11] == list(random(CUBE, 11, 5))


def test_rounds_share_the_trials():
    _, asked, _ = run(coarse_to_fine(CUBE, 3, 11, 2, 0), lambda h: h["a"])
    assert asked == [4, 8]


def test_without_a_result_the_fine_round_stays_coarse():
    search = coarse_to_fine(CUBE, 2, 4, 1, 0)
    first = [next(search), next(search)]
    assert next(search) is None
    assert [*first, search.send([]), next(search)] == list(random(CUBE, 4, 0))


def test_an_exhausted_box_ends_the_search_with_the_reason():
    tried, _, reason = run(coarse_to_fine(Space(n=Integer(1, 4)), 2, 100, 1, 0), lambda h: h["n"])
    assert sorted(h["n"] for h in tried) == [1, 2, 3, 4]
    assert reason == "the box around the best holds nothing new after 4 trials"


@given(trials=st.integers(1, 200))
def test_the_largest_grid_fits_the_budget_and_no_axis_can_grow(trials):
    space = Space.parse(["a=log:1e-4:1", "b=int:1:3", "c=choice:x,y", "d=linear:0:1 if c=y"])
    points = largest_grid(space, trials)
    count = len(list(grid(space, points)))
    assert count <= trials
    for name, scale in space.items():
        finer = {**points, name: points[name] + 1}
        full = len(scale.grid(points[name] + 1)) == points[name]
        assert full or len(list(grid(space, finer))) > trials


def test_earlier_axes_of_the_largest_grid_are_finer():
    assert largest_grid(CUBE, 30) == {"a": 3, "b": 3, "c": 3}
    assert largest_grid(CUBE, 20) == {"a": 3, "b": 3, "c": 2}


@pytest.mark.parametrize(
    "search",
    [
        lambda: grid(PLANE, 0),
        lambda: random(PLANE, 0, 0),
        lambda: random(PLANE, 3, -1),
        lambda: coarse_to_fine(PLANE, 0, 5, 1),
        lambda: coarse_to_fine(PLANE, 3, 2, 1),
        lambda: coarse_to_fine(PLANE, 2, 4, 0),
    ],
)
def test_an_empty_budget_is_refused(search):
    with pytest.raises(ValueError, match="must be a whole number at least"):
        next(search())


def test_quasi_random_points_fill_the_space_more_evenly_than_random_ones():
    square = Space(x=Linear(0, 1), y=Linear(0, 1))

    def discrepancy(search):
        points = [[chosen["x"], chosen["y"]] for chosen in search(square, 200, 5)]
        return qmc.discrepancy(points)

    assert discrepancy(quasi_random) < 0.2 * discrepancy(random)


def test_quasi_random_follows_the_golden_ratio_in_one_dimension():
    line = [chosen["x"] for chosen in quasi_random(Space(x=Linear(0, 1)), 50, 1)]
    steps = np.diff(line) % 1
    assert steps == pytest.approx((5**0.5 - 1) / 2)


def test_quasi_random_goes_on_where_it_was_and_differs_by_seed():
    few, many = (list(quasi_random(CUBE, n, 3)) for n in (10, 30))
    assert many[:10] == few and list(quasi_random(CUBE, 10, 4)) != few


def test_quasi_random_exhausts_a_small_space_without_repeats_and_says_so():
    found, reason = finish(quasi_random(Space(a=Integer(1, 3), b=Choice("x", "y")), 50, 0))
    assert reason == "the space holds only 6 combinations: all are tried"
    assert len({repr(chosen) for chosen in found}) == len(found) == 6
