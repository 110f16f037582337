"""What README.md says was tried is what is tried."""

import re
from pathlib import Path

import test_hardening_faults as faults
import test_hardening_files as files
import test_hardening_kills as kills
import test_hardening_models as models
import test_hardening_numbers as numbers
import test_hardening_soak as soak


def counts():
    readers = len(files.WRITERS)
    lines = [line for command, what, line in numbers.tried() if (command, what) not in numbers.LONG]
    return {
        "data files with a bit flipped": readers * files.FLIPS,
        "data files cut short": readers * files.CUTS,
        "wrong kinds under the right name": readers * len(files.WRONG_KINDS),
        "hostile or senseless data files": len(files.REFUSED) + 1,
        "data files that unpack to gigabytes": files.BOMBS,
        "odd but sound data files": len(files.ACCEPTED),
        "model files with a bit flipped": models.FLIPS,
        "model files cut short": models.CUTS,
        "hostile or senseless model files": len(models.REFUSED),
        "model files with names that slip out": len(models.SLIPS),
        "values for options and arguments": len(lines),
        "runs with files that may not grow": len(faults.WRITES) * len(faults.FILE_SIZES),
        "runs on a full disk": len(faults.WRITES) * len(faults.LEFT),
        "runs in a folder that cannot be written": len(faults.READ_ONLY),
        "kills and interruptions": len(kills.SOUND) * kills.MOMENTS,
        "kills and interruptions, marked long": len(kills.SOUND) * kills.LONG_MOMENTS,
        "pairs at once": len(faults.PAIRS),
        "trials in one process, marked long": soak.TRIALS,
    }


def test_the_counts_in_the_readme():
    text = (Path(__file__).parent / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (.+?) \| ([\d,]+) \|$", text, re.MULTILINE)
    assert {name: int(count.replace(",", "")) for name, count in rows} == counts()
