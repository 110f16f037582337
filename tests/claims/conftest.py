"""What tests of claims share; gone with the last claim that is not a topic's."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "lecture"))
sys.path.insert(0, str(Path(__file__).parent))

from shared import nothing_remembered, verdict  # noqa: F401


@pytest.fixture(autouse=True)
def afresh(request):
    """Run every experiment afresh."""
    request.getfixturevalue("nothing_remembered")
