import numpy as np
import pytest

from tfcourse.datasets import from_arrays

X = np.random.default_rng(0).random((40, 3), np.float32)
Y = np.arange(40) % 4


def refused(parts, **options):
    with pytest.raises(ValueError) as caught:
        from_arrays("mine", parts, **options)
    message = str(caught.value)
    assert "\n" not in message and "'mine'" in message
    return message


def test_training_part_alone_is_cut_80_10_10():
    data = from_arrays("mine", {"train": (X, Y)})
    assert [len(y) for y in (data.y_train, data.y_validation, data.y_test)] == [32, 4, 4]
    assert np.bincount(data.y_train).tolist() == [8, 8, 8, 8]
    assert (
        np.sort(np.concatenate([data.x_train, data.x_validation, data.x_test]), 0) == np.sort(X, 0)
    ).all()
    assert data.class_names == ("0", "1", "2", "3")


def test_test_part_alone_is_cut_the_same_way():
    one, other = (from_arrays("mine", {part: (X, Y)}) for part in ("train", "test"))
    assert one.fingerprint == other.fingerprint


def test_only_the_part_that_lacks_is_cut():
    data = from_arrays("mine", {"train": (X, Y), "test": (X[:8], Y[:8])})
    assert (len(data.x_train), len(data.x_validation)) == (36, 4)
    assert (data.x_test == X[:8]).all()
    data = from_arrays("mine", {"train": (X, Y), "validation": (X[:8], Y[:8])})
    assert (len(data.x_train), len(data.x_test)) == (36, 4)
    assert (data.y_validation == Y[:8]).all()


def test_examples_keep_their_labels_and_their_order():
    data = from_arrays("mine", {"train": (np.stack([np.arange(40), Y], axis=1), Y)})
    for x, y in [(data.x_train, data.y_train), (data.x_validation, data.y_validation)]:
        assert (x[:, 1] == y).all()
        assert (np.diff(x[:, 0]) > 0).all()


def test_uint8_is_scaled_and_the_rest_taken_as_it_is():
    pixels = np.arange(40, dtype=np.uint8).reshape(40, 1)
    data = from_arrays("mine", {"train": (pixels, Y), "test": (pixels, Y)})
    assert (data.x_test == pixels.astype(np.float32) / np.float32(255)).all()
    data = from_arrays("mine", {"train": (pixels, Y), "test": (pixels, Y)}, white=39)
    assert data.x_test.max() == 1
    for dtype in (np.int64, np.float64, np.float16, bool, ">f4"):
        x = pixels.astype(dtype)
        data = from_arrays("mine", {"train": (x, Y), "test": (x, Y)})
        assert data.x_test.dtype == np.float32
        assert (data.x_test == x).all()


def test_the_callers_arrays_are_left_alone():
    x, y = X.copy(), Y.copy()
    data = from_arrays("mine", dict.fromkeys(("train", "validation", "test"), (x, y)))
    x[:] = 0
    y[:] = 0
    assert (data.x_train == X).all() and (data.y_train == Y).all()


@pytest.mark.parametrize("shape", [(40,), (40, 1), (1, 40)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, ">i4"])
def test_labels_of_any_usual_shape_and_type(shape, dtype):
    data = from_arrays("mine", {"train": (X, Y.reshape(shape).astype(dtype))})
    assert data.y_train.dtype == np.int64 and data.y_train.shape == (32,)
    assert data.fingerprint == from_arrays("mine", {"train": (X, Y)}).fingerprint


@pytest.mark.parametrize(
    ("y", "found"),
    [
        (Y[:-1], "shape (39,), expected a label for each of 40 examples"),
        (np.eye(4)[Y], "argmax(axis=1)"),
        (Y.reshape(2, 20, 1), "shape (2, 20, 1)"),
        (np.int64(3), "shape ()"),
        (Y - 1, "holds -1, expected whole numbers from 0"),
        (Y + 0.5, "holds 0.5"),
        (np.where(Y == 3, np.nan, Y), "holds nan"),
        (np.where(Y == 3, np.inf, Y), "holds inf"),
        (np.where(Y == 3, 2**63 - 1, Y), "holds 9223372036854775807"),
        (np.where(Y == 3, 2**64 - 1, Y.astype(np.uint64)), "holds 18446744073709551615"),
        (Y.astype(str), "type <U21, expected whole numbers"),
        (Y.astype(object), "type object"),
        (Y + 0j, "type complex128"),
        (Y * 0, "single class, 0, expected two or more"),
        (Y + 1, "no example of class 0"),
        (np.where(Y == 2, 3, Y), "no example of class 2"),
        (np.where(Y == 3, 999_999, Y), "no example of class 3"),
    ],
)
def test_labels_that_are_none(y, found):
    assert found in refused({"train": (X, y)})


@pytest.mark.parametrize(
    ("x", "found"),
    [
        (X[:0], "empty"),
        (X[:, :0], "empty"),
        (X[:, 0], "shape (40,), expected (examples, features)"),
        (X.reshape(40, 3, 1, 1, 1), "shape (40, 3, 1, 1, 1)"),
        (np.float32(1), "shape ()"),
        (np.where(X > 0.5, np.nan, X), "values that are NaN or infinite"),
        (np.where(X > 0.5, -np.inf, X), "values that are NaN or infinite"),
        (X.astype(np.float64) * 1e39, "values that are NaN or infinite in float32"),
        (X + 1j, "type complex64, expected numbers"),
        (X.astype(str), "type <U32, expected numbers"),
        (X.astype(object), "type object, expected numbers"),
        (np.zeros(40, [("a", "f4")]), "expected numbers"),
    ],
)
def test_examples_that_are_none(x, found):
    assert found in refused({"train": (x, Y)})


@pytest.mark.parametrize(
    ("test", "found"),
    [
        ((X[:, :2], Y), "shape (2,) and type float32, expected (3,) and float32 as in x_train"),
        ((X.astype(np.uint8), Y), "type uint8, expected (3,) and float32"),
        ((X, Y * 3), "y_test of 'mine' holds label 9, expected 0 … 3"),
        ((X[:0], Y[:0]), "x_test of 'mine' is empty"),
    ],
)
def test_parts_that_do_not_match(test, found):
    assert found in refused({"train": (X, Y), "test": test})


def test_every_class_needs_a_training_example_and_a_name():
    assert "no example of class e" in refused({"train": (X, Y)}, class_names=tuple("abcde"))
    assert "label 3, expected 0 … 2" in refused({"train": (X, Y)}, class_names=tuple("abc"))
    assert "unprintable" in refused({"train": (X, Y)}, class_names=("a", "b", "c\n", "d"))


def test_too_few_to_split_and_too_many_to_hold():
    message = refused({"train": (X[:4], Y[:4])})
    assert "cannot be split: 4 examples are too few: each of 4 classes" in message
    many = np.broadcast_to(np.uint8(0), (10_000_001, 1))
    assert "10,000,001 examples" in refused({"train": (many, Y)})
    large = np.broadcast_to(np.uint8(0), (40, 5_000_001))
    assert "200,000,040 values" in refused({"train": (large, Y)})


@pytest.mark.parametrize("parts", [{}, {"validation": (X, Y)}, {"train": (X, Y), "dev": (X, Y)}])
def test_parts_go_by_their_names(parts):
    assert "expected train (validation, test)" in refused(parts)


@pytest.mark.parametrize("pair", [(X, Y, np.ones(40)), (X,), X, np.stack([Y, Y])])
def test_a_part_is_a_pair(pair):
    assert "train of 'mine' must be (x, y)" in refused({"train": pair})


def test_class_names_may_come_as_a_list():
    one = from_arrays("mine", {"train": (X, Y)}, class_names=tuple("abcd"))
    other = from_arrays("mine", {"train": (X, Y)}, class_names=[*"abcd"])
    assert one.class_names == other.class_names and one.fingerprint == other.fingerprint


def test_masked_entries_are_refused():
    hidden = np.ma.masked_greater(X, 0.99)
    assert "x_train of 'mine' must have no masked entries" in refused({"train": (hidden, Y)})
    labels = np.ma.masked_equal(Y, 3)
    assert "y_test of 'mine' must have no masked entries, got 10" in refused(
        {"train": (X, Y), "test": (X, labels)}
    )
    assert from_arrays("mine", {"train": (np.ma.masked_array(X), Y)}).classes == 4


def test_big_endian_arrays_are_the_same_data():
    swapped = from_arrays("mine", {"train": (X.astype(">f4"), Y.astype(">i2"))})
    assert swapped.fingerprint == from_arrays("mine", {"train": (X, Y)}).fingerprint
    assert swapped.x_train.dtype.isnative
