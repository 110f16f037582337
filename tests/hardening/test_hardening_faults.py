"""A full disk, a folder that cannot be written, two at once: nothing is lost or half written."""

import subprocess
from pathlib import Path

import pytest
from test_hardening_kills import SOUND, commands, visible

FILE_SIZES = (0, 100, 1_000, 5_000, 20_000, 30_000)  # bytes that a file may have at most
DISK, LEFT = 2**20, (0, 4096, 16384)  # bytes, and of these free
MORE = {
    "evaluate": ["evaluate", "points.keras"],
    "quadratic": ["quadratic", "--plot", "quadratic.png"],
    "datasets": ["datasets"],
    "revert": ["babysit", "run", "revert", "1"],
    "show": ["babysit", "run", "show"],
    "claims": ["claims", "softmax.example"],
}
WRITES = ("train", "tune", "babysit", "figures")  # by what makes what the others need
PAIRS = (*WRITES, *MORE)
READ_ONLY = (*WRITES, "quadratic", "revert", "show")


@pytest.fixture(scope="module")
def right(forks, points, tmp_path_factory):
    """A folder in which all is done; gone about undisturbed."""
    folder = tmp_path_factory.mktemp("right")
    for name in WRITES:
        [done] = forks({"arguments": commands(points)[name], "folder": str(folder)})
        assert done["status"] == 0, done
    return folder


def contents(folder):
    return {path: path.read_bytes() for path in visible(folder)}


def one_line(done):
    assert done["status"] == 2 and done["out"] == "", done
    assert done["err"].splitlines()[-1].startswith("tfcourse: "), done
    assert "Traceback" not in done["err"] and "Warning" not in done["err"], done


@pytest.mark.parametrize("name", WRITES)
def test_no_file_may_grow(forks, points, tmp_path, right, name):
    order = {"arguments": commands(points)[name], "folder": str(tmp_path)}
    full = 0
    for size in FILE_SIZES:
        before = contents(tmp_path)
        [done] = forks({**order, "file_size": size})
        if done["status"]:
            one_line(done)
            after = contents(tmp_path)
            kept = {path for path, content in before.items() if after.get(path) != content}
            assert all(path.suffix in (".jsonl", ".keras", ".svg", ".png") for path in kept)
        full += done["status"] == 2
        SOUND[name](tmp_path, right)
    assert full >= 3
    [done] = forks(order)
    assert done["status"] == 0, done
    assert SOUND[name](tmp_path, right)


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("name", WRITES)
def test_a_full_disk(forks, points, small_disk, right, name):
    ballast = small_disk / ".ballast"
    order = {"arguments": commands(points)[name], "folder": str(small_disk)}
    for left in LEFT:
        ballast.write_bytes(b"")
        with ballast.open("wb", buffering=0) as file:
            written = 0
            while written < DISK - left:
                try:
                    written += file.write(bytes(min(4096, DISK - left - written)))
                except OSError:
                    break
        [done] = forks(order)
        one_line(done)
        SOUND[name](small_disk, right)
    ballast.unlink()
    [done] = forks(order)
    assert done["status"] == 0, done
    assert SOUND[name](small_disk, right)


@pytest.mark.parametrize("name", READ_ONLY)
def test_a_folder_that_cannot_be_written(forks, points, tmp_path, right, name):
    subprocess.run(["cp", "-r", f"{right}/.", str(tmp_path)], check=True)
    if name in ("train", "tune", "babysit"):
        for path in sorted(tmp_path.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    before = contents(tmp_path)
    folders = [path for path in tmp_path.rglob("*") if path.is_dir()]
    for path in [*visible(tmp_path), *tmp_path.rglob("lock")]:
        path.chmod(0o444)
    for folder in (*folders, tmp_path):
        folder.chmod(0o555)
    arguments = {**commands(points), **MORE}[name]
    [done] = forks({"arguments": arguments, "folder": str(tmp_path), "without_rights": True})
    for folder in (*folders, tmp_path):
        folder.chmod(0o755)
    one_line(done)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", PAIRS)
def test_two_at_once(forks, points, tmp_path, right, name):
    subprocess.run(["cp", "-r", f"{right}/.", str(tmp_path)], check=True)
    if name in WRITES:
        for path in sorted(tmp_path.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else Path.unlink(path)
    order = {"arguments": {**commands(points), **MORE}[name], "folder": str(tmp_path)}
    done = forks(order, order)
    for one in done:
        if one["status"]:
            one_line(one)
            assert "is in use by process" in one["err"]
    assert 0 in [one["status"] for one in done], done
    assert name in ("tune", "babysit", "revert") or not any(one["status"] for one in done)
    if name in WRITES:
        assert SOUND[name](tmp_path, right)
        [again] = forks(order)
        assert again["status"] == 0, again
