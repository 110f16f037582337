"""Every model of the zoo ends as `model.fit` on what `build` returned, whichever engine trains."""

import numpy as np
import pytest
from zoo import DATA, ZOO

from tfcourse.training import train
from tfcourse.training.batches import epoch_batches
from tfcourse.training.data import given
from tfcourse.training.first_weights import initial_weights
from tfcourse.training.models import Builder

SIZE = 16
SUITES = {"default": (), "whole": pytest.mark.whole, "long": pytest.mark.long}
CASES = [pytest.param(n, marks=SUITES[c.suite]) for n, c in ZOO.items()]


def trained(case, data, engine, seeds=None, trials=None):
    trials = [{"batch_size": SIZE, **t} for t in trials or case.trials]
    finished = train(case.build, trials, data, epochs=case.epochs, engine=engine, seeds=seeds)
    return sorted((one for chunk in finished for one in chunk), key=lambda one: one.trial)


def by_fit(one, data, epochs):
    """Plain `model.fit` from the same first weights, on the same mini-batches."""
    model = one.make()
    x, y, *weight = given(data.training)
    history = {}
    for epoch in range(epochs):
        order = epoch_batches(one.seed, epoch, data.examples, SIZE).ravel()
        if "learning_rate" in one.hyperparameters:
            rate = one.hyperparameters["learning_rate"] / (1 + 0.1 * epoch)
            model.optimizer.learning_rate = rate

        def taken(arrays, order=order):
            if isinstance(arrays, dict):
                return {name: array[order] for name, array in arrays.items()}
            return arrays[order]

        run = model.fit(
            taken(x),
            taken(y),
            SIZE,
            sample_weight=weight[0][order] if weight else None,
            shuffle=False,
            verbose=0,
            validation_data=given(data.validation),
            validation_batch_size=100,
        )
        for name, values in run.history.items():
            history.setdefault(name, []).extend(values)
    return history


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # where everything is dropped
def test_both_engines_end_as_fit_does(name, request):
    case, data = ZOO[name], DATA[ZOO[name].data]()
    compiled, again = (trained(case, data, "compiled") for _ in range(2))
    if name != "dense":  # of `model.fit` with its functions traced, one case is enough
        request.getfixturevalue("eager")
    by_keras = trained(case, data, "keras")
    for ours, theirs in zip(compiled, by_keras, strict=True):
        assert ours.error is None and theirs.error is None
        assert bool(ours.notes) != case.mapped, ours.notes
        oracle = by_fit(ours, data, case.epochs)
        assert set(ours.history) == set(theirs.history) == set(oracle)
        for figure, values in oracle.items() if not case.random else ():
            np.testing.assert_allclose(theirs.history[figure], values, 1e-3, 1e-5, err_msg=figure)
            np.testing.assert_allclose(ours.history[figure], values, 1e-3, 1e-5, err_msg=figure)
    for one, other in zip(compiled, again, strict=True):
        for own, same in zip(one.weights, other.weights, strict=True):
            np.testing.assert_array_equal(own, same)


RATES = {"rate", "learning_rate"}
DRAWN = [n for n, c in ZOO.items() if any(set(trial) - RATES for trial in c.trials[1:])]


@pytest.mark.parametrize("name", DRAWN)
def test_models_that_differ_are_never_taken_for_the_same(name):
    case, builder = ZOO[name], Builder(ZOO[name].build, DATA[ZOO[name].data]())
    found = [builder.blueprint(trial, 0) for trial in case.trials]
    told = [(one.key, one.numbers, one.sizes) for one in found]
    weights = [initial_weights(one.first, 0) for one in found]
    assert told[0] != told[1] or not all(map(np.array_equal, *weights))


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=SUITES[c.suite]) for n, c in ZOO.items() if c.random],
)
def test_random_layers_draw_as_keras_draws(name):
    case, data = ZOO[name], DATA[ZOO[name].data]()
    seeds = list(range(8))
    for trial in case.trials:
        losses = [
            [one.history["loss"][-1] for one in trained(case, data, engine, seeds, [trial] * 8)]
            for engine in ("compiled", "keras")
        ]
        ours, theirs = map(np.array, losses)
        difference = (ours - theirs).mean()  # paired: the same first weights
        spread = (ours - theirs).std(ddof=1) / np.sqrt(8)
        assert abs(difference) < 4 * spread + 0.02
        assert len(np.unique(ours)) == 8
