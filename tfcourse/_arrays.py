"""Which arrays the NumPy rooms take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Float64 = NDArray[np.float64]


def plain(name: str, value: Any) -> NDArray[Any]:
    """Return `value` as an array in the machine's own byte order.

    Raises: ValueError for rows of unequal length, masked entries (numpy.ma), or no entry at all.
    """
    parts = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part) for part in parts):
        raise ValueError(f"{name} must have no masked entries: fill them, or leave them out")
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{name} must be an array of numbers, got rows of unequal length"
        ) from None
    if array.size == 0:
        raise ValueError(f"{name} must hold at least one example, got shape {array.shape}")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def floats(name: str, value: Any, axes: int = 0) -> Floats:
    """Return `value` as a float32 or float64 array; whole numbers become float64.

    Raises: ValueError as `plain`, or for fewer axes; TypeError for any other type of number.
    """
    array = plain(name, value)
    if array.ndim < axes:
        raise ValueError(f"{name} must have shape (…, n), got a single number")
    if array.dtype.kind in "iu":
        array = array.astype(np.float64)
    if array.dtype not in (np.float32, np.float64):
        raise TypeError(f"{name} must be float32 or float64, got {array.dtype}")
    return array
