"""Whatever users hold their data in, as arrays by part: to train, to choose with, and to judge.

Inputs and labels stay as they are: nothing is scaled, standardized or one-hot encoded here, but for
texts among labels (they become class numbers) and tables (see `tables`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from tfcourse import _checks
from tfcourse._checks import InputError, InputTypeError
from tfcourse.datasets import images, tables
from tfcourse.datasets.arrays import PARTS, SPELLED, brief
from tfcourse.datasets.dataset import Array, Dataset, fingerprint
from tfcourse.datasets.files import MOST_VALUES, accessible
from tfcourse.datasets.loading import dataset_at, load, named
from tfcourse.datasets.splits import stratified

SPLIT = 0.2  # of the examples, to validate with, where nobody says
MOST_CLASSES = 1000  # of whole numbers, to take them for classes when examples are split
PART = "(x, y), (x, y, sample_weight) or a finite tf.data.Dataset"
WHOLE = f"a data set's name, a path, a dict with train, validation and test, {PART}"


@dataclass(frozen=True, eq=False, repr=False)
class Examples:
    """Inputs, labels and weights by part, "train", "validation" and perhaps "test".

    x, y: by part, an array with the examples first, or a dict, tuple or list of such. weight: (m,)
    or None, by part. class_names: where labels were texts, or a data set names them. notes: what
    was made of the data on the way, a sentence each.
    """

    name: str
    x: Mapping[str, Any]
    y: Mapping[str, Any]
    weight: Mapping[str, Array | None]
    class_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    source: str = "arrays"

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, in hex, of every array's place, type, shape and bytes."""
        arrays = (
            leaf
            for part in self.x
            for name in ("x", "y", "weight")
            for leaf in leaves(getattr(self, name)[part], f"{name}_{part}")
        )
        return fingerprint(self.class_names, arrays)

    def count(self, part: str) -> int:
        """How many examples a part has; 0 if there is no such part."""
        return len(next(leaves(self.y[part]))[1]) if part in self.y else 0

    @property
    def names_of_classes(self) -> tuple[str, ...]:
        """Names of the classes, numbers where they have none; empty if labels are no classes."""
        y = self.y["train"]
        if self.class_names is None and isinstance(y, np.ndarray) and y.dtype.kind in "biu":
            most = 1 + max(int(part.max()) for part in self.y.values())
            return tuple(map(str, range(most))) if most <= MOST_CLASSES else ()
        return self.class_names or ()

    def __repr__(self) -> str:
        counts = "/".join(str(self.count(part)) for part in PARTS)
        shapes = ", ".join(f"{path} {a.dtype}{a.shape[1:]}" for path, a in leaves(self.x["train"]))
        return f"Examples({self.name!r}, {shapes}, train/validation/test={counts})"


def take(
    data: Any,
    *,
    validation_data: Any = None,
    validation_split: float | None = None,
    target: str | None = None,
    image_size: tuple[int, int] | None = None,
    seed: int = 0,
) -> Examples:
    """Return the examples in `data`.

    data: a data set or its name; a path (as `load` takes it, or a CSV file with a header); (x, y)
    or (x, y, sample_weight) of arrays, data frames, nested dicts or tuples of arrays; a dict of
    such pairs by part; a finite, batched `tf.data.Dataset`.
    validation_data: a pair or tf.data.Dataset to choose with. validation_split: the share of the
    examples to choose with where there is none, 0.2 unless said otherwise; drawn at random, by
    class where labels are classes. target: the column of a CSV file or data frame to be predicted.
    image_size: (height, width) that the pictures of a folder are brought to.

    Raises: ValueError or TypeError, in a line, for what cannot be trained on; what `load` raises.

    >>> x, y = np.zeros((10, 3)), np.arange(10) % 2
    >>> tfc.datasets.take((x, y))
    Examples('arrays', x float64(3,), train/validation/test=8/2/0)
    """
    name = source = "arrays"
    names, notes = None, list[str]()
    given = data
    if image_size is not None:
        data = _pictures(data, image_size)
    elif isinstance(data, str | os.PathLike):
        path = Path(data)
        if path.suffix.lower() == ".csv":
            name, source = path.name, str(path.absolute())
            data, target = tables.read(path, target), None
        else:
            data = load(data)
    if target is not None:
        data = _with_target(data, target)
    if isinstance(data, Dataset):
        name, names, notes = data.name, data.class_names, [*data.notes]
        source = given if image_size is None and named(given) else data.source
        # A data set has a part to validate with: another one, or a split, takes its place.
        pairs = {p: (getattr(data, f"x_{p}"), getattr(data, f"y_{p}"), None) for p in PARTS}
    else:
        pairs = {part: _triple(pair, part) for part, pair in _parts(data).items()}
    if validation_data is not None:
        pairs["validation"] = _triple(validation_data, "validation")
        if validation_split is not None:
            raise InputError("give either validation_data or validation_split, got both")
    if validation_split is not None and "validation" in pairs:
        raise InputError(
            "validation_split must be left out where the data has a part to validate with, got"
            f" {validation_split}"
        )
    for part, triple in pairs.items():
        _check(part, *triple)
    pairs, names = _with_class_numbers(pairs, names)
    if "validation" not in pairs:
        share = SPLIT if validation_split is None else validation_split
        _checks.number("validation_split", share, above=0, below=1)
        pairs |= _split(pairs.pop("train"), share, seed)
        pairs = {part: pairs[part] for part in PARTS if part in pairs}
    pairs, more = _encoded(pairs)
    notes += more
    for part in pairs:
        _alike(part, pairs[part], pairs["train"])
    x, y, weight = ({part: pair[i] for part, pair in pairs.items()} for i in range(3))
    return Examples(name, x, y, weight, names, tuple(notes), source)


def leaves(tree: Any, path: str = "x") -> Iterator[tuple[str, Any]]:
    """Arrays of a nested dict, tuple or list with where they stand in it; None has none."""
    if isinstance(tree, tables.Table):
        tree = tree.columns
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from leaves(value, f"{path}[{key!r}]")
    elif isinstance(tree, tuple | list):
        for i, value in enumerate(tree):
            yield from leaves(value, f"{path}[{i}]")
    elif tree is not None:
        yield path, tree


def each(tree: Any, change: Callable[[Any], Any]) -> Any:
    """Return the same nested dict, tuple or list with every array changed; None stays."""
    if isinstance(tree, tables.Table):
        return tables.Table(each(tree.columns, change))
    if isinstance(tree, Mapping):
        return {key: each(value, change) for key, value in tree.items()}
    if isinstance(tree, tuple | list):
        changed = [each(value, change) for value in tree]
        return tuple(changed) if isinstance(tree, tuple) else changed
    return None if tree is None else change(tree)


def _parts(data: Any) -> dict[str, Any]:
    if isinstance(data, Mapping):
        parts = {SPELLED.get(str(key), str(key)): value for key, value in data.items()}
        if "train" not in parts or not set(parts) <= set(PARTS) or len(parts) < len(data):
            raise InputError(
                "a dict of data must have the parts train, validation and test, got"
                f" {', '.join(map(str, data))}; several inputs are given as (dict of x, y)"
            )
        return {part: parts[part] for part in PARTS if parts.get(part) is not None}
    return {"train": data}


def _triple(pair: Any, part: str) -> tuple[Any, Any, Any]:
    if hasattr(pair, "element_spec"):
        pair = _drained(pair)
    if not isinstance(pair, tuple) or len(pair) not in (2, 3):
        accepted = WHOLE if part == "train" else PART
        raise InputTypeError(f"{part} data must be {accepted}, got {brief(pair)}")
    x, y, weight = (*pair, None)[:3]
    if y is None:
        raise InputTypeError(f"{part} data must be (x, y), got no y")
    if weight is not None:
        _checks.unmasked(f"weights of {part}", weight)
        weight = _array(_plain(weight))
        if weight.dtype.kind in "biuf":
            weight = weight.astype(np.float32)
    if tables.is_frame(x):
        x = tables.of_frame(x)
    return each(_plain(x), _array), each(_plain(y), _array), weight


def _plain(value: Any) -> Any:
    """Take a list of numbers or texts, or of lists of them, for one array."""
    first = value
    while isinstance(first, list) and first:
        first = first[0]
    if first is value or not np.isscalar(first):
        return value
    try:
        return np.asarray(value)
    except ValueError:
        raise InputError(
            "a list of lists must hold as many in each, got different numbers"
        ) from None


def _array(value: Any) -> Array:
    """An array in the machine's own byte order, of numbers or of texts."""
    _checks.unmasked("arrays to train on", value)
    array = np.asarray(value)
    if array.dtype.kind in "OS":
        if all(isinstance(item, str | bytes | bool) for item in array.ravel().tolist()):
            return array.astype(str)
        try:
            array = np.asarray(value, np.float64)
        except (TypeError, ValueError):
            raise InputTypeError(
                f"x and y must be arrays of numbers, got {brief(value)} of other things"
            ) from None
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _pictures(data: Any, size: Any) -> Dataset:
    """Load a folder of pictures, each brought to the size (height, width)."""
    try:
        height, width = size
    except (TypeError, ValueError):
        raise InputTypeError(f"image_size must be (height, width), got {size!r}") from None
    height, width = (_checks.integer("image_size", n, at_least=1) for n in (height, width))
    got = brief(data)
    if isinstance(data, str | os.PathLike):
        path, got = Path(data), str(data)
        with accessible(path):
            is_folder = path.is_dir()
        if is_folder and (found := images.read_folder(path, (height, width))):
            return dataset_at(path, found)
    raise InputError(
        f"image_size must go with a folder that has a subfolder of images per class, got {got}"
    )


def _with_target(data: Any, target: str) -> tuple[Any, Any]:
    """Take a column of a data frame for y."""
    if not tables.is_frame(data):
        raise InputTypeError(f"target must go with a CSV file or a data frame, got {brief(data)}")
    if target not in data.columns:
        raise InputError(
            f"target must be a column, got {target!r}{_checks.nearest(target, data.columns)}"
        )
    return data.drop(columns=target), data[target]


def _drained(dataset: Any) -> tuple[Any, ...]:
    """Return (x, y) or (x, y, sample_weight) of all batches of a tf.data.Dataset."""
    if int(dataset.cardinality()) == -1:
        raise InputError("a tf.data.Dataset must be finite, got one that repeats: use .take(n)")
    spec: Any = dataset.element_spec
    if not isinstance(spec, tuple) or len(spec) not in (2, 3):
        raise InputTypeError("a tf.data.Dataset must give (x, y) or (x, y, sample_weight)")
    if any(not one.shape.rank for _, one in leaves(spec)):
        raise InputError("a tf.data.Dataset must be batched, got single examples: use .batch(32)")
    batches, values = [], 0
    for batch in dataset.as_numpy_iterator():
        batches.append(batch)
        values += sum(array.size for _, array in leaves(batch))
        if values > MOST_VALUES:
            raise InputError(
                "a tf.data.Dataset must hold at most"
                f" {MOST_VALUES:,} values, got more; use .take(n)"
            )
    if not batches:
        raise InputError("a tf.data.Dataset must hold examples, got none")
    arrays = zip(*([array for _, array in leaves(batch)] for batch in batches), strict=True)
    return tuple(each(batches[0], lambda _: np.concatenate(next(arrays))))


def _check(part: str, x: Any, y: Any, weight: Array | None) -> None:
    """Refuse what no model could be trained on."""
    for name, tree in (("x", x), ("y", y)):
        if not list(leaves(tree)):
            raise InputError(f"{name}_{part} must hold an array, got {brief(tree)}")
    first = dict[int, str]()  # array of each number of examples
    for name, tree in ((f"x_{part}", x), (f"y_{part}", y), (f"weights of {part}", weight)):
        for path, array in leaves(tree, name):
            if not array.ndim or not array.size:
                raise InputError(f"{path} must hold examples, got an array of shape {array.shape}")
            first.setdefault(len(array), path)
            if isinstance(x, tables.Table) and tree is x:
                continue  # texts and gaps are its encoder's business
            if array.dtype.kind in "US" and not name.startswith("y"):
                raise InputError(
                    f"{path} must hold numbers, got texts: turn them into numbers before, for"
                    " example with keras.layers.StringLookup or TextVectorization"
                )
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                bad = np.count_nonzero(~np.isfinite(array))
                raise InputError(f"{path} must hold finite numbers, got {bad:,} NaN or infinite")
            if array.dtype.kind not in "biufUS":
                raise InputTypeError(f"{path} must hold numbers, got values of type {array.dtype}")
    if len(first) > 1:
        told = ", ".join(f"{path} {size}" for size, path in first.items())
        raise InputError(f"all arrays must have as many examples, got {told}")
    if weight is not None and (weight.ndim != 1 or weight.min() < 0):
        raise InputError(f"weights of {part} must be (m,) numbers at least 0, got {brief(weight)}")


def _alike(part: str, pair: tuple[Any, ...], train: tuple[Any, ...]) -> None:
    for i, name in enumerate(("x", "y")):
        mine, first = ({p: a.shape[1:] for p, a in leaves(it[i], name)} for it in (pair, train))
        if mine != first:
            raise InputError(f"{part} must be shaped as train, got {name} {mine} and {first}")


def _with_class_numbers(
    pairs: dict[str, Any], names: tuple[str, ...] | None
) -> tuple[dict[str, Any], tuple[str, ...] | None]:
    """Number labels that are texts, in alphabetical order."""
    texts = {
        part: pair[1]
        for part, pair in pairs.items()
        if isinstance(pair[1], np.ndarray) and pair[1].dtype.kind in "US"
    }
    if not texts:
        return pairs, names
    if len(texts) < len(pairs):
        raise InputTypeError("labels must be texts in every part or in none, got some of each")
    known = sorted(set(texts["train"].ravel().tolist()))
    for part, labels in texts.items():
        unknown = set(labels.ravel().tolist()) - set(known)
        if unknown:
            raise InputError(
                f"y_{part} holds the label {min(unknown)!r}, which no training example has"
            )
        numbers = np.searchsorted(known, labels).astype(np.int64)
        pairs[part] = (pairs[part][0], numbers, pairs[part][2])
    return pairs, tuple(known)


def _split(pair: tuple[Any, Any, Any], share: float, seed: int) -> dict[str, Any]:
    """Part the examples at random, by class where the labels are classes."""
    y = pair[1]
    count = len(next(leaves(y))[1])
    size = round(share * count)
    if not 0 < size < count:
        raise InputError(
            f"validation_split must leave an example in each part, got {share:g} of {count}"
        )
    classes = np.zeros(count, np.int64)
    if isinstance(y, np.ndarray) and y.size == count and y.dtype.kind in "biu":
        known, numbers = np.unique(y.ravel(), return_inverse=True)
        if len(known) <= min(MOST_CLASSES, count - size):
            classes = numbers
    kept, cut = stratified(classes, [size], seed)
    return {"train": each(pair, itemgetter(kept)), "validation": each(pair, itemgetter(cut))}


def _encoded(pairs: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Turn tables into arrays, as the training part says."""
    are_tables = {isinstance(x, tables.Table) for x, _, _ in pairs.values()}
    if len(are_tables) > 1:
        raise InputTypeError("x must be a data frame in every part or in none, got some of each")
    if are_tables == {False}:
        return pairs, []
    encode, notes = tables.encoder(pairs["train"][0])
    return {part: (encode(x), y, weight) for part, (x, y, weight) in pairs.items()}, notes
