"""Part 4's claims and errata turn when what is under them breaks."""

import pytest
from breaking import all_of, put, wrap

from tfcourse._tensorflow import tf
from tfcourse.claims import ledger
from tfcourse.experiments import frameworks as experiments
from tfcourse.experiments import speed

CLAIMS = [one.id for one in ledger.claims("frameworks") if ".claims." in one.module]


BREAKS = {
    "tf.computation-graph": wrap(
        tf.GradientTape, "gradient", lambda f: lambda self, y, x: 2 * f(self, y, x)
    ),
    "frameworks.criteria": all_of(
        put(experiments, "_licence", lambda name: "Proprietary"),
        put(speed, "measure", lambda seed, size: speed.Speed(speed.recorded()[0], {})),
    ),
}


@pytest.mark.parametrize("id", CLAIMS)
def test_it_turns_when_what_is_under_it_breaks(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict
