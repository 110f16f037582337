"""A study for the tools of others: Optuna's dashboard and importances, TensorBoard's HParams."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfcourse._checks import InputError
from tfcourse.tuning.extras import require
from tfcourse.tuning.notation import value_text
from tfcourse.tuning.scales import Choice, Integer, Log, OneMinusLog, Scale, Stepped
from tfcourse.tuning.trial import Trial, Trials


def check_storage(url: str) -> None:
    """Raise ValueError if `url` is none at which Optuna could keep a study."""
    from sqlalchemy import create_engine

    try:
        create_engine(url)  # connects to nothing yet
    except Exception as error:  # whatever the database's driver says, if there is one
        raise InputError(
            f"optuna must be a URL such as sqlite:///tune.db, got {url!r} ({error})"
        ) from None


def to_optuna(study: Trials, storage: Any = None) -> Any:
    """Return an Optuna study with the same trials, distributions and direction.

    storage: a URL such as "sqlite:///optuna.db" or an Optuna storage; in memory without one. The
    Optuna study has the folder's name; trials that it holds already are left as they are. Optuna
    knows no scale of 1 − β: there, `momentum` becomes "1 - momentum".
    Raises: ModuleNotFoundError without the extra `optuna`, OSError if the storage is out of reach.
    """
    require("optuna")
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        copy = optuna.create_study(
            storage=storage,
            study_name=study.folder.resolve().name,
            direction="maximize" if study.objective.direction == "max" else "minimize",
            load_if_exists=True,
        )
    except (SQLAlchemyError, optuna.exceptions.OptunaError) as error:
        reason = str(error).partition("\n")[0]
        raise OSError(f"optuna cannot keep a study at {storage}: {reason}") from error
    turned = {name for name, scale in study.space.items() if isinstance(scale, OneMinusLog)}
    names = {name: f"1 - {name}" if name in turned else name for name in study.space}
    there = {trial.user_attrs.get("number") for trial in copy.get_trials(deepcopy=False)}
    states = {
        "complete": optuna.trial.TrialState.COMPLETE,
        "pruned": optuna.trial.TrialState.PRUNED,
    }
    for trial in study.trials:
        if trial.number in there:
            continue
        drawn = {n: value for n, value in trial.hyperparameters.items() if n in names}
        late = {n: value for n, value in trial.hyperparameters.items() if n not in names}
        copy.add_trial(
            optuna.trial.create_trial(
                state=states.get(trial.state, optuna.trial.TrialState.FAIL),
                value=trial.score if trial.state in states else None,
                params={
                    names[n]: 1 - value if n in turned else value for n, value in drawn.items()
                },
                distributions={names[name]: _distribution(study.space[name]) for name in drawn},
                user_attrs={**late, **_attributes(trial)},
                intermediate_values=dict(enumerate(trial.history.get(study.objective.name, []))),
            )
        )
    return copy


def _distribution(scale: Scale) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(scale, Choice):
        return CategoricalDistribution(scale.options)
    if isinstance(scale, Stepped) and scale.sampling != "linear":  # Optuna adds steps only
        return CategoricalDistribution(scale.grid(scale.count))
    if isinstance(scale, Stepped):
        kind: Any = IntDistribution if scale.whole else FloatDistribution
        return kind(scale.low, scale.grid(scale.count)[-1], step=scale.step)
    if isinstance(scale, Integer):
        return IntDistribution(scale.low, scale.high, log=scale.log)
    if isinstance(scale, OneMinusLog):
        return FloatDistribution(1 - scale.high, 1 - scale.low, log=True)
    return FloatDistribution(scale.low, scale.high, log=type(scale) is Log)


def _attributes(trial: Trial) -> dict[str, Any]:
    names = ("number", "seed", "state", "error")
    found = {name: value for name in names if (value := getattr(trial, name)) is not None}
    tested = {f"test_{name}": value for name, value in trial.test.items()}
    return {**found, **trial.metrics, **tested}


def to_tensorboard(study: Trials, folder: Path) -> None:
    """Write every trial's hyperparameters and curves for TensorBoard's HParams and Scalars.

    Each trial is a run in a folder of its own; what an earlier call wrote there is replaced.
    Raises: ModuleNotFoundError without the extra `tensorboard`, OSError if it cannot be written.
    """
    require("tensorboard")
    from tfcourse._tensorflow import tf  # before tensorboard, which would load it with its noise

    from tensorboard.plugins.hparams import api  # isort: skip

    with _writer(folder):
        api.hparams_config(
            hparams=[api.HParam(name, _domain(scale)) for name, scale in study.space.items()],
            metrics=[api.Metric(name) for name in study.metric_names],
        )
    for trial in study.trials:
        with _writer(folder / f"trial-{trial.number:04}"):
            values = {
                name: value_text(value) if _is_mixed(study.space.get(name)) else value
                for name, value in trial.hyperparameters.items()
            }
            api.hparams(values, trial_id=f"{trial.number:04}")
            for name, figures in trial.history.items():
                for epoch, figure in enumerate(figures):
                    tf.summary.scalar(name, figure, step=epoch)


def _writer(folder: Path) -> Any:
    from tfcourse._tensorflow import tf

    for old in folder.glob("events.out.tfevents.*"):
        old.unlink()
    return tf.summary.create_file_writer(str(folder)).as_default()


def _domain(scale: Scale) -> Any:
    from tensorboard.plugins.hparams import api

    if isinstance(scale, Choice):
        return api.Discrete(
            list(map(value_text, scale.options) if _is_mixed(scale) else scale.options)
        )
    whole = isinstance(scale, Integer) or (isinstance(scale, Stepped) and scale.whole)
    interval = api.IntInterval if whole else api.RealInterval
    return interval(scale.low, scale.high)


def _is_mixed(scale: Scale | None) -> bool:
    """Whether TensorBoard, which takes options of one type only, must be given words."""
    if isinstance(scale, Choice):
        return None in scale.options or len(set(map(type, scale.options))) > 1
    return scale is None  # of what came late, and no scale is known of
