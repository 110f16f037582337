"""The folder of compiled programs: whose it is, what is believed, and how large it grows."""

import os
import shutil
import stat
import time

import pytest

from tfcourse import _compiled
from tfcourse._compiled import FLAGS, note, opened

VERSION = "2.21.0", "v2.21.0"


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """Where the folder is, as a user names it, and no flags of TensorFlow's."""
    monkeypatch.setenv("TFCOURSE_CACHE", str(tmp_path / "cache of 学生"))
    monkeypatch.setenv(FLAGS, "")
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    return tmp_path / "cache of 学生" / "compiled"


def entry(own, name="a", content=b"code", age=0.0):
    path = own / f"{name}.pb"
    path.write_bytes(content)
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_the_folder_is_the_users_alone_and_tensorflow_is_told(root):
    own = opened(*VERSION)
    assert own.parent == root and own.is_dir()
    assert os.name == "nt" or stat.S_IMODE(root.stat().st_mode) == 0o700
    assert f'"{own}"' in os.environ[FLAGS]


def test_without_a_setting_it_is_in_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("TFCOURSE_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: tmp_path / "of the system")
    assert opened(*VERSION).parent == tmp_path / "of the system" / "compiled"


def test_it_can_be_switched_off(monkeypatch, tmp_path):
    monkeypatch.setenv("TFCOURSE_CACHE", "off")
    assert opened(*VERSION) is None
    assert os.environ[FLAGS] == "" and not list(tmp_path.iterdir())


def test_flags_of_the_user_stay_and_a_folder_of_the_users_counts(monkeypatch):
    monkeypatch.setenv(FLAGS, "--tf_xla_auto_jit=1")
    assert opened(*VERSION) and os.environ[FLAGS].startswith("--tf_xla_auto_jit=1 ")
    monkeypatch.setenv(FLAGS, "--tf_xla_persistent_cache_directory=mine")
    assert opened(*VERSION) is None
    assert os.environ[FLAGS] == "--tf_xla_persistent_cache_directory=mine"


def test_a_file_of_flags_stays_as_it_is(monkeypatch):
    monkeypatch.setenv(FLAGS, "flags.txt")
    assert opened(*VERSION) is None and os.environ[FLAGS] == "flags.txt"


def test_the_folder_is_the_same_wherever_the_process_goes(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for told in ("here", "~/here"):
        monkeypatch.setenv("TFCOURSE_CACHE", told)
        assert opened(*VERSION).parent == tmp_path / "here" / "compiled"


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
@pytest.mark.parametrize("name", ['a"b', "a\\b"])
def test_a_name_that_flags_cannot_tell_is_not_used(monkeypatch, tmp_path, name):
    monkeypatch.setenv("TFCOURSE_CACHE", str(tmp_path / name))
    assert opened(*VERSION) is None and not list(tmp_path.iterdir())


def test_a_process_started_by_this_one_has_the_same_folder():
    assert opened(*VERSION) == opened(*VERSION)
    assert os.environ[FLAGS].count("directory") == 1


def test_other_versions_processors_and_settings_have_other_folders(monkeypatch):
    folders = [opened(*VERSION), opened("2.22.0", "v2.22.0")]
    with monkeypatch.context() as patch:
        patch.setenv("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
        folders.append(opened(*VERSION))
    with monkeypatch.context() as patch:
        patch.setattr("os.cpu_count", lambda: 1000)
        patch.setattr("os.sched_getaffinity", lambda _: range(1000), raising=False)
        folders.append(opened(*VERSION))
    with monkeypatch.context() as patch:
        patch.setattr("platform.machine", lambda: "another")
        folders.append(opened(*VERSION))
    assert len(set(folders)) == 5


def test_what_was_noted_stays():
    own = opened(*VERSION)
    kept = entry(own)
    note(own)
    assert opened(*VERSION) == own and kept.read_bytes() == b"code"


@pytest.mark.parametrize("ending", ["pb", "sum"])
@pytest.mark.parametrize("spoilt", [b"cod", b"", b"codf", b"\xff"])
def test_what_is_not_as_it_was_noted_is_removed(ending, spoilt):
    own = opened(*VERSION)
    kept = entry(own)
    note(own)
    kept.with_suffix(f".{ending}").write_bytes(spoilt)
    opened(*VERSION)
    assert not list(own.iterdir())


def test_what_was_not_noted_is_removed_and_what_another_process_is_writing_stays():
    own = opened(*VERSION)
    entry(own)
    for name, age in (("now", 0), ("old", 7200)):
        entry(own, name, age=age).rename(own / f"{name}.tmp")
    opened(*VERSION)
    assert [path.name for path in own.iterdir()] == ["now.tmp"]


def test_the_oldest_beyond_the_limit_are_removed_those_of_other_versions_too(monkeypatch):
    monkeypatch.setattr(_compiled, "LIMIT", 10)
    own, other = opened(*VERSION), opened("2.22.0", "v2.22.0")
    ages = {
        entry(own, "new"): 0,
        entry(other, "older", age=20): 20,
        entry(own, "oldest", age=30): 30,
    }
    note(other)
    note(own)
    assert [path.exists() for path in ages] == [True, True, False]


def test_where_nothing_can_be_kept_nothing_is(monkeypatch, root):
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
        assert opened(*VERSION) is None
    with monkeypatch.context() as patch:

        def refused(**_):
            raise PermissionError

        patch.setattr("tempfile.TemporaryFile", refused)
        assert opened(*VERSION) is None
    shutil.rmtree(root)
    root.write_text("a file in its place")
    assert opened(*VERSION) is None
    assert os.environ[FLAGS] == ""
