"""The classifier: its layers, its training, and its quality beside scikit-learn's."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss
from sklearn.neural_network import MLPClassifier

from tfcourse import datasets, training
from tfcourse._checks import InputError
from tfcourse._tensorflow import keras
from tfcourse.classifier import (
    Hyperparameters,
    build,
    evaluate,
    predict,
    recalibrate,
    train,
)

MNIST = Path(__file__).parents[2] / "shared" / "data" / "mnist"
SMALL = Hyperparameters(layers=2, units=16, epochs=2)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def small(digits):
    return train(digits, SMALL, seed=3)


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


def test_hidden_layers_are_dense_without_bias_then_batch_norm_then_activation():
    model = build((64,), 10, Hyperparameters(layers=2, units=(30, 20)))
    hidden = ["Dense", "BatchNormalization", "Activation"]
    assert kinds(model) == [*hidden, *hidden, "Dense", "Softmax"]
    assert [weight.shape for weight in model.layers[0].weights] == [(64, 30)]
    # W, γ, β and the two moving statistics of each hidden layer, W and b of the last.
    assert model.count_params() == 64 * 30 + 4 * 30 + 30 * 20 + 4 * 20 + 20 * 10 + 10


@pytest.mark.parametrize(
    ("changed", "hidden"),
    [
        ({"batch_norm_position": "after"}, ["Dense", "Activation", "BatchNormalization"]),
        ({"batch_norm": False}, ["Dense", "Activation"]),
        ({"dropout": 0.2}, ["Dense", "BatchNormalization", "Activation", "Dropout"]),
    ],
)
def test_the_other_hidden_layers(changed, hidden):
    model = build((8, 8), 3, Hyperparameters(layers=1, **changed))
    assert kinds(model) == ["Flatten", *hidden, "Dense", "Softmax"]
    assert model.layers[1].use_bias == ("BatchNormalization" not in hidden)


def test_no_hidden_layer_is_softmax_regression():
    assert kinds(build((5,), 3, Hyperparameters(layers=0))) == ["Dense", "Softmax"]


@pytest.mark.parametrize(
    "changed",
    [
        {"optimizer": "gradient_descent", "batch_norm": False, "decay": 1.0},
        pytest.param({"optimizer": "momentum", "learning_rate": 0.005}, marks=pytest.mark.whole),
        pytest.param({"optimizer": "rmsprop", "learning_rate": 1e-4}, marks=pytest.mark.whole),
        {"optimizer": "adam", "batch_norm_position": "after", "batch_size": 256},
        {"layers": 0, "batch_size": 5000},
    ],
)
def test_every_optimizer_learns_and_both_engines_come_to_the_same_weights(digits, changed, request):
    chosen = Hyperparameters.from_mapping({"units": 16, "epochs": 2, **changed})
    compiled = train(digits, chosen, seed=4)
    assert compiled.history[-1].loss < compiled.history[0].loss
    request.getfixturevalue("eager")
    fit = train(digits, chosen, seed=4, engine="keras")
    for a, b in zip(compiled.model.get_weights(), fit.model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
    figures = [
        [(e.loss, e.validation_loss, e.validation_accuracy) for e in one.history]
        for one in (compiled, fit)
    ]
    np.testing.assert_allclose(*figures, rtol=1e-4)
    assert compiled.best.number == fit.best.number


def test_the_same_seed_gives_the_same_weights_bit_for_bit(digits):
    chosen = Hyperparameters(layers=1, units=8, epochs=2, dropout=0.3)
    one, two, other = (train(digits, chosen, seed=s).model.get_weights() for s in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    assert not all((a == b).all() for a, b in zip(one, other, strict=True))


def test_the_model_holds_the_weights_of_the_best_epoch(digits):
    training = train(digits, Hyperparameters(units=16, epochs=6, learning_rate=0.1), seed=0)
    ranks = [(e.validation_accuracy, -e.validation_loss) for e in training.history]
    assert training.best.number == max(range(6), key=ranks.__getitem__) < 5
    now = evaluate(training.model, digits.x_validation, digits.y_validation)
    assert now.accuracy == pytest.approx(training.best.validation_accuracy, abs=1e-6)
    assert now.loss == pytest.approx(training.best.validation_loss, rel=1e-4)


def test_inputs_are_standardized_inside_the_model(digits, small):
    bare = build((8, 8), 10, SMALL)
    bare.set_weights(small.model.get_weights()[-len(bare.weights) :])
    expected = predict(bare, digits.standardized().x_test[:5])
    np.testing.assert_allclose(predict(small.model, digits.x_test[:5]), expected, rtol=1e-4)


def test_the_learning_rate_decays_by_epoch(digits):
    def weights(epochs, decay):
        chosen = Hyperparameters(
            layers=0, optimizer="gradient_descent", epochs=epochs, decay=decay, learning_rate=0.1
        )
        return train(digits, chosen, seed=0).model.get_weights()[-2]

    first = weights(1, 0)
    np.testing.assert_allclose(weights(2, 1e9), first, rtol=1e-6, atol=1e-7)
    assert np.abs(weights(2, 1) - first).max() > 1e-3


def test_divergence_is_said(digits):
    chosen = Hyperparameters(
        layers=1, optimizer="gradient_descent", learning_rate=1e30, batch_norm=False, epochs=2
    )
    for engine in ("compiled", "keras"):
        with pytest.raises(ValueError, match="diverged in the first epoch.*smaller than 1e"):
            train(digits, chosen, engine=engine)


def test_evaluate_agrees_with_scikit_learn(digits, small):
    p = predict(small.model, digits.x_test).astype(np.float64)
    p /= p.sum(axis=1, keepdims=True)
    found = evaluate(small.model, digits.x_test, digits.y_test)
    guesses = p.argmax(axis=1)
    assert found.accuracy == accuracy_score(digits.y_test, guesses)
    assert found.loss == pytest.approx(log_loss(digits.y_test, p), rel=1e-5)
    np.testing.assert_array_equal(found.confusion, confusion_matrix(digits.y_test, guesses))


def test_another_shape_or_a_class_too_many_is_refused(small):
    with pytest.raises(ValueError, match=r"shape \(8, 8\), got \(9, 9\)"):
        predict(small.model, np.zeros((1, 9, 9), np.float32))
    with pytest.raises(ValueError, match="10 classes, got label 10"):
        evaluate(small.model, np.zeros((1, 8, 8), np.float32), np.array([10]))


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("position", ["before", "after"])
def test_recalibrate_sets_the_statistics_of_the_whole_training_set(digits, position):
    chosen = Hyperparameters(
        units=(16, 8), batch_norm_position=position, batch_norm_momentum=0.99, epochs=1
    )
    model = train(digits, chosen, seed=0, engine="keras").model
    before = evaluate(model, digits.x_validation, digits.y_validation)
    assert recalibrate(model, digits.x_train) is model
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            z = keras.Model(model.inputs[0], layer.input).predict(digits.x_train, verbose=0)
            np.testing.assert_allclose(layer.moving_mean, z.mean(axis=0), rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(layer.moving_variance, z.var(axis=0), rtol=1e-4)
    after = evaluate(model, digits.x_validation, digits.y_validation)
    assert after.loss < before.loss  # one epoch leaves Keras's averages far behind


@pytest.mark.long
@pytest.mark.parametrize(("name", "at_least"), [("digits", 0.97), (MNIST, 0.945)])
def test_quality_beside_scikit_learn(name, at_least):
    if not Path(name).exists() and name == MNIST:
        pytest.skip("MNIST is not on this machine")
    data = datasets.load(str(name))
    chosen, ours, theirs = Hyperparameters(), [], []
    flat = data.standardized()
    for seed in range(5):
        model = train(data, chosen, seed=seed).model
        ours.append(evaluate(model, data.x_test, data.y_test).accuracy)
        peer = MLPClassifier(chosen.units_per_layer, random_state=seed)
        peer.fit(flat.x_train.reshape(len(flat.x_train), -1), flat.y_train)
        theirs.append(peer.score(flat.x_test.reshape(len(flat.x_test), -1), flat.y_test))
    print(f"{data.name}: ours {np.mean(ours):.4f} {ours}, scikit-learn {np.mean(theirs):.4f}")
    assert np.mean(ours) >= max(at_least, np.mean(theirs))


def test_masked_entries_are_refused_wherever_arrays_come_in(digits, small):
    x, y = digits.x_test[:20], digits.y_test[:20]
    hidden, labels = np.ma.masked_equal(x, 0), np.ma.masked_equal(y, 3)
    model = small.model
    for use in (
        lambda: predict(model, hidden),
        lambda: evaluate(model, x, labels),
        lambda: recalibrate(model, hidden),
        lambda: training.Data(hidden, y),
        lambda: training.Data(x, y, x, labels),
    ):
        with pytest.raises(InputError, match="must have no masked entries"):
            use()


def test_big_endian_arrays_are_trained_on_as_the_machine_s_own(digits):
    native = training.Data(digits.x_test, digits.y_test)
    swapped = training.Data(digits.x_test.astype(">f4"), digits.y_test.astype(">i8"))
    for one, other in zip(native.training[:2], swapped.training[:2], strict=True):
        np.testing.assert_array_equal(one, other)
        assert other.dtype.isnative


def test_grey_images_may_say_their_one_channel(digits, small):
    x, y = digits.x_test[:20], digits.y_test[:20]
    expected = predict(small.model, x)
    assert (predict(small.model, x[..., np.newaxis]) == expected).all()
    accuracy = (expected.argmax(axis=1) == y).mean()
    assert evaluate(small.model, x[..., np.newaxis], y).accuracy == accuracy
    taller = build((8, 8, 1), 10, SMALL)
    assert (predict(taller, x) == predict(taller, x[..., np.newaxis])).all()
    for model, wrong in ((small.model, x.repeat(3).reshape(-1, 8, 8, 3)), (taller, x[:, :4])):
        with pytest.raises(InputError, match="expects inputs of shape"):
            predict(model, wrong)
