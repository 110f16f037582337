"""The journal: nothing lost, nothing mixed, one process at a time."""

import json
import os
import subprocess
import sys
from importlib import metadata

import pytest

from tfcourse._checks import InputError
from tfcourse.tuning import journal
from tfcourse.tuning.journal import Journal

HEAD = {"space": ["x=int:1:3"], "seed": 0, "made_with": {"python": "3.11"}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "study" / "journal.jsonl"


def written(path, *records):
    opened = Journal(path, HEAD)
    opened.append(records)
    opened.close()
    return path.read_bytes()


def records_of(path):
    opened = Journal(path, HEAD)
    opened.close()
    return opened.records


def test_records_come_back_as_they_were(path):
    records = [{"n": 0.1 + 0.2, "text": "αβγ\n", "none": None}, {"list": [1, 2.5e-300]}]
    written(path, *records)
    assert records_of(path) == records
    assert journal.read(path) == ({"tfcourse": 1, **HEAD}, records)


def test_cut_at_any_byte_the_whole_records_remain_and_it_goes_on(path):
    whole = written(path, *({"n": n, "text": "αβγ"} for n in range(4)))
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        kept = max(0, sum(end <= cut for end in ends) - 1)
        opened = Journal(path, HEAD)
        assert [record["n"] for record in opened.records] == list(range(kept))
        opened.append([{"n": n, "text": "αβγ"} for n in range(kept, 4)])
        opened.close()
        assert path.read_bytes() == whole


@pytest.mark.parametrize("torn", [b"\0" * 50, b'{"n": 1, \0\0\0\n', b"\n", b'{"n": 5}'])
def test_what_a_power_cut_leaves_at_the_end_is_cut_off(path, torn):
    whole = written(path, {"n": 0})
    path.write_bytes(whole + torn)
    assert records_of(path) == [{"n": 0}]
    assert path.read_bytes() == whole


def test_damage_in_the_middle_is_refused_and_left_alone(path):
    whole = written(path, {"n": 0}, {"n": 1}, {"n": 2})
    damaged = whole.replace(b'{"n": 1}', b'{"n"\0 1}')
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="damaged or no journal of tfcourse: line 3"):
        Journal(path, HEAD)
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("other", [b"<html>", b"<html>\n</html>\n", b'{"name": "x"}\n', b"1\n2\n"])
def test_a_file_of_another_kind_is_refused_and_left_alone(path, other):
    path.parent.mkdir()
    path.write_bytes(other)
    with pytest.raises(ValueError, match="no journal of tfcourse"):
        Journal(path, HEAD)
    assert path.read_bytes() == other


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seed": 1}, "begun with seed 0 and must be continued with the same, got 1"),
        ({"space": ["x=int:1:4"]}, "begun with space x=int:1:3 .* got x=int:1:4"),
        ({"halving": True}, "begun with halving None .* got True"),
    ],
)
def test_another_head_is_refused(path, change, says):
    before = written(path, {"n": 0})
    with pytest.raises(ValueError, match=says):
        Journal(path, {**HEAD, **change})
    assert path.read_bytes() == before


def test_other_versions_and_a_tuple_for_a_list_are_the_same_head(path):
    written(path, {"n": 0})
    opened = Journal(path, {**HEAD, "space": ("x=int:1:3",), "made_with": {"python": "3.12"}})
    opened.close()
    assert opened.head["made_with"] == {"python": "3.11"}


def test_a_newer_format_is_refused(path):
    whole = written(path)
    path.write_bytes(whole.replace(b'"tfcourse": 1', b'"tfcourse": 2'))
    with pytest.raises(ValueError, match="has format 2, this version of tfcourse reads format 1"):
        Journal(path, HEAD)


def test_a_second_one_is_told_who_holds_the_first(path):
    first = Journal(path, HEAD)
    with pytest.raises(BlockingIOError, match=f"in use by process {os.getpid()} on .* since 20"):
        Journal(path, HEAD)
    first.close()
    Journal(path, HEAD).close()


HOLD = """
import sys
from pathlib import Path
from tfcourse.tuning.journal import Journal
held = Journal(Path(sys.argv[1]), {})
held.append([{"n": 0}])
print("held", flush=True)
sys.stdin.read()
"""


def test_a_killed_holder_holds_nothing(path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(BlockingIOError, match=f"in use by process {holder.pid} "):
        Journal(path, {})
    holder.kill()
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    assert str(holder.pid) in (path.parent / "lock").read_text()
    opened = Journal(path, {})
    assert opened.records == [{"n": 0}]
    opened.close()


def test_a_refused_head_lets_go_of_the_lock(path):
    written(path)
    with pytest.raises(ValueError, match="begun with seed"):
        Journal(path, {**HEAD, "seed": 1})
    Journal(path, HEAD).close()


FULL = """
import resource, signal, sys
from pathlib import Path
from tfcourse.tuning.journal import Journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
opened = Journal(Path(sys.argv[1]), {})
opened.append([{"n": 0}])
size = Path(sys.argv[1]).stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 30, size + 30))
try:
    opened.append([{"n": 1, "text": "x" * 100}])
except OSError as error:
    print(error.strerror)
opened.append([{"n": 2}])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as POSIX does")
def test_a_full_disk_leaves_whole_records(path):
    path.parent.mkdir()
    run = subprocess.run(
        [sys.executable, "-c", FULL, path], capture_output=True, text=True, check=True
    )
    assert run.stdout == "File too large\n"
    opened = Journal(path, {})
    assert opened.records == [{"n": 0}, {"n": 2}]
    opened.close()


def test_what_is_appended_is_flushed_to_disk_before_append_returns(path, monkeypatch):
    done, write = [], os.write
    opened = Journal(path, HEAD)
    monkeypatch.setattr(
        os, "write", lambda file, text: [done.append("write"), write(file, text)][1]
    )
    monkeypatch.setattr(journal, "flush", lambda file: done.append("flush"))
    opened.append([{"n": 0}])
    opened.close()
    assert done == ["write", "flush"]


@pytest.mark.parametrize("fails", ["write", "flush"])
def test_after_a_failed_write_the_file_ends_where_it_did_and_goes_on_from_there(
    path, monkeypatch, fails
):
    opened, write = Journal(path, HEAD), os.write
    for n in range(3):
        opened.append([{"n": n}])
        before = path.read_bytes()

        def torn(file, text):
            write(file, text[:20])
            raise OSError("No space left on device")

        with monkeypatch.context() as patch:
            if fails == "write":
                patch.setattr(os, "write", torn)
            else:
                patch.setattr(journal, "flush", lambda file: torn(file, b"more"))
            with pytest.raises(OSError, match="No space"):
                opened.append([{"lost": "x" * 50}])
        assert path.read_bytes() == before
    opened.append([{"n": 3}])
    opened.close()
    assert records_of(path) == [{"n": n} for n in range(4)]


@pytest.mark.parametrize("key", ["halving", "repeats"])
def test_a_key_that_only_the_old_head_has_is_refused_as_one_that_only_the_new_one_has(path, key):
    Journal(path, {**HEAD, key: 3}).close()
    with pytest.raises(InputError, match=f"begun with {key} 3 .* got None"):
        Journal(path, HEAD)


def test_a_folder_that_cannot_be_made_is_the_systems_own_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        Journal(tmp_path / "file" / "journal.jsonl", HEAD)


def test_numbers_that_json_lacks_are_not_written(path):
    opened = Journal(path, HEAD)
    with pytest.raises(ValueError, match="JSON"):
        opened.append([{"n": float("nan")}])
    opened.append([{"n": 1}])
    opened.close()
    assert [json.loads(line) for line in path.read_bytes().splitlines()][1:] == [{"n": 1}]


def test_another_model_is_refused_by_what_differs_in_its_configuration(tmp_path):
    def head(units):
        dense = {"class_name": "Dense", "config": {"units": units, "activation": "relu"}}
        return {"builds": [{"layers": [{"class_name": "Flatten"}, dense]}]}

    Journal(tmp_path / "j.jsonl", head(64)).close()
    Journal(tmp_path / "j.jsonl", head(64)).close()
    with pytest.raises(ValueError, match=r"builds\.0\.layers\.1\.config\.units 64 .* got 32"):
        Journal(tmp_path / "j.jsonl", head(32))


def test_tensorflow_cpu_is_tensorflow_too(monkeypatch):
    """As where only tensorflow-cpu is installed: no distribution is called tensorflow."""
    usual = metadata.distribution

    def distribution(name):
        if name == "tensorflow":
            raise metadata.PackageNotFoundError(name)
        return usual("tensorflow" if name == "tensorflow-cpu" else name)

    monkeypatch.setattr(metadata, "distribution", distribution)
    monkeypatch.setattr(
        metadata, "packages_distributions", lambda: {"tensorflow": ["tensorflow-cpu"]}
    )
    assert journal.made_with()["tensorflow"] == usual("tensorflow").version


def test_other_data_is_named_not_fingerprinted(tmp_path):
    def opened(fingerprint, name):
        head = {"data": fingerprint, "made_with": {"data": name}}
        Journal(tmp_path / "journal.jsonl", head).close()

    opened("21413c51", "digits")
    with pytest.raises(InputError, match="begun with data digits and must .* got mine.npz; give"):
        opened("007ce473", "mine.npz")
    with pytest.raises(InputError, match="begun with data digits that held something else"):
        opened("007ce473", "digits")
