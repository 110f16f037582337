"""The examples of tuning, and the page for KerasTuner's users, run as they stand."""

import re
import runpy
from pathlib import Path

import pytest

from tfcourse import tuning

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = sorted((DOCS / "examples").glob("tune_*.py"))


@pytest.fixture(params=["keras", pytest.param("compiled", marks=pytest.mark.long)])
def few(request, monkeypatch):
    """Two trials of two epochs say the same; returns the studies."""
    import tfcourse

    if request.param == "keras":
        request.getfixturevalue("eager")
    studies = []

    def short(*given, **how):
        less = {"trials": 2, "epochs": 2, "finalists": 0, "refit": False, "engine": request.param}
        studies.append(tuning.tune(*given, **(how | less)))
        return studies[-1]

    monkeypatch.setattr(tfcourse, "tune", short, raising=False)
    return studies


def test_there_are_six_of_at_most_25_lines():
    assert len(EXAMPLES) == 6
    assert all(len(path.read_text("utf-8").splitlines()) <= 25 for path in EXAMPLES)


@pytest.mark.whole
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(few, path, capsys):
    if "data_frame" in path.stem:
        pytest.importorskip("pandas")
    runpy.run_path(str(path))
    (study,) = few
    assert study.count()["complete"] == 2
    assert capsys.readouterr().out
    assert study.model() is not None


@pytest.mark.whole
def test_the_page_for_keras_tuners_users_runs(few):
    page = (DOCS / "coming-from-keras-tuner.md").read_text("utf-8")
    names = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(code, names)
    assert few[0].objective.name == "val_mae" and names["model"].compiled
