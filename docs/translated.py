"""Chinese pages hold the words; formulas, code and figures come from the English page.

A line `{{}}` stands for the next of these in the English page, `{{-}}` leaves one out, because the
Chinese page has its own; `{{references}}` is what stands below *References*, and `{{ledger}}` the
two headings under which findings and errors are shown.
"""

from __future__ import annotations

import re
from pathlib import Path

OWN = {
    "picture",
    "fold",
    "topics",
    "toctree",
    "lecture-map",
    "findings",
    "slips",
    "commands",
}
LEDGER = "## 实测结果\n\n```{findings}\n```\n\n## 笔记里的错误\n\n```{slips}\n```"


def blocks(english: str) -> list[str]:
    """The displayed formulas, the code and the directives without words of an English page."""
    found, lines = [], english.splitlines()
    at = 0
    while at < len(lines):
        start, fence = at, re.match(r"(`{3,})(?:\{([\w-]+)\}|(\w+))", lines[at])
        at += 1
        if fence and fence[2] in ("fold", "other-page"):
            continue  # what is inside is read on its own
        if fence:
            while lines[at] != fence[1]:
                at += 1
            at += 1
            if fence[2] not in OWN:
                found.append("\n".join(lines[start:at]))
        elif lines[start].startswith("$$"):
            while not (lines[at - 1].endswith("$$") and lines[at - 1] != "$$"):
                at += 1
            found.append("\n".join(lines[start:at]))
    return found


def expanded(chinese: str, english: str) -> str:
    """A Chinese page with what it takes from the English one.

    Raises: ValueError if it takes more or less than there is.
    """
    waiting = blocks(english)
    _, _, references = english.partition("\n## References\n")
    shared = {"references": references.strip(), "ledger": LEDGER}

    def fill(match: re.Match[str]) -> str:
        if match[1] in shared:
            return shared[match[1]]
        if not waiting:
            raise ValueError("takes more blocks than the English page has")
        block = waiting.pop(0)
        return "" if match[1] == "-" else block

    text = re.sub(r"^\{\{(-|references|ledger|)\}\}$", fill, chinese, flags=re.M)
    if waiting:
        raise ValueError(f"leaves out {len(waiting)} blocks, the first of them {waiting[0][:60]!r}")
    return text


def page(path: Path) -> str:
    """The text of a page, whole in either language."""
    text, here = path.read_text("utf-8"), Path(__file__).parent
    if not path.is_relative_to(here / "zh"):
        return text
    english = here / "en" / path.relative_to(here / "zh")
    try:
        return expanded(text, english.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.relative_to(here)}: {error}") from None
