"""Tables: CSV files with a header, and data frames; numbers and categories as arrays.

A column of numbers stays one column. Where numbers are missing, the mean of the training examples
stands in for them, and another column says so (1 where it was missing). A column of anything else
is a category: a column for each of its values in the training examples, 1 where it is that value; a
value that no training example has, or none, is 0 in all of them.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfcourse import _checks
from tfcourse._checks import InputError, InputTypeError
from tfcourse.datasets.dataset import Array
from tfcourse.datasets.files import DataFileError, opened, shown

MISSING = {"", "na", "nan", "null", "none", "?"}
MOST_CATEGORIES = 1000


@dataclass(frozen=True, eq=False)
class Table:
    """Columns by name, each (m,): float64, or texts; what is missing is NaN, or ""."""

    columns: Mapping[str, Array]


def read(path: Path, target: str | None) -> tuple[Table, Array]:
    """Read a CSV file in UTF-8 whose first line names the columns: the table, and the target.

    The target's values are whole numbers, numbers or texts, whichever all of them are.
    Raises: FileNotFoundError, PermissionError; ValueError for a file of another kind, for lines of
    different lengths, and for a target that is no column or has values missing.
    """
    with opened(path, "a CSV file with a header, in UTF-8", b"") as file:
        raw = file.read()
    try:
        reader = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        lines = [(reader.line_num, line) for line in reader if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataFileError(f"{shown(path)} is no CSV file in UTF-8 ({error})") from None
    (_, header), *rows = lines or [(0, [])]
    names = [name.strip() for name in header]
    if len(rows) < 2 or len(set(names)) < len(names) or "" in names:
        raise DataFileError(
            f"{shown(path)} must have a line of different column names and two lines of values,"
            f" got {len(rows)} lines below {len(names)} names"
        )
    for number, row in rows:
        if len(row) != len(names):
            raise DataFileError(
                f"{shown(path)} must have {len(names)} values on each line, got {len(row)} on line"
                f" {number}"
            )
    if target is None:
        raise InputError(
            f"target must name the column to predict, one of {_listed(names)}; got none"
        )
    if target not in names:
        raise InputError(
            f"target must be one of {_listed(names)}, got {target!r}"
            f"{_checks.nearest(target, names)}"
        )
    texts = {name: [row[i].strip() for _, row in rows] for i, name in enumerate(names)}
    wanted = texts.pop(target)
    if not texts:
        raise DataFileError(f"{shown(path)} must have columns beside {target}, got none")
    missing = sum(text.lower() in MISSING for text in wanted)
    if missing:
        raise DataFileError(f"{shown(path)} has no value of {target} on {missing} lines")
    return Table({name: _column(values) for name, values in texts.items()}), _labels(wanted)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _column(values: Sequence[str]) -> Array:
    known = [None if value.lower() in MISSING else value for value in values]
    try:
        numbers = [float("nan") if value is None else float(value) for value in known]
    except ValueError:
        return np.array([value or "" for value in known])
    return np.array(numbers)


def _labels(values: Sequence[str]) -> Array:
    for kind in (int, float):
        try:
            return np.array([kind(value) for value in values])
        except (ValueError, OverflowError):
            continue
    return np.array(values)


def is_frame(value: Any) -> bool:
    """Whether `value` is a pandas DataFrame; pandas is not loaded to find out."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def of_frame(value: Any) -> Table:
    """Return the columns of a pandas DataFrame."""
    names = [str(name) for name in value.columns]
    if not names or len(set(names)) < len(names):
        raise InputError(
            f"a data frame must have different column names, got {_listed(names) or 'none'}"
        )
    columns = dict[str, Array]()
    for name, (_, column) in zip(names, value.items(), strict=True):
        if column.dtype.kind in "biuf":
            columns[name] = column.to_numpy(np.float64, na_value=np.nan)
        elif column.dtype.kind in "mM":
            raise InputTypeError(
                f"column {name} must hold numbers or categories, got {column.dtype}"
            )
        else:
            texts = column.astype(object).where(column.notna(), "").astype(str)
            columns[name] = texts.to_numpy(str)
    return Table(columns)


def encoder(train: Table) -> tuple[Callable[[Table], Array], list[str]]:
    """Return what makes a float32 array (m, features) of a table, as the training rows say.

    And a sentence on each thing that is not plain numbers. Raises: ValueError for a column of too
    many categories, or without any value, and for infinite numbers.
    """
    means, missing = dict[str, float](), list[str]()
    categories = dict[str, list[str]]()
    for name, column in train.columns.items():
        if column.dtype.kind == "f":
            gone = np.isnan(column)
            with np.errstate(over="ignore", invalid="ignore"):  # `encode` refuses what is infinite
                means[name] = np.nan if gone.all() else column[~gone].mean()
            if gone.any():
                missing.append(name)
        else:
            categories[name] = values = sorted(set(column.tolist()) - {""})
            if not 0 < len(values) <= MOST_CATEGORIES:
                raise InputError(
                    f"column {name} must hold numbers or at most {MOST_CATEGORIES} categories, got"
                    f" {len(values)}: leave it out"
                )

    def encode(table: Table) -> Array:
        if list(table.columns) != list(train.columns):
            raise InputError(
                f"all parts must have the columns {_listed(list(train.columns))}, got"
                f" {_listed(list(table.columns))}"
            )
        made = list[Array]()
        for name, column in table.columns.items():
            if name in categories:
                made += [column.astype(str) == value for value in categories[name]]
                continue
            if column.dtype.kind != "f":
                raise InputError(f"column {name} must hold numbers in every part, got texts in one")
            gone = np.isnan(column)
            with np.errstate(over="ignore"):
                made.append(np.where(gone, means[name], column).astype(np.float32))
            if not np.isfinite(made[-1]).all():
                raise InputError(
                    f"column {name} must hold finite numbers, got none or infinite ones"
                )
            made += [gone] * (name in missing)
        return np.stack(made, axis=1).astype(np.float32)

    notes = list[str]()
    if categories:
        told = ", ".join(f"{name} ({len(values)})" for name, values in categories.items())
        notes.append(f"a column for each category of {told}")
    if missing:
        notes.append(
            f"missing numbers became the training examples' mean, and a column says where: "
            f"{', '.join(missing)}"
        )
    return encode, notes
