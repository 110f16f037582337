"""What tests of claims share: one claim, run afresh."""

import pytest

from tfcourse.claims import ledger


@pytest.fixture
def verdict():
    """Run a claim by its id, with nothing remembered from other runs: `verdict("bn.identity")`."""

    def forget() -> None:
        from tfcourse.experiments import classification, normalization

        for module in (classification, normalization):
            for thing in vars(module).values():
                if hasattr(thing, "cache_clear"):
                    thing.cache_clear()

    def run(id: str, seed: int = 0) -> str:
        forget()
        [entry] = ledger.run(ledger.find([id]), seed)
        assert entry.evidence.verdict != ledger.FAILED, entry.evidence.measured
        return entry.evidence.verdict

    yield run
    forget()
