"""Put small faults into the code, one at a time, and see whether the tests of the room notice.

The faults stand in `tests/faults/ROOM.toml`: what would be wrong, in which file, and the text that
is put in place of another. Each is put into a copy of the checkout, and the room's fast tests run
there until the first one fails. What survives is printed; a fault that no longer fits the code, or
tests that fail without one, end the run. What is printed is the table of `tests/README.md`.

    python tests/mutation_check.py --room training
    python tests/mutation_check.py --json --jobs 2
    python tests/mutation_check.py --only patience
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).resolve().parents[1]
FAULTS = Path(__file__).resolve().parent / "faults"
LONGEST = 900  # seconds that a room's tests may take: a fault may be an endless loop


@dataclass(frozen=True)
class Fault:
    """A fault of a room: `old`, which stands once in `file`, becomes `new`."""

    room: str
    wrong: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    explained: str = ""

    def broken(self, root: Path) -> str:
        """The file's text with the fault in it. Raises: ValueError if it does not fit."""
        text = (root / self.file).read_text("utf-8")
        if text.count(self.old) != 1:
            raise ValueError(
                f"{self.room}: {self.wrong!r}: the text stands {text.count(self.old)} times in "
                f"{self.file}, not once: {self.old!r}"
            )
        return text.replace(self.old, self.new)


def faults(room: str) -> list[Fault]:
    """Read a room's faults."""
    told = tomllib.loads((FAULTS / f"{room}.toml").read_text("utf-8"))
    tests, file = tuple(told["tests"]), told.get("file", "")
    return [
        Fault(room, **{"file": file, **one, "tests": tuple(one.get("tests", tests))})
        for one in told["fault"]
    ]


def rooms() -> list[str]:
    """The rooms for which there are faults."""
    return sorted(path.stem for path in FAULTS.glob("*.toml"))


def noticed(copy: Path, tests: tuple[str, ...]) -> str | None:
    """The first test that fails in a copy of the checkout; none if all pass."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return "no test ended in time"
    if done.returncode == 0:
        return None
    failures = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failures[0] if failures else done.stdout[-300:] + done.stderr[-300:]


def tried(some: list[Fault], jobs: int) -> dict[Fault, str | None]:
    """Which test notices each fault."""
    with tempfile.TemporaryDirectory() as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(jobs):
            copy = Path(folder) / str(number)
            left_out = shutil.ignore_patterns(".*", "__pycache__", "build", "_build")
            shutil.copytree(ROOT, copy, ignore=left_out)
            copies.put(copy)

        def one(fault: Fault | None, tests: tuple[str, ...]) -> str | None:
            copy = copies.get()
            try:
                if fault is None:
                    return noticed(copy, tests)
                whole = (copy / fault.file).read_bytes()
                (copy / fault.file).write_text(fault.broken(copy), "utf-8")
                try:
                    found = noticed(copy, tests)
                finally:
                    (copy / fault.file).write_bytes(whole)
                print(
                    f"{'killed  ' if found else 'SURVIVED'} {fault.room}: {fault.wrong}",
                    file=sys.stderr,
                    flush=True,
                )
                return found
            finally:
                copies.put(copy)

        with ThreadPoolExecutor(jobs) as pool:
            sets = sorted({fault.tests for fault in some})
            for tests, failure in zip(sets, pool.map(lambda t: one(None, t), sets), strict=True):
                if failure:
                    sys.exit(f"{' '.join(tests)} fail without a fault: {failure}")
            return dict(zip(some, pool.map(lambda f: one(f, f.tests), some), strict=True))


def main() -> None:
    """Run the check as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--room", choices=rooms(), action="append")
    parser.add_argument("--only", help="faults whose description holds this text")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    some = [fault for room in options.room or rooms() for fault in faults(room)]
    some = [fault for fault in some if (options.only or "") in fault.wrong]
    for fault in some:
        fault.broken(ROOT)
    found = tried(some, options.jobs)
    table = {
        room: {
            "tried": sum(fault.room == room for fault in some),
            "killed": sum(fault.room == room and bool(by) for fault, by in found.items()),
            "survived": [
                {"wrong": fault.wrong, "explained": fault.explained}
                for fault, by in found.items()
                if fault.room == room and not by
            ],
        }
        for room in dict.fromkeys(fault.room for fault in some)
    }
    if options.json:
        print(json.dumps({"rooms": table}))
        return
    print("| room | faults tried | noticed |\n| --- | ---: | ---: |")
    for room, counts in table.items():
        print(f"| {room} | {counts['tried']} | {counts['killed']} |")
    for room, counts in table.items():
        for one in counts["survived"]:
            print(f"\nNot noticed, {room}: {one['wrong']}. {one['explained']}".rstrip())


if __name__ == "__main__":
    main()
