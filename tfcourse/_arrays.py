"""What the NumPy rooms share: which arrays they take, and how NumPy is set while they compute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def floats(name: str, value: Any) -> Floats:
    """Return `value` as a float32 or float64 array; whole numbers become float64.

    Raises: ValueError for ragged or empty input, TypeError for any other type of number.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{name} must be an array of numbers, got rows of unequal length"
        ) from None
    if array.dtype.kind in "iu":
        array = array.astype(np.float64)
    if array.dtype not in (np.float32, np.float64):
        raise TypeError(f"{name} must be float32 or float64, got {array.dtype}")
    if array.size == 0:
        raise ValueError(f"{name} must hold at least one example, got shape {array.shape}")
    return array


@contextmanager
def fast_arithmetic() -> Iterator[None]:
    """Let NumPy overflow to infinity in silence, and broadcast at full speed.

    NumPy copies a broadcast row or column through its buffer where it is shorter than the buffer,
    8192 elements by default, which makes the operation half as slow again. 512 suits rows of any
    length. `errstate` puts back both settings.
    """
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        np.setbufsize(512)
        yield


def as_rows(name: str, array: Floats) -> Floats:
    """Return `array` as (m, units)."""
    if array.ndim == 0:
        raise ValueError(f"{name} must have shape (…, units), got a single number")
    return np.ascontiguousarray(array).reshape(-1, array.shape[-1])


def refuse_non_finite(name: str, values: Floats, sums: Floats) -> None:
    """Raise if sums over `values` are not finite: they show any NaN without a pass of their own."""
    if not np.isfinite(sums).all():
        bad = values[~np.isfinite(values)]
        seen = bad[0] if bad.size else f"magnitudes up to {np.abs(values).max():g}"
        raise ValueError(
            f"{name} must hold finite numbers whose squares fit {values.dtype}, got {seen}"
        )
