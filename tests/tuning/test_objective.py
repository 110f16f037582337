"""Objectives: the direction that a name has, the best epoch, what is refused."""

import math

import pytest

from tfcourse.tuning.objective import Objective, objective

DIFFERS = {"f1_score", "r2_score", "pearson_correlation", "concordance_correlation"}
DIFFERS |= {"io_u", "mean_io_u", "binary_io_u", "one_hot_io_u", "one_hot_mean_io_u"}
DIFFERS |= {"cosine_similarity"}  # more of each is better, whatever KerasTuner says


def metric_names():
    import keras

    for thing in vars(keras.metrics).values():
        if isinstance(thing, type) and thing not in (keras.metrics.Metric, keras.metrics.Mean):
            try:
                made = thing()
            except TypeError:
                continue
            if made.name.rpartition("_")[2].isdigit():
                yield made.name.rpartition("_")[0]
            else:
                yield made.name


def test_directions_are_those_that_keras_tuner_infers():
    tracking = pytest.importorskip("keras_tuner.src.engine.metrics_tracking")
    known = {"accuracy", "acc", "loss", "mae", "mse", *metric_names()} - {"sum", "loss_1"}
    compared = 0
    for name in sorted(known - DIFFERS):
        theirs = tracking.infer_metric_direction(f"val_{name}")
        if theirs is not None:
            assert objective(f"val_{name}").direction == theirs, name
            assert objective(name) == Objective(name, theirs)
            compared += 1
    assert compared >= 25


def test_more_of_a_score_is_better_and_less_of_an_error():
    assert all(objective(f"val_{name}").direction == "max" for name in DIFFERS)
    assert objective("val_auc_3").direction == "max" and objective("output_loss").direction == "min"


def test_a_direction_may_be_given():
    assert objective("val_mine:max") == Objective("val_mine", "max")
    assert objective(Objective("x", "min")) == Objective("x", "min")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("val_mine", '"val_mine:max" or "val_mine:min"'),
        ("val_mine:most", "direction must be one of max, min, got 'most'"),
        (7, "objective must be a name"),
    ],
)
def test_what_is_no_objective_is_refused_with_what_to_write(given, says):
    with pytest.raises((ValueError, TypeError), match=says):
        objective(given)


def test_the_best_epoch_is_the_first_of_the_best_by_score_then_by_loss():
    history = {"val_accuracy": [0.5, 0.9, 0.9, 0.9], "val_loss": [1, 0.4, 0.3, 0.3]}
    assert objective("val_accuracy").best_epoch(history) == 2
    assert objective("val_loss").best_epoch(history) == 2
    assert objective("val_accuracy").best_epoch({"val_accuracy": [], "val_loss": []}) is None
    assert objective("loss").best_epoch({"loss": [math.nan, 1]}) == 1
    with pytest.raises(ValueError, match="did you mean 'val_loss'"):
        objective("val_los:min").best_epoch(history)
