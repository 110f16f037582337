"""Batch norm against Keras, TensorFlow's kernels, PyTorch, finite differences and the lecture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfcourse import batch_norm
from tfcourse._tensorflow import keras, tf
from tfcourse.batch_norm import PopulationStatistics, RunningStatistics

few = settings(max_examples=25, deadline=None)
dtypes = st.sampled_from([np.float32, np.float64])


@st.composite
def mini_batches(draw, dtype=dtypes):
    """Draw z, γ, β and dz̃, dense or images, of any scale, centred or far from 0."""
    shape = draw(st.sampled_from([(1, 3), (2, 1), (7, 4), (100, 5), (5, 4, 3, 2), (257, 1)]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = 10.0 ** draw(st.integers(-3, 6))
    far = draw(st.sampled_from([0, 1, 100, 1e4]))
    z = scale * (random.standard_normal(shape) + far * random.standard_normal(shape[-1]))
    gamma, beta = 3 * random.standard_normal((2, shape[-1]))
    arrays = z, gamma, beta, random.standard_normal(shape)
    return [array.astype(draw(st.shared(dtype, key="dtype"))) for array in arrays]


def assert_ulps(actual, expected, size, ulps=6):
    """Check `actual` to a few spacings of its dtype at `size`, what its terms amount to."""
    error = np.abs(actual - np.asarray(expected, np.float64))
    allowed = ulps * np.finfo(actual.dtype).eps * np.asarray(size)
    np.testing.assert_array_less(error, allowed + np.finfo(actual.dtype).tiny)


def keras_in_float64(z, gamma, beta, dz_tilde, epsilon):
    """Return what Keras makes of it in training: z̃, dz, dγ, dβ."""
    layer = keras.layers.BatchNormalization(epsilon=epsilon, dtype="float64")
    layer.build(z.shape)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    x = tf.constant(z, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        z_tilde = layer(x, training=True)
        cost = tf.reduce_sum(z_tilde * dz_tilde.astype(np.float64))
    gradients = tape.gradient(cost, [x, layer.gamma, layer.beta])
    return [np.asarray(value) for value in (z_tilde, *gradients)]


@few
@given(mini_batches(), st.sampled_from([1e-5, 1e-3, 1.0]))
def test_forward_and_backward_are_keras_to_a_few_ulps(case, epsilon):
    z, gamma, beta, dz_tilde = case
    expected = keras_in_float64(z, gamma, beta, dz_tilde, epsilon)
    forward = batch_norm.forward(z, gamma, beta, epsilon=epsilon)
    dz, dgamma, dbeta = batch_norm.backward(dz_tilde, forward)
    assert {a.dtype for a in (forward.z_tilde, forward.z_norm, dz, dgamma, dbeta)} == {z.dtype}
    assert {a.dtype for a in (forward.mean, forward.variance)} == {np.dtype(np.float64)}

    m, z_norm, d = z.size // z.shape[-1], np.abs(forward.z_norm), np.abs(dz_tilde)
    axes = tuple(range(z.ndim - 1))
    steep = np.abs(gamma) / forward.deviation
    # Keras computes μ in float64, which loses digits too, in proportion to μ/σ.
    lost = 1e-15 * (np.abs(forward.mean) / forward.deviation)
    lost = lost / np.finfo(z.dtype).eps
    assert_ulps(forward.z_tilde, expected[0], np.abs(gamma) * (z_norm + 3 + lost) + np.abs(beta))
    products = (d * (z_norm + 3 + lost)).sum(axis=axes)
    assert_ulps(dgamma, expected[2], products)
    assert_ulps(dbeta, expected[3], d.sum(axis=axes))
    terms = d + d.mean(axis=axes) + (z_norm + 3 + lost) * products / m
    assert_ulps(dz, expected[1], steep * terms)


@few
@given(mini_batches(), st.integers(0, 2**32 - 1))
def test_inference_is_tensorflows_one_line(case, seed):
    z, gamma, beta, _ = case
    mean = z.reshape(-1, z.shape[-1]).astype(np.float64).mean(axis=0)
    variance = np.random.default_rng(seed).uniform(0, 4, z.shape[-1])
    z_tilde = batch_norm.inference(z, mean, variance, gamma, beta)
    wide = [array.astype(np.float64) for array in (z, mean, variance, beta, gamma)]
    expected = tf.nn.batch_normalization(*wide, 1e-3).numpy()
    assert z_tilde.dtype == z.dtype
    # TensorFlow, in float64 here, subtracts μ/σ from z/σ and loses digits where μ is large.
    lost = np.finfo(np.float64).eps / np.finfo(z.dtype).eps * (np.abs(z) + np.abs(mean))
    slope = np.abs(gamma) / np.sqrt(variance + 1e-3)
    assert_ulps(z_tilde, expected, slope * (np.abs(wide[0] - mean) + lost) + np.abs(beta))


@pytest.mark.parametrize("shape", [(6, 3), (2, 3, 2, 3)])
def test_gradients_are_finite_differences(shape):
    random = np.random.default_rng(1)
    arguments = [random.standard_normal(size) for size in (shape, 3, 3)]
    dz_tilde = random.standard_normal(shape)

    def cost(*arguments):
        return (batch_norm.forward(*arguments, epsilon=1e-2).z_tilde * dz_tilde).sum()

    forward = batch_norm.forward(*arguments, epsilon=1e-2)
    for position, gradient in enumerate(batch_norm.backward(dz_tilde, forward)):
        for index in np.ndindex(gradient.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [array.copy() for array in arguments]
                moved[position][index] += step
                ends.append(cost(*moved))
            assert abs((ends[0] - ends[1]) / 2e-5 - gradient[index]) < 1e-6


def test_many_updates_track_what_keras_tracks():
    random = np.random.default_rng(2)
    layer = keras.layers.BatchNormalization(momentum=0.9)
    running = RunningStatistics(momentum=0.9)
    for _ in range(20):
        z = random.normal(3, 2, (16, 4)).astype(np.float32)
        layer(z, training=True)
        running = running.update(batch_norm.forward(z).statistics)
    np.testing.assert_allclose(running.moving_mean, layer.moving_mean, rtol=1e-6)
    np.testing.assert_allclose(running.moving_variance, layer.moving_variance, rtol=1e-6)
    expected = layer(z, training=False)
    given = running.moving_mean, running.moving_variance
    np.testing.assert_allclose(batch_norm.inference(z, *given), expected, rtol=1e-5, atol=1e-6)


def test_the_fused_kernel_reports_the_unbiased_variance():
    z = np.random.default_rng(3).normal(2, 3, (4, 5, 5, 3)).astype(np.float32)
    ones, zeros = np.ones(3, np.float32), np.zeros(3, np.float32)
    kernel = tf.compat.v1.nn.fused_batch_norm
    z_tilde, mean, variance = kernel(z, ones, zeros, epsilon=1e-3, is_training=True)
    forward = batch_norm.forward(z)
    np.testing.assert_allclose(forward.z_tilde, z_tilde, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(forward.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(forward.statistics.variance(ddof=1), variance, rtol=1e-6)
    np.testing.assert_allclose(forward.variance, z.var(axis=(0, 1, 2)), rtol=1e-6)


def test_pytorch_agrees_and_tracks_the_unbiased_variance():
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(4)
    layer = torch.nn.BatchNorm1d(3, eps=1e-5, momentum=0.1, dtype=torch.float64)
    running = RunningStatistics(momentum=0.9)
    for _ in range(5):
        z, dz_tilde = random.normal(2, 3, (2, 8, 3))
        x = torch.tensor(z, requires_grad=True)
        layer.zero_grad()
        layer(x).backward(torch.tensor(dz_tilde))
        forward = batch_norm.forward(z, epsilon=1e-5)
        running = running.update(forward.statistics, ddof=1)
        gradients = batch_norm.backward(dz_tilde, forward)
        for ours, theirs in zip(gradients, (x, layer.weight, layer.bias), strict=True):
            np.testing.assert_allclose(ours, theirs.grad, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(running.moving_mean, layer.running_mean, rtol=1e-12)
    np.testing.assert_allclose(running.moving_variance, layer.running_var, rtol=1e-12)


# What the lecture says.


@few
@given(mini_batches(st.just(np.float64)))
def test_any_mean_and_deviation(case):
    z, gamma, beta, _ = case
    forward = batch_norm.forward(z, gamma, beta, epsilon=1e-12)
    flat = forward.z_tilde.reshape(-1, z.shape[-1])
    np.testing.assert_allclose(flat.mean(axis=0), beta, rtol=1e-9, atol=1e-9)
    if len(flat) > 1:
        shrunk = np.sqrt(forward.variance / (forward.variance + 1e-12))  # by ε, next to 1
        np.testing.assert_allclose(flat.std(axis=0), np.abs(gamma) * shrunk, rtol=1e-6)
        deviation = forward.z_norm.reshape(flat.shape).std(axis=0)
        np.testing.assert_allclose(deviation, shrunk, rtol=1e-6)


def test_gamma_and_beta_can_undo_the_normalization():
    z = np.random.default_rng(5).normal(3, 2, (10, 4))
    forward = batch_norm.forward(z)
    undone = batch_norm.forward(z, np.sqrt(forward.variance + 1e-3), forward.mean)
    np.testing.assert_allclose(undone.z_tilde, z, rtol=1e-12)


def test_a_bias_changes_nothing_and_learns_nothing():
    random = np.random.default_rng(6)
    a, kernel, bias = random.normal(size=(8, 5)), random.normal(size=(5, 3)), random.normal(size=3)
    dz_tilde = random.normal(size=(8, 3))
    without, with_bias = (batch_norm.forward(a @ kernel + b, 1.5, 0.5) for b in (0, bias))
    np.testing.assert_allclose(with_bias.z_tilde, without.z_tilde, rtol=1e-12, atol=1e-12)
    results = [batch_norm.backward(dz_tilde, each) for each in (without, with_bias)]
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(results[1].dz.sum(axis=0), 0, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_single_example_gives_beta(dtype):
    z, beta = np.array([[3e5, -1.0]], dtype), np.array([0.1, 7.0], dtype)
    forward = batch_norm.forward(z, 2.0, beta)
    np.testing.assert_array_equal(forward.z_tilde, [beta])
    np.testing.assert_array_equal(forward.variance, 0)
    np.testing.assert_array_equal(batch_norm.backward(z, forward).dz, 0)
    alone = batch_norm.inference(z[0], 3e5, 4.0, epsilon=1e-6)
    np.testing.assert_allclose(alone, [0, -150000.5], rtol=1e-6)


def test_inputs_and_numpys_settings_are_left_alone():
    z = np.ones((40, 3), np.float32)
    before = np.getbufsize(), np.geterr()
    batch_norm.backward(z, batch_norm.forward(z))
    assert (np.getbufsize(), np.geterr()) == before
    np.testing.assert_array_equal(z, 1)


# Statistics for inference.


@few
@given(
    st.lists(st.integers(1, 1500), min_size=1, max_size=5),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0, 1e3, 1e9]),
    dtypes,
)
def test_population_statistics_do_not_depend_on_the_pieces(sizes, seed, far, dtype):
    random = np.random.default_rng(seed)
    z = (random.standard_normal((sum(sizes), 2)) + far).astype(dtype)
    pieces = np.split(z, np.cumsum(sizes)[:-1])
    one_by_one = PopulationStatistics()
    for piece in pieces:
        one_by_one = one_by_one.update(piece)
    halves = [PopulationStatistics(), PopulationStatistics()]
    for number, piece in enumerate(pieces):
        halves[number % 2] = halves[number % 2].update(piece)
    whole = z.astype(np.float64)
    for statistics in (one_by_one, halves[0].merge(halves[1])):
        assert statistics.count == len(z)
        np.testing.assert_allclose(statistics.mean, whole.mean(axis=0), rtol=1e-14, atol=1e-14)
        tolerance = 1e-12 + 1e-15 * far
        np.testing.assert_allclose(statistics.variance(), whole.var(axis=0), rtol=tolerance)
        if len(z) > 1:
            unbiased = whole.var(axis=0, ddof=1)
            np.testing.assert_allclose(statistics.variance(ddof=1), unbiased, rtol=tolerance)


def test_corrected_averages_forget_the_start():
    statistics = PopulationStatistics().update([[2.0, 8.0], [4.0, 8.0]])
    running = RunningStatistics(momentum=0.99)
    for _ in range(3):
        running = running.update(statistics)
    np.testing.assert_allclose(running.moving_mean, [0.089103, 0.237608], atol=1e-6)
    mean, variance = running.corrected()
    np.testing.assert_allclose(mean, [3, 8], rtol=1e-12)
    np.testing.assert_allclose(variance, [1, 0], atol=1e-12)


# Folding.


@few
@given(mini_batches())
def test_folded_dense_equals_dense_and_batch_norm(case):
    z, gamma, beta, _ = case
    random = np.random.default_rng(7)
    units = z.shape[-1]
    a = random.standard_normal((5, 4)).astype(z.dtype)
    kernel, bias = random.standard_normal((4, units)).astype(z.dtype), beta * 2
    given = random.standard_normal(units), random.uniform(0.1, 2, units), gamma, beta
    folded_kernel, folded_bias = batch_norm.fold_dense(kernel, bias, *given)
    assert folded_kernel.dtype == folded_bias.dtype == z.dtype
    expected = batch_norm.inference(a @ kernel + bias, *given)
    tolerance = 1e3 * np.finfo(z.dtype).eps
    np.testing.assert_allclose(
        a @ folded_kernel + folded_bias, expected, rtol=tolerance, atol=tolerance
    )


def trained(layers, functional=False):
    """Return a Keras model whose batch norms, if any, have seen data, and inputs for it."""
    model = keras.Sequential(layers)
    if functional:
        model = keras.Model(model.inputs[0], model.outputs[0])
    x = np.random.default_rng(8).normal(1, 2, (32, *model.input_shape[1:])).astype(np.float32)
    for seed, layer in enumerate(model.layers):
        if isinstance(layer, keras.layers.BatchNormalization):
            random = np.random.default_rng(seed)
            shapes = [w.shape for w in layer.get_weights()]
            layer.set_weights([random.uniform(0.5, 2, shape) for shape in shapes])
    return model, x


make = keras.layers
BATCH_NORM_BEFORE = [make.Dense(8, use_bias=False), make.BatchNormalization(), make.ReLU()]
FOLDABLE = {
    "before the activation": [*BATCH_NORM_BEFORE, make.Dense(3, "softmax")],
    "with a bias": [make.Dense(8), make.BatchNormalization(), make.Dense(3)],
    "after the activation": [make.Dense(8, "tanh"), make.BatchNormalization(), make.Dense(3)],
    "dropout between": [
        *(make.Dense(8), make.Dropout(0.5), make.BatchNormalization(), make.ReLU()),
        *(make.BatchNormalization(scale=False), make.Dropout(0.5), make.Dense(3, use_bias=False)),
    ],
    "first and last": [
        *(make.BatchNormalization(center=False), make.Dense(3), make.BatchNormalization()),
    ],
    "images": [
        *(make.Normalization(axis=None, mean=1.0, variance=4.0), make.Flatten()),
        *(make.Dense(8), make.BatchNormalization(), make.ReLU(), make.Dense(3), make.Softmax()),
    ],
}


@pytest.mark.parametrize("functional", [False, True])
@pytest.mark.parametrize("case", FOLDABLE)
def test_folded_model_is_equal_and_smaller(case, functional):
    shape = (4, 4, 2) if case == "images" else (6,)
    layers = [type(layer).from_config(layer.get_config()) for layer in FOLDABLE[case]]
    model, x = trained([keras.Input(shape), *layers], functional)
    before = model.get_weights()
    folded = batch_norm.fold(model)
    np.testing.assert_allclose(folded(x), model(x), rtol=1e-4, atol=1e-5)
    kinds = {type(layer) for layer in folded.layers}
    assert keras.layers.BatchNormalization not in kinds
    assert folded.count_params() < model.count_params()
    folded.set_weights([0 * w for w in folded.get_weights()])
    for kept, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, now)


def test_an_adapted_normalization_travels_with_the_fold(tmp_path):
    adapted = make.Normalization()
    adapted.adapt(np.random.default_rng(9).normal(5, 3, (50, 6)).astype(np.float32))
    model, x = trained([keras.Input((6,)), adapted, make.Dense(4), make.BatchNormalization()])
    folded = batch_norm.fold(model)
    folded.save(tmp_path / "folded.keras")
    for each in (folded, keras.saving.load_model(tmp_path / "folded.keras")):
        np.testing.assert_allclose(each(x), model(x), rtol=1e-4, atol=1e-5)


def residual():
    inputs = keras.Input((4,))
    return keras.Model(inputs, make.Add()([inputs, make.Dense(4)(inputs)]))


UNFOLDABLE = {
    "beside 'stuck'": lambda: keras.Sequential(
        [keras.Input((4,)), make.Dense(2, "relu"), make.BatchNormalization(name="stuck")]
    ),
    "beside 'early'": lambda: keras.Sequential(
        [keras.Input((4,)), make.BatchNormalization(name="early"), make.ReLU(), make.Dense(2)]
    ),
    "beside 'other_axis'": lambda: keras.Sequential(
        [
            *(keras.Input((4, 3)), make.Dense(2)),
            *(make.BatchNormalization(axis=1, name="other_axis"), make.Dense(2)),
        ]
    ),
    "without branches": residual,
    "models inside": lambda: keras.Sequential(
        [keras.Input((4,)), keras.Sequential([make.Dense(2), make.BatchNormalization()])]
    ),
    "built Sequential or functional": lambda: keras.Sequential([make.Dense(2)]),
    "got str": lambda: "model.keras",
}


@pytest.mark.parametrize("words", UNFOLDABLE)
def test_what_cannot_be_folded_is_refused(words):
    with pytest.raises(ValueError, match=words) as error:
        batch_norm.fold(UNFOLDABLE[words]())
    assert "\n" not in str(error.value)


# Bad input.

z = np.arange(12.0).reshape(4, 3)
seen = batch_norm.forward(z)
statistics = seen.statistics
masked = np.ma.masked_greater(z, 10)
REFUSED = [
    (lambda: batch_norm.forward(np.zeros((0, 3))), r"^z must .* at least one .* \(0, 3\)"),
    (lambda: batch_norm.forward(2.0), r"^z must have shape"),
    (lambda: batch_norm.forward([[1.0], [1.0, 2.0]]), r"^z must .* unequal length"),
    (lambda: batch_norm.forward(z, epsilon=0), r"^epsilon must .* above 0, got 0"),
    (lambda: batch_norm.forward(z, epsilon=-1e-3), r"^epsilon .* got -0.001"),
    (lambda: batch_norm.forward(z * np.nan), r"^z must hold finite .* got nan"),
    (lambda: batch_norm.forward(z - np.inf), r"^z must hold finite .* got -inf"),
    (lambda: batch_norm.forward(z - 1e200), r"^z must hold finite .* below 1e145, got -1e\+200"),
    (lambda: batch_norm.forward(masked), r"^z must have no masked entries"),
    (lambda: batch_norm.forward([masked[0], masked[3]]), r"^z must have no masked entries"),
    (lambda: batch_norm.forward(z, np.ones(2)), r"^gamma must have shape \(3,\).*got \(2,\)"),
    (lambda: batch_norm.forward(z, 1, np.ones((1, 3))), r"^beta must .* got \(1, 3\)"),
    (lambda: batch_norm.forward(z, np.nan), r"^gamma must hold finite .* got nan"),
    (lambda: batch_norm.backward(z[:2], seen), r"^dz_tilde must .* \(4, 3\), got \(2, 3\)"),
    (lambda: batch_norm.backward(z * np.nan, seen), r"^dz_tilde must hold finite .* got nan"),
    (lambda: batch_norm.inference(z, 0, -1.0), r"^variance must be at least 0, got -1.0"),
    (lambda: batch_norm.inference(z, [0, 1], 1), r"^mean must have shape \(3,\).*got \(2,\)"),
    (lambda: batch_norm.inference(z * np.nan, 0, 1), r"^z must hold finite"),
    (lambda: batch_norm.fold_dense(z, [1, 2], 0, 1), r"^bias must have shape \(3,\)"),
    (lambda: RunningStatistics(momentum=1), r"^momentum must .* below 1, got 1"),
    (lambda: RunningStatistics(momentum=-0.1), r"^momentum must .* at least 0 .* got -0.1"),
    (lambda: RunningStatistics(momentum=np.nan), r"^momentum must .* got nan"),
    (lambda: RunningStatistics().corrected(), r"^updates must be at least 1 .* got 0"),
    (
        lambda: RunningStatistics().update(statistics).update(PopulationStatistics().update([1])),
        r"^statistics must have shape \(3,\), got \(1,\)",
    ),
    (lambda: statistics.merge(PopulationStatistics().update([1])), r"^statistics must .* \(1,\)"),
    (lambda: statistics.update(z - np.inf), r"^z must hold finite .* got -inf"),
    (lambda: statistics.update(np.zeros((0, 3))), r"^z must .* at least one"),
    (lambda: PopulationStatistics().variance(), r"^count must be above ddof = 0, got 0"),
    (lambda: PopulationStatistics().update([1]).variance(ddof=1), r"^count .* got 1"),
    (lambda: statistics.variance(ddof=2), r"^ddof must .* got 2"),
]


@pytest.mark.parametrize(("call", "words"), REFUSED)
def test_bad_input_is_refused_in_one_line(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert "\n" not in str(error.value)


def test_other_types_of_number_are_refused():
    with pytest.raises(TypeError, match="^z must be float32 or float64, got float16"):
        batch_norm.forward(z.astype(np.float16))


@pytest.mark.parametrize("dtype", [">f4", ">f8", "<f4", ">i4", "u1", int])
def test_whole_numbers_and_either_byte_order_are_accepted(dtype):
    given = z.astype(dtype)
    forward = batch_norm.forward(given)
    assert forward.z_tilde.dtype == (
        np.float32 if given.dtype.itemsize == 4 and given.dtype.kind == "f" else np.float64
    )
    np.testing.assert_allclose(forward.z_tilde, seen.z_tilde, rtol=1e-6)
    np.testing.assert_allclose(batch_norm.backward(given, forward).dbeta, z.sum(axis=0), rtol=1e-6)


def test_a_mask_that_hides_nothing_is_no_mask():
    np.testing.assert_array_equal(batch_norm.forward(np.ma.array(z)).z_tilde, seen.z_tilde)


def test_squares_beyond_float32_are_summed_all_the_same():
    small = batch_norm.forward(z.astype(np.float32), epsilon=1e-30)
    large = batch_norm.forward(z.astype(np.float32) * np.float32(1e30))
    np.testing.assert_allclose(large.z_tilde, small.z_tilde, rtol=1e-6)
