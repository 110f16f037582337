"""Rounds: seeds, who goes on, who is told what, and what is on disk before what refers to it."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from tiny import HEAD, SPACE, TinyTrainer

from tfcourse.tuning import Linear, Space, Study, coarse_to_fine, random, rounds, trainers
from tfcourse.tuning.journal import Journal
from tfcourse.tuning.objective import objective
from tfcourse.tuning.rounds import run, trial_seed
from tfcourse.tuning.trainers import Job, Result, Trainer

HOW = {"seed": 3, "epochs": 9}


class Recording(TinyTrainer):
    """Keeps the jobs that it is given."""

    def train_chunk(self, chunk, on_epochs):
        self.jobs = [*getattr(self, "jobs", ()), *chunk]
        yield from super().train_chunk(chunk, on_epochs)


def played(folder, search=None, trainer=None, space=SPACE, **how):
    """Run a study to its end and return it, still open to be read."""
    with Study(space, folder, **HEAD) as study:
        run(study, search or random(space, 10, 3), lambda: trainer or TinyTrainer(), **HOW | how)
        return study


@pytest.mark.parametrize("halving", [False, True])
def test_seeds_of_every_round_depend_on_the_trials_number_and_not_on_its_place(tmp_path, halving):
    trainer = Recording()
    played(tmp_path, coarse_to_fine(SPACE, 3, 12, 2, 3), trainer, halving=halving, repeats=2)
    seeds = {(job.number, job.seed) for job in trainer.jobs}
    assert seeds == {(n, trial_seed(3, n, repeat)) for n in range(12) for repeat in range(2)}
    assert len({seed for _, seed in seeds}) == 24


def test_no_two_trainings_of_neighbouring_studies_share_a_seed():
    seeds = {trial_seed(s, n, k) for s in range(5) for n in range(50) for k in range(3)}
    assert len(seeds) == 5 * 50 * 3


def test_what_diverged_never_goes_on_in_halving(tmp_path):
    space = Space(x=Linear(0.88, 1))  # x above 0.9 diverges: fewer are sound than might go on
    trainer = TinyTrainer()
    played(tmp_path, random(space, 30, 3), trainer, space, epochs=27, halving=True)
    ends = dict(trainer.trained)
    sound = {t.number for t in Study.read(tmp_path).trials if t.hyperparameters["x"] <= 0.9}
    assert 0 < len(sound) < 10
    assert {number for number, epochs in ends.items() if epochs > 3} <= sound


def test_a_third_goes_on_at_every_rung_and_it_is_the_best(tmp_path):
    trainer = TinyTrainer()
    space = Space(x=Linear(0, 0.9))
    played(tmp_path, random(space, 27, 3), trainer, space, halving=True)
    by_epochs = {e: {n for n, epochs in trainer.trained if epochs == e} for e in (1, 3, 9)}
    assert [len(by_epochs[e]) for e in (1, 3, 9)] == [27, 9, 3]
    distance = {t.number: abs(t.hyperparameters["x"] - 0.3) for t in Study.read(tmp_path).trials}
    for fewer, more in ((9, 3), (3, 1)):
        out = by_epochs[more] - by_epochs[fewer]
        worst = max(distance[number] for number in by_epochs[fewer])
        assert worst < min(distance[number] for number in out) + 1e-3  # the noise of a training


def test_a_search_is_told_of_finished_trials_alone_and_of_none_to_come(tmp_path):
    told = []

    def spied(count):
        """Two rounds of random draws, and what it is told in between."""
        draws = random(SPACE, count, 3)
        for _ in range(count // 2):
            yield next(draws)
        told.append((yield None))
        yield from draws

    for _ in range(2):  # the second time, the journal holds the later round already
        played(tmp_path, spied(18), halving=True)
    for answer in told:
        assert {trial.state for trial in answer} == {"complete"}
        assert all(trial.number < 9 for trial in answer)


def test_a_trial_of_several_seeds_is_what_the_worst_of_them_is(tmp_path):
    class SecondFails(TinyTrainer):
        def train_chunk(self, chunk, on_epochs):
            for results in super().train_chunk(chunk, on_epochs):
                [one] = results
                if one.job.seed == trial_seed(3, 4, 1):
                    yield [Result(one.job, {}, 0.1, error="ValueError: too late")]
                else:
                    yield results

    study = played(tmp_path, trainer=SecondFails(), repeats=2)
    states = {trial.number: (trial.state, trial.error) for trial in study.trials}
    assert states.pop(4) == ("failed", "ValueError: too late")
    assert set(states.values()) <= {("complete", None), ("diverged", None)}


def test_finalists_are_judged_by_seeds_that_they_were_not_found_under(tmp_path):
    trainer = Recording()
    study = played(tmp_path, trainer=trainer, repeats=2, finalists=3, finalist_seeds=2)
    finalists = [trial for trial in study.trials if trial.again]
    assert len(finalists) == 3 and study.ranking[:3] == sorted(finalists, key=study.rank)
    for trial in finalists:
        seeds = [job.seed for job in trainer.jobs if job.number == trial.number]
        assert len(set(seeds)) == len(seeds) == 4
        every = (*trial.scores, *trial.again)
        assert len(every) == 4 and trial.score == pytest.approx(np.mean(every))


@pytest.fixture
def events(monkeypatch):
    """What was done, in order: a model saved, brought to disk, or records in the journal."""
    found = []
    save, append = TinyTrainer.save, Journal.append

    def saved(self, result, path):
        found.append(("saved", result.job.number))
        save(self, result, path)

    def appended(self, records):
        found.append(("journal", list(records)))
        append(self, records)

    monkeypatch.setattr(TinyTrainer, "save", saved)
    monkeypatch.setattr(Journal, "append", appended)
    monkeypatch.setattr(rounds, "to_disk", lambda path: found.append(("on disk", path.name)))
    return found


@pytest.mark.parametrize("refit", [False, True])
def test_a_model_is_on_disk_before_the_journal_says_so(tmp_path, events, refit):
    played(tmp_path, refit=refit)
    said = 0
    for place, (what, records) in enumerate(events):
        for record in records if what == "journal" else ():
            number = record.get("kept", record.get("refitted"))
            if number is not None:
                said += 1
                assert events[place - 2 : place] == [("saved", number), ("on disk", "best.keras")]
    assert said >= 2


def test_no_trial_is_in_the_journal_as_the_best_before_its_model_is_saved(tmp_path, events):
    played(tmp_path)
    best, saved = None, None
    for what, more in events:
        if what == "saved":
            saved = more
        for record in more if what == "journal" else ():
            if (trial := record.get("trial")) and trial["state"] == "complete":
                best = max(best or (-1, 0), (trial["scores"][0], trial["number"]))
        if best and what == "journal":
            assert saved == best[1]


def test_a_lost_model_is_saved_again_though_its_trial_drew_more_than_its_job_said(tmp_path):
    class Late(TinyTrainer):
        def train_chunk(self, chunk, on_epochs):
            for results in super().train_chunk(chunk, on_epochs):
                yield [replace(one, late={"depth": 2}) for one in results]

    study = played(tmp_path, trainer=Late())
    assert study.best.hyperparameters["depth"] == 2
    study.model_path.unlink()
    played(tmp_path, trainer=Late())
    assert json.loads(study.model_path.read_text("utf-8"))["number"] == study.best.number


def test_a_worse_model_is_not_saved_over_a_better_one(tmp_path, events):
    study = played(tmp_path)
    saved = [number for what, number in events if what == "saved"]
    scores = {trial.number: trial.score for trial in study.trials}
    assert [scores[n] for n in saved] == sorted(scores[n] for n in saved)
    assert saved[-1] == study.best.number


def test_a_refit_trains_up_to_the_best_epoch_and_no_further(tmp_path):
    class BestEarly(TinyTrainer):
        """Accuracy falls after the third epoch."""

        def train_chunk(self, chunk, on_epochs):
            for results in super().train_chunk(chunk, on_epochs):
                for one in results:
                    accuracy = one.history["val_accuracy"]
                    accuracy[:] = [value - abs(e - 2) for e, value in enumerate(accuracy)]
                yield results

    study = played(tmp_path, trainer=BestEarly(), refit=True)
    model = json.loads(study.model_path.read_text("utf-8"))
    assert model["refitted"] and model["number"] == study.best.number
    assert model["epochs"] == study.best.best_epoch + 1 == 3 < study.best.epochs


def test_a_refit_keeps_its_last_epoch_and_is_trained_on_the_validation_examples_too(monkeypatch):
    x, y = np.arange(12.0).reshape(6, 2), np.arange(6)
    counts = {"train": 4, "validation": 2}
    data = SimpleNamespace(
        x=x[:4], y=y[:4], x_validation=x[4:], y_validation=y[4:],
        sample_weight=None, sample_weight_validation=None,
    )  # fmt: skip
    given = {}

    def train(build, draws, data, **how):
        given.update(x=data.x, y=data.y, draws=draws)
        weights = {True: "last", False: "best"}
        one = SimpleNamespace(trial=0, error=None, history={}, seconds=0.0, ended="finished")
        one.model = lambda final=False: weights[final]
        return [[one]]

    monkeypatch.setattr(trainers.training, "train", train)
    model = SimpleNamespace(
        build=lambda chosen: None, data=data, examples=SimpleNamespace(count=counts.get)
    )
    trainer = Trainer(model, objective("val_accuracy"), engine="compiled", batch_size=2)
    result = trainer.refit(Job(0, {"units": 3}, 5, 7))
    assert result.model() == "last"
    assert np.array_equal(given["x"], x) and np.array_equal(given["y"], y)
    assert given["draws"] == [{"batch_size": 2, "units": 3, "epochs": 7}]


@pytest.mark.parametrize(
    ("loss", "stopped", "state"),
    [
        ([1.0, 0.5, 0.4], False, "complete"),
        ([1.0, float("nan"), 0.4], False, "diverged"),
        ([1.0, float("inf"), 0.4], False, "diverged"),
        ([1.0, 0.5], False, "diverged"),
        ([1.0, 0.5], True, "complete"),
    ],
)
def test_what_is_not_finite_to_its_end_has_diverged_unless_its_patience_ended_it(
    loss, stopped, state
):
    result = Result(Job(0, {}, 0, 3), {"val_loss": loss}, 0.1, stopped=stopped)
    assert result.trial(objective("val_loss"), last=True).state == state
