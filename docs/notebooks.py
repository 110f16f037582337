"""Notebooks from the pages and scripts: one source, read by jupytext.

Of a topic's page its text and its cells are taken; an exercise has an empty cell, and its solution
stands in a notebook of its own. What the page takes from the package, the notebook takes by a cell.
"""

from __future__ import annotations

import re
from pathlib import Path

import jupytext
import translated
from companion import topic_module

HERE = Path(__file__).parent
WORDS = {
    "en": (
        "This notebook needs `tfcourse`: in a fresh Colab session, install it in a cell first.",
        "Solutions",
        "your answer",
    ),
    "zh": ("运行前请先安装 `tfcourse`；在 Colab 里，先用一个单元格安装。", "答案", "在这里作答"),
}
FENCE = re.compile(r"^(`{3,})\{([\w-]+)\} *(.*?)\n(.*?)^\1$\n?", re.M | re.S)


def cell(code: str) -> str:
    """A cell as jupytext reads it from Markdown."""
    return f"```python\n{code.strip()}\n```\n"


def figure_cell(name: str, language: str) -> str:
    """A cell that draws a figure and shows it."""
    return cell(
        "from IPython.display import SVG\nfrom tfcourse.lecture import gallery\n\n"
        f'gallery.draw("{name}", "{name}.svg", language="{language}")\nSVG("{name}.svg")'
    )


def converted(text: str, language: str, topic: str) -> tuple[str, str]:
    """Return a page as a notebook's Markdown, and its solutions.

    topic: the module whose claims are listed; empty where there is none.
    """
    solutions: list[str] = []
    note, _, answer = WORDS[language]

    def replace(match: re.Match[str]) -> str:
        _, kind, argument, body = match.groups()
        if kind == "code-cell":
            return cell(body)
        if kind == "excerpt":
            module, _, name = argument.partition(":")
            return cell(
                f"import inspect\nfrom {module} import {name}\n\nprint(inspect.getsource({name}))"
            )
        if kind == "lecture-figure":
            return figure_cell(argument, language)
        if kind == "findings":
            return cell(f"!python -m tfcourse claims {topic} --list") if topic else ""
        if kind == "fold":
            solutions.append(FENCE.sub(replace, body))
            return cell(f"# {answer}")
        return ""

    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    page = FENCE.sub(replace, text)
    # Headings with nothing below them, and links between pages, mean nothing here.
    page = re.sub(r"^## [^\n]+\n\s*(?=^## )", "", page, flags=re.M)
    page = re.sub(r"(?<!!)\[([^]]+)\]\((?!https?:)[^)]+\)", r"\1", page)
    title, _, rest = page.lstrip().partition("\n")
    return f"{title}\n\n{note}\n{rest}", "\n".join(solutions)


def write(language: str, out: Path) -> None:
    """Write the notebooks of all topics, their solutions, and those of the scripts."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted((HERE / language / "topics").glob("*.md")):
        module = topic_module(path.stem)
        page, solutions = converted(translated.page(path), language, path.stem if module else "")
        save(page, out / f"{path.stem}.ipynb")
        if "```python" in solutions:
            whole = (
                f"{page}\n## {WORDS[language][1]}\n\n{solutions}"  # it builds on the page's cells
            )
            save(whole, out / f"{path.stem}_solutions.ipynb")
    if language == "en":
        for path in sorted((HERE.parent / "scripts").glob("*.py")):
            if "# %%" in path.read_text("utf-8"):
                jupytext.write(jupytext.read(path), out / f"{path.stem}.ipynb")


def save(markdown: str, out: Path) -> None:
    """Write Markdown as a notebook."""
    book = jupytext.reads(markdown, "md")
    book.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    for number, one in enumerate(book.cells):
        one["id"] = f"cell-{number}"
    jupytext.write(book, out)
