from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tfcourse.datasets import load

OURS = {ValueError, FileNotFoundError, PermissionError, ConnectionError}


@pytest.fixture
def refusal() -> Callable[[object], str]:
    """Load what must be refused, and return the one line that says so."""

    def refused(path: object) -> str:
        with pytest.raises((ValueError, OSError)) as caught:
            load(path)
        assert OURS.intersection(type(caught.value).__mro__), "a decoder's own exception leaked"
        assert caught.value.__context__ is None or caught.value.__suppress_context__
        message = str(caught.value)
        assert message and "\n" not in message and len(message) < 600
        return message

    return refused


@pytest.fixture
def images() -> Callable[..., np.ndarray]:
    """Random uint8 images of a shape, always the same ones."""
    return lambda *shape: np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.fixture
def mnist_folder() -> Path:
    """MNIST's real test images, where they are at hand."""
    folder = Path(__file__).parents[3] / "shared/data/mnist"
    if not folder.is_dir():
        pytest.skip("MNIST's files are not at hand")
    return folder
