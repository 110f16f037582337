"""Packages that only some need."""

from __future__ import annotations

from importlib.util import find_spec


def require(extra: str) -> None:
    """Raise ModuleNotFoundError that names the extra if the package it brings is missing."""
    if find_spec(extra) is None:
        raise ModuleNotFoundError(
            f"{extra} must be installed for this: pip install 'tfcourse[{extra}]'"
        )
