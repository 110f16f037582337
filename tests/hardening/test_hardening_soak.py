"""Two thousand trials in one process: memory does not grow with them."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

TRIALS, WARM, GROWTH = 2000, 200, 1.1
SEARCH = ["tune", "--trials", str(TRIALS), "--epochs", "2", "--space", "units=int:4:8"]
SEARCH += ["--space", "learning_rate=log:1e-4:1", "--space", "layers=choice:1"]


def memory(process):
    """Bytes that a process has in memory; 0 if it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return 1024 * int(lines.get("VmRSS", "0 kB").split()[0])


@pytest.mark.long
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_memory_stays_level(points, tmp_path):
    journal = tmp_path / "study/journal.jsonl"
    command = [sys.executable, "-m", "tfcourse", *SEARCH, "--data", points]
    run = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    done, samples = 0, []
    while run.poll() is None:
        if journal.exists():
            done = journal.read_bytes().count(b'{"trial"')
        samples.append((done, memory(run.pid)))
        time.sleep(0.05)
    assert run.returncode == 0, run.stderr.read()
    assert journal.read_bytes().count(b'{"trial"') == TRIALS
    warm = [used for trials, used in samples if trials >= WARM and used]
    print(f"{warm[0] / 2**20:.0f} MiB after {WARM} trials, {warm[-1] / 2**20:.0f} MiB at the end")
    assert warm[-1] <= GROWTH * warm[0]
