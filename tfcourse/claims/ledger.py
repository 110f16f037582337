"""The ledger as claims that are not yet a topic's take it; gone with the last of them."""

from dataclasses import dataclass

from tfcourse.lecture import ledger
from tfcourse.lecture.ledger import (
    CONDITIONS,
    ERRATUM,
    FAILED,
    HOLDS,
    NOTES,
    REFUTED,
    VERDICTS,
    Claim,
    Entry,
    Evidence,
    Source,
    below,
    claim,
    claims,
    corrected,
    find,
    raised,
    run,
)
from tfcourse.lecture.statistics import Interval

__all__ = [
    "CONDITIONS",
    "ERRATUM",
    "FAILED",
    "HOLDS",
    "NOTES",
    "REFUTED",
    "VERDICTS",
    "Claim",
    "Entry",
    "Evidence",
    "below",
    "claim",
    "claims",
    "corrected",
    "find",
    "judged",
    "note",
    "raised",
    "run",
]


@dataclass(frozen=True)
class _Count:
    trainings: int


def note(number: str, section: str) -> Source:
    """Return the source in a notes file, with the heading or the words it stands by."""
    return Source(NOTES[number], 0, section)


def judged(
    holds: bool,
    measured: str,
    trainings: int = 0,
    effect: Interval | None = None,
    *,
    under_conditions: bool = False,
) -> Evidence:
    """Return the evidence of a claim, with the number of trainings."""
    rests_on = [_Count(trainings)] if trainings else []
    return ledger.judged(
        holds, measured, *rests_on, effect=effect, under_conditions=under_conditions
    )
