"""What README.md and the formulas by hand show is so: each block runs, and prints what it says."""

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BY_HAND = (ROOT / "docs" / "en" / "by-hand.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

# Installing is what tests cannot do; what follows it in the same line, they can.
INSTALL = re.compile(r"^(?:python -m )?pip install [^&\n]*(?:&& |\n)", re.MULTILINE)
NOT_RUN = re.compile(r"python -m pytest")  # it would run itself
# Minutes, but for the tour, which the quick tests take anyway.
LONG = re.compile(r"(python -m )?tfcourse (demo|claims$)|python scripts/benchmark_", re.MULTILINE)
# A smaller search says the same; as it stands it is run among the long tests.
MANY = re.compile(r"importance|--study")  # what these print is of many trials
FEW = {"trials=30": "trials=2, epochs=1, finalists=0"}
FEW |= {"--trials 30": "--trials 2 --epochs 1 --finalists 0 --no-refit"}
ENOUGH = {"trials=30": "trials=20, epochs=1, finalists=0", "--trials 30": "--trials 20 --epochs 1"}
# Where models are trained or times taken, the numbers are of the machine; words are not.
MEASURED = re.compile(r"\b(demo|train|tune|evaluate|caviar|study|claims|benchmark_\w+)\b")
NUMBER = re.compile(r"\d+(?:[.:,]\d+)*(?:e[+-]?\d+)?%?")


def blocks(page):
    """Commands and code in order, each with the output that is shown right after it, or None."""
    found = list(BLOCK.finditer(page))
    for block, after in zip(found, [*found[1:], None], strict=True):
        if block[1] in ("sh", "python"):
            between = after and page[block.end() : after.start()].strip()
            shown = after and after[1] == "text" and not between
            yield block[1], INSTALL.sub("", block[2]), after[2] if shown else None


def run_sh(command, folder):
    """Run in bash as a reader would; what came on stdout, and what came in all."""
    here = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": here + os.pathsep + os.environ["PATH"], "PYTHONUTF8": "1"}
    options = {"cwd": folder, "env": environment, "capture_output": True, "encoding": "utf-8"}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], **options)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr + done.stdout


def run_python(code, folder, names):
    """Run in the `names` that earlier blocks left; one that begins with `# name.py` is kept so."""
    if file := re.match(r"# (\w+\.py)\n", code):
        (folder / file[1]).write_text(code, "utf-8")
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.chdir(folder):
        exec(compile(code, "README.md", "exec"), names)
    return (out.getvalue(),)


def agrees(shown, printed, measured):
    """Whether this is what is shown, where a line of … stands for any lines."""
    if measured:
        shown, printed = NUMBER.sub("0", shown), NUMBER.sub("0", printed)
    options = doctest.ELLIPSIS | (doctest.NORMALIZE_WHITESPACE if measured else 0)
    want = re.sub(r"^\s*…$", "...", shown, flags=re.MULTILINE)
    return doctest.OutputChecker().check_output(want, printed, options)


def of_the_reader():
    """What the reader brings: a function that builds a model, and data."""
    import keras

    def build(hp):
        layers = keras.layers.Dense(hp.Int("units", 4, 8)), keras.layers.Dense(3, "softmax")
        model = keras.Sequential([keras.Input((5,)), *layers])
        model.compile(
            keras.optimizers.Adam(hp.Float("rate", 1e-4, 1e-1, sampling="log")),
            "sparse_categorical_crossentropy",
        )
        return model

    rng = np.random.default_rng(0)
    return {"build": build, "x": rng.normal(size=(90, 5)), "y": rng.integers(0, 3, 90)}


@pytest.mark.skipif(sys.platform == "win32", reason="its commands are for bash")
@pytest.mark.parametrize("page", [README, BY_HAND], ids=["README", "by-hand"])
@pytest.mark.parametrize(
    "long",
    [pytest.param(False, marks=pytest.mark.whole), pytest.param(True, marks=pytest.mark.long)],
)
def test_every_block_runs_and_prints_what_is_shown(long, page, tmp_path):
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    names = of_the_reader()
    for language, text, shown in blocks(page):
        if not text.strip() or NOT_RUN.match(text) or (LONG.match(text) and not long):
            continue
        smaller = {} if long else ENOUGH if MANY.search(text) else FEW
        for usual, less in smaller.items():
            text = text.replace(usual, less)
        run = run_python(text, tmp_path, names) if language == "python" else run_sh(text, tmp_path)
        if shown is not None:
            right = [agrees(shown, printed, MEASURED.search(text)) for printed in run]
            assert any(right), f"{text}prints\n{run[-1]}and not, as is shown,\n{shown}"


def test_what_is_linked_is_there():
    links = re.findall(r"\]\(([^)#]+)\)|(?:src|href|srcset)=\"([^\"#]+)\"", README)
    for path in (one or other for one, other in links):
        assert "://" in path or (ROOT / path).exists(), path


@pytest.mark.parametrize(("page", "language"), [("README.md", "en"), ("README.zh.md", "zh")])
def test_its_figures_have_their_own_alternative_texts(page, language):
    from tfcourse.lecture import gallery

    shown = re.findall(r"!\[(.*?)\]\(figures/(\w+)\.png\)", (ROOT / page).read_text("utf-8"))
    assert shown
    for text, name in shown:
        [entry] = gallery.find([name])
        assert text == entry.text(language)[1]


def test_a_wrong_word_or_number_is_seen():
    assert agrees("a 0.25\n…\nb\n", "a 0.25\nx\ny\nb\n", measured=False)
    assert not agrees("a 0.25\n", "a 0.26\n", measured=False)
    assert agrees("a 0.25 in 1.5 s\n", "a  0.3 in 12 s\n", measured=True)
    assert not agrees("a 0.25 in 1.5 s\n", "a 0.25 in 1.5 ms\n", measured=True)
