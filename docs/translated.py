"""Chinese pages hold the words; formulas, code and figures come from the English page.

A line `{{}}` stands for the next of these in the English page, `{{-}}` leaves one out, because the
Chinese page has its own; `{{references}}` is what stands below *References*, and `{{ledger}}` the
two headings under which findings and errors are shown. The head of a Chinese page holds a digest of
each English paragraph that it tells, so that `stale` can say which of them is another one now.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from pathlib import Path
from textwrap import shorten, wrap

HERE = Path(__file__).parent
OWN = {
    "picture",
    "fold",
    "topics",
    "toctree",
    "lecture-map",
    "findings",
    "slips",
    "readme",
    "commands",
}
LEDGER = "## 实测结果\n\n```{findings}\n```\n\n## 笔记里的错误\n\n```{slips}\n```"
HEAD = re.compile(r"\A---\ntranslates:(.*?)\n---\n", re.S)
MARK = re.compile(r"^\{\{(-|references|ledger|)\}\}$", re.M)


def spans(english: str) -> list[tuple[int, int]]:
    """First line and the line after the last of what an English page shares with the Chinese one.

    These are the displayed formulas, the code and the directives without words.
    """
    found, lines = [], english.splitlines()
    at = 0
    while at < len(lines):
        start, fence = at, re.match(r"(`{3,})(?:\{([\w-]+)\}|(\w+))", lines[at])
        at += 1
        if fence and fence[2] == "fold":
            continue  # what is inside is read on its own
        if fence:
            while lines[at] != fence[1]:
                at += 1
            at += 1
            if fence[2] not in OWN:
                found.append((start, at))
        elif lines[start].startswith("$$"):
            while not (lines[at - 1].endswith("$$") and lines[at - 1] != "$$"):
                at += 1
            found.append((start, at))
    return found


def expanded(chinese: str, english: str) -> str:
    """A Chinese page with what it takes from the English one.

    Raises: ValueError if it takes more or less than there is.
    """
    lines = english.splitlines()
    waiting = ["\n".join(lines[start:end]) for start, end in spans(english)]
    _, _, references = english.partition("\n## References\n")
    shared = {"references": references.strip(), "ledger": LEDGER}

    def fill(match: re.Match[str]) -> str:
        if match[1] in shared:
            return shared[match[1]]
        if not waiting:
            raise ValueError("takes more blocks than the English page has")
        block = waiting.pop(0)
        return "" if match[1] == "-" else block

    text = MARK.sub(fill, chinese)
    if waiting:
        raise ValueError(f"leaves out {len(waiting)} blocks, the first of them {waiting[0][:60]!r}")
    return text


def whole(path: Path) -> str:
    """The text of a page, with the page of docs/ that it shows in place of its own."""

    def put_in(match: re.Match[str]) -> str:
        text = (HERE / match[1]).read_text("utf-8")
        # Links into the repository have nowhere to lead from here.
        return re.sub(r"(?<!!)\[([^]]+)\]\((?!https?:)[^)]+\)", r"\1", text.partition("\n")[2])

    return re.sub(r"^```\{other-page\} (\S+)\n```$", put_in, path.read_text("utf-8"), flags=re.M)


def page(path: Path) -> str:
    """The text of a page, whole in either language."""
    text = whole(path)
    if not path.is_relative_to(HERE / "zh"):
        return text
    try:
        return expanded(text, whole(HERE / "en" / path.relative_to(HERE / "zh")))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.relative_to(HERE)}: {error}") from None


# --- What a Chinese page tells, and whether it still stands in the English one


def paragraphs(english: str, chinese: str) -> list[tuple[int, str]]:
    """The number of its line and the text of each English paragraph that is told in Chinese.

    Items of lists and rows of tables are paragraphs; a block that the Chinese page replaces is one.
    """
    text, _, _ = english.partition("\n## References\n")
    marks = [mark for mark in MARK.findall(chinese) if mark in ("", "-")]
    lines, found = text.splitlines(), []
    for i, (start, end) in enumerate(spans(text)):
        if i < len(marks) and marks[i] == "-":
            found.append((start + 1, " ".join(lines[start:end])))
        lines[start:end] = [""] * (end - start)
    begins = True
    for number, line in enumerate(lines, 1):
        if begins or line.startswith(("- ", "| ", "#")):
            found.append((number, ""))
        found[-1] = (found[-1][0], f"{found[-1][1]} {line}".strip())
        begins = not line or line.startswith("#")
    return sorted((number, text) for number, text in found if text and set(text) - set("`|- "))


def digest(text: str) -> str:
    """A short name for a paragraph, however its lines are broken."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:6]


def stale(english: Path) -> list[str]:
    """A line for each paragraph of an English page that its Chinese page does not tell."""
    there = english.relative_to(HERE / "en")
    chinese = HERE / "zh" / there
    if not chinese.exists():
        return [f"docs/zh/{there} is missing"]
    text = chinese.read_text("utf-8")
    head = HEAD.match(text)
    told, now = head[1].split() if head else [], paragraphs(whole(english), text)
    lines = []
    compared = difflib.SequenceMatcher(None, told, [digest(one) for _, one in now], autojunk=False)
    for kind, i, j, k, end in compared.get_opcodes():
        if kind == "delete":
            near = f"before line {now[k][0]}" if k < len(now) else "at its end"
            lines.append(f"docs/en/{there}: {j - i} paragraphs {near} are gone; take them out")
        elif kind != "equal":
            lines += [
                f"docs/en/{there}:{number}: {'new' if kind == 'insert' else 'changed'}: "
                f"{shorten(one, 100, placeholder=' …')}"
                for number, one in now[k:end]
            ]
    return lines


def stamp(english: Path) -> None:
    """Say in a Chinese page that it tells what the English one says now."""
    chinese = HERE / "zh" / english.relative_to(HERE / "en")
    text = chinese.read_text("utf-8")
    digests = " ".join(digest(one) for _, one in paragraphs(whole(english), text))
    head = "\n".join(wrap(f"translates: {digests}", 97, subsequent_indent="  "))
    chinese.write_text(f"---\n{head}\n---\n{HEAD.sub('', text)}", "utf-8")
