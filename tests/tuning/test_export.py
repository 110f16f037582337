"""Studies for other tools, read back by those tools."""

import csv
import io
import subprocess
import sys

import pytest
from tiny import HEAD, TinyTrainer

from tfcourse.tuning import Linear, Space, Study, Trial, export, random, report
from tfcourse.tuning.rounds import run

SPACE = Space.parse(
    [
        "x=linear:0:1",
        "kind=choice:plain,2,none",
        "learning_rate=log:1e-4:1",
        "momentum=1-log:0.9:0.999",
        "units=int-log:1:100 if kind=plain",
        "layers=choice:2,3,4",
    ]
)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "my_study"
    with Study(SPACE, folder, **HEAD) as opened:
        trainer = TinyTrainer(fails={2})
        run(opened, random(SPACE, 20, 3), lambda: trainer, seed=3, epochs=9, halving=True)
    return opened


def test_optuna_finds_the_same_best_and_judges_importances(study, tmp_path):
    optuna = pytest.importorskip("optuna")
    storage = f"sqlite:///{tmp_path}/optuna.db"
    export.to_optuna(study, storage)
    export.to_optuna(study, storage)  # what is there is not copied again
    copy = optuna.load_study(study_name="my_study", storage=storage)
    assert [trial.user_attrs["number"] for trial in copy.trials] == list(range(20))
    assert copy.best_trial.number == study.best.number
    assert copy.best_value == study.best.validation_accuracy
    assert copy.best_params["1 - momentum"] == 1 - study.best.hyperparameters["momentum"]
    states = [trial.state.name.lower() for trial in copy.trials]
    assert states.count("pruned") == study.count()["pruned"]
    assert states.count("complete") == study.count()["complete"]
    curve = copy.trials[study.best.number].intermediate_values
    assert list(curve.values()) == study.best.history["val_accuracy"]
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    shares = optuna.importance.get_param_importances(copy, evaluator=evaluator)
    assert {"x", "learning_rate", "1 - momentum"} <= set(shares)


def test_optunas_distributions_are_the_scales(study):
    optuna = pytest.importorskip("optuna")
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    copy = export.to_optuna(study)
    found = {}
    for trial in copy.trials:
        found |= trial.distributions
    momentum = found.pop("1 - momentum")
    assert found == {
        "x": FloatDistribution(0, 1),
        "kind": CategoricalDistribution(("plain", 2, None)),
        "learning_rate": FloatDistribution(1e-4, 1, log=True),
        "units": IntDistribution(1, 100, log=True),
        "layers": CategoricalDistribution((2, 3, 4)),
    }
    assert momentum.log and (momentum.low, momentum.high) == pytest.approx((0.001, 0.1))
    assert copy.direction == optuna.study.StudyDirection.MAXIMIZE


def test_tensorboard_reads_curves_and_hyperparameters(study, tmp_path):
    pytest.importorskip("tensorboard")
    export.to_tensorboard(study, tmp_path / "logs")
    export.to_tensorboard(study, tmp_path / "logs")  # replaces what it wrote
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2
    from tensorboard.util.tensor_util import make_ndarray

    runs = sorted(path.name for path in (tmp_path / "logs").glob("trial-*"))
    assert runs == [f"trial-{number:04}" for number in range(20)]
    best = study.best
    events = EventAccumulator(str(tmp_path / "logs" / f"trial-{best.number:04}"))
    events.Reload()
    curve = [float(make_ndarray(event.tensor_proto)) for event in events.Tensors("val_accuracy")]
    assert curve == pytest.approx(best.history["val_accuracy"], rel=1e-6)
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    told = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
    assert told["learning_rate"].number_value == best.hyperparameters["learning_rate"]


@pytest.fixture
def late(tmp_path):
    """A study of trials one of which has a hyperparameter that its space does not know."""
    with Study(Space(x=Linear(0, 1)), tmp_path / "late") as found:
        for number, drawn in enumerate([{"x": 0.25}, {"x": 0.5, "depth": 1 / 3}]):
            figures = {"val_accuracy": [0.8 + number / 10]}
            found.add([Trial(number, drawn, 0, 1, "complete", figures, 0, (0.8 + number / 10,))])
    return found


def test_tables_have_a_column_for_a_hyperparameter_that_came_late(late, tmp_path):
    report.to_csv(late, tmp_path / "trials.csv")
    rows = list(csv.DictReader((tmp_path / "trials.csv").open(encoding="utf-8")))
    assert [(row["x"], row["depth"]) for row in rows] == [("0.25", ""), ("0.5", str(1 / 3))]
    assert "<th>x</th><th>depth</th>" in report.html(late)
    assert "<td>0.5</td><td>0.333</td>" in report.html(late)
    shown = report.table(late)
    assert [list(column.cells) for column in shown.columns][-1] == ["0.333", "·"]


@pytest.mark.parametrize("extra", ["optuna", "tensorboard"])
def test_a_hyperparameter_that_came_late_is_told_without_a_scale(extra, late, tmp_path):
    pytest.importorskip(extra)
    if extra == "optuna":
        _, copied = export.to_optuna(late).trials
        assert copied.params == {"x": 0.5} and copied.user_attrs["depth"] == 1 / 3
    else:
        export.to_tensorboard(late, tmp_path / "logs")
        assert (tmp_path / "logs" / "trial-0001").is_dir()


@pytest.mark.parametrize("extra", ["optuna", "tensorboard"])
def test_a_missing_extra_is_named(extra, study, monkeypatch, tmp_path):
    monkeypatch.setattr("tfcourse.tuning.extras.find_spec", lambda name: None)
    function = {"optuna": export.to_optuna, "tensorboard": export.to_tensorboard}[extra]
    with pytest.raises(ModuleNotFoundError, match=rf"pip install 'tfcourse\[{extra}\]'"):
        function(study, tmp_path)


def test_the_csv_file_holds_every_trial_with_all_digits(study, tmp_path):
    report.to_csv(study, tmp_path / "trials.csv")
    rows = list(csv.DictReader((tmp_path / "trials.csv").open(encoding="utf-8")))
    assert [int(row["number"]) for row in rows] == list(range(20))
    for row, trial in zip(rows, study.trials, strict=True):
        assert float(row["x"]) == trial.hyperparameters["x"]
        assert (row["units"] != "") == ("units" in trial.hyperparameters)
        assert row["state"] == trial.state
        if trial.validation_accuracy is not None:
            assert float(row["val_accuracy"]) == trial.validation_accuracy
    assert sum(row["test_accuracy"] != "" for row in rows) == 1
    assert rows[2]["error"] == "ValueError: too many cooks"
    assert [path.name for path in tmp_path.iterdir()] == ["trials.csv"]


def test_the_table_shows_the_best_first_within_eighty_columns(study):
    from rich.console import Console

    console = Console(width=80, record=True, file=io.StringIO())
    console.print(report.table(study, rows=5))
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    numbers = [int(line.split()[0]) for line in lines if line.split()[0].isdigit()]
    assert numbers == [trial.number for trial in study.ranking[:5]]
    assert lines[-1] == "and 15 more"
    assert all(len(line) <= 80 and "…" not in line for line in lines)
    shown = f"{study.best.hyperparameters['learning_rate']:.3g}"
    assert any(shown in line.split() for line in lines)


def test_the_picture_has_every_hyperparameter_on_its_own_scale(study):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    figure = Figure()
    report.draw(figure, study)
    panels = {axes.get_title(): axes for axes in figure.axes}
    assert list(panels) == [name.replace("_", " ") for name in SPACE] + ["best so far"]
    labels = {name: [tick.get_text() for tick in panels[name].get_xticklabels()] for name in panels}
    assert labels["learning rate"] == ["0.0001", "0.01", "1"]
    assert labels["momentum"] == ["0.9", "0.99", "0.999"]
    assert labels["kind"] == ["plain", "2", "none"]
    running = panels["best so far"].lines[-1].get_ydata()
    assert list(running) == sorted(running) and running[-1] == study.best.validation_accuracy


def test_exports_load_nothing_until_they_are_asked_for():
    code = (
        "import sys, tfcourse.tuning.export, tfcourse.tuning.report;"
        "print(sorted({'optuna', 'tensorboard', 'rich', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("url", ["", "word", "0", "sqlite:", "nonsense://there", "mysql+no://x"])
def test_what_is_no_storage_is_said_before_anything_is_trained(url):
    pytest.importorskip("sqlalchemy")
    with pytest.raises(ValueError, match="must be a URL such as sqlite:///tune.db, got"):
        export.check_storage(url)


def test_a_storage_out_of_reach_is_one_line(study, tmp_path):
    pytest.importorskip("optuna")
    with pytest.raises(OSError, match="optuna cannot keep a study at sqlite") as caught:
        export.to_optuna(study, f"sqlite:///{tmp_path}/missing/optuna.db")
    assert "\n" not in str(caught.value)


def test_a_study_shows_itself_in_a_line_and_in_a_notebook(study):
    assert repr(study).startswith(f"<Study of {len(study.trials)} trials (")
    assert f"trial {study.best.number}: " in repr(study)
    shown = study._repr_html_()
    assert shown.count("<tr>") == 1 + min(10, len(study.trials))
    assert f"<td>{study.best.number}</td>" in shown and f"{study.best.score:.4f}" in shown


def test_a_data_frame_has_a_row_for_each_trial_and_keras_names(study):
    pytest.importorskip("pandas")
    frame = study.to_dataframe()
    assert list(frame.columns[:5]) == ["trial", "state", "score", "epoch", "seconds"]
    assert set(study.space) | {"val_accuracy", "val_loss"} <= set(frame.columns)
    best = frame.set_index("trial").loc[study.best.number]
    assert best["score"] == best["val_accuracy"] == study.best.score
    assert best["val_loss"] == study.history(study.best.number)["val_loss"][int(best["epoch"])]


def test_without_pandas_the_extra_is_named(study, monkeypatch):
    monkeypatch.setattr("tfcourse.tuning.extras.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'tfcourse\[pandas\]'"):
        study.to_dataframe()


def test_the_plot_is_a_figure_with_a_panel_for_each_hyperparameter_and_the_best(study):
    assert len(study.plot().axes) == len(study.space) + 1


def test_a_history_is_asked_for_by_number(study):
    assert study.history(0) == study.trials[0].history
    with pytest.raises(ValueError, match="trial must be below"):
        study.history(10_000)
