"""Part 4's claims and errata turn when what is under them breaks."""

from types import SimpleNamespace

import numpy as np
import pytest
from breaking import all_of, put, wrap

from tfcourse import quadratic, quadratic_v1
from tfcourse._tensorflow import keras, tf
from tfcourse.claims import frameworks_errata, ledger
from tfcourse.experiments import frameworks as experiments
from tfcourse.experiments import speed

CLAIMS = [one.id for one in ledger.claims("frameworks")]


def with_arguments(**fixed):
    """The function as it was, but with these arguments."""
    return lambda function: lambda *arguments, **options: function(*arguments, **options | fixed)


def retracing(monkeypatch):
    """The program without its signature, fed Python numbers."""
    plain = SimpleNamespace(**{name: getattr(tf, name) for name in ("Variable", "GradientTape")})
    plain.TensorSpec = tf.TensorSpec
    plain.function = lambda f, input_signature, jit_compile=False: tf.function(f)
    monkeypatch.setattr(quadratic, "tf", plain)
    monkeypatch.setattr(
        quadratic.Minimizer,
        "step",
        lambda self, coefficients: self.train_step([[float(value)] for value in coefficients]),
    )


wrong_multiply = wrap(tf, "multiply", lambda f: lambda a, b: f(a, b) + 1)

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
        quadratic_v1,
        "minimize",
        lambda f: lambda idiom="session": f() + (1e-6 if idiom == "with" else 0),
    ),
    "tf.same-as-v1": wrap(quadratic_v1, "minimize", with_arguments(learning_rate=0.01001)),
    "tf.computation-graph": wrap(
        tf.GradientTape, "gradient", lambda f: lambda self, y, x: 2 * f(self, y, x)
    ),
    "tf.swap-optimizer": wrap(
        keras.optimizers, "Adam", lambda _: lambda learning_rate: keras.optimizers.SGD(0.05)
    ),
    "frameworks.criteria": all_of(
        put(experiments, "_licence", lambda name: "Proprietary"),
        put(speed, "measure", lambda seed, size: speed.Speed(speed.recorded()[0], {})),
    ),
    "tf.float32-stalls": wrap(quadratic, "minimize", with_arguments(dtype="float64")),
    "tf.erratum.add-bracket": wrong_multiply,
    "tf.erratum.add-operand": wrong_multiply,
    "tf.erratum.reshape-bracket": wrap(
        frameworks_errata,
        "np",
        lambda _: SimpleNamespace(array=lambda v: SimpleNamespace(reshape=lambda s: np.ones(3))),
    ),
    "tf.erratum.names": lambda monkeypatch: monkeypatch.setattr(tf, "Session", 1, raising=False),
}


@pytest.mark.parametrize("id", CLAIMS)
def test_it_turns_when_what_is_under_it_breaks(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


def test_what_the_lecture_prints():
    [feed, stalls] = ledger.run(ledger.find(["tf.feed", "tf.float32-stalls"]))
    for printed in ("0.1", "4.99999", "0.2", "9.99998"):
        assert printed in feed.evidence.measured
    assert "exact 4.99999999, float64 4.99999999, float32 4.99999" in stalls.evidence.measured
