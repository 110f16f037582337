"""`tfcourse datasets`: what can be loaded, and from where."""

from __future__ import annotations

from tfcourse.cli.app import Json, app, print_json
