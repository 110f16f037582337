"""Softmax and cross-entropy against SciPy, Keras, TensorFlow, PyTorch and the lecture."""

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

from tfcourse import softmax as sm
from tfcourse._tensorflow import keras, tf

few = settings(max_examples=25, deadline=None)
dtypes = st.sampled_from([np.float32, np.float64])
seeds = st.integers(0, 2**32 - 1)
EXAMPLE = np.array([5.0, 2.0, -1.0, 3.0])


@st.composite
def logits(draw, shapes=((1, 1), (4,), (3, 5), (2, 3, 4), (64, 10))):
    """Draw logits of any scale and place, some of them masked."""
    random = np.random.default_rng(draw(seeds))
    dtype = draw(dtypes)
    largest = 37 if dtype == np.float32 else 307
    scale = 10.0 ** draw(st.sampled_from([-3, 0, 1, 2, 3, largest]))
    z = scale * random.standard_normal(draw(st.sampled_from(shapes)))
    z = (z + scale * draw(st.sampled_from([0, -3, 3]))).astype(dtype)
    if draw(st.booleans()):
        z[..., 1:][random.random(z[..., 1:].shape) < 0.3] = -np.inf
    return z


def assert_ulps(actual, expected, size=1.0, ulps=6):
    """Check `actual` to a few spacings of its dtype at `size`, what its terms amount to."""
    expected = np.asarray(expected, np.float64)
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(actual[~finite], expected[~finite])
    error = np.abs(actual[finite] - expected[finite])
    size = np.broadcast_to(np.asarray(size, np.float64), expected.shape)[finite]
    eps, tiny = np.finfo(actual.dtype).eps, np.finfo(actual.dtype).tiny
    np.testing.assert_array_less(error, ulps * eps * size + tiny)


@few
@given(logits(), st.integers(0, 2))
def test_softmax_and_its_logarithm_are_scipys(z, axis):
    axis = axis % z.ndim
    if not np.isfinite(z.max(axis=axis)).all():
        axis = -1
    wide = z.astype(np.float64)
    with np.errstate(over="ignore"):
        a, log_a = sm.softmax(z, axis=axis), sm.log_softmax(z, axis=axis)
        expected = scipy.special.softmax(wide, axis=axis)
        distance = wide.max(axis=axis, keepdims=True) - wide
    assert a.dtype == log_a.dtype == z.dtype and a.shape == z.shape
    # The rounding of z − max z is a relative error of e^(z − max z) that grows with it.
    sizes = expected * (1 + np.where(expected > 0, distance, 0))
    assert_ulps(a, expected, sizes)
    total = a.sum(axis=axis, dtype=np.longdouble).astype(z.dtype)
    assert_ulps(total, np.ones_like(total), 1 + np.log(z.shape[axis]))  # Σ a (1 + distance)
    with np.errstate(over="ignore"):
        expected_log = scipy.special.log_softmax(z.astype(np.longdouble), axis=axis).astype(z.dtype)
    assert_ulps(log_a, expected_log, 1 + np.abs(expected_log))
    assert (log_a <= 0).all()


@pytest.mark.parametrize(("dtype", "huge"), [(np.float64, 1e308), (np.float32, 1e38)])
def test_any_finite_input_is_safe(dtype, huge):
    z = np.array([[huge, -huge, 0], [-huge, -huge, -huge], [huge, huge, -np.inf]], dtype)
    with np.errstate(all="raise"):
        a = sm.softmax(z)
        loss, gradient = sm.cross_entropy_with_gradient(z, [0, 1, 0], reduction="none")
    np.testing.assert_allclose(a, [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0.5, 0.5, 0]], rtol=1e-6)
    np.testing.assert_allclose(loss, [0, np.log(3), np.log(2)], rtol=1e-6)
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-6)
    far = sm.cross_entropy_from_logits(z[[0] * 20], [2] * 20)
    assert far.dtype == dtype
    np.testing.assert_allclose(far, huge, rtol=1e-6)


# What the lecture says.


def test_the_lectures_example():
    t = np.exp(EXAMPLE)
    np.testing.assert_array_equal(t.round(1), [148.4, 7.4, 0.4, 20.1])
    assert t.sum().round(1) == 176.3
    np.testing.assert_array_equal(sm.softmax(EXAMPLE).round(3), [0.842, 0.042, 0.002, 0.114])
    np.testing.assert_array_equal(sm.hardmax(EXAMPLE), [1, 0, 0, 0])


def test_the_lectures_loss():
    y_hat, y = [0.3, 0.2, 0.1, 0.4], [0, 1, 0, 0]
    assert round(float(sm.cross_entropy(y_hat, y)), 3) == 1.609
    assert sm.cross_entropy(y_hat, 1) == sm.cross_entropy(y_hat, y) == -np.log(0.2)
    gradient = sm.cross_entropy_with_gradient(np.log(y_hat), y).gradient
    np.testing.assert_allclose(gradient, np.subtract(y_hat, y), rtol=1e-12)


def test_hardmax_takes_the_first_maximum():
    z = np.array([[1, 3, 3], [2, 2, 2], [-np.inf, 0, 0]], np.float32)
    np.testing.assert_array_equal(sm.hardmax(z), [[0, 1, 0], [1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(sm.hardmax(z, axis=0), [[0, 1, 1], [1, 0, 0], [0, 0, 0]])
    assert sm.hardmax(z).dtype == np.float32


@few
@given(seeds, dtypes, st.sampled_from([1e-2, 1, 30, 1e3]))
def test_two_classes_are_logistic_regression(seed, dtype, scale):
    z = (scale * np.random.default_rng(seed).standard_normal((20, 2))).astype(dtype)
    expected = scipy.special.expit(z[:, 0].astype(np.float64) - z[:, 1])
    difference = z[:, 0] - z[:, 1]
    two = np.stack([sm.sigmoid(difference), sm.sigmoid(-difference)], axis=1)
    assert two.dtype == sm.sigmoid(z).dtype == dtype
    sizes = expected * (1 + np.abs(difference))
    assert_ulps(two[:, 0], expected, sizes)
    assert_ulps(two, sm.softmax(z), 1)
    assert_ulps(sm.sigmoid(z), scipy.special.expit(z.astype(np.float64)))
    np.testing.assert_array_equal(sm.sigmoid([-np.inf, 0, np.inf]), [0, 0.5, 1])


@few
@given(seeds, st.sampled_from([-50.0, 1.0, 700.0]))
def test_a_number_added_to_all_logits_changes_nothing(seed, added):
    z = np.random.default_rng(seed).standard_normal((5, 7))
    np.testing.assert_allclose(sm.softmax(z + added), sm.softmax(z), rtol=1e-12)


def test_the_cost_of_a_set_is_the_mean_of_its_losses():
    random = np.random.default_rng(1)
    z, y = random.standard_normal((10, 3)), random.integers(0, 3, 10)
    losses = sm.cross_entropy_from_logits(z, y, reduction="none")
    assert losses.shape == (10,)
    np.testing.assert_allclose(sm.cross_entropy_from_logits(z, y), losses.sum() / 10, rtol=1e-14)


def test_the_lectures_orientation():
    columns = np.arange(6.0).reshape(3, 2)
    rows = sm.from_lecture_orientation(columns, classes=3)
    np.testing.assert_array_equal(rows, [[0, 2, 4], [1, 3, 5]])
    np.testing.assert_array_equal(sm.from_lecture_orientation(rows, 2), columns)
    square = np.eye(3)[[0, 1, 1]]
    assert sm.cross_entropy(square, square) != sm.cross_entropy(
        sm.from_lecture_orientation(np.full((3, 3), 1 / 3), 3), square
    )


@few
@given(seeds, st.integers(1, 12))
def test_one_hot_is_kerass(seed, classes):
    labels = np.random.default_rng(seed).integers(0, classes, (4, 3))
    rows = sm.one_hot(labels, classes)
    np.testing.assert_array_equal(rows, keras.utils.to_categorical(labels, classes))
    assert sm.one_hot(labels, classes, np.float64).dtype == np.float64


# Cross-entropy and its gradient.


@few
@given(logits(((1, 2), (6, 3), (2, 3, 4), (64, 10))), seeds, st.booleans(), st.booleans())
def test_cross_entropy_and_gradient_are_tensorflows(z, seed, soft, mean):
    random = np.random.default_rng(seed)
    classes = z.shape[-1]
    if soft:
        z[z == -np.inf] = 0
        labels = random.dirichlet(np.ones(classes), z.shape[:-1])
        rows = labels
    else:
        labels = random.integers(0, classes, z.shape[:-1])
        labels[~np.isfinite(np.take_along_axis(z, labels[..., None], -1)[..., 0])] = 0
        rows = sm.one_hot(labels, classes, np.float64)
    # What TensorFlow cannot do: a difference of logits beyond the range.
    z = np.clip(z, -np.finfo(z.dtype).max / 8, None).clip(None, np.finfo(z.dtype).max / 8)
    x = tf.constant(z, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        losses = tf.nn.softmax_cross_entropy_with_logits(rows, x)
        # Not `reduce_mean`, whose sum may pass the largest number.
        cost = tf.reduce_sum(losses / losses.shape.num_elements()) if mean else losses
    expected = tape.gradient(cost, x).numpy()
    reduction = "mean" if mean else "none"
    loss, gradient = sm.cross_entropy_with_gradient(z, labels, reduction=reduction)
    assert loss.dtype == gradient.dtype == z.dtype
    sizes = (1 + np.abs(losses.numpy())) / losses.numpy().size ** mean
    assert_ulps(loss, cost.numpy(), sizes.sum() if mean else sizes, ulps=8)
    assert_ulps(gradient, expected, 1 / losses.numpy().size if mean else 1)
    alone = sm.cross_entropy_from_logits(z, labels, reduction=reduction)
    assert_ulps(alone, cost.numpy(), sizes.sum() if mean else sizes, ulps=8)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_losses_are_keras_losses(smoothing):
    random = np.random.default_rng(2)
    z, y = random.normal(0, 3, (9, 5)).astype(np.float32), random.integers(0, 5, 9)
    rows, p = sm.one_hot(y, 5), sm.softmax(z)
    smooth = rows * (1 - smoothing) + smoothing / 5
    losses, options = keras.losses, {"label_smoothing": smoothing}
    for reduction, theirs in (("mean", "sum_over_batch_size"), ("none", "none")):
        from_logits = losses.CategoricalCrossentropy(True, reduction=theirs, **options)(rows, z)
        from_p = losses.CategoricalCrossentropy(reduction=theirs, **options)(rows, p)
        for labels in [smooth] if smoothing else [y, rows]:
            ours = sm.cross_entropy_from_logits(z, labels, reduction=reduction)
            np.testing.assert_allclose(ours, from_logits, rtol=1e-6, atol=1e-6)
            ours = sm.cross_entropy(p, labels, reduction=reduction)
            np.testing.assert_allclose(ours, from_p, rtol=1e-5, atol=1e-6)
    sparse = losses.SparseCategoricalCrossentropy(from_logits=True)(y, z)
    np.testing.assert_allclose(sm.cross_entropy_from_logits(z, y), sparse, rtol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_losses_and_gradients_are_pytorchs(smoothing, reduction):
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(3)
    z, y = random.normal(0, 3, (9, 4)), random.integers(0, 4, 9)
    smooth = sm.one_hot(y, 4, np.float64) * (1 - smoothing) + smoothing / 4
    x = torch.tensor(z, requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(
        x, torch.tensor(y), reduction=reduction, label_smoothing=smoothing
    )
    theirs.sum().backward()
    for labels in [smooth] if smoothing else [y, smooth]:
        loss, gradient = sm.cross_entropy_with_gradient(z, labels, reduction=reduction)
        np.testing.assert_allclose(loss, theirs.detach(), rtol=1e-11, atol=1e-14)
        np.testing.assert_allclose(gradient, x.grad, rtol=1e-11, atol=1e-14)


def finite_differences(function, z, step=1e-5):
    """Return the derivatives of `function` by each logit, as the last axis."""
    moves = step * np.eye(z.size).reshape(-1, *z.shape)
    return np.stack([(function(z + m) - function(z - m)) / (2 * step) for m in moves], axis=-1)


@pytest.mark.parametrize("labels", [[0, 2, 1], [[0.2, 0.5, 0.3], [1, 0, 0], [0, 0, 1]]])
@pytest.mark.parametrize("sharpness", [1, 40])
def test_gradients_are_finite_differences(labels, sharpness):
    z = sharpness * np.random.default_rng(4).standard_normal((3, 3))
    gradient = sm.cross_entropy_with_gradient(z, labels).gradient
    slopes = finite_differences(lambda z: sm.cross_entropy_from_logits(z, labels), z)
    np.testing.assert_allclose(gradient, slopes.reshape(3, 3), atol=1e-6)


def test_the_jacobian_is_finite_differences_and_leads_to_the_gradient():
    y_hat = sm.softmax(EXAMPLE)
    jacobian = sm.softmax_jacobian(EXAMPLE)
    np.testing.assert_allclose(jacobian, finite_differences(sm.softmax, EXAMPLE), atol=1e-6)
    y = np.array([0, 1, 0, 0])
    np.testing.assert_allclose(jacobian @ (-y / y_hat), y_hat - y, atol=1e-12)
    assert sm.softmax_jacobian(np.zeros((2, 3, 4), np.float32)).shape == (2, 3, 4, 4)


@pytest.mark.parametrize("labels", [[0, 2], [[1.0, 0, 0], [0, 0, 1]]])
def test_a_masked_class_costs_nothing_unless_asked_for(labels):
    z = np.array([[0.0, -np.inf, 1.0], [0.0, -np.inf, 1.0]])
    expected = np.log(1 + np.exp([1.0, -1.0]))
    loss, gradient = sm.cross_entropy_with_gradient(z, labels, reduction="none")
    np.testing.assert_allclose(loss, expected, rtol=1e-12)
    np.testing.assert_allclose(sm.cross_entropy(sm.softmax(z), labels), expected.mean())
    np.testing.assert_array_equal(gradient[:, 1], 0)
    assert sm.cross_entropy_from_logits(z, [1, 1]) == np.inf
    assert sm.cross_entropy_from_logits(z, [[0.9, 0.1, 0], [0, 0.1, 0.9]]) == np.inf
    assert np.isfinite(sm.cross_entropy_with_gradient(z, [1, 1]).gradient).all()


@few
@given(seeds, dtypes, st.floats(0.5, 80))
def test_the_loss_of_a_sure_and_right_model_keeps_its_digits(seed, dtype, gap):
    z = np.random.default_rng(seed).standard_normal((4, 6)).astype(dtype)
    z[:, 2] = z.max(axis=1) + dtype(gap)
    others = np.delete(z, 2, axis=1).astype(np.float64) - z[:, [2]]
    expected = np.logaddexp(0, np.logaddexp.reduce(others, axis=1))
    loss = sm.cross_entropy_from_logits(z, [2] * 4, reduction="none")
    # The rounding of z − max z is a relative error of e^(z − max z) that grows with it.
    assert_ulps(loss, expected, expected * (gap + 6))
    np.testing.assert_array_equal(-sm.log_softmax(z)[:, 2], loss)


def test_the_loss_is_right_where_the_probability_rounds_to_1():
    z = np.array([[0, -20]], np.float32)
    assert sm.softmax(z)[0, 0] == 1 and sm.cross_entropy(sm.softmax(z), [0]) == 0
    assert sm.cross_entropy_from_logits(z, [0]) == np.float32(np.log1p(np.exp(-20.0)))
    nothing = sm.cross_entropy_from_logits([[0.0, -np.inf]], [0])
    assert nothing == 0 and not np.signbit(nothing)


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_no_loss_at_all_does_not_print_as_minus_nothing(reduction):
    for loss in (
        sm.cross_entropy([[1.0, 0.0]], [0], reduction=reduction),
        sm.cross_entropy_from_logits([[0.0, -np.inf]], [0], reduction=reduction),
    ):
        assert str(loss).strip("[]") in ("0.0", "0.")


def test_logits_keep_what_probabilities_lose():
    z = np.array([[0.0, 120.0]], np.float32)
    assert sm.cross_entropy(sm.softmax(z), [0]) == np.inf
    assert sm.cross_entropy_from_logits(z, [0]) == 120
    np.testing.assert_array_equal(sm.cross_entropy_with_gradient(z, [0]).gradient, [[-1, 1]])


def test_a_linear_classifier_trains_as_keras_does():
    random = np.random.default_rng(5)
    x = random.standard_normal((200, 6)).astype(np.float32)
    y = (x @ random.standard_normal((6, 4)) + random.standard_normal((200, 4))).argmax(axis=1)
    kernel = (random.standard_normal((6, 4)) / 10).astype(np.float32)
    batches = [random.permutation(200)[:32] for _ in range(100)]
    trained = sm.train_linear_classifier(
        x, y, kernel, np.zeros(4, np.float32), batches=batches, learning_rate=0.5
    )

    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, "softmax")])
    model.set_weights([kernel, np.zeros(4, np.float32)])
    optimizer = keras.optimizers.SGD(0.5)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    costs = [model.train_on_batch(x[rows], y[rows]) for rows in batches]
    np.testing.assert_allclose(trained.kernel, model.layers[0].kernel, atol=1e-4)
    np.testing.assert_allclose(trained.bias, model.layers[0].bias, atol=1e-4)
    assert trained.kernel.dtype == np.float32
    assert trained.costs[-1] < trained.costs[0] / 1.5
    np.testing.assert_allclose(trained.costs[0], costs[0], rtol=1e-5)


# Bad input.

Z = np.zeros((2, 3))
masked = np.ma.masked_array(Z, mask=[[0, 0, 0], [0, 0, 1]])
REFUSED = [
    (lambda: sm.softmax(np.zeros((0, 3))), r"^logits must hold at least one .* \(0, 3\)"),
    (lambda: sm.softmax([[0, np.nan]]), r"^logits must be finite.* got nan"),
    (lambda: sm.softmax([[0, np.inf]]), r"^logits must be finite.* got inf"),
    (lambda: sm.softmax([[0, 1], [-np.inf, -np.inf]]), r"^logits .* masks every class"),
    (lambda: sm.log_softmax([[0, np.nan]]), r"^logits must be finite.* got nan"),
    (lambda: sm.log_softmax([[-np.inf, -np.inf]]), r"^logits .* masks every class"),
    (lambda: sm.hardmax([[0, np.nan]]), r"^logits must be finite.* got nan"),
    (lambda: sm.softmax(Z, axis=2), r"^axis must .* got 2"),
    (lambda: sm.softmax(1.0), r"^axis must .* 0 axes"),
    (lambda: sm.sigmoid(np.nan), r"^z must .* got nan"),
    (lambda: sm.softmax(masked), r"^logits must have no masked entries"),
    (lambda: sm.softmax([masked[0], masked[1]]), r"^logits must have no masked entries"),
    (lambda: sm.from_lecture_orientation(masked, 2), r"^columns must have no masked entries"),
    (lambda: sm.cross_entropy(masked, [0, 1]), r"^probabilities must have no masked entries"),
    (
        lambda: sm.cross_entropy_from_logits(Z, np.ma.masked_equal([0, 1], 1)),
        r"^labels must have no masked entries",
    ),
    (lambda: sm.one_hot([0, 3], 3), r"^labels must be in 0…2, got 3"),
    (lambda: sm.one_hot([-1], 3), r"^labels must be in 0…2, got -1"),
    (lambda: sm.one_hot([0], 0), r"^classes must .* got 0"),
    (lambda: sm.from_lecture_orientation(Z, 3), r"^columns must .* \(3, m\), got \(2, 3\)"),
    (lambda: sm.cross_entropy_from_logits(Z, [0, 3]), r"^labels must be in 0…2, got 3"),
    (
        lambda: sm.cross_entropy_from_logits(Z, [0, 1, 2]),
        r"^labels must have shape \(2,\).* \(3,\)",
    ),
    (
        lambda: sm.cross_entropy_from_logits(Z, Z.T),
        r"^labels must .* \(2,\) or \(2, 3\), got \(3, 2\)",
    ),
    (lambda: sm.cross_entropy_from_logits(Z, Z), r"^labels must have rows .* sum to 1, got \[0"),
    (lambda: sm.cross_entropy_with_gradient(Z, [0, -1]), r"^labels must be in 0…2, got -1"),
    (lambda: sm.cross_entropy_with_gradient(Z * np.nan, [0, 1]), r"^logits .* got nan"),
    (lambda: sm.cross_entropy([[0.5, 0.4]], [0]), r"^probabilities .* sum to 1, got \[0.5, 0.4\]"),
    (lambda: sm.cross_entropy([[1.5, -0.5]], [0]), r"^probabilities .* got \[1.5, -0.5\]"),
    (lambda: sm.cross_entropy([[np.nan, 1]], [0]), r"^probabilities .* got \[nan, 1.0\]"),
    (lambda: sm.cross_entropy(1.0, 0), r"^probabilities must have shape"),
    (lambda: sm.cross_entropy_from_logits(Z, [0, 1], reduction="sum"), r"^reduction .* 'sum'"),
    (lambda: sm.cross_entropy_with_gradient(Z, [0, 1], reduction="sum"), r"^reduction .* 'sum'"),
    (
        lambda: sm.train_linear_classifier(Z, [0, 1], Z, Z, batches=[[0]], learning_rate=1),
        r"^x, kernel, bias must have shapes",
    ),
    (
        lambda: sm.train_linear_classifier(
            *(Z, [0, 1], np.zeros((3, 2)), np.zeros(2)), batches=[[0]], learning_rate=0
        ),
        r"^learning_rate must .* got 0",
    ),
]


@pytest.mark.parametrize(("call", "words"), REFUSED)
def test_bad_input_is_refused_in_one_line(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert "\n" not in str(error.value)


def test_labels_that_are_no_whole_numbers_are_refused():
    with pytest.raises(TypeError, match="^labels must be whole numbers or one-hot rows, got float"):
        sm.cross_entropy_from_logits(Z, [0.0, 1.0])


@pytest.mark.parametrize("dtype", [">f4", ">f8", ">i4", "u1", int])
def test_whole_numbers_and_either_byte_order_are_accepted(dtype):
    z = np.array([[5, 2, 1, 3], [0, 0, 9, 1]])
    given, labels = z.astype(dtype), np.array([1, 2], ">i8")
    loss, gradient = sm.cross_entropy_with_gradient(given, labels)
    assert loss.dtype == gradient.dtype == (np.float32 if dtype == ">f4" else np.float64)
    expected = sm.cross_entropy_with_gradient(z.astype(float), [1, 2])
    np.testing.assert_allclose(loss, expected.loss, rtol=1e-6)
    np.testing.assert_allclose(gradient, expected.gradient, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(sm.softmax(given), scipy.special.softmax(z, axis=1), rtol=1e-6)
