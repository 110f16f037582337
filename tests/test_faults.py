"""Every fault that `mutation_check.py` puts into the code still fits it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import mutation_check


@pytest.mark.parametrize("room", mutation_check.rooms())
def test_every_fault_of_a_room_fits_the_code(room):
    for fault in mutation_check.faults(room):
        fault.broken(mutation_check.ROOT)
