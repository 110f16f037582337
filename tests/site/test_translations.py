"""What is missing in Chinese, or was written for another English text, is told by line."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))
pytestmark = pytest.mark.site
ENGLISH = sorted((DOCS / "en").rglob("*.md"))
MEND = "mend this in Chinese, then python docs/build.py --stamp:\n"


def told(lines):
    """Fail with a line for each text to mend, and nothing around them."""
    if lines:
        pytest.fail(MEND + "\n".join(lines), pytrace=False)


@pytest.mark.parametrize("english", ENGLISH, ids=lambda path: path.stem)
def test_the_chinese_page_says_what_the_english_one_says_now(english):
    import translated

    told(translated.stale(english))
    chinese = DOCS / "zh" / english.relative_to(DOCS / "en")
    whole = translated.page(chinese)
    heads = [re.findall(r"^#+ ", one, re.M) for one in (translated.page(english), whole)]
    assert heads[0] == heads[1]
    assert len(re.findall("[\u4e00-\u9fff]", chinese.read_text("utf-8"))) > 10


def test_every_claim_and_error_is_told_in_chinese():
    import companion

    told(companion.untold())


@pytest.fixture
def two_pages(tmp_path, monkeypatch):
    import translated

    monkeypatch.setattr(translated, "HERE", tmp_path)
    english, chinese = (tmp_path / folder / "a.md" for folder in ("en", "zh"))
    for page in (english, chinese):
        page.parent.mkdir()
    english.write_text("# A\n\nOne\nline.\n\n```sh\nls\n```\n\n$$x$$\n\n- two\n- three\n", "utf-8")
    chinese.write_text("# 甲\n\n一行。\n\n{{}}\n\n{{-}}\n\n- 二\n- 三\n", "utf-8")
    assert len(translated.stale(english)) == 5  # not stamped yet, and code needs no words
    translated.stamp(english)
    return english, chinese


def test_only_what_was_told_before_is_stale_when_it_changes(two_pages):
    import translated

    english, chinese = two_pages
    assert translated.stale(english) == []
    text = english.read_text("utf-8")
    for before, now, lines in [
        ("One\nline.", "One line.", []),
        ("ls", "ls -l", []),
        ("line.", "sentence.", ["docs/en/a.md:3: changed: One sentence."]),
        ("- two\n", "- two\n- more\n", ["docs/en/a.md:13: new: - more"]),
        ("$$x$$", "$$y$$", ["docs/en/a.md:10: changed: $$y$$"]),  # Chinese has a formula of its own
        ("- two\n", "", ["docs/en/a.md: 1 paragraphs before line 12 are gone; take them out"]),
    ]:
        english.write_text(text.replace(before, now), "utf-8")
        assert translated.stale(english) == lines
    chinese.unlink()
    assert translated.stale(english) == ["docs/zh/a.md is missing"]


def test_a_claim_that_is_new_changed_or_gone_is_told(monkeypatch):
    import companion

    known = companion.chinese()
    first, second, *_ = (id for id, one in known.items() if one.get("statement") and "plain" in one)
    changed = {**known[first], "of": ["", known[first]["of"][1]]}
    wrong = {id: one for id, one in known.items() if id != second} | {first: changed, "no.such": {}}
    monkeypatch.setattr(companion, "chinese", lambda: wrong)
    before = "docs/zh/ledger.json: "
    lines = companion.untold()
    assert f"{before}no.such: the ledger has no such claim" in lines
    assert any(one.startswith(f'{before}{first}: "statement" is changed: ') for one in lines)
    for key in ("statement", "plain"):
        assert any(one.startswith(f'{before}{second}: "{key}" is missing: ') for one in lines)


def test_a_topic_without_a_page_and_a_page_without_a_topic_are_told(monkeypatch):
    import build

    from tfcourse.lecture import topics

    assert build.unlike_topics() == []
    monkeypatch.setitem(topics.TOPICS, "frameworks", ("quadratic_descent", "a_new_one"))
    lines = build.unlike_topics()
    for language in ("en", "zh"):
        where = f"docs/{language}/topics"
        assert f"{where}/a_new_one.md is missing: write it" in lines
        gone = (
            "computation_graph.md: TOPICS (tfcourse/lecture/topics.py) has no 'computation_graph'"
        )
        assert f"{where}/{gone}" in lines


def test_no_chinese_page_is_left_over():
    there = {path.relative_to(DOCS / "zh") for path in (DOCS / "zh").rglob("*.md")}
    assert there == {path.relative_to(DOCS / "en") for path in ENGLISH}


def test_a_page_that_takes_too_much_or_too_little_is_refused():
    import translated

    english = "# A\n\n$$x$$\n\n```sh\nls\n```\n\n## References\n\n- B\n"
    assert "ls" in translated.expanded("# 甲\n\n{{}}\n\n{{}}\n\n{{references}}\n", english)
    for wrong in ("{{}}\n", "{{}}\n{{}}\n{{}}\n"):
        with pytest.raises(ValueError, match=r"leaves out|more blocks"):
            translated.expanded(wrong, english)


def test_commands_of_the_chinese_readme_are_those_of_the_english_one():
    readme, chinese = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh.md"))
    commands = re.findall(r"^(?:python|ray|tfcourse) .*$", chinese, re.M)
    assert len(commands) >= 3
    assert [one for one in commands if one not in readme and "docs/build.py" not in one] == []


def test_numbers_of_what_was_found_are_the_ledgers():
    import companion

    from tfcourse.lecture import ledger

    [one] = ledger.find(["tuning.random-beats-grid"])
    plain = companion.recorded()[one.id]["plain"]
    chinese = companion.in_chinese(one, "plain", plain)
    assert chinese != plain
    found = list(companion.NUMBER.findall(plain))
    assert found and [text for text in found if text not in chinese] == []
