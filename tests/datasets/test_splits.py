import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.datasets import stratified


@given(
    counts=st.lists(st.integers(1, 60), min_size=2, max_size=8),
    tenths=st.lists(st.integers(0, 4), min_size=1, max_size=2),
    seed=st.integers(0, 3),
)
def test_parts_have_the_size_asked_for_and_every_class_its_share(counts, tenths, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    sizes = [len(labels) * tenth // 10 for tenth in tenths]
    if sum(sizes) > len(labels) - len(counts):
        return
    train, *parts = stratified(labels, sizes, seed)
    assert [len(part) for part in parts] == sizes
    assert sorted(np.concatenate([train, *parts])) == list(range(len(labels)))
    assert set(labels[train]) == set(labels)
    for part in parts:
        assert (np.diff(part) > 0).all()
        # One seat moves where a small class has to keep its last example for training.
        if min(counts) > 10:
            exact = np.array(counts) * len(part) / len(labels)
            assert np.abs(np.bincount(labels[part], minlength=len(counts)) - exact).max() < 1


@given(
    counts=st.lists(st.integers(10, 60), min_size=2, max_size=8),
    size=st.integers(0, 50),
    seed=st.integers(0, 3),
)
def test_seats_that_are_left_go_to_the_classes_that_lack_most_of_one(counts, size, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    size = min(size, len(labels) // 2)  # so that every class has more examples than seats
    _, part = stratified(labels, [size], seed)
    seats = np.bincount(labels[part], minlength=len(counts))
    whole, lack = np.divmod(np.array(counts) * size, len(labels))
    more = seats - whole
    assert set(more) <= {0, 1}
    if 0 < more.sum() < len(counts):
        assert lack[more == 1].min() >= lack[more == 0].max()


def test_known_cut_on_every_version_of_numpy():
    train, test = stratified(np.array([0, 1] * 6), [4])
    assert test.tolist() == [2, 3, 8, 11]
    assert train.tolist() == [0, 1, 4, 5, 6, 7, 9, 10]


def test_a_seed_gives_its_own_cut():
    labels = np.arange(200) % 2
    first, again, other = (stratified(labels, [20], seed)[1] for seed in (0, 0, 1))
    assert (first == again).all()
    assert not np.array_equal(first, other)


def test_the_last_example_of_a_class_stays_for_training():
    labels = np.array([0] * 10 + [1])
    train, validation, test = stratified(labels, [5, 4])
    assert labels[train].tolist() == [0, 1]
    assert len(validation) == 5 and len(test) == 4


def test_too_few_examples_are_refused_with_the_figures():
    with pytest.raises(ValueError, match="4 examples are too few: each of 2 classes"):
        stratified(np.array([0, 0, 1, 1]), [2, 1])


@pytest.mark.parametrize(("sizes", "seed"), [([-1], 0), ([1.5], 0), ([1], -1), ([1], None)])
def test_sizes_and_seeds_are_whole_numbers(sizes, seed):
    with pytest.raises((ValueError, TypeError), match="whole number"):
        stratified(np.array([0, 0, 1, 1]), sizes, seed)
