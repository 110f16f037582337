"""What a search is for: its winners read more digits right than the default classifier does."""

import numpy as np
import pytest

from tfcourse import classifier, datasets
from tfcourse.hyperparameters import Hyperparameters
from tfcourse.tuning import tune

SEEDS = range(5)


@pytest.mark.long
def test_winners_beat_the_default():
    """30 random trials of the default space, chosen by validation; the same split, five seeds."""
    data = datasets.load("digits")
    winners = [tune(None, data, trials=30, seed=seed).best.test_accuracy for seed in SEEDS]
    default = [
        classifier.evaluate(
            classifier.train(data, Hyperparameters(), seed=seed).model, data.x_test, data.y_test
        ).accuracy
        for seed in SEEDS
    ]
    print(f"winners {np.mean(winners):.4f} {winners}, default {np.mean(default):.4f} {default}")
    assert np.mean(winners) > np.mean(default)
