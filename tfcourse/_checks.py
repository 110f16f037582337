"""One wording for bad input everywhere: what is wrong, what is accepted, the value seen."""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Iterable, Mapping
from typing import Any


class InputError(ValueError):
    """What a user gave cannot be used, and the message says why; anything else is our fault."""


class InputTypeError(InputError, TypeError):
    """What a user gave is of a type that cannot be used."""


def _accepted(kind: str, bounds: dict[str, float | None]) -> str:
    limits = [f"{word.replace('_', ' ')} {b:g}" for word, b in bounds.items() if b is not None]
    return " ".join([kind, " and ".join(limits)]).strip()


def _inside(value: float, bounds: dict[str, float | None]) -> bool:
    holds = {
        "above": operator.gt,
        "at_least": operator.ge,
        "below": operator.lt,
        "at_most": operator.le,
    }
    return all(b is None or holds[word](value, b) for word, b in bounds.items())


def number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> float:
    """Return `value` as a finite float within the bounds.

    Raises: TypeError if it is no real number, ValueError if it is out of bounds, NaN or infinite.
    """
    bounds = {"above": above, "at_least": at_least, "below": below, "at_most": at_most}
    accepted = _accepted("a finite number", bounds)
    if isinstance(value, bool | str | bytes):
        raise InputTypeError(f"{name} must be {accepted}, got {value!r}")
    try:
        result = float(value)
    except (TypeError, ValueError):
        raise InputTypeError(f"{name} must be {accepted}, got {value!r}") from None
    except OverflowError:
        raise InputError(f"{name} must be {accepted}, got {value!r}") from None
    if not math.isfinite(result) or not _inside(result, bounds):
        raise InputError(f"{name} must be {accepted}, got {value!r}")
    return result


def integer(
    name: str, value: Any, *, at_least: int | None = None, at_most: int | None = None
) -> int:
    """Return `value` as an int within the bounds.

    Raises: TypeError if it is no whole number, ValueError if it is out of bounds.
    """
    bounds: dict[str, float | None] = {"at_least": at_least, "at_most": at_most}
    accepted = _accepted("a whole number", bounds)
    if isinstance(value, bool):
        raise InputTypeError(f"{name} must be {accepted}, got {value!r}")
    try:
        result = operator.index(value)
    except TypeError:
        raise InputTypeError(f"{name} must be {accepted}, got {value!r}") from None
    if not _inside(result, bounds):
        raise InputError(f"{name} must be {accepted}, got {value!r}")
    return result


def choice(
    name: str, value: Any, options: Iterable[str], also: Mapping[str, str] | None = None
) -> str:
    """Return `value` if it is one of `options`; else raise InputError that offers the nearest.

    also: other words for options, such as Keras's; with it, upper and lower case are the same.
    """
    names = list(options)
    if also is not None and isinstance(value, str):
        lower = value.lower().replace("-", "_")
        value = lower if lower in names else also.get(lower, value)
    if value in names:
        return str(value)
    accepted, near = ", ".join(names), nearest(value, [*names, *(also or ())])
    raise InputError(f"{name} must be one of {accepted}, got {value!r}{near}")


def unmasked(name: str, value: Any) -> None:
    """Refuse an array with masked entries (numpy.ma): NumPy would compute with what they hide.

    Raises: InputError.
    """
    import numpy as np

    if np.ma.is_masked(value):
        count = np.count_nonzero(np.ma.getmaskarray(value))
        raise InputError(
            f"{name} must have no masked entries, got {count:,}: fill them (.filled), or leave"
            " those examples out"
        )


def nearest(value: Any, names: Iterable[str]) -> str:
    """Return "; did you mean …?" with the name that is nearest to `value`, or "" if none is.

    >>> _checks.nearest("lr", ["layers", "learning_rate"])
    "; did you mean 'learning_rate'?"
    """
    text, known = str(value), list(names)
    near = difflib.get_close_matches(text, known, n=1)
    near += [name for name in known if "".join(w[:1] for w in name.split("_")) == text.lower()]
    return f"; did you mean {near[0]!r}?" if near else ""
