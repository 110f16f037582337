"""The ledger of the lecture's claims, and the runner that puts each to the test.

A claim is registered by the function that checks it:

    @claim("bn.identity", "γ = √(σ² + ε) and β = μ undo the normalization.", HOLDS,
           note("001", 291, "γ= √(σ² + ε)，β=μ"))
    def identity(seed: int) -> Evidence:
        \"\"\"The experiment in two or three sentences: this text is printed in CLAIMS.md.\"\"\"
        ...
        return judged(error < 1e-12, f"largest |z̃ − z| {error:.0e}")

The verdict that the decorator records is the one the package was released with; `run` compares.
Errors of notes are rows: `errata(__name__, Erratum(…), …)`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tfcourse import _checks
from tfcourse.lecture.statistics import Interval
from tfcourse.lecture.topics import TOPICS, load, part_of

HOLDS = "holds"
CONDITIONS = "holds under conditions"
NOT_SHOWN = "not shown"
REFUTED = "refuted"
ERRATUM = "erratum"
VERDICTS = (HOLDS, CONDITIONS, NOT_SHOWN, REFUTED, ERRATUM)
FAILED = "failed"  # no verdict: the check raised an exception

NOTES = {
    "000": "000_8fe9471c225575c8.txt",  # Chinese, from 超参数 to softmax, images left out
    "001": "001_77a4dd42866f7ac4.txt",  # Chinese, the longest on batch norm; no softmax
    "002": "002_9d3dac75703a948c.txt",  # Chinese, numbered 7.1 to 7.11
    "003": "003_c14fdc38fc99a24e.txt",  # English, a blog page with its code; the lecture's programs
    "004": "004_04fbae4ce2a17faa.txt",  # mostly English, handwritten, transcribed
}
VIDEO = "the lecture's video"

WHOSE = {
    "note": "a slip of the note",
    "translation": "lost in translation",
    "lecturer": "the lecturer's own slip",
    "time": "right when written, outdated now",
}


@dataclass(frozen=True)
class Source:
    """Where something is said: a line of a file of notes, or only the lecture's video.

    words: those of the note or the video. translation: of what is not English.
    """

    file: str
    line: int
    words: str
    translation: str = ""

    def __str__(self) -> str:
        if self.file == VIDEO:
            return f"only {VIDEO}: {self.words}"
        translated = f" ({self.translation})" if self.translation else ""
        where = f"{self.file[:3]}:{self.line}" if self.line else self.file[:3]
        return f"{where} “{self.words}”{translated}"

    def as_json(self) -> dict[str, Any]:
        """The source as plain data; `section` repeats the words, for readers of 0.1's JSON."""
        return {**vars(self), "section": self.words}


def note(number: str, line: int, words: str, translation: str = "") -> Source:
    """Return the source in the notes file that begins with `number`, 000 to 004."""
    return Source(NOTES[number], line, words, translation)


def video(words: str) -> Source:
    """Return the source of what stands in no note: the lecture's video alone says it."""
    return Source(VIDEO, 0, words)


class Experiment(Protocol):
    """What a check may rest on."""

    @property
    def trainings(self) -> int:
        """How many models were trained for it."""


@dataclass(frozen=True)
class Evidence:
    """What a check came to.

    verdict: one of `VERDICTS`; it must follow from what was measured and nothing else. measured:
    one line, what was measured against what, with the figures. plain: the same without figures.
    effect: the figure that the verdict rests on, where chance is involved. rests_on: experiments
    that trained models; one that several claims rest on is run, and counts, once.
    """

    verdict: str
    measured: str
    plain: str = ""
    effect: Interval | None = None
    rests_on: tuple[Experiment, ...] = ()

    @property
    def trainings(self) -> int:
        """How many models were trained for it."""
        return trainings([self])


def trainings(found: Sequence[Evidence]) -> int:
    """Return how many models were trained for all of these, each experiment counted once."""
    return sum({id(one): one.trainings for e in found for one in e.rests_on}.values())


def judged(
    holds: bool,
    measured: str,
    *rests_on: Experiment,
    plain: str = "",
    effect: Interval | None = None,
    under_conditions: bool = False,
) -> Evidence:
    """Return the evidence of a claim that holds, or does so under conditions, or is refuted."""
    otherwise = CONDITIONS if under_conditions else REFUTED
    return Evidence(HOLDS if holds else otherwise, measured, plain, effect, rests_on)


def weighed(effect: Interval, matters: float) -> str:
    """Return the verdict on an effect that ought to be above 0, and at least `matters`.

    It holds if the interval shuts out no effect and the estimate matters; it is refuted if the
    interval shuts out an effect that matters; else it is not shown.
    """
    if effect.high < matters:
        return REFUTED
    return HOLDS if effect.above_zero and effect.value >= matters else NOT_SHOWN


def worst(*verdicts: str) -> str:
    """Return what several findings come to that must all hold: the worst of them."""
    return min(verdicts, key=(REFUTED, NOT_SHOWN, CONDITIONS, HOLDS).index)


def corrected(printed_fails: bool, corrected_holds: bool, measured: str) -> Evidence:
    """Return the evidence of an erratum: one only if the printed form fails and ours does not."""
    return Evidence(ERRATUM if printed_fails and corrected_holds else REFUTED, measured)


def below(value: float, limit: float) -> str:
    """Say that `value` is below `limit`, such as "< 1e-6", or what it is.

    Rounding errors differ between machines; that they are small does not.
    """
    words = f"{limit:.0e}".replace("e-0", "e-")
    return f"< {words}" if value < limit else f"{value:.2g}, not < {words}"


def raised(run: Callable[[], object]) -> str:
    """Return the name of the exception that `run` raises, or nothing."""
    try:
        run()
    except Exception as error:
        return type(error).__name__
    return ""


Check = Callable[[int], Evidence]
"""Takes a seed, returns the evidence; its docstring is the experiment in a few sentences."""


@dataclass(frozen=True)
class Claim:
    """A statement of the lecture (or of ours), where it stands, and how it is put to the test.

    verdict: the one that this package was released with. check: None for a slip of the pen.
    trains: whether models are trained, which takes time. matters: which effect is worth speaking
    of, and why; said before it is measured. conditions: what must be given for it to hold.
    literature: papers that treat the question. erratum: what is wrong, if it is one.
    """

    id: str
    part: str
    module: str
    statement: str
    verdict: str
    sources: tuple[Source, ...]
    check: Check | None
    trains: bool = False
    matters: str = ""
    conditions: str = ""
    literature: str = ""
    erratum: Erratum | None = None

    @property
    def why(self) -> str:
        """Of an erratum, why it is one."""
        return self.erratum.why if self.erratum else ""

    @property
    def experiment(self) -> str:
        """The experiment in words, the check's docstring, unwrapped."""
        return " ".join((self.check.__doc__ or "").split()) if self.check else ""

    def as_json(self) -> dict[str, Any]:
        """What is known of it before it is run, as plain data."""
        names = "id part statement sources verdict trains matters conditions experiment literature"
        plain = {name: getattr(self, name) for name in names.split()}
        plain["sources"] = [source.as_json() for source in self.sources]
        return plain | {"whose": self.erratum.whose if self.erratum else ""}


@dataclass(frozen=True)
class Erratum:
    """An error in notes: a row of the table.

    printed: what stands there, and where; `also`: further places. whose: a key of `WHOSE`. check:
    where the printed form computes something, it runs both forms, and the printed one must fail.
    """

    id: str
    printed: Source
    correct: str
    why: str
    whose: str = "note"
    check: Check | None = None
    also: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A claim that was run: the evidence, or the exception that kept it from being found."""

    claim: Claim
    evidence: Evidence
    seconds: float

    @property
    def as_recorded(self) -> bool:
        """Whether the verdict is the one that this package was released with."""
        return self.evidence.verdict == self.claim.verdict

    def as_json(self) -> dict[str, Any]:
        """The entry as plain data."""
        evidence = self.evidence
        return {
            **self.claim.as_json(),
            "recorded": self.claim.verdict,
            "verdict": evidence.verdict,
            "measured": evidence.measured,
            "plain": evidence.plain,
            "effect": evidence.effect._asdict() if evidence.effect else None,
            "trainings": evidence.trainings,
            "seconds": round(self.seconds, 3),
        }


_registry: dict[str, Claim] = {}


def claim(
    id: str,
    statement: str,
    verdict: str,
    *sources: Source,
    trains: bool = False,
    matters: str = "",
    conditions: str = "",
    literature: str = "",
) -> Callable[[Check], Check]:
    """Register the decorated function as the check of a claim; arguments as in `Claim`.

    Raises: ValueError for an id that is taken, an unknown verdict, a check without a docstring, or
    conditions without the verdict that they belong to, or the other way round.
    """

    def register(check: Check) -> Check:
        module = check.__module__
        if not check.__doc__:
            raise ValueError(f"the check of {id} must have a docstring that tells the experiment")
        if bool(conditions) != (_checks.choice("verdict", verdict, VERDICTS) == CONDITIONS):
            raise ValueError(f"{id}: conditions belong to {CONDITIONS!r}, got {verdict!r}")
        told = (trains, matters, conditions, literature)
        _keep(Claim(id, part_of(module), module, statement, verdict, sources, check, *told))
        return check

    return register


def errata(module: str, *rows: Erratum) -> None:
    """Register the errors that notes make on a topic; module: its `__name__`.

    Raises: ValueError for an id that is taken, or if it is nobody's.
    """
    for row in rows:
        _checks.choice("whose", row.whose, WHOSE)
        text = f"Printed: {row.printed.words} Correct: {row.correct}".removesuffix(".") + "."
        told = (part_of(module), module, text, ERRATUM, (row.printed, *row.also), row.check)
        _keep(Claim(row.id, *told, erratum=row))


def _keep(one: Claim) -> None:
    taken = _registry.get(one.id)
    if taken and taken.module != one.module:
        raise ValueError(f"a claim's id must be its own, got {one.id!r} twice")
    _registry[one.id] = one


def claims(part: str | None = None) -> tuple[Claim, ...]:
    """Return the claims of one part of the lecture, or all, in the lecture's order.

    Raises: ValueError for another part.
    """
    modules = [module.__name__ for module in load(part)]
    return tuple(one for name in modules for one in _registry.values() if one.module == name)


def find(ids: Sequence[str]) -> tuple[Claim, ...]:
    """Return the claims with these ids, in the order given.

    Raises: ValueError for an id that is none, with the nearest one.
    """
    known = {one.id: one for one in claims()}
    for id in ids:
        if id not in known:
            hint = _checks.nearest(id, known) or "; tfcourse claims --list shows all"
            raise _checks.InputError(f"there is no claim {id!r}{hint}")
    return tuple(known[id] for id in ids)


def matching(words: Sequence[str]) -> tuple[Claim, ...]:
    """Return the claims that the words match, word after word, each claim once.

    A word is an id, its beginning up to a dot, such as bn or bn.erratum, a part or a topic, or
    stands in the id or the statement.
    Raises: ValueError for a word that matches none, with the nearest id.
    """

    def matches(one: Claim, word: str) -> bool:
        if word in TOPICS:  # a part, and not what happens to name it
            return word == one.part
        whole = f"{one.id}.".startswith(f"{word}.") or one.module.endswith(f".{word}")
        return whole or (len(word) > 2 and word in f"{one.id} {one.statement}".lower())

    found = dict[str, Claim]()
    for word in words:
        hits = [one for one in claims() if matches(one, word.lower())] or find([word])
        found |= {one.id: one for one in hits}
    return tuple(found.values())


def run(chosen: Sequence[Claim], seed: int = 0) -> Iterator[Entry]:
    """Check the claims one after the other.

    A check that raises an exception does not end the run: its verdict is `FAILED`. A slip of the
    pen, with nothing to run, is an erratum as it stands.
    """
    for one in chosen:
        started = time.perf_counter()
        try:
            evidence = one.check(seed) if one.check else Evidence(ERRATUM, one.why)
        except Exception as error:
            reason = str(error).strip().partition("\n")[0]
            evidence = Evidence(FAILED, f"{type(error).__name__}: {reason}")
        yield Entry(one, evidence, time.perf_counter() - started)
