"""The mini-batch's noise: σ/√m, dropout's and batch norm's kinds, and verdicts that turn."""

import numpy as np
import pytest
from breaking import wrap

from tfcourse import batch_norm
from tfcourse.lecture import ledger
from tfcourse.lecture import mini_batch_noise as topic

BREAKS = {
    "bn.noise": wrap(batch_norm, "forward", lambda f: lambda z: f(z[:16])),
    "bn.noise-kinds": wrap(
        batch_norm, "inference", lambda f: lambda z, mean, variance: f(z, z.mean(), variance)
    ),
    "bn.erratum.dropout-noise": wrap(
        topic, "noise", lambda f: lambda seed: f(seed)._replace(dropout=f(seed).mean[0])
    ),
}


@pytest.mark.parametrize("id", BREAKS)
def test_it_holds_with_another_seed_and_turns_when_broken(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    assert verdict(id, seed=1) == one.verdict
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


def test_in_the_first_layer_the_noise_is_that_of_a_mean():
    found = topic.noise()
    theory = np.array(topic.SIZES) ** -0.5
    assert found.mean[0] == pytest.approx(theory, rel=0.1)
    assert (found.mean[1:] < 0.5 * theory).all()
    assert found.dropout == pytest.approx([1.0] * len(topic.SIZES), abs=0.02)


def test_kinds_are_the_formulas_factors():
    found = topic.kinds(m=64)
    normalized = found["batch norm"]
    times, plus = topic.parts(normalized)
    assert plus == pytest.approx(1 / 8, rel=0.1) and 0.03 < times < 0.2
    expected = topic.VALUES * normalized[:, -1:] / 3  # what it were, were nothing added
    assert np.abs(normalized - expected).max() > 0.1
    assert topic.parts(found["dropout"]) == pytest.approx((1, 0), abs=0.01)


def test_the_noise_line_falls_with_the_root_of_m(drawn):
    [axes] = drawn("batch_norm_noise").axes
    line, *layers, named = (line.get_xydata() for line in axes.lines)
    assert layers[0][:, 0].tolist() == [16, 32, 64, 128, 256, 512, 1024]
    assert [np.polyfit(*np.log(at).T, 1)[0] for at in layers] == pytest.approx([-0.5] * 3, abs=0.03)
    assert np.diff(np.log(line), axis=0)[0] @ [1, 2] == pytest.approx(0), "slope −1/2"
    assert f"from {named[0, 1]:.3f} to {named[1, 1]:.3f}" in axes.get_title(loc="left")


def test_dropouts_lines_meet_at_zero_and_batch_norms_do_not(drawn):
    dropout, normalized = drawn("batch_norm_two_noises").axes
    at_zero = [
        [line.get_ydata()[3] for line in axes.lines if len(line.get_xdata()) == 7]
        for axes in (dropout, normalized)
    ]
    assert at_zero[0] == [0, 0] and len(at_zero[1]) == 24
    assert np.std(at_zero[1]) == pytest.approx(1 / 4, rel=0.5)
    assert normalized.get_title(loc="left").endswith(f"{np.std(at_zero[1]):.2f}")
