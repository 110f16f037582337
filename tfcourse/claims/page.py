"""CLAIMS.md: the ledger as a page to read."""

from __future__ import annotations

from collections.abc import Sequence

from tfcourse.claims.ledger import CONDITIONS, Claim, Entry

_HEAD = """\
# The lecture's claims, run

Every claim of the lecture is a check that runs and can fail: `tfcourse claims` runs them all,
`tfcourse claims ID` one, `tfcourse claims --quick` those that train nothing. This page is the
output of `tfcourse claims --markdown`. Figures of claims that train models vary a little from
machine to machine; the verdicts should not. In brackets: 95% intervals.

- **holds**: what the lecture says is what was measured.
- **holds under conditions**: it is, where the conditions stated are met.
- **refuted**: it is not.
- **erratum**: an error in lecture notes; the printed form fails, the corrected one holds.
"""

_NOTES = """\
Numbers such as 001 name the lecture notes that say so, by the first digits of their file names,
with the heading or the words the claim stands by. *Ours* are questions that the notes leave open.
"""


def markdown(entries: Sequence[Entry]) -> str:
    """Return the page: what came out as a table for each part, then each experiment in words."""
    lines = [_HEAD, summary(entries) + "\n"]
    parts = dict.fromkeys(entry.claim.part for entry in entries)
    for part in parts:
        own = [entry for entry in entries if entry.claim.part == part]
        lines += [f"## {part.capitalize()}\n", "| claim | what it says | measured | verdict |"]
        lines += ["| --- | --- | --- | --- |", *map(row, own), ""]
    lines += ["## The experiments\n", _NOTES]
    lines += [paragraph(entry) for entry in entries]
    return "\n".join(lines)


def summary(entries: Sequence[Entry]) -> str:
    """How many claims came to which verdict, and what it took."""
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.evidence.verdict] = counts.get(entry.evidence.verdict, 0) + 1
    trainings = sum(entry.evidence.trainings for entry in entries)
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    claims = "claim" if len(entries) == 1 else "claims"
    return f"{len(entries)} {claims}, {trainings} trainings: {verdicts}."


def row(entry: Entry) -> str:
    """The claim's row in its part's table."""
    cells = (
        f"[`{entry.claim.id}`](#{_anchor(entry.claim)})",
        entry.claim.statement,
        entry.evidence.measured,
        f"**{entry.evidence.verdict}**",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def paragraph(entry: Entry) -> str:
    """The claim's experiment in words, its conditions, where it stands, what others found."""
    claim, evidence = entry.claim, entry.evidence
    lines = [f"### {claim.id}\n", claim.experiment]
    if evidence.trainings:
        lines[-1] += f" Trainings: {evidence.trainings}."
    if claim.verdict == CONDITIONS:
        lines.append(f"\nConditions: {claim.conditions}")
    if claim.literature:
        lines.append(f"\nLiterature: {claim.literature}")
    where = "; ".join(map(str, claim.sources)) or "*ours*"
    return "\n".join([*lines, f"\nIn: {where}\n"])


def _anchor(claim: Claim) -> str:
    """The link that a heading with the claim's id gets on common Markdown renderers."""
    return claim.id.replace(".", "").lower()
