"""The wheel and the sdist hold what is needed to run and to build, and nothing else."""

import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")

ROOT = Path(__file__).parents[1]
DATA = {
    "tfcourse/datasets/digits.npz",
    "tfcourse/lecture/book.mplstyle",
    "tfcourse/lecture/fonts/OFL.txt",
    "tfcourse/lecture/fonts/tfcourse-sans-italic.ttf",
    "tfcourse/lecture/fonts/tfcourse-sans.ttf",
    "tfcourse/lecture/framework_speed.json",
    "tfcourse/py.typed",
}
MODULES = {str(path.relative_to(ROOT).as_posix()) for path in (ROOT / "tfcourse").rglob("*.py")}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with a fresh wheel and sdist; no network is asked for anything."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--directory", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_wheel_holds_modules_and_data_alone(built):
    [path] = built.glob("*-py3-none-any.whl")
    with zipfile.ZipFile(path) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        about = {name.partition("/")[2]: name for name in wheel.namelist() if name not in names}
        metadata = message_from_bytes(wheel.read(about["METADATA"]))
        commands = wheel.read(about["entry_points.txt"]).decode()
    assert names == MODULES | DATA
    assert "licenses/LICENSE" in about
    assert "tfcourse = tfcourse.cli:main" in commands
    assert metadata["Name"] == "tfcourse" and metadata["Requires-Python"] == "<3.14,>=3.11"
    assert path.stat().st_size < 640 * 1024  # of which the type is 200


def test_the_sdist_holds_what_builds_the_same_wheel(built):
    [path] = built.glob("*.tar.gz")
    with tarfile.open(path) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    around = {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "constraints.txt"}
    assert names == MODULES | DATA | around | {".gitignore", "pyproject.toml"}
