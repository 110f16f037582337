"""The command line: one command a job; each parses, calls a room, and prints."""

from tfcourse.cli import classifier, datasets, demo, quadratic
from tfcourse.cli.app import main

__all__ = ["classifier", "datasets", "demo", "main", "quadratic"]
