"""Makes `tiny`, the trainer that takes no time, importable; and a data set that takes little."""

import sys
from pathlib import Path

import numpy as np
import pytest

from tfcourse import datasets

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def blobs():
    """Three clouds of points in the plane, well apart: 90 to train, 10 and 20 to judge with."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    x = rng.normal(size=(120, 2)) + np.array([[0, 0], [5, 0], [0, 5]])[y]
    cuts = {"train": slice(90), "validation": slice(90, 100), "test": slice(100, 120)}
    parts = {part: (x[cut].astype(np.float32), y[cut]) for part, cut in cuts.items()}
    return datasets.from_arrays("blobs", parts)
