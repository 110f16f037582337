"""What the pages take from the package: figures, findings, errata, code, and what code prints.

Directives, in the order below: `code-cell` runs Python and shows what it prints; `excerpt` shows
a function as it stands in the package; `lecture-figure` a figure of the gallery; `findings` and
`slips` the claims and the errors of a topic; `picture` one that answers; `fold` hides a solution;
`lecture-map` lists the topics. Mathematics becomes MathML, which needs no script and no font.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import io
import json
import linecache
import os
import re
from functools import cache
from html import escape
from importlib.util import find_spec
from itertools import pairwise
from logging import getLogger
from pathlib import Path
from typing import Any

import translated
from docutils import nodes
from docutils.parsers.rst import directives
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.search import languages
from sphinx.search.en import SearchEnglish
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from tfcourse.lecture import gallery, ledger
from tfcourse.lecture.topics import TOPICS

HERE = Path(__file__).parent
CLAIMS = HERE.parent / "CLAIMS.md"
PARTS_ZH = {
    "tuning": "调参",
    "normalization": "归一化",
    "classification": "多分类",
    "frameworks": "框架",
}
VERDICTS_ZH = {
    ledger.HOLDS: "成立",
    ledger.CONDITIONS: "有条件成立",
    ledger.NOT_SHOWN: "未能证实",
    ledger.REFUTED: "不成立",
}
WHOSE_ZH = {
    "note": "笔记的笔误",
    "translation": "翻译走样",
    "lecturer": "讲课人自己的口误或笔误",
    "time": "当时没错，现已过时",
}
log = logging.getLogger(__name__)


def topic_module(name: str) -> str:
    """The module of a topic; empty where it is not there yet."""
    module = f"tfcourse.lecture.{name}"
    return module if find_spec(module) else ""


class Directive(SphinxDirective):
    """One that knows the page's language and topic."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True

    @property
    def zh(self) -> bool:
        return str(self.config.language).startswith("zh")

    @property
    def topic(self) -> str:
        return self.env.docname.rpartition("/")[2]

    @property
    def root(self) -> str:
        return "../" * self.env.docname.count("/")

    def say(self, en: str, zh: str) -> str:
        return zh if self.zh else en

    def markdown(self, text: str) -> list[nodes.Node]:
        return self.parse_text_to_nodes(text)

    def fail(self, text: str) -> list[nodes.Node]:
        log.warning(text, location=self.get_location())
        return []


def html(text: str) -> nodes.raw:
    """A piece of HTML."""
    return nodes.raw("", text, format="html")


# --- Code that is run


def printed(code: str, names: dict[str, Any]) -> str:
    """Run code in `names`; return what it prints, and the value of a last expression."""
    tree, out, name = ast.parse(code), io.StringIO(), f"<cell {len(linecache.cache)}>"
    linecache.cache[name] = (len(code), None, code.splitlines(True), name)  # for inspect.getsource
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(out):
        exec(compile(tree, name, "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), name, "eval"), names)
            if value is not None:
                print(repr(value))
    return out.getvalue()


_cells: dict[str, list[str]] = {}
_names: dict[str, dict[str, Any]] = {}
OUTPUTS = HERE / "_build" / "cells.json"


@cache
def package() -> str:
    """A digest of the package: with another one, cells are run again."""
    sources = sorted((HERE.parent / "tfcourse").rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


@cache
def outputs() -> dict[str, str]:
    """What cells printed in earlier builds, and in the other language."""
    return json.loads(OUTPUTS.read_text("utf-8")) if OUTPUTS.exists() else {}


def output_of(page: str, code: str) -> str:
    """What a cell prints after those that stand before it on its page."""
    before = _cells.setdefault(page, [])
    key = hashlib.sha256("\0".join([package(), *before, code]).encode()).hexdigest()
    before.append(code)
    if key not in outputs():
        names = _names.setdefault(page, {"__name__": "__main__", "ran": 0})
        for one in before[names["ran"] :]:
            outputs()[key] = printed(one, names)
            names["ran"] += 1
        OUTPUTS.parent.mkdir(exist_ok=True)
        OUTPUTS.write_text(json.dumps(outputs()), "utf-8")
    return outputs()[key]


class CodeCell(Directive):
    """Python that is run when the page is built; names live as long as the page."""

    def run(self) -> list[nodes.Node]:
        code = "\n".join(self.content)
        shown = nodes.literal_block(code, code, language="python")
        try:
            output = output_of(self.env.docname, code)
        except Exception as error:
            return self.fail(f"a cell raised {type(error).__name__}: {error}")
        if not output:
            return [shown]
        output = output.rstrip("\n")
        result = nodes.literal_block(output, output, language="text")
        result["classes"].append("output")
        return [shown, result]


# --- Code from the package


@cache
def source(target: str) -> tuple[str, str]:
    """Return the text of `module:name`, without its docstring, and of the file it stands in."""
    module, _, name = target.partition(":")
    spec = find_spec(module)
    if not spec or not spec.origin:
        raise LookupError(f"there is no module {module}")
    text = Path(spec.origin).read_text("utf-8")
    for node in ast.walk(ast.parse(text)):
        names = [getattr(node, "name", "")]
        if isinstance(node, ast.Assign):
            names = [getattr(one, "id", "") for one in node.targets]
        if name not in names:
            continue
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        lines = text.splitlines()[first - 1 : node.end_lineno]
        body = getattr(node, "body", [])
        if len(body) > 1 and ast.get_docstring(node):  # type: ignore[arg-type]
            doc = body[0]
            del lines[doc.lineno - first : doc.end_lineno - first + 1]
            if lines[doc.lineno - first] == "":
                del lines[doc.lineno - first]
        return "\n".join(lines), module.replace(".", "/") + ".py"
    raise LookupError(f"{module} has no {name}")


class Excerpt(Directive):
    """A function or class as it stands in the package."""

    def run(self) -> list[nodes.Node]:
        module, _, _ = self.arguments[0].partition(":")
        if module.startswith("tfcourse.lecture.") and not find_spec(module):
            return []
        try:
            code, path = source(self.arguments[0])
        except LookupError as error:
            return self.fail(str(error))
        where = nodes.paragraph("", "", nodes.literal("", path), classes=["where"])
        return [where, nodes.literal_block(code, code, language="python")]


# --- Figures


def figure(of: Directive, name: str) -> list[nodes.Node]:
    """A figure of the gallery, in the page's language, light or dark as the reader has it."""
    known = {entry.name: entry for entry in gallery.figures()}
    if name not in known:
        return of.fail(f"the gallery has no figure {name!r}")
    caption, alternative = known[name].text(of.say("en", "zh"))
    images = "".join(
        f'<img class="only-{theme}" loading="lazy" alt="{escape(alternative, quote=True)}" '
        f'src="{of.root}_static/figures/{name}.{theme}.svg">'
        for theme in ("light", "dark")
    )
    caption = f"<figcaption>{escape(caption)}</figcaption>"
    return [html(f'<figure class="lecture-figure" id="{name}">{images}{caption}</figure>')]


class LectureFigure(Directive):
    """A figure by its name."""

    def run(self) -> list[nodes.Node]:
        return figure(self, self.arguments[0])


# --- Claims and errors


@cache
def recorded() -> dict[str, dict[str, str]]:
    """What CLAIMS.md says was found: by id, `plain` and `measured`."""
    found = {}
    for section in re.split(r"^### ", CLAIMS.read_text("utf-8"), flags=re.M)[1:]:
        id, _, text = section.partition("\n")
        plain = re.search(r"^\*\*[^*]+\.\*\* *(.*)$", text, re.M)
        measured = re.search(r"^Measured: (.*)$", text, re.M)
        if plain and measured:
            found[id] = {"plain": plain[1], "measured": measured[1]}
    return found


@cache
def chinese() -> dict[str, dict[str, str]]:
    """By id: `statement` and `plain` of a claim, `why` and `correct` of an error, in Chinese."""
    return json.loads((HERE / "zh" / "ledger.json").read_text("utf-8"))


NUMBER = re.compile(r"[-−]?\d(?:[\d,.]*\d)?")


def digest(text: str) -> str:
    """A short name for a text whatever its numbers."""
    return hashlib.sha256(NUMBER.sub("#", text).encode()).hexdigest()[:8]


def of(one: ledger.Claim) -> list[str]:
    """Digests of the English that a Chinese entry tells: the statement or error, what was found."""
    plain = recorded().get(one.id, {}).get("plain", "")
    return [
        digest(f"{one.why}{one.erratum.correct}" if one.erratum else one.statement),
        digest(plain),
    ]


def in_chinese(one: ledger.Claim, key: str, english: str) -> str:
    """The Chinese for a text of the ledger, if it tells this English; {0}, {1} … are numbers."""
    entry, at = chinese().get(one.id, {}), int(key == "plain")
    if not english or not entry.get(key) or entry.get("of", ["", ""])[at] != of(one)[at]:
        return english
    try:
        return entry[key].format(*NUMBER.findall(english)) if key == "plain" else entry[key]
    except IndexError:
        log.warning(f"zh/ledger.json: {one.id} wants more numbers than there are in {english!r}")
        return english


def untold() -> list[str]:
    """A line for each text of the ledger that is not told in Chinese, or not as it is now."""
    lines, where = [], "docs/zh/ledger.json"
    ids = {one.id for one in ledger.claims()}
    lines += [f"{where}: {id}: the ledger has no such claim" for id in chinese() if id not in ids]
    for one in ledger.claims():
        if not one.module.startswith("tfcourse.lecture."):
            continue  # what has not yet become a topic stands on no page
        entry, now = chinese().get(one.id, {}), of(one)
        before = entry.get("of", ["", ""])
        texts = [("statement", one.statement, 0)]
        if one.erratum:
            texts = [("why", one.why, 0)]  # what is correct is a formula, most often
        elif plain := recorded().get(one.id, {}).get("plain"):
            texts.append(("plain", plain, 1))
        for key, english, at in texts:
            if not entry.get(key) or before[at] != now[at]:
                state = "changed" if entry.get(key) else "missing"
                lines.append(f'{where}: {one.id}: "{key}" is {state}: {english}')
    return lines


def claims_of(topic: str) -> list[ledger.Claim]:
    """The claims and errata of a topic, in its order."""
    module = topic_module(topic)
    return [one for one in ledger.claims() if one.module == module] if module else []


class Findings(Directive):
    """What the ledger found on the page's topic, after its figures that stand nowhere yet."""

    def figures(self) -> list[str]:
        """The topic's figures that the page does not show."""
        text, module = (
            translated.page(Path(self.env.doc2path(self.env.docname))),
            topic_module(self.topic),
        )
        own = [
            one.name
            for one in gallery.figures()
            if getattr(one.function, "__module__", "") == module
        ]
        return [name for name in own if f"{{lecture-figure}} {name}\n" not in text]

    def run(self) -> list[nodes.Node]:
        result = [node for name in self.figures() for node in figure(self, name)]
        for one in claims_of(self.topic):
            if one.erratum:
                continue
            found = recorded().get(one.id, {"plain": "", "measured": ""})
            statement, plain = one.statement, found["plain"]
            verdict = one.verdict.capitalize()
            if self.zh:
                statement = in_chinese(one, "statement", statement)
                plain = in_chinese(one, "plain", plain)
                verdict = VERDICTS_ZH[one.verdict]
            kind = one.verdict.replace(" ", "-")
            head = (
                f'<div class="finding {kind}"><p><span class="verdict">{verdict}</span> '
                f'<span class="claim">{escape(statement)}</span></p>'
            )
            if plain:
                head += f"<p>{escape(plain)}</p>"
            details = [
                (self.say("Measured", "实测"), found["measured"]),
                (self.say("How", "做法"), one.experiment),
                (self.say("What matters", "多大才算数"), one.matters),
                (self.say("Conditions", "条件"), one.conditions),
                (self.say("Literature", "文献"), one.literature),
                (self.say("In", "出处"), "; ".join(map(str, one.sources))),
                (self.say("Run it", "自己运行"), f"python -m tfcourse claims {one.id}"),
            ]
            rows = "".join(
                f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in details if text
            )
            fold = self.say("figures and experiment", "数字与实验")
            result.append(
                html(f"{head}<details><summary>{fold}</summary><dl>{rows}</dl></details></div>")
            )
        return result


class Slips(Directive):
    """What notes of the lecture get wrong on the page's topic."""

    def run(self) -> list[nodes.Node]:
        rows = []
        for one in claims_of(self.topic):
            if not one.erratum:
                continue
            slip, printed_there = one.erratum, one.erratum.printed
            why, whose = slip.why, ledger.WHOSE[slip.whose]
            correct = slip.correct
            if self.zh:
                why, whose = in_chinese(one, "why", why), WHOSE_ZH[slip.whose]
                correct = in_chinese(one, "correct", correct)
            translation = (
                ""
                if self.zh or not printed_there.translation
                else (f" ({printed_there.translation})")
            )
            where = f"{printed_there.file[:3]}:{printed_there.line}"
            rows.append(
                f'<li><p><span class="where">{where}</span> <code>{escape(printed_there.words)}'
                f"</code>{escape(translation)}<br>→ <code>{escape(correct)}</code></p>"
                f"<p>{escape(why)} <em>{whose}.</em></p></li>"
            )
        if not rows:
            none = self.say("Nothing that we found.", "我们没有发现。")
            return [html(f"<p>{none}</p>")]
        return [html(f'<ul class="slips">{"".join(rows)}</ul>')]


# --- Pictures that answer, folds, the map


class Picture(Directive):
    """A picture that answers, with a figure of the gallery where scripts are off."""

    option_spec = {"still": directives.unchanged_required}  # noqa: RUF012 (docutils' own)

    def run(self) -> list[nodes.Node]:
        name, still = self.arguments[0], self.options["still"]
        if not (HERE / "_static/pictures" / f"{name}.js").exists():
            return self.fail(f"there is no picture {name!r}")
        self.env.note_dependency(str(HERE / "_static/pictures" / f"{name}.js"))
        static = f"{self.root}_static/"
        scripts = "".join(
            f'<script defer src="{static}pictures/{file}.js"></script>'
            for file in ("maths", "kit", name)
        )
        alternative = escape(gallery.find([still])[0].text(self.say("en", "zh"))[1], quote=True)
        images = "".join(
            f'<img class="only-{theme}" alt="{alternative}" '
            f'src="{static}figures/{still}.{theme}.svg">'
            for theme in ("light", "dark")
        )
        return [
            html(f'<figure class="picture" id="picture-{name}" data-picture="{name}">'),
            html(f"<noscript>{images}</noscript><figcaption>"),
            *self.markdown("\n".join(self.content)),
            html(f"</figcaption></figure>{scripts}"),
        ]


class Fold(Directive):
    """A solution, hidden until it is asked for."""

    def run(self) -> list[nodes.Node]:
        title = self.arguments[0] if self.arguments else self.say("Solution", "答案")
        return [
            html(f'<details class="fold"><summary>{escape(title)}</summary>'),
            *self.markdown("\n".join(self.content)),
            html("</details>"),
        ]


def heading(path: Path) -> tuple[str, str]:
    """Title and first paragraph of a page."""
    text = re.sub(r"\A---\n.*?\n---\n", "", path.read_text("utf-8"), flags=re.S)
    title, lead = (part.strip() for part in text.strip().split("\n\n")[:2])
    return title.removeprefix("# "), " ".join(lead.split("\n"))


class LectureMap(Directive):
    """The topics in the lecture's order, each with its first sentence."""

    def run(self) -> list[nodes.Node]:
        lines = []
        for part, names in TOPICS.items():
            lines += [
                f'<section class="part"><h3>{self.say(part.capitalize(), PARTS_ZH[part])}</h3><ol>'
            ]
            for name in names:
                path = Path(self.env.srcdir) / "topics" / f"{name}.md"
                if not path.exists():
                    return self.fail(f"the topic {name} has no page")
                self.env.note_dependency(str(path))
                title, lead = heading(path)
                lines.append(
                    f'<li><a href="{self.root}topics/{name}.html">{escape(title)}</a> '
                    f"{escape(lead)}</li>"
                )
            lines.append("</ol></section>")
        return [html(f'<div class="lecture-map">{"".join(lines)}</div>')]


class Topics(Directive):
    """The toctree of one part's topics."""

    def run(self) -> list[nodes.Node]:
        entries = "\n".join(f"topics/{name}" for name in TOPICS[self.arguments[0]])
        caption = self.say(self.arguments[0].capitalize(), PARTS_ZH[self.arguments[0]])
        return self.markdown(f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```")


class Readme(Directive):
    """A section of the README in the page's language, without its heading."""

    def run(self) -> list[nodes.Node]:
        path = HERE.parent / self.say("README.md", "README.zh.md")
        self.env.note_dependency(str(path))
        sections = dict(
            part.partition("\n")[::2]
            for part in re.split(r"^## ", path.read_text("utf-8"), flags=re.M)
        )
        if self.arguments[0] not in sections:
            return self.fail(f"{path.name} has no section {self.arguments[0]!r}")
        # Links into the repository have nowhere to lead from here.
        text = re.sub(r"(?<!!)\[([^]]+)\]\((?!https?:)[^)]+\)", r"\1", sections[self.arguments[0]])
        return self.markdown(text)


class Commands(Directive):
    """The command line, as the commands themselves tell it."""

    def run(self) -> list[nodes.Node]:
        import typer

        from tfcourse.cli import app

        return self.tell("tfcourse", typer.main.get_command(app.app))

    def tell(self, name: str, command: Any) -> list[nodes.Node]:
        """The section of one command, and those of its commands."""
        result: list[nodes.Node] = []
        if " " in name:
            section = nodes.section(ids=[name.replace(" ", "-")])
            section += nodes.title("", name)
            section += [nodes.paragraph("", text) for text in (command.help or "").split("\n\n")]
            if command.epilog:
                example = re.sub(r"^.*?:  ", "", command.epilog)
                section += nodes.literal_block(example, example, language="sh")
            section += html(self.table(command.params))
            result.append(section)
        for one, inner in getattr(command, "commands", {}).items():
            result += self.tell(f"{name} {one}", inner)
        return result

    def table(self, params: list[Any]) -> str:
        """Arguments and options, with what they are when they are not given."""
        rows = []
        for one in params:
            named = (
                [*one.opts, *one.secondary_opts]
                if one.opts[0].startswith("-")
                else [one.name.upper()]
            )
            given = one.default
            none = given is None or given is False or given in ((), []) or callable(given)
            shown = "" if none else str(given)
            shown = " ".join(map(str, given)) if isinstance(given, tuple) else shown
            what = escape(" ".join((getattr(one, "help", None) or "").split()))
            names = ", ".join(f"<code>{escape(name)}</code>" for name in named)
            rows.append(f"<tr><td>{names}</td><td>{what}</td><td>{escape(shown)}</td></tr>")
        heads = self.say("option|what it does|default", "选项|作用（英文原文）|默认值").split("|")
        head = "".join(f"<th>{text}</th>" for text in heads)
        return (
            '<div class="table-wrapper docutils container" tabindex="0">'
            '<table class="docutils options">'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        )


def as_restructured(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Docstrings are plain text: nothing but code in backticks and doctests is markup."""
    code = False
    for i, line in enumerate(lines):
        code = line.lstrip().startswith((">>>", "...")) or (code and bool(line.strip()))
        if not code:
            line = re.sub(r"([*|\\]|(?<=\w)_(?!\w))", r"\\\1", line)
            lines[i] = re.sub(r"`([^`]*)`", lambda m: "``" + m[1].replace("\\", "") + "``", line)


# --- Mathematics


def formula(node: nodes.Node, text: str, display: str = "inline") -> str:
    """MathML of a formula; a command that the converter does not know is a warning."""
    made = convert(text, display=display)
    if unknown := re.search(r"\\\w+", made):
        log.warning(f"no MathML for {unknown[0]}", location=node)
    return made


def inline(self: Any, node: nodes.math) -> None:
    """Write mathematics within a sentence."""
    self.body.append(formula(node, node.astext()))
    raise nodes.SkipNode


def display(self: Any, node: nodes.math_block) -> None:
    r"""Write mathematics that stands by itself; where it is too wide, it breaks at \qquad."""
    parts = [part for part in map(str.strip, node.astext().split(r"\qquad")) if part]
    if any(part.count("{") != part.count("}") for part in parts):
        parts = [node.astext()]
    formulas = "".join(formula(node, part, "block") for part in parts)
    self.body.append(f'<div class="math-block" tabindex="0">{formulas}</div>')
    raise nodes.SkipNode


class SearchChinese(SearchEnglish):
    """Search that takes Chinese for pairs of letters, in pages and in what is asked.

    Sphinx's own needs jieba, 20 MB of words, and its script does not run without it.
    """

    lang = "zh"
    js_splitter_code = r"""
var splitQuery = (query) => query.split(/[^\p{Letter}\p{Number}_]+/gu).flatMap((run) =>
  run.match(/[\u4e00-\u9fff]+|[^\u4e00-\u9fff]+/gu) || []).flatMap((run) =>
  /[\u4e00-\u9fff]{3}/u.test(run) ? Array.from(run).slice(1).map((c, i) => run[i] + c) : [run]);
"""

    def split(self, input: str) -> list[str]:
        """Words of letters, and pairs of Chinese ones."""
        runs = re.findall(r"[\u4e00-\u9fff]+|[^\W\u4e00-\u9fff]+", input)
        chinese = [run for run in runs if "\u4e00" <= run[0] <= "\u9fff" and len(run) > 1]
        pairs = [a + b for run in chinese for a, b in pairwise(run)]
        return pairs + [run for run in runs if run not in chinese]

    def word_filter(self, word: str) -> bool:
        """Whether a word is worth an entry."""
        return bool(word) and word not in self.stopwords


def own_address(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Say to browsers and search engines which language a page has."""
    if str(app.config.language).startswith("zh"):
        context["language"] = "zh"


def offer_notebook(app: Sphinx, doctree: nodes.document) -> None:
    """End a topic's page with its notebook."""
    folder, _, name = app.env.docname.rpartition("/")
    if folder != "topics":
        return
    zh = str(app.config.language).startswith("zh")
    text = "把本页下载为 notebook" if zh else "This page as a notebook"
    doctree[-1] += html(
        f'<p class="notebook"><a href="../notebooks/{name}.ipynb" download>{text}</a></p>'
    )


def whole(app: Sphinx, page: str, text: list[str]) -> None:
    """Fill a page with what it takes from another one."""
    path = Path(app.env.doc2path(page))
    app.env.note_dependency(str(HERE / "en" / f"{page}.md"), docname=page)
    for other in HERE.glob("*.md"):  # what {other-page} shows
        app.env.note_dependency(str(other), docname=page)
    try:
        text[0] = translated.page(path)
    except ValueError as error:
        log.warning(str(error), location=page)


def changed(app: Sphinx, env: Any, *others: Any) -> list[str]:
    """All pages, if the package or what was found has changed since they were made."""
    told = [CLAIMS, HERE / "zh" / "ledger.json", *HERE.glob("*.py")]
    now = package() + hashlib.sha256(b"".join(path.read_bytes() for path in told)).hexdigest()
    before, env.made_from = getattr(env, "made_from", ""), now
    return [] if before == now else sorted(env.found_docs)


def setup(app: Sphinx) -> dict[str, Any]:
    """Add all this to Sphinx."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    getLogger("fontTools").setLevel("WARNING")  # Sphinx shows what it tells
    for name, directive in {
        "code-cell": CodeCell,
        "excerpt": Excerpt,
        "lecture-figure": LectureFigure,
        "findings": Findings,
        "slips": Slips,
        "picture": Picture,
        "fold": Fold,
        "lecture-map": LectureMap,
        "topics": Topics,
        "readme": Readme,
        "commands": Commands,
    }.items():
        app.add_directive(name, directive)
    languages["zh"] = SearchChinese
    app.add_html_math_renderer(
        "mathml", inline_renderers=(inline, None), block_renderers=(display, None)
    )

    app.connect("html-page-context", own_address)
    app.connect("doctree-read", offer_notebook)
    app.connect("source-read", whole)
    app.connect("env-get-outdated", changed)
    app.connect("autodoc-process-docstring", as_restructured)
    return {"version": "1", "parallel_read_safe": True}
