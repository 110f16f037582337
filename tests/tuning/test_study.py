"""Studies: what ranks where, and resuming from any cut gives what an undisturbed run gives."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import HEAD, SPACE, TinyTrainer

from tfcourse.tuning import Study, Trial, coarse_to_fine, grid, random
from tfcourse.tuning.rounds import run, trial_seed

SEARCHES = {
    "random": lambda trials: random(SPACE, trials, 3),
    "grid": lambda trials: grid(SPACE, {"x": trials // 2, "kind": 2}),
    "coarse-to-fine": lambda trials: coarse_to_fine(SPACE, 3, trials, 2, 3),
}


def study(folder, search="random", *, halving=False, trainer=None, trials=10, epochs=9, refit=True):
    """Run a tiny study to its end, and return what came out."""
    trainer = trainer or TinyTrainer(fails={2})
    with Study(SPACE, folder, **HEAD, halving=halving) as opened:
        proposals = SEARCHES[search](trials)
        how = {"seed": 3, "epochs": epochs, "halving": halving, "refit": refit}
        run(opened, proposals, lambda: trainer, **how)
        return opened.ranking, opened.kept, opened.refitted, opened.model_path.read_bytes()


def trial(number, accuracy, *, loss=1.0, state="complete", epochs=1, **more):
    history = {"val_loss": [loss], "val_accuracy": [accuracy]}
    more = {"best_epoch": 0, "scores": (accuracy,), **more}
    return Trial(number, {"x": 0.5, "kind": "plain"}, 0, epochs, state, history, **more)


def resume_at(cuts, folder, **how):
    """Cut the journal of an undisturbed run, go on from there, and expect the same results."""
    undisturbed = study(folder / "whole", **how)
    whole = (folder / "whole" / "journal.jsonl").read_bytes()
    journal = folder / "cut" / "journal.jsonl"
    journal.parent.mkdir()
    for cut in cuts(whole):
        journal.write_bytes(whole[:cut])
        (journal.parent / "best.keras").write_bytes(undisturbed[-1])
        assert study(journal.parent, **how) == undisturbed, cut
        assert trials_in(journal.read_bytes()) == trials_in(whole), cut


@pytest.fixture
def unsynced(monkeypatch):
    """Nobody pulls the plug here, and waiting for the disk would take longest."""
    monkeypatch.setattr(os, "fsync", lambda file: None)


@pytest.mark.usefixtures("unsynced")
def test_resumed_at_any_byte_the_result_is_that_of_an_undisturbed_run(tmp_path):
    resume_at(lambda whole: range(len(whole) + 1), tmp_path, trials=4, epochs=2)


@pytest.mark.usefixtures("unsynced")
@pytest.mark.parametrize("halving", [False, True])
@pytest.mark.parametrize("search", SEARCHES)
def test_resumed_around_any_line_so_it_is_with_every_search(tmp_path, search, halving):
    def cuts(whole):
        ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
        return [end + offset for end in ends for offset in (-1, 0, 1)]

    resume_at(cuts, tmp_path, search=search, halving=halving)


def trials_in(journal):
    """The trials in a journal, whatever their order, without their times."""
    records = map(json.loads, journal.splitlines())
    return sorted(json.dumps(record["trial"]) for record in records if "trial" in record)


def test_a_finished_study_trains_nothing_more(tmp_path):
    first = study(tmp_path)
    trainer = TinyTrainer()
    assert study(tmp_path, trainer=trainer) == first
    assert trainer.trained == []


def test_more_trials_go_on_from_those_there_are(tmp_path):
    study(tmp_path)
    with Study(SPACE, tmp_path, **HEAD, halving=False) as opened:
        trainer = TinyTrainer()
        run(opened, random(SPACE, 16, 3), lambda: trainer, seed=3, epochs=9)
        assert len(opened.trials) == 16
        # Trials 8 and 9 keep 10 and 11 company: the chunks are those of 16 trials.
        assert {number for number, _ in trainer.trained} == set(range(8, 16))


def test_a_lost_model_is_trained_again_in_the_same_company(tmp_path):
    undisturbed = study(tmp_path)
    (tmp_path / "best.keras").unlink()
    assert study(tmp_path) == undisturbed


def test_trials_fail_and_diverge_alone(tmp_path):
    ranking = study(tmp_path)[0]
    assert {t.number for t in ranking} == set(range(10))
    failed = [t for t in ranking if t.state == "failed"]
    assert [(t.number, t.error, t.history) for t in failed] == [
        (2, "ValueError: too many cooks", {})
    ]
    diverged = [t for t in ranking if t.state == "diverged"]
    assert diverged and all(t.hyperparameters["x"] > 0.9 for t in diverged)
    assert all(len(t.history["val_loss"]) == 1 for t in diverged)
    assert [t.state for t in ranking[-2:]] == ["diverged", "failed"]


def test_the_best_is_kept_and_tested_once(tmp_path):
    ranking, kept, refitted, model = study(tmp_path)
    assert kept == refitted == ranking[0].number == json.loads(model)["number"]
    assert json.loads(model)["refitted"]
    assert ranking[0].test_accuracy == ranking[0].hyperparameters["x"]
    assert [t.test_accuracy for t in ranking[1:]] == [None] * 9
    journal = (tmp_path / "journal.jsonl").read_text()
    assert journal.count('"tested"') == 1


def test_halving_stops_the_worst_and_keeps_the_best(tmp_path):
    full, halved = study(tmp_path / "full")[0], study(tmp_path / "halved", halving=True)[0]
    stopped = [t.epochs for t in halved if t.state == "pruned"]
    assert sorted(stopped) == [1] * 5 + [3] * 2  # of 10: 4 go on, of these 2; one failed at once
    assert [(t.state, t.epochs) for t in halved[:2]] == [("complete", 9)] * 2
    assert [t.number for t in halved[:2]] == [t.number for t in full[:2]]


@settings(max_examples=20, deadline=None)
@given(chunk=st.integers(1, 12), halving=st.booleans())
def test_whatever_trains_together_the_proposals_and_seeds_are_the_same(chunk, halving):
    with Study(SPACE, **HEAD) as opened:
        how = {"seed": 3, "epochs": 9, "halving": halving}
        run(opened, random(SPACE, 10, 3), lambda: TinyTrainer(chunk), **how)
    expected = list(random(SPACE, 10, 3))
    assert [(t.hyperparameters, t.seed) for t in opened.trials] == [
        (proposal, trial_seed(3, number)) for number, proposal in enumerate(expected)
    ]


def test_seeds_of_trials_differ_and_fit_everywhere():
    seeds = {trial_seed(study, number) for study in range(10) for number in range(1000)}
    assert len(seeds) > 9990 and min(seeds) >= 0 and max(seeds) < 2**31


def test_trials_rank_by_state_then_accuracy_then_loss_then_number():
    in_order = [
        trial(7, 0.9, loss=0.1),
        trial(3, 0.9, loss=0.2),
        trial(5, 0.9, loss=0.2),
        trial(1, 0.8),
        trial(2, 0.95, state="pruned"),
        trial(4, 0.99, state="diverged"),
        trial(6, 1.0, state="failed"),
    ]
    shuffled = [in_order[i] for i in np.random.default_rng(0).permutation(len(in_order))]
    with Study(SPACE, **HEAD) as opened:
        opened.add(shuffled)
        assert opened.ranking == in_order
        assert opened.best == in_order[0]
        assert [t.number for t in opened.trials] == sorted(t.number for t in in_order)


def test_finalists_rank_before_the_others_whatever_further_seeds_came_to():
    """What one seed gave is no match for what several did."""
    with Study(SPACE, **HEAD) as opened:
        opened.add([trial(0, 0.9), trial(1, 0.8), trial(2, 0.7)])
        opened.add_finalists([replace(opened.get(n, 1), again=(0.1 + n / 5,)) for n in (0, 1)])
        assert [one.score for one in opened.ranking] == pytest.approx([0.55, 0.5, 0.7])
        assert [one.number for one in opened.ranking] == [1, 0, 2]


def test_a_trial_tells_what_was_measured_after_its_best_epoch():
    history = {"val_loss": [0.3, 0.5, 0.4, 0.4], "val_accuracy": [0.8, 0.9, 0.9, 0.9]}
    one = Trial(0, {}, 0, 4, "complete", history, 2, (0.9, 0.7))
    assert one.metrics == {"val_loss": 0.4, "val_accuracy": 0.9}
    assert (one.validation_accuracy, one.score) == (0.9, pytest.approx(0.8))
    none = Trial(0, {}, 0, 4, "failed", {})
    assert (none.metrics, none.score, none.validation_accuracy) == ({}, None, None)


def test_where_less_is_better_the_least_is_the_best():
    with Study(SPACE, objective="val_loss", **HEAD) as opened:
        opened.add([trial(0, 0.5), trial(1, 0.3), trial(2, 0.4), trial(3, 0.0, state="failed")])
        assert [one.number for one in opened.ranking] == [1, 2, 0, 3]


def test_a_study_of_version_0_1_is_refused_in_a_line(tmp_path):
    (tmp_path / "journal.jsonl").write_text('{"tfcourse": 1, "space": ["x=linear:0:1"]}\n')
    for begin in (Study.read, lambda folder: Study(SPACE, folder)):
        with pytest.raises(ValueError, match=r"version 0\.1, .* give another folder|begun with"):
            begin(tmp_path)


def test_times_count_for_nothing_when_trials_are_compared():
    assert trial(0, 0.9, seconds=1.0, finished="yesterday") == trial(0, 0.9, seconds=2.0)
    assert trial(0, 0.9) != trial(0, 0.9, test={"accuracy": 0.5})


def test_a_study_that_is_open_is_read_but_not_shared(tmp_path):
    with Study(SPACE, tmp_path, **HEAD) as opened:
        opened.add([trial(0, 0.9)])
        seen = Study.read(tmp_path)
        assert seen.trials == opened.trials and seen.space == SPACE
        with pytest.raises(ValueError, match="opened to be read"):
            seen.add([trial(1, 0.9)])
        with pytest.raises(BlockingIOError, match="in use by process"):
            Study(SPACE, tmp_path, **HEAD)
    with pytest.raises(ValueError, match="closed"):
        opened.add([trial(1, 0.9)])


def test_without_a_folder_nothing_is_left_behind():
    opened = Study(SPACE, **HEAD)
    folder = opened.folder
    opened.close()
    del opened
    assert not folder.exists()


def test_no_study_and_no_model_are_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="must be the folder of a study"):
        Study.read(tmp_path)
    with (
        Study(SPACE, tmp_path, **HEAD) as opened,
        pytest.raises(ValueError, match="model, got none"),
    ):
        opened.model()


def test_a_trial_cannot_be_added_twice(tmp_path):
    with Study(SPACE, tmp_path, **HEAD) as opened:
        opened.add([trial(0, 0.9)])
        with pytest.raises(ValueError, match="got trial 0 again"):
            opened.add([trial(0, 0.9)])
        opened.add([replace(trial(1, 0.9), epochs=2), replace(trial(1, 0.9), epochs=4)])
    assert [t.epochs for t in Study.read(tmp_path).trials] == [1, 4]


class UnbuildableTrainer(TinyTrainer):
    def save(self, result, path):
        if result.job.number == 1:
            raise ValueError("no model\nfor that")
        super().save(result, path)


def test_a_best_trial_whose_model_cannot_be_built_fails_and_the_next_best_is_kept(tmp_path):
    expected = study(tmp_path / "alone")[0]
    assert expected[0].number == 1
    ranking, kept, _, _ = study(tmp_path / "other", trainer=UnbuildableTrainer(fails={2}))
    assert [t.number for t in ranking[:3]] == [t.number for t in expected[1:4]]
    assert kept == ranking[0].number
    errors = {t.number: t.error for t in ranking if t.state == "failed"}
    assert errors == {1: "ValueError: no model for that", 2: "ValueError: too many cooks"}


def test_a_model_that_is_saved_anew_is_no_longer_the_refitted_one(tmp_path):
    with Study(SPACE, tmp_path, **HEAD) as opened:
        opened.add([trial(0, 0.8)], kept=0)
        opened.add([], refitted=0)
        assert (opened.kept, opened.refitted) == (0, 0)
        opened.add([trial(1, 0.9)], kept=1)
        opened.add_finalists([replace(opened.get(n, 1), again=(0.85 - n / 10,)) for n in (0, 1)])
        opened.add([], kept=0)  # the best again, as it was first trained
        assert (opened.kept, opened.refitted) == (0, None)
    assert Study.read(tmp_path).refitted is None


def test_when_every_trial_fails_there_is_no_best(tmp_path):
    trainer = TinyTrainer(fails=range(10))
    with Study(SPACE, tmp_path, **HEAD) as opened:
        run(opened, random(SPACE, 10, 3), lambda: trainer, seed=3, epochs=9)
        assert opened.best is None and not opened.model_path.exists()


@pytest.mark.parametrize("halving", [False, True])
def test_progress_rises_to_the_number_of_trials(tmp_path, halving):
    seen = []
    with Study(SPACE, tmp_path, **HEAD) as opened:
        search, how = coarse_to_fine(SPACE, 2, 20, 3, 3), {"seed": 3, "epochs": 9}
        run(opened, search, lambda: TinyTrainer(), **how, halving=halving, on_progress=seen.append)
    done = [progress.done for progress in seen]
    assert done == sorted(done) and 0 < done[0] <= 1 and done[-1] == 20
    assert seen[-1].best.number == opened.best.number


def test_progress_says_what_is_done_after_the_last_trial(tmp_path):
    seen = []
    with Study(SPACE, tmp_path, **HEAD) as opened:
        how = {"seed": 3, "epochs": 9, "finalists": 3, "finalist_seeds": 2}
        run(opened, random(SPACE, 6, 3), TinyTrainer, **how, on_progress=seen.append)
    finals = [progress.doing for progress in seen if progress.done == 6 and progress.doing]
    assert finals[0] == "the 3 best again: 0%" and finals[-1] == "the 3 best again: 100%"


@pytest.mark.skipif(sys.platform == "win32", reason="kills with SIGKILL")
def test_killed_thirty_times_the_result_is_that_of_an_undisturbed_run(tmp_path):
    """The program in `tiny.py` starts the study in a child and kills it at random moments."""
    script = Path(__file__).with_name("tiny.py")
    killed, alone = tmp_path / "killed", tmp_path / "alone"
    done = subprocess.run(
        [sys.executable, script, killed, "30"], capture_output=True, text=True, check=True
    )
    kills, moments = map(int, done.stdout.split())
    assert kills == 30 and moments > 20  # with journals of so many different lengths
    subprocess.run([sys.executable, script, alone, "0"], check=True, capture_output=True)
    for name in ("trials", "kept"):
        assert getattr(Study.read(killed), name) == getattr(Study.read(alone), name)
    assert (killed / "best.keras").read_bytes() == (alone / "best.keras").read_bytes()


@pytest.mark.parametrize("last", ["", "; opened.close(); del opened"])
def test_a_study_without_a_folder_lasts_as_long_as_its_process_and_goes_in_silence(last, tmp_path):
    code = (
        "from tfcourse.tuning import Integer, Space, Study;"
        f"opened = Study(Space(units=Integer(1, 2))); print(opened.folder.exists()){last}"
    )
    where = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=where)
    assert (done.stdout, done.stderr) == ("True\n", "")
    assert list(tmp_path.iterdir()) == []
