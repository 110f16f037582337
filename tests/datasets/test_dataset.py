import hashlib
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tfcourse.datasets import from_arrays, load, standardization


@pytest.fixture(scope="module")
def digits():
    return load()


def test_what_a_set_says_of_itself(digits):
    assert digits.input_shape == (8, 8)
    assert digits.classes == 10
    assert repr(digits) == (
        "Dataset('digits', input_shape=(8, 8), classes=10, train/validation/test=1077/360/360)"
    )


def test_a_set_cannot_be_changed(digits):
    with pytest.raises(FrozenInstanceError):
        digits.name = "other"
    with pytest.raises(ValueError, match="read-only"):
        digits.x_train[0, 0, 0] = 1.0


def test_the_fingerprint_is_the_hash_of_names_types_shapes_and_bytes(digits):
    digest = hashlib.sha256(repr(digits.class_names).encode())
    for name in ("x_train", "y_train", "x_validation", "y_validation", "x_test", "y_test"):
        array = getattr(digits, name)
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode() + array.tobytes())
    assert digits.fingerprint == digest.hexdigest()


def test_the_fingerprint_changes_with_the_data_and_not_with_the_name(digits):
    assert replace(digits, name="renamed").fingerprint == digits.fingerprint
    others = [
        replace(digits, x_test=digits.x_test[:-1]),
        replace(digits, x_test=digits.x_test.reshape(-1, 64)),
        replace(digits, y_test=digits.y_test[::-1]),
        replace(digits, class_names=tuple("abcdefghij")),
    ]
    assert len({one.fingerprint for one in [digits, *others]}) == 5


@pytest.mark.parametrize(
    ("shape", "axes", "figures"),
    [((50, 3), 0, (3,)), ((50, 4, 5), None, ()), ((50, 4, 5, 3), (0, 1, 2), (3,))],
)
def test_figures_per_feature_per_image_or_per_channel(shape, axes, figures):
    x = np.random.default_rng(0).normal(3.0, 2.0, shape).astype(np.float32)
    mean, variance = standardization(x)
    assert mean.shape == variance.shape == figures
    assert mean.dtype == variance.dtype == np.float32
    np.testing.assert_allclose(mean, x.mean(axes, np.float64), rtol=1e-6)
    np.testing.assert_allclose(variance, x.astype(np.float64).var(axes), rtol=1e-6)


def test_figures_do_not_depend_on_the_blocks_they_are_summed_in():
    x = np.random.default_rng(0).random((5000, 500), np.float32)  # more than one block
    mean, variance = standardization(x)
    np.testing.assert_allclose(mean, x.mean(0, np.float64), rtol=1e-6)
    np.testing.assert_allclose(variance, x.astype(np.float64).var(0), rtol=1e-6)


@settings(max_examples=50)
@given(
    arrays(np.float32, (7, 3), elements=st.floats(-1000, 1000, width=32)),
    st.floats(-1000, 1000, width=32),
)
def test_a_constant_feature_has_variance_one(x, constant):
    x[:, 1] = constant
    mean, variance = standardization(x)
    assert mean[1] == np.float32(constant)
    assert variance[1] == 1


def test_standardized_with_training_figures_alone():
    rng = np.random.default_rng(0)
    pairs = {
        part: (rng.normal(shift, 2.0, (400, 3)), np.arange(400) % 2)
        for part, shift in [("train", 5.0), ("validation", 6.0), ("test", 7.0)]
    }
    plain = from_arrays("shifted", pairs)
    scaled = plain.standardized()
    np.testing.assert_allclose(scaled.x_train.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.x_train.std(0), 1, rtol=1e-6)
    np.testing.assert_allclose(scaled.x_test.mean(), (7 - 5) / 2, atol=0.1)
    assert scaled.x_test.dtype == np.float32
    assert (scaled.y_train == plain.y_train).all() and scaled.source == plain.source


@pytest.mark.parametrize("shape", [(200, 3), (200, 4, 4), (200, 4, 4, 3)])
def test_keras_normalization_with_these_figures_gives_the_same(shape):
    keras = pytest.importorskip("keras")
    x = np.random.default_rng(0).random(shape, np.float32)
    x[..., 0] = 0.3
    one = from_arrays("random", {"train": (x, np.arange(200) % 2)})
    mean, variance = standardization(one.x_train)
    axis = None if len(shape) == 3 else -1
    layer = keras.layers.Normalization(axis=axis, mean=mean, variance=variance)
    np.testing.assert_allclose(layer(one.x_test), one.standardized().x_test, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("deviation", [1e-2, 1e-4, 1e-6, 2e-7, 5e-8, 1e-12])
def test_a_feature_of_tiny_deviation_is_scaled_as_by_the_saved_models_own_layer(deviation):
    keras = pytest.importorskip("keras")
    x = np.array([[1, 0], [-1, 1]] * 20) * [[deviation, 1]]
    one = from_arrays("tiny", {"train": (x, np.arange(40) % 2)})
    mean, variance = standardization(one.x_train)
    layer = keras.layers.Normalization(mean=mean, variance=variance)
    np.testing.assert_allclose(one.standardized().x_train, layer(one.x_train), rtol=1e-4)
    is_constant = deviation < 1e-7  # Keras divides by no less
    spread = one.standardized().x_train[:, 0].std()
    assert spread == pytest.approx(deviation if is_constant else 1, rel=1e-4)


def test_what_cannot_be_squared_in_float32_is_refused():
    x = np.array([[1e30], [-1e30]], np.float32)
    with pytest.raises(ValueError, match="its variance must fit float32, got 1e\\+60"):
        standardization(x)
