"""How values of hyperparameters are written on the command line and in a study's journal.

Whatever is written here reads back as the same value.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np

from tfcourse._checks import InputError

_WORDS = {"true": True, "false": False, "none": None}
_QUOTED = r'"(?:[^"\\]|\\.)*"'


def number_text(number: float) -> str:
    """Shortest text that reads back as the same number: 1e-4, 0.001, 1."""
    if number == 0 or 1e-3 <= abs(number) < 1e6:
        return np.format_float_positional(number, trim="-")
    return np.format_float_scientific(number, trim="-", exp_digits=1)


def value_text(value: Any) -> str:
    """A word, a number, true, false or none; a text that would not read back as it is, quoted."""
    for word, meaning in _WORDS.items():
        if value is meaning:
            return word
    if isinstance(value, str):
        plain = re.fullmatch(r'[^,\s"=<>]+', value) and read_value(value) == value
        return value if plain else json.dumps(value, ensure_ascii=False)
    return number_text(value) if isinstance(value, float) else str(value)


def read_value(text: str) -> Any:
    """Value written as `text`: a number, true, false, none, a quoted text, any other word."""
    if text in _WORDS:
        return _WORDS[text]
    if re.fullmatch(_QUOTED, text):
        return json.loads(text)
    for kind in (int, float):
        try:
            number = kind(text)
        except (ValueError, OverflowError):
            continue
        if math.isfinite(number):
            return number
    return text


def read_values(text: str) -> list[Any]:
    """Values written as `text` with commas between them."""
    parts = re.findall(rf"(?:^|,)({_QUOTED}|[^,]*)", text)
    if ",".join(parts) != text or "" in parts:
        raise InputError(f"values must be written A,B,… and texts with signs quoted, got {text!r}")
    return list(map(read_value, parts))


def outside_quotes(text: str, pattern: str, limit: int = 0) -> list[str]:
    """Split `text` where `pattern` matches outside quotes, `limit` times at most if it is given."""
    parts, start = list[str](), 0
    for found in re.finditer(rf"{_QUOTED}|(?P<here>{pattern})", text):
        if found["here"] is not None and not (limit and len(parts) == limit):
            parts.append(text[start : found.start()])
            start = found.end()
    return [*parts, text[start:]]


def is_number(value: Any) -> bool:
    """Whether `value` is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_plain(value: Any) -> bool:
    """Whether `value` can be written: a finite number, a text, true, false, none."""
    return (
        value is None
        or isinstance(value, str)
        or (isinstance(value, int | float) and math.isfinite(value))
    )
