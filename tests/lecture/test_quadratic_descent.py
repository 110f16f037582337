"""The lecture's program: its printed numbers, and verdicts that turn when something breaks."""

import numpy as np
import pytest
from breaking import wrap

from tfcourse import quadratic
from tfcourse._tensorflow import keras, tf
from tfcourse.lecture import ledger
from tfcourse.lecture import quadratic_descent as topic


def with_arguments(**fixed):
    """The function as it was, but with these arguments."""
    return lambda function: lambda *arguments, **options: function(*arguments, **options | fixed)


def retracing(monkeypatch):
    """The program without its signature, fed Python numbers."""
    function = tf.function
    monkeypatch.setattr(tf, "function", lambda f, **how: function(f))
    monkeypatch.setattr(
        quadratic.Minimizer,
        "step",
        lambda self, coefficients: self.train_step([[float(value)] for value in coefficients]),
    )


BREAKS = {
    "tf.expand": wrap(quadratic, "cost", lambda f: lambda w, x: f(w, x) + 1),
    "tf.first-step": wrap(quadratic, "minimize", with_arguments(learning_rate=0.02)),
    "tf.thousand-steps": wrap(quadratic, "minimize", with_arguments(dtype="float64")),
    "tf.operators": wrap(quadratic, "cost_by_functions", lambda f: lambda w, x: f(w, x) + w),
    "tf.feed": wrap(
        quadratic.Minimizer, "step", lambda f: lambda self, coefficients: f(self, (1, -10, 25))
    ),
    "tf.feed-without-retracing": retracing,
    "tf.session-idioms": wrap(
        quadratic,
        "minimize_v1",
        lambda f: lambda idiom="session": f() + (1e-6 if idiom == "with" else 0),
    ),
    "tf.same-as-v1": wrap(quadratic, "minimize_v1", with_arguments(learning_rate=0.01001)),
    "tf.current-video": wrap(quadratic, "minimize", with_arguments(steps=20)),
    "tf.swap-optimizer": wrap(
        keras.optimizers, "Adam", lambda _: lambda learning_rate: keras.optimizers.SGD(0.05)
    ),
    "tf.float32-stalls": wrap(quadratic, "minimize", with_arguments(dtype="float64")),
    "tf.erratum.names": lambda monkeypatch: monkeypatch.setattr(tf, "Session", 1, raising=False),
}


SESSIONS = {"tf.current-video", "tf.same-as-v1", "tf.session-idioms"}


@pytest.mark.parametrize(
    "id", [pytest.param(id, marks=pytest.mark.whole if id in SESSIONS else ()) for id in BREAKS]
)
def test_it_turns_when_broken(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    assert not one.trains  # whole, `test_page` runs it
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


def test_what_the_lecture_prints():
    [feed, stalls] = ledger.run(ledger.find(["tf.feed", "tf.float32-stalls"]))
    for printed in ("0.1", "4.99999", "0.2", "9.99998"):
        assert printed in feed.evidence.measured
    assert "exact 4.99999999, float64 4.99999999, float32 4.99999" in stalls.evidence.measured


def compiles(source):
    try:
        compile(source, "note", "eval")
    except SyntaxError:
        return False
    return True


@pytest.mark.parametrize(
    "id", ["tf.erratum.add-bracket", "tf.erratum.reshape-bracket", "tf.erratum.feed-dict"]
)
def test_python_refuses_what_is_printed_and_takes_what_is_correct(id):
    [one] = ledger.find([id])
    form = "f({})" if id.endswith("dict") else "{}"
    assert not compiles(form.format(one.erratum.printed.words))
    assert compiles(form.format(one.erratum.correct))


def test_the_corrected_cost_is_that_of_the_lecture():
    [one] = ledger.find(["tf.erratum.add-bracket"])
    w = tf.constant(np.linspace(-5, 15, 21), tf.float32)
    off = eval(one.erratum.correct, {"tf": tf, "w": w}) - (w - 5) ** 2
    assert np.abs(off).max() < 1e-4


def test_the_figure_ends_where_the_lecture_does(drawn):
    bowl, path = drawn("quadratic_descent").axes
    runs = [line.get_ydata() for line in path.lines]
    assert [len(run) for run in runs] == [1001] * 4  # of each cost float64, float32
    assert [round(5 - float(runs[1][-1]), 5), round(10 - float(runs[3][-1]), 5)] == [
        4.99999,
        9.99998,
    ]
    assert max(runs[0][-1], runs[2][-1]) < 1e-7  # float64 goes on
    assert {text.get_text() for text in path.texts} >= {"4.99999", "9.99998"}
    points = [line.get_xydata() for line in bowl.lines if line.get_linestyle() == "None"]
    assert [round(float(w[1, 0]), 5) for w in points] == [0.1, 0.2]
    for (w, cost), goal in zip((points[0].T, points[1].T), (5, 10), strict=True):
        assert cost == pytest.approx((w - goal) ** 2, abs=1e-4)


def test_the_figure_takes_other_coefficients():
    bowl, path = topic.quadratic_descent(((2.0, -4.0, 0.0),), steps=50).axes
    assert len(path.lines) == 2 and "2w^2 − 4w" in bowl.texts[0].get_text()
