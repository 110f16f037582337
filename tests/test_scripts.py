"""The scripts run from a checkout, without arguments; benchmarks here at their smallest."""

import json
import math
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "scripts"


@pytest.fixture
def printed(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(name):
        monkeypatch.setattr("sys.argv", [name])
        runpy.run_path(str(SCRIPTS / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def measured(name, *arguments):
    """What a benchmark prints as JSON, in a process of its own."""
    command = [sys.executable, SCRIPTS / name, *arguments]
    environment = os.environ | {"PYTHONUTF8": "1"}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.whole
def test_minimize_quadratic_prints_the_lectures_numbers(printed):
    lines = printed("minimize_quadratic.py").splitlines()
    assert lines[:3] == [
        "before training    w = 0.00000",
        "after one step     w = 0.10000",
        "after 1000 steps   w = 4.99999",
    ]
    assert lines[3] == "[1.0, -10.0, 25.0]: after one step 0.10000, after 1000 4.99999"
    assert lines[4] == "[1.0, -20.0, 100.0]: after one step 0.20000, after 1000 9.99998"
    assert lines[5] == "graphs traced: 1"


@pytest.mark.whole
def test_train_classifier_reads_the_digits(printed):
    out = printed("train_classifier.py")
    accuracy = float(out.split("test accuracy ")[1].split()[0])
    assert accuracy > 0.95
    assert "batch_norm_1" in out


def test_softmax_by_hand_prints_the_lectures_numbers(printed):
    out = printed("softmax_by_hand.py")
    for line in (
        r"t = e\^z +\[148.413   7.389   0.368  20.086\]",
        r"Σ t +176.3",
        r"a = t/Σ t +\[0.842 0.042 0.002 0.114\], Σ a = 1.000",
        r"hardmax\(z\) +\[1. 0. 0. 0.\]",
        r"L = −Σ y log ŷ +1.609",
        r"ŷ − y +\[ 0.3 -0.8  0.1  0.4\]",
        r"by differences +\[ 0.3 -0.8  0.1  0.4\]",
    ):
        assert re.search(f"^{line}$", out, re.MULTILINE), line


def test_batch_norm_by_hand_finds_by_differences_what_the_formulas_say(printed):
    out = printed("batch_norm_by_hand.py")
    pairs = re.findall(r"^d.*?(\[.*?\]) and by finite differences (\[.*?\])$", out, re.MULTILINE)
    assert len(pairs) == 2 and all(one == other for one, other in pairs)
    assert re.search(r"^μ  = \(1/m\) Σ z +\[ 4. 30.\]$", out, re.MULTILINE)


@pytest.mark.whole
def test_make_figures_draws_slides(printed, tmp_path):
    out = printed("make_figures.py")
    drawn = sorted(path.name for path in (tmp_path / "slides").iterdir())
    assert len(drawn) == 5 and out.endswith(f"drawn: {' '.join(drawn)}\n")


@pytest.mark.long
def test_benchmark_formulas_prints_its_ratios():
    results = measured("benchmark_formulas.py", "--json")
    for place in ("in_memory", "in_cache"):
        for formula in ("batch_norm", "softmax_cross_entropy"):
            figures = results[place][formula]
            # The script's own ratios, and far from the limits, for the machine may be busy.
            assert figures["ratio_to_bound"] == figures["seconds"] / figures["bound_seconds"]
            assert figures["ratio_to_torch"] is None or figures["ratio_to_torch"] < 4


@pytest.mark.long
def test_benchmark_quadratic_ends_at_five_in_every_way():
    results = measured("benchmark_quadratic.py", "--json", "--runs", "1")
    assert len(results["seconds"]) >= 4 and min(results["seconds"].values()) > 0
    assert results["w"] == pytest.approx(dict.fromkeys(results["seconds"], 5.0), abs=1e-4)


@pytest.mark.long
def test_benchmark_training_measures_what_it_names():
    small = ["--trials", "4", "--repeats", "1", "--only", "tfcourse", "model_fit"]
    results = measured("benchmark_training.py", "--json", *small)
    assert results["trials"] == 4
    seconds = results["per_trial_seconds"]
    assert seconds.keys() == {"tfcourse", "model_fit"}
    assert 0 < results["bound_seconds"] < min(seconds.values())
    assert results["one_fit_seconds"] > 0


@pytest.mark.long
def test_benchmark_models_measures_a_family():
    small = ("--families", "regression", "--ways", "tfcourse", "--trials", "2", "--json")
    families = measured("benchmark_models.py", *small)["families"]
    assert families["regression"]["per_trial_seconds"]["tfcourse"] > 0


@pytest.mark.long
def test_benchmark_peers_measures_one_of_them():
    results = measured("benchmark_peers.py", "tfcourse", '{"trials": 2, "epochs": 1, "repeats": 1}')
    assert results["trials"] == 2 and results["warm"] > 0


@pytest.mark.parametrize(
    ("system", "told", "kib"),
    [("linux", 2048, 2048), ("darwin", 2048 * 1024, 2048), ("win32", None, None)],
)
def test_peak_memory_is_in_kib_on_every_system(monkeypatch, system, told, kib):
    used = SimpleNamespace(ru_maxrss=told)
    fake = SimpleNamespace(RUSAGE_SELF=0, getrusage=lambda who: used)
    monkeypatch.setitem(sys.modules, "resource", fake if told else None)
    monkeypatch.setattr(sys, "platform", system)
    peak = runpy.run_path(str(SCRIPTS / "benchmark_peers.py"), run_name="peers")["peak_memory"]()
    assert peak == kib if kib else math.isnan(peak)


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_every_script_opens_as_a_notebook_and_is_run_by_a_test(script):
    text = script.read_text(encoding="utf-8")
    assert text.startswith(("# %%", '"""')), "cells, or a docstring that says what it measures"
    assert "\n# %%" in text
    tests = (path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert any(f'"{script.name}"' in test for test in tests)


@pytest.mark.long
def test_ways_to_choose_are_compared():
    command = [sys.executable, "compare_choosing.py", "--studies", "1", "--data", "clouds"]
    done = subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True, check=True)
    assert "top of 30" in done.stdout and "0.0" in done.stdout, done


@pytest.mark.long
def test_tuning_is_compared_with_the_defaults():
    command = [sys.executable, "compare_tuning.py", "--seeds", "2", "--trials", "3"]
    done = subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True, check=True)
    found = dict(re.findall(r"(\w+) +(-?[\d.]+) ±", done.stdout))
    assert float(found["tuned"]) > 0.9 and found.keys() == {"defaults", "tuned", "gain"}, done
