"""A search on a Ray cluster: a head and two workers on this machine, and what may befall them."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tfcourse.tuning import Study

SEARCH = ["tune", "--search", "coarse-to-fine", "--rounds", "3", "--trials", "24"]
SEARCH += ["--epochs", "60", "--seed", "3", "--json"]
# The cluster lets in who knows this token, which is made for it and lasts as long.
OWN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
OWN |= {"RAY_USAGE_STATS_ENABLED": "0"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Address of a cluster whose head has no cores and whose two workers have one each."""
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    ray = [str(Path(sys.executable).with_name("ray")), "start", "--block"]
    head = ["--head", f"--port={address.split(':')[1]}", "--node-ip-address=127.0.0.1"]
    head += ["--num-cpus=0", "--include-dashboard=false", "--resources", '{"head": 1}']
    started = []

    def start(*arguments):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        node = subprocess.Popen([*ray, *arguments], env=os.environ | OWN, **pipes)
        started.append(node)
        said = iter(node.stdout.readline, "")
        assert any("Ray runtime started" in line for line in said), "the node did not start"

    start(*head)
    for name in ("one", "two"):
        start(f"--address={address}", "--num-cpus=1", "--resources", json.dumps({name: 1}))
    yield address, started
    for node in reversed(started):
        for process in [*descendants(node.pid), node.pid]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        node.wait()


def parents():
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = status.read_text()
        except OSError:
            continue
        yield int(status.parent.name), int(text.rpartition(")")[2].split()[1])


def descendants(process):
    parent_of = dict(parents())
    found = {process}
    while more := {p for p, parent in parent_of.items() if parent in found} - found:
        found |= more
    return sorted(found - {process})


def workers(nodes):
    """Processes of the cluster that train a chunk at this moment."""
    for node in nodes:
        for process in descendants(node.pid):
            try:
                title = Path(f"/proc/{process}/cmdline").read_bytes()
            except OSError:
                continue
            if title.startswith(b"ray::_train_chunk"):
                yield process


def tune(folder, *arguments):
    command = [sys.executable, "-m", "tfcourse", *SEARCH, *arguments]
    env = os.environ | OWN if "local" not in arguments else None
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, env=env, **pipes)


def finished(run):
    out, err = run.communicate(timeout=400)
    assert run.returncode == 0, err
    return json.loads(out)


def until(condition, run):
    end = time.monotonic() + 200
    while not (found := condition()):
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """The same search on one machine."""
    folder = tmp_path_factory.mktemp("alone")
    return folder / "study", finished(tune(folder))


def assert_equal(folder, result, right):
    there, expected = right
    for key in ("trials", "best", "test_accuracy", "states"):
        assert result[key] == expected[key]
    assert Study.read(folder / "study").trials == Study.read(there).trials
    lines = (folder / "study/journal.jsonl").read_text().splitlines()
    numbers = [json.loads(line)["trial"]["number"] for line in lines if '"trial"' in line]
    assert sorted(numbers) == list(range(24)), "all of them, and none twice"


@pytest.mark.long
def test_a_cluster_comes_to_the_same_trials(cluster, right, tmp_path):
    address, _ = cluster
    assert_equal(tmp_path, finished(tune(tmp_path, "--cluster", address)), right)


@pytest.mark.long
def test_a_worker_killed_in_mid_chunk(cluster, right, tmp_path):
    address, nodes = cluster
    run = tune(tmp_path, "--cluster", address)
    for _ in range(2):
        victim = until(lambda: next(workers(nodes), None), run)
        time.sleep(0.3)
        os.kill(victim, signal.SIGKILL)
        until(lambda gone=victim: not Path(f"/proc/{gone}").exists(), run)
    assert_equal(tmp_path, finished(run), right)


@pytest.mark.long
def test_the_search_killed_and_begun_again(cluster, right, tmp_path):
    address, _ = cluster
    journal = tmp_path / "study/journal.jsonl"
    run = tune(tmp_path, "--cluster", address)
    until(lambda: journal.exists() and b'"trial"' in journal.read_bytes(), run)
    run.kill()
    run.communicate()
    assert 0 < len(Study.read(tmp_path / "study").trials) < 24
    assert_equal(tmp_path, finished(tune(tmp_path, "--cluster", address)), right)


@pytest.mark.long
def test_a_cluster_of_ones_own(right, tmp_path):
    pytest.importorskip("ray")
    assert_equal(tmp_path, finished(tune(tmp_path, "--cluster", "local")), right)


@pytest.mark.parametrize("address", ["", "here", "0", "a b:1", "ray://host:10001", "host:port"])
def test_an_address_that_is_none_is_said(refused, address, monkeypatch):
    monkeypatch.setattr("tfcourse.tuning.extras.find_spec", lambda name: True)
    assert "cluster must be local, auto or HOST:PORT" in refused("tune", "--cluster", address)


def test_a_cluster_takes_the_compiled_engine(refused, monkeypatch):
    monkeypatch.setattr("tfcourse.tuning.extras.find_spec", lambda name: True)
    line = refused("tune", "--cluster", "local", "--engine", "keras")
    assert "engine must be compiled to train on a cluster, got 'keras'" in line


def test_without_ray_the_extra_is_named(refused, monkeypatch):
    monkeypatch.setattr("tfcourse.tuning.extras.find_spec", lambda name: None)
    assert "pip install 'tfcourse[ray]'" in refused("tune", "--cluster", "local")


def test_a_cluster_that_is_not_there_is_one_line(tfcourse):
    pytest.importorskip("ray")
    done = tfcourse("tune", "--cluster", "127.0.0.1:1", "--trials", "1")
    assert done.status == 2 and done.out == ""
    assert done.err.startswith("tfcourse: no cluster can be joined at 127.0.0.1:1: Connection")
    assert done.err.count("\n") == 1
