"""The lecture's program: its printed numbers, its three dialects, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfcourse import quadratic
from tfcourse._checks import InputError
from tfcourse._tensorflow import keras, tf
from tfcourse.quadratic import (
    Minimizer,
    convergence,
    cost,
    cost_by_functions,
    largest_learning_rate,
    minimize,
    minimize_as_in_video,
    minimize_v1,
    minimum,
)

# The lecture's printed outputs.
LECTURE_OUTPUTS = [((1, -10, 25), 0.1, 4.99999), ((1, -20, 100), 0.2, 9.99998)]


@pytest.mark.parametrize(("coefficients", "first", "last"), LECTURE_OUTPUTS)
def test_the_lectures_numbers(coefficients, first, last):
    descent = minimize(coefficients)
    assert [round(float(w), 5) for w in descent.w[[0, 1, 1000]]] == [0.0, first, last]
    assert descent.w.shape == descent.cost.shape == (1001,)


@pytest.mark.parametrize(("coefficients", "first", "last"), LECTURE_OUTPUTS)
def test_step_by_step_takes_the_compiled_path(coefficients, first, last):
    minimizer = Minimizer()
    w, J = [minimizer.w.numpy()], []
    for _ in range(1000):
        J.append(minimizer.step(coefficients))
        w.append(minimizer.w.numpy())
    compiled = minimize(coefficients)
    assert (round(float(w[1]), 5), round(float(w[-1]), 5)) == (first, last)
    np.testing.assert_allclose(w, compiled.w, rtol=1e-6)
    np.testing.assert_allclose(J, compiled.cost[:-1], rtol=1e-6, atol=1e-6 * J[0])


def test_float64_takes_the_path_of_the_closed_form():
    t = np.arange(1001)
    learning_rate = float(np.float32(0.01))  # Keras keeps it in float32
    exact = 5 * (1 - (1 - 2 * learning_rate) ** t)
    descent = minimize(dtype="float64")
    np.testing.assert_allclose(descent.w, exact, rtol=1e-12)
    np.testing.assert_allclose(descent.cost, (exact - 5) ** 2, atol=1e-13)


def test_functions_and_operators_are_the_same_cost():
    x = np.reshape([1, -10, 25], (3, 1)).astype("float32")
    for w in (-3.0, 0.0, 0.1, 5.0):
        assert float(cost(tf.constant(w), x)) == float(cost_by_functions(tf.constant(w), x))
    by_functions = Minimizer(cost=cost_by_functions).run()
    np.testing.assert_array_equal(by_functions.w, minimize().w)


def test_new_data_runs_on_the_same_trace():
    minimizer = Minimizer()
    for x in (
        (1, -10, 25),
        [1.0, -20.0, 100.0],
        [[1], [-20], [100]],
        np.array([[1.0], [-10.0], [25.0]]),
        np.array([2.0, 1.0, 0.0], dtype=np.float64),
        [[3.0], [1.0], [4.0]],
    ):
        minimizer.step(x)
        minimizer.train_step(np.reshape(x, (3, 1)).astype("float32"))
    minimizer.train_step([[1.0], [-20.0], [100.0]])  # also without our conversion
    assert minimizer.traces == 1
    minimizer.run((1, -20, 100), steps=3)
    minimizer.run(np.tile([1.0, -10, 25], (5, 1)), steps=5)
    assert minimizer.traces == 1


def test_a_stream_feeds_one_set_of_coefficients_per_step():
    stream = [(1, -10, 25), (2, 0, 1), (1, -20, 100), (4, 4, 4)]
    minimizer = Minimizer()
    w = [float(minimizer.w.numpy())]
    for x in stream:
        minimizer.step(x)
        w.append(float(minimizer.w.numpy()))
    np.testing.assert_allclose(Minimizer().run(stream, steps=4).w, w, rtol=1e-6)


def test_every_cost_of_a_stream_is_of_its_own_step_and_the_last_of_the_last():
    stream = [(1, -10, 25), (2, 0, 1), (4, 4, 7)]
    descent = Minimizer(dtype="float64").run(stream, steps=3)
    expected = [np.polyval(x, w) for x, w in zip([*stream, stream[-1]], descent.w, strict=True)]
    np.testing.assert_allclose(descent.cost, expected, rtol=1e-12)


@pytest.mark.parametrize("x", [(1, -10, 25), (2, 6, 1), (0.5, 0, 3)])
def test_the_minimum_is_where_the_slope_is_zero(x):
    assert np.polyval(np.polyder(x), minimum(x)) == pytest.approx(0, abs=1e-12)


def test_of_several_coefficients_the_steepest_bounds_alpha():
    """Above its bound an error grows at each of its steps, however flat the others are."""
    steep, flat = (4, 0, 0), (0.01, 0, 0)
    for stream in ([steep, flat], [flat, steep]):
        assert largest_learning_rate(stream) == largest_learning_rate(steep) == 0.25
    assert largest_learning_rate([steep, flat], 0.5) == largest_learning_rate(steep, 0.5)


@pytest.mark.parametrize("idiom", ["session", "with"])
@pytest.mark.parametrize("coefficients", [(1, -10, 25), (1, -20, 100)])
def test_version_1_takes_the_same_path_at_every_step(coefficients, idiom):
    old = minimize_v1(coefficients, idiom=idiom)
    assert old.shape == (1001,)
    np.testing.assert_allclose(old, minimize(coefficients).w, rtol=1e-6)


def test_version_1_is_fed_a_stream_too():
    stream = [(1, -10, 25), (2, 0, 1), (1, -20, 100)]
    old = minimize_v1(stream, steps=3)
    np.testing.assert_allclose(old, Minimizer().run(stream, steps=3).w, rtol=1e-6)


def test_the_videos_first_program_takes_the_path_of_adam():
    path = minimize_as_in_video(steps=100)
    assert path.shape == (101,) and path.dtype == np.float32
    np.testing.assert_allclose(
        path, minimize(optimizer="adam", learning_rate=0.1, steps=100).w, rtol=1e-5
    )


def test_the_videos_second_program_stops_at_what_keras_no_longer_has(monkeypatch):
    with pytest.raises(AttributeError, match="no attribute 'minimize'"):
        minimize_as_in_video(program="second")

    def as_in_keras_2(optimizer, loss, var_list):
        with tf.GradientTape() as tape:
            J = loss()
        optimizer.apply_gradients(zip(tape.gradient(J, var_list), var_list, strict=True))

    monkeypatch.setattr(keras.optimizers.Optimizer, "minimize", as_in_keras_2, raising=False)
    second = minimize_as_in_video(program="second", steps=5)
    np.testing.assert_array_equal(second, minimize_as_in_video(steps=5))


LECTURES = {"gradient_descent": {}, "momentum": {"momentum": 0.9}}


ALL = [*LECTURES, *quadratic._keras_optimizers()]
FEW = {*LECTURES, "adam", "lion", "muon"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in FEW else pytest.mark.whole) for name in ALL]
)
def test_any_keras_optimizer_by_name_takes_the_path_of_its_instance(name):
    classes = {cls.lower(): getattr(keras.optimizers, cls) for cls in dir(keras.optimizers)}
    cls = keras.optimizers.SGD if name in LECTURES else classes[name]
    instance = cls(learning_rate=0.01, **LECTURES.get(name, {}))
    in_any_case = name.upper().replace("_", "-")
    by_name = minimize(optimizer=in_any_case, steps=20).w
    np.testing.assert_array_equal(by_name, minimize(optimizer=instance, steps=20).w)
    assert abs(by_name[-1] - 5) < 5


def test_the_names_are_those_that_keras_knows():
    def known(cls):
        try:
            return keras.optimizers.get(cls.lower()) is not None
        except (KeyError, TypeError, ValueError):  # none, a base class, or a wrapper
            return False

    names = set(quadratic._keras_optimizers())
    assert {cls.lower() for cls in dir(keras.optimizers) if known(cls)} <= names


@pytest.fixture(scope="module")
def descend():
    """Take 30 steps in float64 from 0, with one program for all coefficients and rates."""
    minimizer = Minimizer(dtype="float64")

    def run(coefficients, learning_rate):
        minimizer.w.assign(0)
        minimizer.optimizer.learning_rate = learning_rate
        return minimizer.run(coefficients, steps=30)

    return run


well_shaped = st.tuples(
    st.floats(0.1, 10), st.floats(-10, 10), st.floats(-10, 10), st.floats(0.01, 0.45)
)


@settings(max_examples=50, deadline=None)
@given(well_shaped)
def test_the_path_is_monotone_when_alpha_is_below_one_over_curvature(descend, case):
    a, b, c, share = case
    descent = descend((a, b, c), learning_rate=share / a)  # below 1/J″ = 1/2a
    goal = np.roots(np.polyder([a, b, c]))[0]
    error = np.abs(descent.w - goal)
    assert (np.diff(error) <= 1e-12).all()
    assert (np.sign(descent.w - goal)[error > 1e-9] == np.sign(0 - goal)).all()


@settings(max_examples=50, deadline=None)
@given(well_shaped, st.floats(0.1, 5))
def test_scaled_coefficients_scale_the_cost_and_leave_the_minimum(descend, case, scale):
    a, b, c, share = case
    plain = descend((a, b, c), learning_rate=share / a)
    scaled_coefficients = np.multiply(scale, (a, b, c))
    scaled = descend(scaled_coefficients, learning_rate=share / a / scale)
    np.testing.assert_allclose(scaled.cost, scale * plain.cost, rtol=1e-4, atol=1e-4)
    assert minimum(scaled_coefficients) == pytest.approx(minimum((a, b, c)))


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 20), st.floats(0, 0.95), st.booleans())
def test_the_largest_learning_rate_is_the_border_of_convergence(a, momentum, inside):
    bound = largest_learning_rate((a, 0, 0), momentum)
    learning_rate = bound * (0.97 if inside else 1.03)
    w, velocity = 1.0, 0.0
    for _ in range(3000):
        velocity = momentum * velocity - learning_rate * 2 * a * w
        w += velocity
        if abs(w) > 1e6:
            break
    assert (abs(w) < 1) == inside


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"coefficients": (0, -10, 25)}, "no minimum.*got 0"),
        ({"coefficients": (-1, -10, 25)}, "no minimum.*got -1"),
        ({"coefficients": (1, np.nan, 25)}, "finite.*nan"),
        ({"coefficients": (1, -np.inf, 25)}, "finite.*-inf"),
        ({"coefficients": (1, 1e308, 25)}, r"finite in float32, got 1e\+308"),
        ({"coefficients": (1, -10)}, r"three numbers.*\(2,\)"),
        ({"coefficients": np.ones((1, 3))}, r"three.*\(1, 3\)"),
        ({"coefficients": "abc"}, "three numbers.*'abc'"),
        ({"learning_rate": np.nan}, "got nan"),
        ({"learning_rate": "0.1"}, "got '0.1'"),
        ({"steps": -1}, "steps must be a whole number at least 0, got -1"),
        ({"steps": 2.5}, "steps .* got 2.5"),
        ({"optimizer": "adm"}, "did you mean 'adam'"),
        ({"optimizer": 3}, "a name or Keras's own, got 3"),
        ({"optimizer": keras.optimizers.SGD(), "learning_rate": 0.1}, "optimizer's own here"),
        ({"w": np.inf}, "w must be a finite number, got inf"),
    ],
)
def test_what_has_no_answer_is_said(arguments, words):
    with pytest.raises(InputError, match=words) as error:
        minimize(**arguments)
    assert "\n" not in str(error.value)


def test_no_steps_leave_w_where_it_is():
    descent = minimize(steps=0)
    assert descent.w.tolist() == [0.0]
    assert descent.cost.tolist() == [25.0]


@pytest.mark.parametrize(("alpha", "factor"), [(1.1, -1.2), (1.0, -1.0), (0.0, 1.0), (-0.5, 2.0)])
def test_a_path_that_does_not_converge_is_shown_and_explained(alpha, factor):
    descent = minimize(learning_rate=alpha, steps=10, dtype="float64")
    np.testing.assert_allclose(descent.w, 5 - 5 * factor ** np.arange(11), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(minimize_v1(learning_rate=alpha, steps=10), descent.w, 1e-5, 1e-5)
    told = convergence(alpha).replace("−", "-")
    assert told.startswith("does not converge") and told.endswith(f" {factor:g}")


@pytest.mark.parametrize("optimizer", ["gradient_descent", "momentum"])
def test_the_border_that_is_told_is_the_programs_border(optimizer):
    momentum = LECTURES[optimizer].get("momentum", 0.0)
    bound = largest_learning_rate((2, 0, -8), momentum)
    for alpha, word in ((0.98 * bound, "converges"), (1.02 * bound, "does not converge")):
        run = {"learning_rate": alpha, "optimizer": optimizer, "w": 1.0, "dtype": "float64"}
        ended_nearer = abs(minimize((2, 0, -8), **run).w[-1]) < 1
        assert convergence(alpha, (2, 0, -8), momentum).startswith(word)
        assert ended_nearer == (word == "converges")


def test_a_path_out_of_float32s_range_is_returned_to_its_end():
    descent = minimize((1e-3, 1e30, 1), steps=3)
    assert np.isfinite(descent.w).all() and not np.isfinite(descent.cost).all()
