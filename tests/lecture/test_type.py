"""The figures' own type: it has every letter of every label, in both languages."""

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from tfcourse.lecture import gallery
from tfcourse.lecture.style import Style

LECTURE = Path(find_spec("tfcourse.lecture").origin).parent
SCRIPT = Path(__file__).parents[2] / "scripts" / "make_font.py"
REGULAR, ITALIC = (
    TTFont(LECTURE / "fonts" / name) for name in ("tfcourse-sans.ttf", "tfcourse-sans-italic.ttf")
)


def labels(source):
    """What is said in two languages, and the captions: arguments of say() and of @figure()."""
    for call in ast.walk(ast.parse(source)):
        name = isinstance(call, ast.Call) and getattr(
            call.func, "attr", getattr(call.func, "id", "")
        )
        if name in ("say", "figure"):
            for node in ast.walk(call):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


@pytest.mark.parametrize("path", sorted(LECTURE.glob("*.py")), ids=lambda path: path.stem)
def test_every_letter_of_every_word_is_there(path):
    letters = set("".join(labels(path.read_text("utf-8")))) - {"\n"}
    missing = {letter for letter in letters if ord(letter) not in REGULAR.getBestCmap()}
    assert not missing, f"run scripts/make_font.py again for {missing}"


def test_italics_hold_what_mathematics_sets_in_them():
    for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZαβγδεμσθλφϵ":
        assert ord(letter) in ITALIC.getBestCmap(), letter


def test_it_is_small_and_free_under_a_name_of_its_own():
    for font in (REGULAR, ITALIC):
        assert font["name"].getDebugName(1) == "tfcourse Sans"
        assert "SIL Open Font License" in font["name"].getDebugName(13)
    licence = (LECTURE / "fonts" / "OFL.txt").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    for copyright in REGULAR["name"].getDebugName(0).split("; "):
        assert copyright.partition(" (")[0][:30] in licence
    assert sum(file.stat().st_size for file in (LECTURE / "fonts").iterdir()) < 400_000


def test_the_script_finds_every_character_again_in_what_it_made(tmp_path):
    made = [LECTURE / "fonts" / f"tfcourse-sans{style}.ttf" for style in ("", "-italic")]
    command = [sys.executable, SCRIPT, made[0], made[1], made[0], made[0], "--out", tmp_path]
    subprocess.run(command, check=True, capture_output=True)
    again, italic = (TTFont(tmp_path / path.name) for path in made)
    assert italic.getBestCmap().keys() == ITALIC.getBestCmap().keys()
    kept, before = again.getBestCmap().keys(), REGULAR.getBestCmap().keys()
    assert kept <= before and {ord(letter) for letter in "aαŷ√∂−，真类"} <= kept
    assert again["name"].getDebugName(1) == "tfcourse Sans"


def test_a_figure_looks_the_same_outside_of_our_style(tmp_path):
    import matplotlib

    draw = gallery.find(["softmax_layer"])[0].function
    with Style().context():
        draw().savefig(tmp_path / "inside.png", dpi=100)
    with matplotlib.rc_context({"mathtext.fontset": "cm", "mathtext.it": "serif"}):
        draw().savefig(tmp_path / "outside.png", dpi=100)
    inside, outside = ((tmp_path / f"{name}.png").read_bytes() for name in ("inside", "outside"))
    assert inside == outside
