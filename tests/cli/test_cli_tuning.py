"""`tfcourse tune` and `tfcourse babysit`."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tfcourse.cli import tuning
from tfcourse.tuning import Linear, Space, Study, Trial

TINY = ("--space", "learning_rate=log:1e-3:0.1", "--space", "units=int:4:8")
TINY += ("--space", "layers=choice:1", "--epochs", 1)


@pytest.fixture
def points(tfcourse, tmp_path):
    """A data set that takes little time, in the working directory."""
    rng = np.random.default_rng(0)
    y = np.arange(150) % 3
    x = rng.normal(size=(150, 2)).astype(np.float32) + np.array([[0, 0], [5, 0], [0, 5]])[y]
    np.savez(
        tmp_path / "points.npz", x_train=x[:120], y_train=y[:120], x_test=x[120:], y_test=y[120:]
    )
    return "points.npz"


def test_tune_reports_the_best_and_its_model_repeats_the_test_accuracy(tfcourse, points):
    how = ("--trials", 3, "--finalists", 0)
    done = tfcourse("tune", "--data", points, *TINY, *how, "--study", "s", "--json")
    assert done.status == 0, done
    result = json.loads(done.out)
    assert result["trials"] == 3 and result["study"] == "s" and result["seconds"] > 0
    assert set(result["best"]["hyperparameters"]) == {"learning_rate", "units", "layers"}
    kept = Study.read(Path("s"))
    assert result["best"]["number"] == kept.best.number
    assert result["best"]["validation_accuracy"] == kept.best.validation_accuracy
    evaluated = json.loads(tfcourse("evaluate", result["model"], "--data", points, "--json").out)
    assert evaluated["test_accuracy"] == result["test_accuracy"]


@pytest.mark.whole
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("again", [True, False])
def test_the_figures_of_two_models_are_said_to_be_of_two(tfcourse, points, again):
    how = (*TINY, "--trials", 1, "--engine", "keras", "--finalists", 0)
    how += ("--refit" if again else "--no-refit",)
    done = tfcourse("tune", "--data", points, *how)
    assert done.status == 0, done
    words = "trial 0 was validated; the saved one, trained again with the validation data, was"
    assert (words in done.out) == again and ("two models" in done.out) == again
    assert json.loads(tfcourse("tune", "--data", points, *how, "--json").out)["refitted"] == again


@pytest.mark.whole
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("search", ["grid", "coarse-to-fine", "random"])
def test_every_search_prints_a_table_and_says_where_the_model_is(tfcourse, points, search):
    how = ("--trials", 4, "--search", search, "--rounds", 2, "--engine", "keras")
    how += ("--finalist-seeds", 1) if search == "random" else ("--finalists", 0, "--no-refit")
    done = tfcourse("tune", "--data", points, *TINY, *how, "--csv", "t.csv", "--plot", "t.png")
    assert done.status == 0, done
    assert "validation accuracy" in done.out and "model in study/best.keras" in done.out
    assert len(Path("t.csv").read_text().splitlines()) == 5
    assert Path("t.png").read_bytes().startswith(b"\x89PNG")
    again = tfcourse("tune", "--data", points, *TINY, *how, "--json")
    assert json.loads(again.out)["trials"] == 4


@pytest.mark.whole
@pytest.mark.usefixtures("eager")
def test_a_small_space_ends_the_search_and_says_so(tfcourse, points):
    small = ("--space", "units=int:4:5", "--epochs", 1, "--engine", "keras")
    small += ("--finalists", 0, "--no-refit")
    done = tfcourse("tune", "--data", points, *small)
    assert "the space holds only 2 combinations: all are tried" in done.err


@pytest.mark.whole
@pytest.mark.usefixtures("eager")
def test_a_function_of_ones_own_from_the_working_directory(tfcourse, points, tmp_path, monkeypatch):
    (tmp_path / "mine_to_tune.py").write_text(
        "import keras\n"
        "def build(draw):\n"
        "    hidden = keras.layers.Dense(draw['units'], 'relu')\n"
        "    outputs = keras.layers.Dense(3, 'softmax')\n"
        "    return keras.Sequential([keras.Input((2,)), hidden, outputs])\n"
    )
    monkeypatch.setattr(sys, "path", list(sys.path))
    done = tfcourse(
        "tune",
        "--data",
        points,
        "--build",
        "mine_to_tune:build",
        "--space",
        "units=int:4:8",
        *("--trials", 2, "--epochs", 1, "--finalists", 0, "--no-refit", "--engine", "keras"),
        "--json",
    )
    assert done.status == 0, done
    assert json.loads(done.out)["trials"] == 2


def test_a_hyperparameter_that_came_late_is_reported_too(tmp_path, capsys):
    history = {"val_accuracy": [0.9]}
    trial = Trial(0, {"x": 0.5, "depth": 3}, 0, 1, "complete", history, 0, (0.9,))
    with Study(Space(x=Linear(0, 1)), tmp_path) as study:
        study.add([trial])
    tuning._report(study, False, 1.0)
    assert "best is trial 0: x 0.5  depth 3\n" in capsys.readouterr().out


@pytest.mark.whole
def test_when_every_trial_diverges_the_work_has_failed(tfcourse, points):
    done = tfcourse(
        "tune",
        "--data",
        points,
        "--space",
        "learning_rate=log:1e25:1e30",
        "--trials",
        2,
        "--space",
        "optimizer=choice:gradient_descent",
        "--space",
        "batch_norm=choice:false",
        "--epochs",
        3,
    )
    assert done.status == 1 and done.out == ""
    assert "none of 2 trials was completed" in done.err and "diverged" in done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--space", "lerning_rate=log:1e-4:1"), "did you mean 'learning_rate'?"),
        (("--space", "learning_rate=log:0:1"), "Log's low must be a finite number above 0, got 0"),
        (("--space", "learning_rate=log:1:0.1"), "low below high, got low 1, high 0.1"),
        (("--space", "momentum=1-log:0.9:1"), "above 0 and below 1, got 1"),
        (("--space", "layers=choice:"), "at least one option"),
        (("--space", "momentum=1-log:0.9:0.99"), "momentum must go with optimizer momentum"),
        (("--trials", "0"), "trials must be a whole number at least 1, got 0"),
        (("--search", "greed"), "did you mean 'grid'?"),
        (("--epochs", "0"), "epochs must be"),
        (("--halving", "--epochs", "5"), "halving must have at least 9 epochs"),
        (("--build", "nowhere:build"), "No module named 'nowhere'"),
        (("--build", "json:loads"), "build must return a model, but raised TypeError"),
        (("--build", "string:capwords"), "build must return a model, but raised"),
        (("--engine", "steam"), "engine must be one of"),
        (("--csv", "no/such.csv"), "the folder no of such.csv does not exist"),
        (("--plot", "t.gif"), "must end in .png or .svg or .pdf"),
        (("--data", "nothing"), "got 'nothing'"),
        (("--seed", "-1"), "seed must be a whole number at least 0, got -1"),
        (("--study", "/proc/nothing"), "/proc/nothing"),
    ],
)
def test_wrong_input_is_one_line_and_writes_nothing(refused, arguments, says):
    assert says in refused("tune", *arguments)


def test_a_folder_in_the_way_of_the_study_is_said(tfcourse, points):
    Path("study").write_text("in the way")
    done = tfcourse("tune", "--data", points, *TINY)
    assert done.status == 2 and done.err.count("\n") == 1 and "study" in done.err


def test_a_missing_extra_is_named(refused, monkeypatch):
    monkeypatch.setattr("tfcourse.tuning.extras.find_spec", lambda name: None)
    assert "pip install 'tfcourse[optuna]'" in refused("tune", "--optuna", "sqlite:///x.db")
    assert "pip install 'tfcourse[tensorboard]'" in refused("tune", "--tensorboard", "logs")


@pytest.mark.whole
@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to another process")
def test_interrupted_the_table_so_far_is_printed_and_the_same_command_goes_on(points, tmp_path):
    command = [sys.executable, "-m", "tfcourse", "tune", "--data", points, *map(str, TINY)]
    command += ["--trials", "40", "--engine", "keras"]
    run = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    journal = tmp_path / "study" / "journal.jsonl"
    while not journal.exists() or journal.read_bytes().count(b'"trial"') < 2:
        assert run.poll() is None, run.communicate()
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130, (out, err)
    assert "complete" in out or "learning" in out
    assert "is kept in study; the same command resumes it" in err and "Traceback" not in err
    finished = Study.read(tmp_path / "study").trials
    assert 2 <= len(finished) < 40


def test_a_second_process_is_refused_with_who_holds_the_study(tfcourse, points, tmp_path):
    hold = "import sys, time; from tfcourse.tuning.journal import Lock; from pathlib import Path;"
    hold += "Path('study').mkdir(); lock = Lock(Path('study')); print('held', flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    done = tfcourse("tune", "--data", points, *TINY)
    assert done.status == 2 and f"in use by process {holder.pid} on" in done.err
    holder.communicate(b"\n")


@pytest.mark.whole
@pytest.mark.usefixtures("eager")
def test_babysit_day_revert_show(tfcourse, points):
    small = ("--data", points, "--units", 6, "--batch-size", 24, "--epochs", 2)
    first = tfcourse("babysit", "m", "day", *small, "--json")
    assert first.status == 0, first
    second = json.loads(tfcourse("babysit", "m", "day", "--learning-rate", 0.02, "--json").out)
    assert second["changed"] == {"learning_rate": 0.02} and second["first_epoch"] == 2
    assert json.loads(tfcourse("babysit", "m", "revert", "--json").out) == {"day": 1}
    third = json.loads(tfcourse("babysit", "m", "day", "--learning-rate", 0.02, "--json").out)
    assert (third["day"], third["history"]) == (3, second["history"])
    shown = tfcourse("babysit", "m", "show")
    assert "back to day 1" in shown.out and "→ 3" in shown.out
    assert Path("m/curve.png").read_bytes().startswith(b"\x89PNG")
    told = json.loads(tfcourse("babysit", "m", "show", "--plot", "c.svg", "--json").out)
    assert told["today"] == 3 and len(told["entries"]) == 4
    evaluated = tfcourse("evaluate", third["model"], "--data", points, "--json")
    assert json.loads(evaluated.out)["test_accuracy"] > 0.5
    assert "must stay 6 from the first day on" in tfcourse("babysit", "m", "day", "--units", 7).err
    assert "must be one of 0, 1, 2, 3, got 9" in tfcourse("babysit", "m", "revert", 9).err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("day", "--learning-rate", "0"), "learning_rate must be a finite number above 0, got 0.0"),
        (("day", "--units", "many"), "units must be a whole number"),
        (("day", "--epochs", "0"), "epochs must be"),
        (("day", "--optimizer", "adm"), "did you mean 'adam'?"),
        (("day", "--seed", "-1"), "seed must be"),
        (("day", "--data", "nothing"), "got 'nothing'"),
        (("revert",), "must hold the diary of a model, got none"),
        (("show",), "must hold the diary of a model, got none"),
    ],
)
def test_wrong_babysitting_is_one_line_and_writes_nothing(refused, arguments, says):
    assert says in refused("babysit", "m", *arguments)


@pytest.mark.long
@pytest.mark.parametrize("engine", ["compiled", "keras"])
def test_killed_while_models_train_the_result_is_that_of_an_undisturbed_run(
    points, tmp_path, engine
):
    command = [sys.executable, "-m", "tfcourse", "tune", "--data", points, "--engine", engine]
    command += ["--trials", "12", "--epochs", "3", "--space", "learning_rate=log:1e-3:0.1"]
    command += ["--space", "layers=choice:1,2,3", "--space", "units=int:4:8", "--study"]
    rng = np.random.default_rng(0)
    for _ in range(4):
        run = subprocess.Popen([*command, "killed"], cwd=tmp_path, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(3, 12))
        run.kill()
        run.wait()
    for folder in ("killed", "alone"):
        subprocess.run([*command, folder], cwd=tmp_path, check=True, capture_output=True)
    killed, alone = Study.read(tmp_path / "killed"), Study.read(tmp_path / "alone")
    assert killed.trials == alone.trials and len(alone.trials) == 12
    assert killed.kept == alone.kept == killed.refitted == alone.refitted
    weights = [study.model().get_weights() for study in (killed, alone)]
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))
