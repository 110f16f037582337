"""How values of hyperparameters are written on the command line and in a study's journal.

Whatever is written here reads back as the same value.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

_WORDS = {"true": True, "false": False, "none": None}


def number_text(number: float) -> str:
    """Shortest text that reads back as the same number: 1e-4, 0.001, 1."""
    if number == 0 or 1e-3 <= abs(number) < 1e6:
        return np.format_float_positional(number, trim="-")
    return np.format_float_scientific(number, trim="-", exp_digits=1)


def value_text(value: Any) -> str:
    """A word, a number, true, false or none."""
    for word, meaning in _WORDS.items():
        if value is meaning:
            return word
    return number_text(value) if isinstance(value, float) else str(value)


def read_value(text: str) -> Any:
    """Value written as `text`: a number, true, false, none, and any other word as it is."""
    if text in _WORDS:
        return _WORDS[text]
    for kind in (int, float):
        try:
            number = kind(text)
        except (ValueError, OverflowError):
            continue
        if math.isfinite(number):
            return number
    return text


def is_number(value: Any) -> bool:
    """Whether `value` is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_plain(value: Any) -> bool:
    """Whether `value` can be written: a finite number, true, false, none, or a simple word."""
    if isinstance(value, str):
        return re.fullmatch(r"[^,\s]+", value) is not None and read_value(value) == value
    return value is None or (isinstance(value, int | float) and math.isfinite(value))
