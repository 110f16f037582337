"""The network for experiments: its gradients against finite differences, its mini-batches."""

from dataclasses import replace

import numpy as np
import pytest

from tfcourse.lecture import network


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("activation", network.ACTIVATIONS)
def test_gradients_are_those_of_finite_differences(normalize, activation):
    net = network.start(3, [5, 4, 4, 3], normalize=normalize, activation=activation)
    random = np.random.default_rng(0)
    x, y = random.normal(size=(9, 5)), random.integers(0, 3, 9)
    _, slopes = network.gradients(net, x, y)
    for kind in ("W", "gamma", "beta"):
        for layer, values in enumerate(getattr(net, kind)):
            for place in np.ndindex(values.shape):
                costs = []
                for h in (1e-5, -1e-5):
                    moved = [value.copy() for value in getattr(net, kind)]
                    moved[layer][place] += h
                    costs.append(network.gradients(replace(net, **{kind: moved}), x, y)[0])
                found = (costs[0] - costs[1]) / 2e-5
                expected = getattr(slopes, kind)[layer][place]
                assert found == pytest.approx(expected, abs=1e-8), (kind, layer, place)


def test_below_takes_the_first_layers_of_another():
    one, other = (network.start(s, [5, 4, 4, 3], normalize=True, activation="tanh") for s in (0, 1))
    mixed = one.below(2, other)
    assert [id(W) for W in mixed.W] == [id(W) for W in (*other.W[:2], one.W[2])]


@pytest.mark.parametrize("normalize", [False, True])
def test_inference_with_the_examples_own_statistics_is_the_forward_pass(normalize):
    x, _ = network.digits()
    one = network.start(0, [64, 32, 32, 10], normalize=normalize, activation="tanh")
    passed = network.forward(one, x)
    given = [(norm.mean, norm.variance) for norm in passed.normalized]
    for found, expected in zip(network.inference(one, x, given), passed.z_tilde, strict=True):
        assert found == pytest.approx(expected)


def test_a_step_goes_down_the_slope():
    net = network.start(0, [4, 6, 3], normalize=True, activation="tanh")
    random = np.random.default_rng(1)
    x, y = random.normal(size=(20, 4)), random.integers(0, 3, 20)
    cost, slopes = network.gradients(net, x, y)
    assert network.gradients(net.moved(slopes, 0.1), x, y)[0] < cost


def test_mini_batches_go_through_the_examples_epoch_after_epoch():
    rows = [*network.mini_batches(0, 100, 5, size=30)]
    assert [len(each) for each in rows] == [30] * 5
    assert len(set(np.concatenate(rows[:3]))) == 90
    assert set(rows[3]) != set(rows[0])
