"""Build the site: `python docs/build.py` writes English to docs/_build/html, Chinese to its zh/.

Warnings are errors. Figures are drawn once, and again when a module of the lecture has changed;
`--quick` takes those in figures/ for every language and theme, while one writes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import translated

HERE = Path(__file__).parent
OUT = HERE / "_build"
LANGUAGES = {"en": ("en", OUT / "html"), "zh": ("zh_CN", OUT / "html" / "zh")}

# What the theme says in English whatever the language; longer ones first.
FURO = {
    "Toggle Light / Dark / Auto color theme": "切换浅色、深色或自动",
    "Toggle table of contents sidebar": "显示或隐藏本页目录",
    "Toggle site navigation sidebar": "显示或隐藏站点导航",
    "Hide navigation sidebar": "隐藏站点导航",
    "Hide table of contents sidebar": "隐藏本页目录",
    "Skip to content": "跳到正文",
    "Back to top": "回到顶部",
    "On this page": "本页内容",
    "<span>Next</span>": "<span>下一页</span>",
    "<span>Previous</span>": "<span>上一页</span>",
    "Made with ": "制作工具：",
    "</a> and <a class": "</a>、<a class",
    "@pradyunsg</a>'s": "@pradyunsg</a> 的",
    'placeholder="Search"': 'placeholder="搜索"',
}


def draw(language: str, quick: bool) -> Path:
    """Draw the figures that are not there yet; return the folder that holds them."""
    from tfcourse.lecture import gallery

    committed = HERE.parent / "figures"
    modules = sorted((HERE.parent / "tfcourse" / "lecture").glob("*.py"))
    code = hashlib.sha256(b"".join(path.read_bytes() for path in modules)).hexdigest()[:12]
    top = OUT / "figures" / ("committed" if quick else code) / language
    folder = top / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    for entry in gallery.figures():
        for theme in ("light", "dark"):
            out = folder / f"{entry.name}.{theme}.svg"
            if out.exists():
                continue
            if quick:
                shutil.copy(committed / f"{entry.name}.svg", out)
                continue
            started = time.perf_counter()
            gallery.draw(entry.name, out, theme=theme, language=language)
            print(f"{out.name} {language} {time.perf_counter() - started:.1f} s", flush=True)
    return top


def build(quick: bool) -> None:
    """Build both languages; a warning ends it."""
    import notebooks

    if lines := unlike_topics():
        sys.exit("\n".join(lines))
    for language, (sphinx, out) in LANGUAGES.items():
        static = f"_static,{draw(language, quick)}"
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", str(HERE)]
        command += ["-D", f"language={sphinx}", "-D", f"html_static_path={static}"]
        command += ["-d", str(OUT / "doctrees" / language), str(HERE / language), str(out)]
        if subprocess.run(command).returncode:
            sys.exit(f"the {language} pages have warnings")
        notebooks.write(language, out / "notebooks")
    for path in (OUT / "html").rglob("*.html"):
        text = path.read_text("utf-8").replace('role="heading">', 'role="heading" aria-level="2">')
        if path.is_relative_to(LANGUAGES["zh"][1]):
            for english, chinese in FURO.items():
                text = text.replace(english, chinese)
        path.write_text(text, "utf-8")
    pages = [*(OUT / "html").rglob("*.html")]
    books = [*(OUT / "html").rglob("*.ipynb")]
    size = sum(path.stat().st_size for path in (OUT / "html").rglob("*") if path.is_file())
    print(f"{len(pages)} pages, {len(books)} notebooks, {size / 1e6:.1f} MB, no warnings")
    print(OUT / "html" / "index.html")


def unlike_topics() -> list[str]:
    """A line for each topic that lacks a page, and for each page that has no topic."""
    from tfcourse.lecture.topics import TOPICS

    names = {name for part in TOPICS.values() for name in part}
    lines = []
    for language in LANGUAGES:
        pages = {path.stem for path in (HERE / language / "topics").glob("*.md")}
        where = f"docs/{language}/topics"
        lines += [f"{where}/{name}.md is missing: write it" for name in sorted(names - pages)]
        lines += [
            f"{where}/{name}.md: TOPICS (tfcourse/lecture/topics.py) has no {name!r}"
            for name in sorted(pages - names)
        ]
    return lines


def stale() -> list[str]:
    """A line for each English text that the Chinese edition does not tell."""
    import companion

    english = sorted((HERE / "en").rglob("*.md"))
    return [line for page in english for line in translated.stale(page)] + companion.untold()


def stamp() -> None:
    """Say in the Chinese pages and the ledger that they tell what the English says now."""
    import companion

    from tfcourse.lecture import ledger

    for page in (HERE / "zh").rglob("*.md"):
        translated.stamp(HERE / "en" / page.relative_to(HERE / "zh"))
    told = companion.chinese()
    for one in ledger.claims():
        if one.id in told:
            told[one.id]["of"] = companion.of(one)
    lines = [f"{json.dumps(id)}: {json.dumps(told[id], ensure_ascii=False)}" for id in sorted(told)]
    (HERE / "zh" / "ledger.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # before TensorFlow is imported
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="take the figures of figures/")
    parser.add_argument("--stale", action="store_true", help="list what to mend in Chinese")
    parser.add_argument("--stamp", action="store_true", help="list it, and take it for mended")
    options = parser.parse_args()
    if options.stale or options.stamp:
        found = stale()
        print("\n".join(found) or "the Chinese edition tells what the English one tells")
        if options.stamp:
            stamp()
            found = stale()
        sys.exit(bool(found))
    build(options.quick)
