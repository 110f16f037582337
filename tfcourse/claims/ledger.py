"""The registry of the lecture's claims, and the runner that puts each to the test.

A claim is registered by the function that checks it:

    @claim("bn.identity", "γ = √(σ² + ε) and β = μ undo the normalization.", HOLDS,
           note("001", "γ和β"))
    def identity(seed: int) -> Evidence:
        \"\"\"The experiment in two or three sentences: this text is printed in CLAIMS.md.\"\"\"
        ...
        return judged(error < 1e-12, f"largest |z̃ − z| {error:.0e}")

The verdict that the decorator records is the one the package was released with; `run` compares.
Modules of claims import lightly (TensorFlow inside the functions), so listing them takes no time.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tfcourse import _checks
from tfcourse.claims.intervals import Interval

HOLDS = "holds"
CONDITIONS = "holds under conditions"
REFUTED = "refuted"
ERRATUM = "erratum"
VERDICTS = (HOLDS, CONDITIONS, REFUTED, ERRATUM)
FAILED = "failed"  # no verdict: the check raised an exception

PARTS: dict[str, tuple[str, ...]] = {  # a part of the lecture, and the modules that hold its claims
    "tuning": ("tuning", "searches", "tuning_errata"),
    "normalization": ("normalization", "normalization_trained", "normalization_errata"),
    "classification": ("classification", "classification_errata"),
    "frameworks": ("frameworks", "frameworks_errata"),
}

NOTES = {
    "000": "000_8fe9471c225575c8.txt",  # Chinese, from 超参数 to softmax, images left out
    "001": "001_77a4dd42866f7ac4.txt",  # Chinese, the longest on batch norm; no softmax
    "002": "002_9d3dac75703a948c.txt",  # Chinese, numbered 7.1 to 7.11
    "003": "003_c14fdc38fc99a24e.txt",  # English, a blog page with its code; the lecture's programs
    "004": "004_04fbae4ce2a17faa.txt",  # handwritten, transcribed
}


class Source(NamedTuple):
    """Where a claim stands: a file of lecture notes, and the heading or the words it stands by."""

    file: str
    section: str

    def __str__(self) -> str:
        return f"{self.file[:3]} {self.section}"


def note(number: str, section: str) -> Source:
    """Return the source in the notes file that begins with `number`, 000 to 004."""
    return Source(NOTES[number], section)


@dataclass(frozen=True)
class Evidence:
    """What a check came to.

    verdict: one of `VERDICTS`, which must follow from what was measured and nothing else.
    measured: one line, what was measured against what, with the figures.
    trainings: how many models were trained for it.
    effect: the figure the verdict rests on, with its 95% interval, where chance is involved.
    """

    verdict: str
    measured: str
    trainings: int = 0
    effect: Interval | None = None


def judged(
    holds: bool,
    measured: str,
    trainings: int = 0,
    effect: Interval | None = None,
    *,
    under_conditions: bool = False,
) -> Evidence:
    """Return the evidence of a claim that holds, or does so under conditions, or is refuted."""
    otherwise = CONDITIONS if under_conditions else REFUTED
    return Evidence(HOLDS if holds else otherwise, measured, trainings, effect)


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


@dataclass(frozen=True)
class Claim:
    """A statement of the lecture (or of ours), where it stands, and how it is put to the test.

    check: takes a seed, returns the evidence; its docstring is the experiment in a few sentences.
    verdict: the one recorded in this package. trains: whether models are trained, which takes time.
    conditions: what must be given for it to hold, for "holds under conditions".
    literature: papers that treat the question, where there are.
    """

    id: str
    part: str
    statement: str
    verdict: str
    sources: tuple[Source, ...]
    check: Callable[[int], Evidence]
    trains: bool = False
    conditions: str = ""
    literature: str = ""

    @property
    def experiment(self) -> str:
        """The experiment in words: the check's docstring, unwrapped."""
        return " ".join((self.check.__doc__ or "").split())


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
        claim, evidence = self.claim, self.evidence
        return {
            "id": claim.id,
            "part": claim.part,
            "statement": claim.statement,
            "sources": [source._asdict() for source in claim.sources],
            "measured": evidence.measured,
            "effect": evidence.effect._asdict() if evidence.effect else None,
            "verdict": evidence.verdict,
            "recorded": claim.verdict,
            "conditions": claim.conditions,
            "experiment": claim.experiment,
            "literature": claim.literature,
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
    conditions: str = "",
    literature: str = "",
) -> Callable[[Callable[[int], Evidence]], Callable[[int], Evidence]]:
    """Register the decorated function as the check of a claim; arguments as in `Claim`.

    Raises: ValueError for an id that is taken, an unknown verdict, a check without a docstring, or
    conditions without the verdict that they belong to, or the other way round.
    """

    def register(check: Callable[[int], Evidence]) -> Callable[[int], Evidence]:
        module = check.__module__.rpartition(".")[2]
        part = next((part for part, modules in PARTS.items() if module in modules), module)
        taken = _registry.get(id)
        if taken and taken.check.__module__ != check.__module__:
            raise ValueError(f"a claim's id must be its own, got {id!r} twice")
        if not check.__doc__:
            raise ValueError(f"the check of {id} must have a docstring that tells the experiment")
        if bool(conditions) != (_checks.choice("verdict", verdict, VERDICTS) == CONDITIONS):
            raise ValueError(f"{id}: conditions belong to {CONDITIONS!r}, got {verdict!r}")
        _registry[id] = Claim(
            id, part, statement, verdict, sources, check, trains, conditions, literature
        )
        return check

    return register


def claims(part: str | None = None) -> tuple[Claim, ...]:
    """Return the claims of one part of the lecture, or all, in the lecture's order.

    Raises: ValueError for another part.
    """
    parts = PARTS if part is None else [_checks.choice("part", part, PARTS)]
    modules = [f"tfcourse.claims.{module}" for name in parts for module in PARTS[name]]
    for module in modules:
        importlib.import_module(module)
    registered = _registry.values()
    return tuple(one for name in modules for one in registered if one.check.__module__ == name)


def find(ids: Sequence[str]) -> tuple[Claim, ...]:
    """Return the claims with these ids, in the order given.

    Raises: ValueError for an id that is none, with the nearest one.
    """
    known = {one.id: one for one in claims()}
    for id in ids:
        if id not in known:
            hint = _checks.nearest(id, known) or "; tfcourse claims --list shows all"
            raise ValueError(f"there is no claim {id!r}{hint}")
    return tuple(known[id] for id in ids)


def run(chosen: Sequence[Claim], seed: int = 0) -> Iterator[Entry]:
    """Check the claims one after the other.

    A check that raises an exception does not end the run: its verdict is `FAILED`.
    """
    for one in chosen:
        started = time.perf_counter()
        try:
            evidence = one.check(seed)
        except Exception as error:
            reason = str(error).strip().partition("\n")[0]
            evidence = Evidence(FAILED, f"{type(error).__name__}: {reason}")
        yield Entry(one, evidence, time.perf_counter() - started)
