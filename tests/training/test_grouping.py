from hypothesis import given
from hypothesis import strategies as st

from tfcourse.training.grouping import by_units, cut, groups, power_of_two, widths, with_widths


def members(found):
    return [group.members for group in found]


def test_numbers_of_their_own_do_not_part_trials():
    trials = [
        {"learning_rate": 0.1, "beta_1": 0.9, "decay": 0.1},
        {"learning_rate": 0.2, "momentum": 0.5, "epsilon": 1e-3, "beta_2": 0.9},
        {},
    ]
    assert members(groups(trials)) == [(0, 1, 2)]


def test_what_shapes_the_program_parts_trials():
    base = {"layers": 2, "activation": "relu", "batch_size": 64, "optimizer": "adam"}
    for change in (
        {"layers": 3},
        {"activation": "tanh"},
        {"batch_size": 32},
        {"optimizer": "momentum"},
        {"dropout": 0.1},
        {"a_name_of_the_users_own": [1, 2]},
    ):
        assert members(groups([base, base | change, base])) == [(0, 2), (1,)]


def test_defaults_are_the_same_said_or_unsaid():
    assert len(groups([{}, {"batch_size": 64, "optimizer": "adam", "dropout": 0.0}])) == 1
    assert len(groups([{"dropout": 0.1}, {"dropout": 0.3}])) == 1


def test_units_share_a_program_as_wide_as_the_widest():
    trials = [{"units": 50}, {"units": 100}, {"units": 77}]
    (group,) = groups(trials)
    assert group.members == (0, 1, 2)
    assert group.pattern["units"] == 100
    assert group.padded
    assert members(by_units(trials, group)) == [(0,), (1,), (2,)]
    assert not any(part.padded for part in by_units(trials, group))


def test_much_narrower_models_are_not_padded():
    trials = [{"units": units} for units in (8, 500, 10, 400)]
    assert members(groups(trials)) == [(0, 2), (1, 3)]
    assert [group.pattern["units"] for group in groups(trials)] == [10, 500]


def test_units_by_layer_each_have_a_place():
    trials = [{"units_1": 10, "units_2": 30}, {"units_1": 20, "units_2": 20}]
    (group,) = groups(trials)
    assert (group.pattern["units_1"], group.pattern["units_2"]) == (20, 30)
    (group,) = groups([{"units": (10, 30)}, {"units": (20, 20)}])
    assert group.pattern["units"] == (20, 30)
    assert len(groups([{"units": (10, 30)}, {"units": 20}])) == 2


def test_equal_keys_mean_equal_programs():
    (narrow,) = groups([{"units": 60}, {"units": 100}])
    (other,) = groups([{"units": 100}, {"units": 99, "learning_rate": 3.0}])
    (alone,) = groups([{"units": 100}])
    assert narrow.key == other.key
    assert narrow.key != alone.key  # nothing to pad: another, faster program


@given(st.lists(st.integers(1, 200), min_size=1, max_size=4))
def test_widths_survive_the_way_into_a_trial_and_back(units):
    trial = {"units": tuple(units), "units_7": 3}
    changed = {place: size + 1 for place, size in widths(trial).items()}
    assert widths(with_widths(trial, changed)) == changed


@given(count=st.integers(1, 300), size=st.integers(1, 64), threads=st.integers(1, 8))
def test_chunks_hold_everyone_once_and_are_of_one_size(count, size, threads):
    chunks = cut(range(count), size, threads)
    assert [index for chunk in chunks for index in chunk] == list(range(count))
    lengths = [len(chunk) for chunk in chunks]
    assert max(lengths) <= size
    assert max(lengths) - min(lengths) <= 1
    assert min(lengths) >= 1
    assert len(chunks) % threads == 0 or len(chunks) == count


@given(st.integers(1, 10**6))
def test_powers_of_two_bound_a_number(least):
    found = power_of_two(least)
    assert found & (found - 1) == 0
    assert least <= found < 2 * least or least == 1
