"""What is missing in Chinese, or was written for another English text, is found."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))
pytestmark = pytest.mark.site
ENGLISH = sorted((DOCS / "en").rglob("*.md"))


@pytest.mark.parametrize("english", ENGLISH, ids=lambda path: path.stem)
def test_the_chinese_page_says_what_the_english_one_says_now(english):
    import build
    import translated

    chinese = DOCS / "zh" / english.relative_to(DOCS / "en")
    assert chinese.exists(), "this page is not translated"
    text = chinese.read_text("utf-8")
    assert text.startswith(f"---\ntranslates: {build.digest(english)}\n---\n"), (
        "the English page has changed: mend the Chinese one, then python docs/build.py --stamp"
    )
    whole = translated.page(chinese)
    heads = [re.findall(r"^#+ ", one, re.M) for one in (english.read_text("utf-8"), whole)]
    assert heads[0] == heads[1]
    assert len(re.findall("[\u4e00-\u9fff]", text)) > 10


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
    assert len(commands) > 4
    assert [one for one in commands if one not in readme and "docs/build.py" not in one] == []


def test_every_claim_and_error_is_told_in_chinese():
    import companion

    from tfcourse.lecture import ledger

    told, missing = companion.chinese(), {}
    for one in ledger.claims():
        if not one.module.startswith("tfcourse.lecture."):
            continue  # what has not yet become a topic stands on no page
        entry, now = told.get(one.id, {}), companion.of(one)
        if (
            not entry.get("why" if one.erratum else "statement")
            or entry.get("of", [""])[0] != now[0]
        ):
            missing[one.id] = one.why or one.statement
        plain = companion.recorded().get(one.id, {}).get("plain")
        if (
            plain
            and not one.erratum
            and (not entry.get("plain") or entry.get("of", ["", ""])[1] != now[1])
        ):
            missing[f"{one.id}, plain"] = plain
    assert missing == {}, "write it into docs/zh/ledger.json, then python docs/build.py --stamp"


def test_numbers_of_what_was_found_are_the_ledgers():
    import companion

    from tfcourse.lecture import ledger

    [one] = ledger.find(["tuning.random-beats-grid"])
    plain = companion.recorded()[one.id]["plain"]
    chinese = companion.in_chinese(one, "plain", plain)
    assert chinese != plain
    found = list(companion.NUMBER.findall(plain))
    assert found and [text for text in found if text not in chinese] == []
