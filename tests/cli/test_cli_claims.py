"""`tfcourse claims`."""

import json
import subprocess
import sys

import pytest
from rich.cells import cell_len
from rich.console import Console

from tfcourse.lecture import ledger
from tfcourse.lecture.ledger import Evidence

KEYS = {"id", "part", "statement", "sources", "measured", "verdict", "trainings", "seconds"}


def test_json_holds_the_evidence(tfcourse):
    done = tfcourse("claims", "softmax.example", "bn.erratum.identity-gamma", "--json")
    example, erratum = json.loads(done.out)["claims"]
    assert done.status == 0 and example.keys() >= KEYS
    assert (example["part"], example["verdict"]) == ("classification", "holds")
    assert example["sources"][0]["file"].startswith("002_")
    assert "0.842" in example["measured"] and erratum["verdict"] == "erratum"


def test_the_table_and_the_progress(tfcourse):
    done = tfcourse("claims", "softmax.example", "softmax.hardmax")
    assert "Σt = 176.3" in done.out and "2 claims, 0 trainings: 2 holds." in done.out
    assert done.err.startswith("softmax.example: holds (0.0 s)\n")


@pytest.mark.parametrize("width", [80, 120])
def test_a_table_fits_the_terminal_and_shows_the_whole_id_and_verdict(tfcourse, monkeypatch, width):
    from tfcourse.cli import claims

    monkeypatch.setattr(claims, "_console", lambda: Console(highlight=False, width=width))
    out = tfcourse("claims", "bn.erratum.gamma-is-variance", "bn.zero-mean-unit-variance").out
    assert "bn.erratum.gamma-is-variance" in out and "holds under conditions" in out
    assert max(map(cell_len, out.splitlines())) <= width


@pytest.mark.parametrize("how", [(), ("--json",), ("--markdown",)])
def test_ctrl_c_keeps_the_table_of_what_is_done(tfcourse, monkeypatch, how):
    def interrupted(chosen, seed):
        yield ledger.Entry(chosen[0], Evidence("holds", "so far"), 0)
        raise KeyboardInterrupt

    monkeypatch.setattr(ledger, "run", interrupted)
    done = tfcourse("claims", *how)
    assert done.status == 130 and done.err.endswith("interrupted\n")
    assert ("so far" in done.out and "1 claim," in done.out) if not how else done.out == ""


def test_markdown_is_the_page(tfcourse):
    done = tfcourse("claims", "softmax.example", "--markdown")
    assert done.out.startswith("# The lecture's claims, run\n") and done.out.endswith("\n")


def test_a_changed_verdict_is_exit_status_1(tfcourse, monkeypatch):
    from tfcourse import softmax

    monkeypatch.setattr(softmax, "hardmax", lambda z: 1 - z)
    done = tfcourse("claims", "softmax.hardmax", "softmax.example", "--json")
    assert done.status == 1
    assert [one["verdict"] for one in json.loads(done.out)["claims"]] == ["refuted", "holds"]
    assert done.err.endswith("softmax.hardmax: refuted, but this package records 'holds'\n")


@pytest.mark.parametrize("part", ["tuning", "normalization", "classification", "frameworks"])
def test_quick_leaves_trainings_out(tfcourse, monkeypatch, part):
    monkeypatch.setattr(
        ledger,
        "run",
        lambda chosen, seed: (ledger.Entry(c, Evidence(c.verdict, str(seed)), 0) for c in chosen),
    )
    done = tfcourse("claims", "--part", part, "--quick", "--json", "--seed", 3)
    found = json.loads(done.out)["claims"]
    assert [one["id"] for one in found] == [c.id for c in ledger.claims(part) if not c.trains]
    assert found and all(one["measured"] == "3" for one in found)


def test_lists(tfcourse):
    done = tfcourse("claims", "--list", "--part", "classification")
    assert "softmax.from-logits" in done.out and "holds under conditions" in done.out
    assert "bn.identity" not in done.out and done.err == ""
    listed = json.loads(tfcourse("claims", "--list", "--json").out)["claims"]
    assert [one["id"] for one in listed] == [one.id for one in ledger.claims()]


def test_a_word_lists_what_it_matches_and_runs_nothing(tfcourse):
    done = tfcourse("claims", "softmax")
    assert "softmax.from-logits" in done.out and "tf.expand" not in done.out and done.err == ""
    listed = json.loads(tfcourse("claims", "softmax", "--json").out)["claims"]
    assert [one["id"] for one in listed] == [one.id for one in ledger.matching(["softmax"])]


def test_why_tells_the_experiment_and_runs_nothing(tfcourse):
    done = tfcourse("claims", "--why", "tuning.random-beats-grid")
    words = " ".join(done.out.split())
    for part in (
        "How: Searches",
        "What matters: A tenth",
        "Conditions:",
        "Literature:",
        "003:1196",
    ):
        assert part in words
    assert done.err == "" and done.status == 0


def test_listing_loads_no_tensorflow():
    code = (
        "import sys, atexit; sys.argv[1:] = ['claims', '--list'];"
        "atexit.register(lambda: print('tensorflow' in sys.modules, file=sys.stderr));"
        "from tfcourse.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "False\n" and "tuning.panda" in done.stdout, done


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["softmax.exmple"], "did you mean 'softmax.example'?"),
        (["zzz"], "tfcourse claims --list"),
        (["--part", "classifcation"], "did you mean 'classification'?"),
        (["softmax.example", "--quick"], "cannot be combined"),
        (["--markdown", "--json"], "cannot be combined"),
        (["--seed", -1], "seed must be a whole number at least 0, got -1"),
    ],
)
def test_bad_input_is_one_line(refused, arguments, words):
    assert words in refused("claims", *arguments)
