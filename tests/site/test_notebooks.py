"""Every notebook runs from start to end."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
pytestmark = pytest.mark.site
TOPICS = sorted(path.stem for path in (DOCS / "en" / "topics").glob("*.md"))
SCRIPTS = sorted(path.stem for path in (ROOT / "scripts").glob("*_by_hand.py"))


def read(path):
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    book = nbformat.read(path, 4)
    nbformat.validate(book)
    return book


def cells(path):
    return [one.source for one in read(path).cells if one.cell_type == "code"]


@pytest.mark.parametrize("name", [*TOPICS, *SCRIPTS])
def test_it_runs(html, name, tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    solved = html / "notebooks" / f"{name}_solutions.ipynb"
    book = read(solved if solved.exists() else html / "notebooks" / f"{name}.ipynb")
    # Figures for which models are trained have tests of their own.
    trained = trained_figures()
    book.cells = [
        one for one in book.cells if not any(f'draw("{name}"' in one.source for name in trained)
    ]
    nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": tmp_path}}).execute()


def trained_figures():
    from tfcourse.lecture import gallery

    return {one.name for one in gallery.figures() if one.trains}


@pytest.mark.parametrize("name", TOPICS)
def test_both_languages_run_the_same_code_and_exercises_are_empty(html, name):
    english, chinese = (
        cells(html / folder / f"{name}.ipynb") for folder in ("notebooks", "zh/notebooks")
    )
    same = [
        [one for one in book if "gallery.draw" not in one and not one.startswith("# ")]
        for book in (english, chinese)
    ]
    assert same[0] == same[1]
    assert "# your answer" in english and "# 在这里作答" in chinese
    text = "".join(one.source for one in read(html / "notebooks" / f"{name}.ipynb").cells)
    assert "```{" not in text and "{{" not in text and "](../" not in text
