"""What tests of claims share: `breaking`, made importable; and one claim, run afresh."""

import sys
from pathlib import Path

import pytest

from tfcourse.claims import ledger

sys.path.insert(0, str(Path(__file__).parent))


def forget():
    for name, module in list(sys.modules.items()):
        if name.startswith("tfcourse.experiments."):
            for thing in vars(module).values():
                if hasattr(thing, "cache_clear"):
                    thing.cache_clear()


@pytest.fixture(autouse=True)
def nothing_remembered():
    """Run every experiment afresh, and leave nothing of a broken one."""
    forget()
    yield
    forget()


@pytest.fixture
def verdict():
    """Run a claim by its id: `verdict("bn.identity")`."""

    def run(id: str, seed: int = 0) -> str:
        [entry] = ledger.run(ledger.find([id]), seed)
        assert entry.evidence.verdict != ledger.FAILED, entry.evidence.measured
        return entry.evidence.verdict

    return run
