"""Output comes through on terminals that are not UTF-8, with what they lack written another way."""

import io
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tfcourse import _terminal
from tfcourse.cli import main

SCRIPTS = Path(__file__).parents[2] / "scripts"
ESCAPED = re.compile(r"\\x[0-9a-f]{2}")
ENCODINGS = ["gbk", "cp1252", "ascii", "latin-1"]


@pytest.fixture
def terminal(monkeypatch, tmp_path):
    """Run something with stdout and stderr in an encoding; gives what came through of each."""
    monkeypatch.chdir(tmp_path)

    def run(encoding, body, *arguments, errors="strict"):
        streams = [io.TextIOWrapper(io.BytesIO(), encoding, errors) for _ in range(2)]
        monkeypatch.setattr(sys, "argv", ["tfcourse", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdout", streams[0])
        monkeypatch.setattr(sys, "stderr", streams[1])
        try:
            body()
        except SystemExit as end:
            assert not end.code, streams[1].buffer.getvalue()
        for stream in streams:
            stream.flush()
        return [stream.buffer.getvalue().decode(encoding) for stream in streams]

    return run


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "line",
    [
        *("--help", "demo --help", "quadratic --help", "train --help", "evaluate --help"),
        *("predict --help", "tune --help", "datasets --help", "figures --help", "claims --help"),
        *("babysit --help", "babysit m day --help", "babysit m revert --help"),
        *("claims --list", "figures --list", "datasets", "claims softmax.example bn.identity"),
    ],
)
def test_every_command_comes_through(terminal, encoding, line):
    out, _ = terminal(encoding, main, *line.split())
    assert out.strip() and not ESCAPED.search(out)


@pytest.mark.long
@pytest.mark.parametrize("encoding", ["gbk", "ascii"])
def test_the_tour_comes_through(terminal, encoding):
    out, err = terminal(encoding, main, "demo")
    assert out.strip() and not ESCAPED.search(out + err)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_lacking_is_written_another_way(terminal, encoding):
    out, _ = terminal(encoding, main, "quadratic", "--steps", 1)
    first = "J(w) = w² − 10w + 25, minimum at w = 5"
    alpha = "gradient_descent, α = 0.01"
    for text in (first, alpha):
        for character, plain in (("²", "^2"), ("−", "-"), ("α", "alpha")):
            if character not in character.encode(encoding, "ignore").decode(encoding):
                text = text.replace(character, plain)
        assert text in out.splitlines()


@pytest.mark.whole
@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        *((name, e) for name in ("batch_norm_by_hand.py", "softmax_by_hand.py") for e in ENCODINGS),
        ("minimize_quadratic.py", "ascii"),  # it compiles; what others lack, this lacks too
    ],
)
def test_scripts_come_through(terminal, encoding, name):
    out, _ = terminal(encoding, lambda: runpy.run_path(str(SCRIPTS / name), run_name="__main__"))
    assert out.strip() and "\\u" not in out


def test_json_is_whole_in_any_encoding(terminal):
    captions = [
        json.loads(terminal(encoding, main, "figures", "--list", "--json")[0])
        for encoding in ("utf-8", *ENCODINGS)
    ]
    assert all(one == captions[0] for one in captions)
    assert any(not one["caption"].isascii() for one in captions[0]["figures"])


def test_a_choice_of_the_user_s_own_is_kept(terminal):
    out, _ = terminal("ascii", main, "quadratic", "--steps", 1, errors="replace")
    assert "gradient_descent, ? = 0.01" in out


def test_a_file_s_name_that_is_no_text_is_printed_byte_for_byte(terminal):
    name = b"a\xff.png".decode("utf-8", "surrogateescape")

    def say():
        _terminal.prepare()
        print(name)

    sys_out = terminal("latin-1", say)[0]
    assert sys_out == "a\xff.png\n"


@pytest.mark.parametrize(
    ("character", "plain"),
    [
        *(("Σ", "Sigma"), ("ŷ", "y^"), ("₂", "2"), ("½", "1/2"), ("─", "-"), ("│", "|")),
        *(("数", "\\u6570"), ("é", "e"), ("ᵀ", "^T"), ("😀", "\\U0001f600")),
    ],
)
def test_a_character_written_plainly(character, plain):
    assert _terminal.plainly(character) == plain


def test_powers_are_raised_once(terminal):
    def say():
        _terminal.prepare()
        print("10⁻⁶ z̃")

    assert terminal("ascii", say)[0] == "10^-6 z~\n"


@pytest.mark.parametrize("encoding", ["", "gbk"])
def test_in_a_plain_c_locale(encoding):
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    if encoding:
        environment["PYTHONIOENCODING"] = encoding
    command = [sys.executable, "-m", "tfcourse", "claims", "--list"]
    done = subprocess.run(command, capture_output=True, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode(encoding or "ascii")
