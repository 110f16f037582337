"""The formulas by hand: what the scripts print is what README shows, and the lecture's numbers."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def output_of(*command):
    environment = os.environ | {"PYTHONUTF8": "1"}
    options = {"capture_output": True, "encoding": "utf-8", "cwd": ROOT, "env": environment}
    done = subprocess.run([sys.executable, *command], **options)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("script", ["batch_norm_by_hand", "softmax_by_hand"])
def test_readme_shows_what_the_script_prints(script):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = re.escape(f"python scripts/{script}.py")
    shown = re.search(rf"```sh\n{command}\n```\s+```text\n(.*?)```", readme, re.DOTALL)
    assert shown, f"README.md shows no output after `{command}`"
    assert output_of(f"scripts/{script}.py") == shown.group(1)


def test_the_lectures_numbers_are_printed():
    printed = output_of("scripts/softmax_by_hand.py")
    for line in (
        r"t = e\^z +\[148.413   7.389   0.368  20.086\]",
        r"Σ t +176.3",
        r"a = t/Σ t +\[0.842 0.042 0.002 0.114\], Σ a = 1.000",
        r"hardmax\(z\) +\[1. 0. 0. 0.\]",
        r"L = −Σ y log ŷ +1.609",
        r"ŷ − y +\[ 0.3 -0.8  0.1  0.4\]",
        r"by differences +\[ 0.3 -0.8  0.1  0.4\]",
    ):
        assert re.search(f"^{line}$", printed, re.MULTILINE), line


@pytest.mark.long
def test_the_benchmark_prints_its_ratios():
    results = json.loads(output_of("scripts/benchmark_formulas.py", "--json"))
    for place in ("in_memory", "in_cache"):
        for formula in ("batch_norm", "softmax_cross_entropy"):
            figures = results[place][formula]
            # The script's own ratios, and far from the limits, for the machine may be busy.
            assert figures["ratio_to_bound"] == figures["seconds"] / figures["bound_seconds"]
            assert figures["ratio_to_torch"] is None or figures["ratio_to_torch"] < 4
