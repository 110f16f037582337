"""The script that tunes the classifier, as a student runs it."""

import re
import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "tune_classifier.py"


def test_the_script_is_short():
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) < 40


@pytest.mark.long
def test_the_script_tunes_twice_and_judges_once(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(SCRIPT), run_name="__main__")
    printed = capsys.readouterr().out
    scores = [float(score) for score in re.findall(r"test accuracy ([\d.]+)", printed)]
    assert len(scores) == 2 and min(scores) > 0.94
    assert printed.count("and 15 more") == 2
    assert list(tmp_path.iterdir()) == []
