"""Babysitting, caviar and other data, at small sizes."""

import numpy as np
import pytest

from tfcourse.experiments import babysitting, practice, searches


def test_a_babysat_models_curve_never_rises_and_going_back_is_exact():
    babies = babysitting.babies(seed=3, size=6, days=4)
    assert babies.curves.shape == babies.alone.shape == (6, 4)
    assert (np.diff(babies.curves, axis=1) <= 0).all()
    assert np.array_equal(babies.curves[:, 0], babies.alone[:, 0])
    assert babies.restored == 0 and 0 < babies.kept < 1
    assert (babies.test > 0.05).all() and (babies.test <= 1).all()


def test_caviar_keeps_the_highest_curve():
    curves = practice.caviar(seed=1, size=10, epochs=2)  # in chunks like those of the searches
    assert curves.accuracy.shape == (10, 2)
    assert curves.accuracy[curves.best].max() == curves.accuracy.max()


def test_the_other_data_sets():
    wrong, arms = practice.mislabelled(), practice.spirals()
    digits = searches._populations.digits()
    agree = np.mean(wrong.y_train == digits.y_train)
    assert agree == pytest.approx(0.55, abs=0.05)  # of those drawn anew a tenth is right
    assert np.array_equal(wrong.y_test, digits.y_test)
    assert arms.x_train.shape == (1077, 2) and set(np.unique(arms.y_train)) == {0, 1, 2}
    turned = arms.x_train @ np.array([[-0.5, 3**0.5 / 2], [-(3**0.5) / 2, -0.5]])
    centres = [arms.x_train[arms.y_train == k].mean(axis=0) for k in range(3)]
    assert np.linalg.norm(np.mean(centres, axis=0)) < 0.15  # three arms, a third of a turn apart
    assert turned.std() == pytest.approx(arms.x_train.std(), rel=1e-2)
