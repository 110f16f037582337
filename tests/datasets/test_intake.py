"""Whatever users hold their data in: what is taken, what is made of it, what is refused."""

from collections import namedtuple

import numpy as np
import pytest

from tfcourse import datasets
from tfcourse._checks import InputError
from tfcourse.datasets import take
from tfcourse.datasets.intake import leaves

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 3))
Y = np.arange(20) % 2


def test_arrays_are_taken_as_they_are_and_a_fifth_is_cut_off_by_class():
    found = take((X, Y))
    assert (found.count("train"), found.count("validation"), found.count("test")) == (16, 4, 0)
    assert found.x["train"].dtype == X.dtype and found.y["train"].dtype == Y.dtype
    assert np.bincount(found.y["validation"]).tolist() == [2, 2]
    rows = {tuple(row) for part in found.x.values() for row in part.tolist()}
    assert rows == set(map(tuple, X.tolist()))
    for part in found.x:
        for x, y in zip(found.x[part], found.y[part], strict=True):
            assert Y[np.flatnonzero((x == X).all(axis=1))] == y


@pytest.mark.parametrize(
    "y",
    [
        Y.astype(np.uint8),
        Y.astype(bool),
        np.eye(2)[Y],
        X[:, 0].astype(np.float32),
        Y[:, None],
        X,
        {"a": Y, "b": X[:, 0]},
    ],
    ids=["uint8", "bool", "one-hot", "float", "column", "many", "dict"],
)
def test_labels_keep_their_type_and_shape(y):
    found = take((X, y), validation_split=0.25)
    for (path, made), (_, given) in zip(leaves(found.y["train"]), leaves(y), strict=True):
        assert (made.dtype, made.shape[1:]) == (given.dtype, given.shape[1:]), path
    assert found.count("validation") == 5 and found.class_names is None


def test_texts_become_class_numbers_in_alphabetical_order():
    found = take((X, np.array(["no", "yes"])[Y]))
    assert found.class_names == ("no", "yes") and set(found.y["train"]) == {0, 1}
    assert found.y["train"].dtype == np.int64


def test_weights_go_with_their_examples():
    found = take((X, Y, X[:, 0] ** 2))
    assert found.weight["train"] == pytest.approx(found.x["train"][:, 0] ** 2)
    assert found.weight["validation"] == pytest.approx(found.x["validation"][:, 0] ** 2)
    assert take((X, Y)).weight["train"] is None


def test_several_inputs_are_cut_together():
    x = {"numbers": X, "words": [np.arange(20), {"deep": np.arange(20)[:, None]}]}
    found = take((x, Y)).x["validation"]
    assert found["words"][0].tolist() == found["words"][1]["deep"][:, 0].tolist()
    assert np.array_equal(X[found["words"][0]], found["numbers"])


def test_parts_are_taken_by_name():
    parts = {"train": (X, Y), "val": (X[:4], Y[:4]), "test": (X[:6], Y[:6], np.ones(6))}
    found = take(parts)
    assert [found.count(part) for part in ("train", "validation", "test")] == [20, 4, 6]
    with_validation = take((X, Y), validation_data=(X[:7], Y[:7]))
    assert (with_validation.count("train"), with_validation.count("validation")) == (20, 7)


def test_a_named_data_set_keeps_its_parts():
    digits = datasets.load("digits")
    found = take("digits")
    assert (
        np.array_equal(found.x["test"], digits.x_test) and found.class_names == digits.class_names
    )
    assert take(digits).fingerprint == found.fingerprint != take((X, Y)).fingerprint


def test_the_fingerprint_tells_data_apart():
    other = Y.copy()
    other[0] = 1
    prints = {take((X, Y)).fingerprint, take((X, other)).fingerprint}
    prints |= {take((X.astype(np.float32), Y)).fingerprint, take((X, Y, np.ones(20))).fingerprint}
    assert len(prints) == 4 and take((X.copy(), Y.copy())).fingerprint in prints


def test_a_finite_tf_dataset_is_drained():
    tf = pytest.importorskip("tensorflow")
    made = tf.data.Dataset.from_tensor_slices(({"a": X, "b": Y}, Y)).batch(6)
    found = take(made, validation_data=made.take(1))
    assert np.array_equal(found.x["train"]["a"], X) and np.array_equal(found.y["train"], Y)
    assert found.count("validation") == 6
    with pytest.raises(ValueError, match="must be finite, got one that repeats"):
        take(made.repeat())
    with pytest.raises(ValueError, match=r"got single examples: use .batch\(32\)"):
        take(made.unbatch())


def test_a_data_frame_of_numbers_and_categories():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"size": X[:, 0], "kind": ["a", "b"] * 10, "gone": [1.0, None] * 10, "on": Y > 0, "y": Y}
    )
    frame["kind"] = frame["kind"].astype("category")
    found = take(frame, target="y")
    assert found.x["train"].shape == (16, 6) and found.x["train"].dtype == np.float32
    assert len(found.notes) == 2 and "kind (2)" in found.notes[0] and "gone" in found.notes[1]
    pair = take((frame.drop(columns="y"), frame["y"]))
    assert np.array_equal(pair.x["train"], found.x["train"])
    assert np.array_equal(pair.y["train"], found.y["train"])


CSV = """size,kind,rooms,price
1.5,house,3,100.5
2.5,flat,,200
3.5,house,4,300
4.5,,5,400
5.5,boat,6,500
"""


def test_a_csv_file_of_numbers_and_categories(tmp_path):
    path = tmp_path / "houses.csv"
    path.write_text(CSV)
    found = take(path, target="price", validation_split=0.2)
    assert found.y["train"].dtype == np.float64 and found.count("validation") == 1
    whole = np.concatenate([found.x["train"], found.x["validation"]])
    whole = whole[np.argsort(whole[:, 0])]
    assert whole[:, 0] == pytest.approx([1.5, 2.5, 3.5, 4.5, 5.5])
    assert whole[:, -1].tolist() == [0, 1, 0, 0, 0]  # where rooms are missing
    known = found.x["train"][found.x["train"][:, -1] == 0, -2]
    assert whole[1, -2] == pytest.approx(known.mean())  # of the training examples alone
    assert whole[3, 1:-2].tolist() == [0] * (whole.shape[1] - 3)  # no kind, so none of the columns


def test_a_category_that_only_the_validation_examples_have_is_none_of_the_columns():
    pandas = pytest.importorskip("pandas")
    train = pandas.DataFrame({"kind": ["a", "b"] * 5})
    new = pandas.DataFrame({"kind": ["c", "a"]})
    found = take({"train": (train, Y[:10]), "validation": (new, Y[:2])})
    assert found.x["validation"].tolist() == [[0, 0], [1, 0]]


def test_a_csv_file_of_classes(tmp_path):
    path = tmp_path / "flowers.csv"
    path.write_text("\ufeffa,b\n1,red\n2,blue\n3,red\n4,blue\n")
    found = take(str(path), target="b", validation_split=0.5)
    assert found.class_names == ("blue", "red") and found.name == "flowers.csv"


def test_a_folder_of_pictures_of_many_sizes(tmp_path):
    from PIL import Image

    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for i in range(6):
            picture = Image.new("L", (10 + i, 20 + i), 40 * i)
            picture.save(tmp_path / "pets" / label / f"{i}.png")
    found = take(tmp_path / "pets", image_size=(8, 6))
    assert found.x["train"].shape[1:] == (8, 6) and found.class_names == ("cat", "dog")
    assert found.x["train"].max() == pytest.approx(200 / 255) or found.x["train"].max() < 1
    with pytest.raises(ValueError, match="image_size brings them to one"):
        take(tmp_path / "pets")
    for size in [(8,), (8, 6, 3), 8]:
        with pytest.raises(InputError, match=r"image_size must be \(height, width\), got .*8"):
            take(tmp_path / "pets", image_size=size)
    (tmp_path / "x.csv").write_text("a,b\n1,2\n3,4\n")
    for other in (tmp_path / "x.csv", tmp_path / "pets/cat", (X, Y)):
        with pytest.raises(InputError, match="image_size must go with a folder"):
            take(other, image_size=(8, 6))


def test_where_data_comes_from_is_what_loads_it_again(tmp_path, monkeypatch):
    from PIL import Image

    for name in "ab":
        (tmp_path / "digits" / name).mkdir(parents=True)
        for i in range(6):
            Image.new("L", (3, 2), 40 * i).save(tmp_path / "digits" / name / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    assert take("digits").source == "digits" and take("digits").count("test") == 360
    assert take("digits", image_size=(2, 3)).source == str(tmp_path / "digits")
    monkeypatch.chdir(tmp_path / "digits")
    for found in (take("."), take(".", image_size=(2, 3))):
        assert (found.name, found.source) == ("digits", str(tmp_path / "digits"))


def test_named_tuples_are_inputs_like_any_others():
    pair = namedtuple("pair", ("one", "two"))
    found = take((pair(X, Y), Y)).x["train"]
    assert found[0].shape == (16, 3) and found[1].shape == (16,)


ODD = RNG.normal(size=(20, 3))
ODD[3, 1] = np.nan


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: take(X), r"must be a data set's name, .* got ndarray of shape \(20, 3\)"),
        (lambda: take([X, Y]), "got list of 2"),
        (lambda: take((X,)), "got tuple of 1"),
        (
            lambda: take((X, Y), validation_data="digits"),
            r"^validation data must be \(x, y\), \(x, y, sample_weight\) or a .* got str",
        ),
        (lambda: take(None), "got NoneType"),
        (lambda: take((X, None)), "got no y"),
        (lambda: take((X, {"a": None})), "y_train must hold an array, got dict of 1"),
        (lambda: take(({}, Y)), "x_train must hold an array, got dict of 0"),
        (lambda: take((X, Y[:19])), "as many examples, got x_train 20, y_train 19"),
        (lambda: take((X, Y, np.ones(3))), "weights of train 3"),
        (lambda: take((X, Y, -np.ones(20))), "at least 0"),
        (lambda: take((X, Y, ["a"] * 20)), "weights of train must hold numbers, got texts"),
        (lambda: take((ODD, Y)), "x_train must hold finite numbers, got 1 NaN or infinite"),
        (lambda: take((X, ODD[:, 1])), "y_train must hold finite numbers, got 1"),
        (lambda: take((X, np.array(["a", None] * 10))), "of other things"),
        (lambda: take((X, np.array([1, None] * 10))), "y_train must hold finite numbers, got 10"),
        (lambda: take((np.array(["a"] * 20), Y)), "got texts: turn them into numbers"),
        (lambda: take((X[:0], Y[:0])), r"must hold examples, got an array of shape \(0, 3\)"),
        (lambda: take(([1, [2, 3]], Y)), "a list of lists must hold as many in each"),
        (
            lambda: take({"a": X, "b": Y}),
            "must have the parts train, validation and test, got a, b",
        ),
        (
            lambda: take({"train": (X, Y), "val": (X, Y), "validation": (X, Y)}),
            "the parts train, validation and test, got train, val, validation;",
        ),
        (lambda: take({"train": (X, Y), "test": (X[:, :2], Y)}), "test must be shaped as train"),
        (lambda: take((X, Y), validation_split=1.5), "below 1, got 1.5"),
        (lambda: take((X, Y), validation_split=0.01), "an example in each part, got 0.01 of 20"),
        (lambda: take((X, Y), validation_split=0.1, validation_data=(X, Y)), "either"),
        (lambda: take("digits", validation_split=0.1), "must be left out"),
        (lambda: take((X, Y), target="y"), "target must go with a CSV file or a data frame"),
        (lambda: take("digits", image_size=(8, 8)), "there is no file or folder|must go with"),
        (
            lambda: take({"train": (X, np.full(20, "a")), "test": (X, np.full(20, "b"))}),
            "y_test holds the label 'b', which no training example has",
        ),
    ],
)
def test_what_cannot_be_trained_on_is_refused_in_one_short_line(make, says):
    with pytest.raises((ValueError, TypeError, OSError), match=says) as caught:
        make()
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must have a line of different column names"),
        ("a,b\n1,2\n", "got 1 lines"),
        ("a,a\n1,2\n3,4\n", "different column names"),
        ("a,price\n1,2\n3\n", "must have 2 values on each line, got 1 on line 3"),
        ("a,price\n\n1,2\n3\n", "got 1 on line 4"),
        ("a,b\n1,2\n3,4\n", "target must be one of a, b, got 'price'"),
        ("a,price\n1,\n3,4\n", "has no value of price on 1 lines"),
        ("price\n1\n2\n", "must have columns beside price"),
        ('a,price\n"1,2\n3,4\n', "is no CSV file"),
        ("a,price\ninf,2\n3,4\n5,6\n", "column a must hold finite numbers"),
    ],
)
def test_csv_files_that_cannot_be_read_as_a_table(tmp_path, text, says):
    path = tmp_path / "data.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=says) as caught:
        take(path, target="price")
    assert "\n" not in str(caught.value)


def test_a_csv_file_needs_a_target_and_names_what_there_is(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(CSV)
    with pytest.raises(ValueError, match="one of size, kind, rooms, price; got none"):
        take(path)
    path.write_bytes(b"a,b\n\xff\xfe,1\n2,3\n")
    with pytest.raises(ValueError, match="is no CSV file in UTF-8"):
        take(path, target="b")


@pytest.mark.parametrize("y", [X[:, 0], np.arange(len(X)) % 2], ids=["numbers", "classes"])
def test_a_split_is_decided_by_its_seed(y):
    one, same, other = (take((X, y), seed=seed) for seed in (0, 0, 1))
    assert one.fingerprint == same.fingerprint != other.fingerprint


FRAME = {name: X[:, i] for i, name in enumerate("abc")}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda x: take((x, ODD[:, 1])), "y_train must hold finite numbers, got 1 NaN"),
        (lambda x: take(x.assign(y=ODD[:, 1]), target="y"), "y_train must hold finite numbers"),
        (lambda x: take((x, Y[:19])), r"as many examples, got x_train\['a'\] 20, y_train 19"),
        (lambda x: take((x, np.arange(30) % 2)), r"as many examples, got x_train\['a'\] 20"),
        (lambda x: take((x, Y, np.ones(3))), "weights of train 3"),
        (lambda x: take((x, Y, -np.ones(20))), "at least 0"),
        (lambda x: take((x, Y + 1j)), "y_train must hold numbers, got values of type complex128"),
        (lambda x: take((x.assign(a=None), Y)), "column a must hold numbers or .* got 0: leave"),
        (lambda x: take((x[:0], Y[:0])), "must hold examples, got an array of shape"),
        (
            lambda x: take((x.set_axis(["a", "b", "a"], axis=1), Y)),
            "must have different column names, got a, b, a",
        ),
        (lambda x: take((x * 1e300, Y)), "column a must hold finite numbers"),
        (
            lambda x: take({"train": (x, Y), "test": (x.assign(b=np.inf), Y)}),
            "column b must hold finite numbers",
        ),
        (
            lambda x: take({"train": (x, Y), "test": (x.assign(b="?"), Y)}),
            "column b must hold numbers in every part, got texts in one",
        ),
        (lambda x: take({"train": (x, Y), "test": (X, Y)}), "data frame in every part or in none"),
        (lambda x: take((X, Y), validation_data=(x, Y)), "data frame in every part or in none"),
    ],
)
def test_a_data_frame_is_checked_as_arrays_are(make, says):
    frame = pytest.importorskip("pandas").DataFrame(FRAME)
    with pytest.raises(InputError, match=says) as caught:
        make(frame)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def masked(array):
    return np.ma.masked_array(array, mask=np.arange(array.size).reshape(array.shape) == 3)


@pytest.mark.parametrize("place", range(3))
def test_masked_entries_are_refused_and_a_mask_without_any_is_not(place):
    whole = [np.ones((10, 3)), np.arange(10) % 2, np.ones(10)]
    hidden = [masked(array) if i == place else array for i, array in enumerate(whole)]
    with pytest.raises(InputError, match="must have no masked entries, got 1: fill them"):
        take(tuple(hidden))
    assert take(tuple(map(np.ma.masked_array, whole))).count("train") == 8


def test_big_endian_arrays_become_the_machine_s_own():
    x, y = np.arange(30.0).reshape(10, 3), np.arange(10) % 2
    native, swapped = take((x, y)), take((x.astype(">f8"), y.astype(">i8")))
    assert swapped.x["train"].dtype.isnative and swapped.y["train"].dtype.isnative
    assert swapped.fingerprint == native.fingerprint
