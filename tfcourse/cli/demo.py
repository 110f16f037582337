"""`tfcourse demo`: the tour."""

from __future__ import annotations

from tfcourse.cli.app import app
