"""A program as a user would write it: it names all that `import tfcourse as tfc` gives."""

from collections.abc import Mapping
from typing import Any

import tfcourse as tfc

# The formulas.
z = [[5.0, 2.0, -1.0, 3.0], [1.0, 0.0, 2.0, 2.0]]
print(tfc.softmax.softmax(z), tfc.batch_norm.forward(z).mean)
print(tfc.quadratic.minimize(steps=10).w[-1])

# One model.
digits = tfc.datasets.load("digits")
hyperparameters = tfc.Hyperparameters(layers=1, units=8, epochs=1)
training = tfc.train(digits, hyperparameters, seed=1)
model = tfc.recalibrate(training.model, digits.x_train)
probabilities = tfc.predict(model, digits.x_test)
evaluation = tfc.evaluate(model, digits.x_test, digits.y_test)
print(probabilities.shape, evaluation.accuracy + training.best.loss)

# Many, and the best of them.
space = tfc.Space(
    learning_rate=tfc.Log(1e-3, 1e-1),
    units=tfc.Integer(4, 8),
    optimizer=tfc.Choice("adam", "momentum"),
    momentum=tfc.When("optimizer=momentum", tfc.OneMinusLog(0.9, 0.99)),
    dropout=tfc.Linear(0, 0.2),
)
study: tfc.Study = tfc.tune(
    None, digits, space=space, trials=2, epochs=1, search="random", study="study"
)
assert study.best is not None
best: float | None = study.best.validation_accuracy
print(best, tfc.tuning.coarse_to_fine(space, rounds=2, trials=4, keep=1))


# The compiled engine alone, on Keras models of one's own.
def build(trial: Mapping[str, Any]) -> Any:
    return tfc.build((8, 8), 10, hyperparameters)


data = tfc.training.Data(digits.x_train, digits.y_train, digits.x_validation, digits.y_validation)
for finished in tfc.training.train(build, [{"learning_rate": 0.01}], data, epochs=1):
    print([trained.history["val_accuracy"] for trained in finished])
print(len(tfc.training.chunks(build, [{"learning_rate": 0.01}], data)))

# The lecture, drawn and put to the test.
tfc.figures.draw("beta_scale", "beta_scale.svg")
for entry in tfc.claims.run(tfc.claims.find(["softmax.example"])):
    print(entry.claim.statement, entry.evidence.verdict)
