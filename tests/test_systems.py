"""What Windows and macOS do otherwise, as far as Linux can play them."""

import io
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tfcourse import _files
from tfcourse.cli import app
from tfcourse.tuning import Integer, Space, Study, journal

fcntl = pytest.importorskip("fcntl", reason="this is Windows itself")


@pytest.fixture
def refusing(monkeypatch):
    """Moves onto a file are refused so many times, as Windows does while somebody has it open."""

    def refuse(times, system):
        left, replace = iter(range(times)), _files.Path.replace

        def moved(self, target):
            if next(left, None) is not None:
                raise PermissionError(13, "Access is denied")
            return replace(self, target)

        monkeypatch.setattr(_files.Path, "replace", moved)
        monkeypatch.setattr(sys, "platform", system)

    return refuse


def test_on_windows_a_file_that_somebody_reads_is_replaced_when_it_is_free(refusing, tmp_path):
    refusing(3, "win32")
    _files.write_whole(tmp_path / "a.json", b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_file_that_stays_in_use_ends_in_an_error_and_leaves_the_old_one(
    refusing, tmp_path, monkeypatch
):
    (tmp_path / "a.json").write_bytes(b"old")
    refusing(10**6, "win32")
    monkeypatch.setattr(_files, "PATIENCE", 0.1)
    with pytest.raises(PermissionError):
        _files.write_whole(tmp_path / "a.json", b"new")
    assert (tmp_path / "a.json").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_elsewhere_a_folder_without_permission_is_told_at_once(refusing, tmp_path):
    refusing(1, "linux")
    begun = time.monotonic()
    with pytest.raises(PermissionError):
        _files.write_whole(tmp_path / "a.json", b"new")
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("knows", [True, False])
def test_on_macos_records_reach_the_disk_and_not_only_its_memory(monkeypatch, tmp_path, knows):
    asked, synced = [], []

    def control(file, order):
        asked.append(order)
        if not knows:
            raise OSError(45, "Operation not supported")

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", control)
    monkeypatch.setattr(os, "fsync", synced.append)
    opened = journal.Journal(tmp_path / "journal.jsonl", {})
    before = len(asked)
    opened.append([{"trial": 1}])
    opened.close()
    assert set(asked) == {51} and len(asked) == before + 1
    assert bool(synced) != knows


def test_the_line_shown_while_tensorflow_loads_is_wiped_without_a_terminal_s_codes(monkeypatch):
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    app.room("hyperparameters")
    shown, wiped, end = terminal.getvalue().split("\r")
    assert shown == "Loading TensorFlow …" and wiped == " " * len(wiped) and not end
    assert len(wiped) >= len(shown) + 2  # in ASCII, … takes three


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="lists a process's open files")
def test_nothing_of_a_study_is_open_when_its_folder_is_removed(monkeypatch):
    def open_in(folder):
        links = [link.resolve() for link in Path("/proc/self/fd").iterdir()]
        return [link for link in links if link.is_relative_to(folder.resolve())]

    def remove(folder, **how):  # Windows would leave what is open
        left.extend(open_in(folder))
        removed.append(folder)

    left, removed = [], []
    monkeypatch.setattr(shutil, "rmtree", remove)
    study = Study(Space(units=Integer(1, 2)))
    folder = study.folder
    assert open_in(folder)
    del study
    assert removed == [folder] and not left


@pytest.mark.whole
def test_nothing_of_tensorflow_s_own_is_printed():
    command = [sys.executable, "-m", "tfcourse", "quadratic", "--steps", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
