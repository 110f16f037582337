"""The command line: one command a job; each parses, calls a room, and prints."""

# Imported in the order in which `tfcourse --help` lists them.
from tfcourse.cli import demo, quadratic, classifier, tuning, datasets, figures, claims, babysit  # isort: skip
from tfcourse.cli.app import main

__all__ = [
    "babysit",
    "claims",
    "classifier",
    "datasets",
    "demo",
    "figures",
    "main",
    "quadratic",
    "tuning",
]
