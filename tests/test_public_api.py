"""What `import tfcourse as tfc` gives: lazily, without warnings, with types."""

import ast
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import tfcourse

PROGRAM = Path(__file__).with_name("user_program.py")
NO_WARNINGS = ["-W", "error"]
# Keras gives NumPy 2 its weights in a way that NumPy deprecates, whenever a model is saved.
NO_WARNINGS += ["-W", "ignore:__array__:DeprecationWarning"]
# TensorFlow reads the code of a tf.function with a library that Python 3.13 deprecates.
NO_WARNINGS += ["-W", "ignore::DeprecationWarning:gast.astn"]


def python(*arguments, **options):
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", **options)


def test_the_import_is_light_and_silent():
    code = "import tfcourse, sys; print('numpy' in sys.modules, 'tensorflow' in sys.modules)"
    done = python("-W", "error", "-c", code)
    assert (done.stdout, done.stderr) == ("False False\n", "")


def test_every_name_is_there_and_listed():
    assert sorted(tfcourse.__all__) == tfcourse.__all__
    assert all(hasattr(tfcourse, name) for name in tfcourse.__all__)
    assert set(tfcourse.__all__) <= set(dir(tfcourse))


def test_the_reference_of_the_site_has_them_all():
    page = (PROGRAM.parents[1] / "docs" / "en" / "reference.md").read_text("utf-8")
    for name in tfcourse.__all__:
        assert re.search(rf":: tfcourse\.{name}$", page, re.MULTILINE), name


def test_a_name_that_is_none_has_the_nearest_beside_it():
    done = python("-c", "import tfcourse; tfcourse.Linaer")
    assert done.stderr.endswith("has no attribute 'Linaer'. Did you mean: 'Linear'?\n")


def test_the_users_program_names_all_there_is():
    tree = ast.walk(ast.parse(PROGRAM.read_text("utf-8")))
    pairs = [(node.value, node.attr) for node in tree if isinstance(node, ast.Attribute)]
    used = {name for value, name in pairs if isinstance(value, ast.Name) and value.id == "tfc"}
    assert used == set(tfcourse.__all__)


@pytest.mark.long
def test_the_users_program_runs_without_warnings(tmp_path):
    done = python(*NO_WARNINGS, PROGRAM, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("holds\n")


@pytest.mark.whole
@pytest.mark.skipif(not find_spec("mypy"), reason="mypy is not installed")
def test_the_users_program_has_sound_types(tmp_path):
    # As a user has it: outside the checkout, with neither its settings nor its sources at hand.
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import tfcourse as tfc\n\ntfc.Log('1e-4', 1)\ntfc.Linaer\n")
    program = tmp_path / PROGRAM.name
    program.write_text(PROGRAM.read_text("utf-8"), "utf-8")
    environment = {key: value for key, value in os.environ.items() if key != "MYPYPATH"}
    options = ["-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", tmp_path / "cache"]
    done = python(*options, program, wrong, cwd=tmp_path, env=environment)
    found = [line.partition(": error: ")[0] for line in done.stdout.splitlines()]
    assert found == ["wrong.py:3", "wrong.py:4"], done
