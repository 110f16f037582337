"""CLAIMS.md: the ledger as a page to read."""

from collections import Counter
from collections.abc import Sequence

from tfcourse.lecture.ledger import NOTES, VIDEO, WHOSE, Claim, Entry, Evidence, trainings

_HEAD = f"""\
# The lecture's claims, run

Each sentence in italics is something that the lecture says, or a question that it leaves open.
Under it stands the verdict, what was found, and how. `tfcourse claims` runs all of it, `tfcourse
claims ID` one claim, `tfcourse claims --quick` what trains no model; `tfcourse claims WORD` lists
what matches a word, `tfcourse claims --why ID` tells an experiment. This page is the output of
`tfcourse claims --markdown`. Figures of claims that train models vary a little from machine to
machine; the verdicts should not.

- **holds**: what the lecture says is what was measured.
- **holds under conditions**: it is, where the conditions stated are met.
- **not shown**: the experiment cannot tell. Its interval holds both no effect and one that matters.
- **refuted**: it is not so. An effect that matters is shut out.
- **erratum**: an error in notes of the lecture.
- **not run**: its trainings were left out when this page was made; the recorded verdict that it
  names waits for them.

Terms. In brackets stands an *interval*: 95% of such intervals hold the true figure. Where several
comparisons are tested together, their intervals are widened for it (*Holm's correction*). *What
matters* is the least effect worth speaking of, chosen before the experiment. A *Sobol' index* is
the share of the spread of results that one hyperparameter explains; its interval comes from leaving
out one block of the trials after the other, the *jackknife*. A *condition number* is the longest
axis of a bowl's contours over the shortest, squared: 1 is a circle. *Regret* is how much worse
something is than the best.

001:43 is line 43 of the notes `{NOTES["001"]}`; their own words are in quotation
marks, with a translation. What stands in no note says “only {VIDEO}”; *ours* are
questions of our own.
"""


def markdown(entries: Sequence[Entry]) -> str:
    """Return the page: for each part its claims, then the errors of notes as a table."""
    lines = [_HEAD, summary(entries) + "\n"]
    for part in dict.fromkeys(entry.claim.part for entry in entries):
        own = [entry for entry in entries if entry.claim.part == part]
        slips = [entry for entry in own if entry.claim.erratum]
        lines.append(f"## {part.capitalize()}\n")
        lines += [paragraph(entry) for entry in own if not entry.claim.erratum]
        if slips:
            lines += [f"### Errors in notes on {part}\n"]
            lines += ["| id | where | printed | correct | why | found |"]
            lines += ["| --- | --- | --- | --- | --- | --- |", *map(row, slips), ""]
    return "\n".join(lines)


def not_run(claim: Claim) -> Entry:
    """Return the entry of a claim whose trainings this page does without."""
    verdict = f"nothing for this page; recorded as “{claim.verdict}”"
    return Entry(claim, Evidence("not run", verdict), 0)


def summary(entries: Sequence[Entry]) -> str:
    """How many claims came to which verdict, and what it took."""
    counts = Counter(entry.evidence.verdict for entry in entries)
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    claims = "claim" if len(entries) == 1 else "claims"
    trained = trainings([entry.evidence for entry in entries])
    return f"{len(entries)} {claims}, {trained} trainings: {verdicts}."


def paragraph(entry: Entry) -> str:
    """The claim, its verdict, what was found, how, and where it stands."""
    claim, evidence = entry.claim, entry.evidence
    trained = f" Trainings: {evidence.trainings}." if evidence.trainings else ""
    verdict = f"**{evidence.verdict.capitalize()}.** {evidence.plain}".rstrip()
    measured = f"Measured: {evidence.measured}{trained}"
    lines = [f"### {claim.id}", f"*{claim.statement}*", verdict, measured, explanation(claim)]
    return "\n\n".join(lines) + "\n"


def explanation(claim: Claim) -> str:
    """How a claim is put to the test, what matters, its conditions, where it stands."""
    where = "; ".join(map(str, claim.sources)) or "*ours*"
    told = {
        "How": claim.experiment,
        "What matters": claim.matters,
        "Conditions": claim.conditions,
        "Wrong because": claim.why,
        "Whose": WHOSE[claim.erratum.whose] if claim.erratum else "",
        "Literature": claim.literature,
        "In": where,
    }
    return "\n\n".join(f"{name}: {text}" for name, text in told.items() if text)


def row(entry: Entry) -> str:
    """An erratum's row in its part's table."""
    claim, erratum = entry.claim, entry.claim.erratum
    assert erratum
    where = ", ".join(f"{source.file[:3]}:{source.line}" for source in claim.sources)
    printed = erratum.printed
    found = entry.evidence.measured if claim.check else ""
    why = f"{erratum.why} ({WHOSE[erratum.whose]})"
    words = _code(printed.words) + (f" ({printed.translation})" if printed.translation else "")
    cells = (f"`{claim.id}`", where, words, _code(erratum.correct), why, found)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _code(words: str) -> str:
    """What is typed in a program or a formula, so that no sign of it is taken for Markdown."""
    return f"`{words}`" if words.isascii() and set(words) & set("*_=()") else words
