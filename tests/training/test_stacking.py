import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.training.stacking import Rows, mix, random_bits

SHAPES = st.lists(st.lists(st.integers(1, 4), max_size=3).map(tuple), max_size=4).map(tuple)


@given(shapes=SHAPES, seed=st.integers(0, 1000))
def test_what_is_packed_comes_back(shapes, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    rows = Rows(shapes)
    for out, array in zip(rows.unpack(rows.pack(arrays, "float32"), shapes), arrays, strict=True):
        np.testing.assert_array_equal(out, array)


def test_padding_is_zero_and_cut_off_again():
    rows = Rows(((2, 3), (3,)))
    small = [np.ones((1, 2), np.float32), np.full(2, 5, np.float32)]
    row = rows.pack(small, "float32")
    np.testing.assert_array_equal(row, [1, 1, 0, 0, 0, 0, 5, 5, 0])
    for out, array in zip(rows.unpack(row, [(1, 2), (2,)]), small, strict=True):
        np.testing.assert_array_equal(out, array)


def test_splitting_rows_of_many_models_is_packing_undone():
    rows = Rows(((2, 3), (), (4,)))
    models = [
        [np.full((2, 3), k, np.float32), np.float32(-k), np.arange(4, dtype=np.float32) * k]
        for k in range(3)
    ]
    flat = tf.constant(np.stack([rows.pack(arrays, "float32") for arrays in models]))
    split = rows.split(flat)
    for place, arrays in enumerate(zip(*models, strict=True)):
        np.testing.assert_array_equal(split[place], np.stack(arrays))
    np.testing.assert_array_equal(rows.join(split, 3, tf.float32), flat)


def test_mixing_is_murmurs_finalizer():
    # The reference implementation's fmix32 of these numbers.
    assert [hex(n) for n in mix(tf.constant([0, 1, 2**32 - 1], tf.uint32)).numpy()] == [
        "0x0",
        "0x514e28b7",
        "0x81f16f39",
    ]


def test_bits_are_uniform_and_of_no_visible_order():
    bits = random_bits(tf.constant(7, tf.uint32), (64, 64)).numpy() / 2**32
    counts = np.histogram(bits, bins=16, range=(0, 1))[0]
    assert np.sum((counts - 256) ** 2 / 256) < 37.7  # χ², 15 degrees of freedom, 0.1%
    other = random_bits(tf.constant(8, tf.uint32), (64, 64)).numpy() / 2**32
    for a, b in ((bits[:, 1:], bits[:, :-1]), (bits[1:], bits[:-1]), (bits, other)):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.06


@pytest.mark.parametrize("shape", [(3, 5), (2, 4), (3, 1)])
def test_bits_depend_on_key_and_place_not_on_the_shape_around(shape):
    key = tf.constant(3, tf.uint32)
    whole = random_bits(key, (3, 5)).numpy()
    np.testing.assert_array_equal(random_bits(key, shape), whole[: shape[0], : shape[1]])
