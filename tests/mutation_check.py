"""Put small faults into the code, one at a time, and see whether the tests of the room notice.

The faults stand in `tests/faults/ROOM.toml`: what would be wrong, in which file, and the text that
is put in place of another, and which fast tests should notice. Each is put into a copy of the
checkout, and its tests run there until the first one fails. What survives is printed; a fault that
no longer fits the code, or tests that fail without one, end the run. What is printed is the table
of `tests/README.md`.

    python tests/mutation_check.py --room training
    python tests/mutation_check.py --json --jobs 2
    python tests/mutation_check.py --only patience
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FAULTS = Path(__file__).resolve().parent / "faults"
LONGEST = 900  # seconds that a room's tests may take: a fault may be an endless loop
OUT = "pytest.txt"


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


def begin(copy: Path, tests: tuple[str, ...], longest: int) -> int:
    """Run tests in a copy of the checkout until one fails, in a child process; return its id.

    The child has TensorFlow loaded, which takes longer than most faults; the copy's code is not.
    longest: seconds after which it ends, 0 for no end.
    """
    process = os.fork()
    if process:
        return process
    status = 70
    try:
        out = os.open(copy / OUT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.chdir(copy)
        os.environ |= {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        sys.path[0], sys.dont_write_bytecode = str(copy), True
        signal.alarm(longest)
        status = pytest.main(["-x", "-q", *tests])
        sys.stdout.flush()
    finally:
        os._exit(status)


def failure(copy: Path, status: int) -> str | None:
    """The first test that failed in a copy of the checkout; none if all passed."""
    if status == -signal.SIGALRM:
        return "no test ended in time"
    if status == 0:
        return None
    out = (copy / OUT).read_text("utf-8", "replace")
    lines = [line for line in out.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return lines[0] if lines else out[-300:]


def tried(some: list[Fault], jobs: int) -> dict[Fault, str | None]:
    """Which test notices each fault."""
    os.environ["TFCOURSE_CACHE"] = "off"  # here: every child has a folder of its own
    importlib.import_module("tfcourse._tensorflow")  # loads TensorFlow, once for all children

    for name in [name for name in sys.modules if name.partition(".")[0] == "tfcourse"]:
        del sys.modules[name]
    found: dict[Fault, str | None] = {}
    # First all tests without a fault: they must pass.
    every = tuple(dict.fromkeys(test for fault in some for test in fault.tests))
    todo: list[tuple[Fault | None, tuple[str, ...]]]
    todo = [(None, every), *((fault, fault.tests) for fault in some)]
    with tempfile.TemporaryDirectory() as folder:
        free = [Path(folder) / str(number) for number in range(jobs)]
        for copy in free:
            left_out = shutil.ignore_patterns(".*", "__pycache__", "build", "_build")
            shutil.copytree(ROOT, copy, ignore=left_out)
        whole: dict[Path, bytes] = {}
        running: dict[int, tuple[Path, Fault | None, tuple[str, ...]]] = {}
        while todo or running:
            if todo and free:
                copy, (fault, tests) = free.pop(), todo.pop(0)
                if fault:
                    whole[copy] = (copy / fault.file).read_bytes()
                    (copy / fault.file).write_text(fault.broken(copy), "utf-8")
                running[begin(copy, tests, LONGEST if fault else 0)] = copy, fault, tests
                continue
            process, code = os.wait()
            copy, fault, tests = running.pop(process)
            status = os.waitstatus_to_exitcode(code)
            if status == pytest.ExitCode.NO_TESTS_COLLECTED:
                sys.exit(f"None of these is a default test: {' '.join(tests)}")
            by = failure(copy, status)
            free.append(copy)
            if fault:
                (copy / fault.file).write_bytes(whole[copy])
                found[fault] = by
                told = (
                    f"killed   {fault.room}: {fault.wrong}  [{by}]"
                    if by
                    else (f"SURVIVED {fault.room}: {fault.wrong}")
                )
                print(told, file=sys.stderr, flush=True)
            elif by:
                sys.exit(f"The tests fail without a fault: {by}")
    return {fault: found[fault] for fault in some}


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
