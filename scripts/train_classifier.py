# %% [markdown]
# # Train a softmax classifier with batch norm
#
# Images of handwritten digits, 8×8 pixels, ten classes. They come with the package.

# %%
from tfcourse import _terminal, datasets
from tfcourse.classifier import Hyperparameters, build, evaluate, train

_terminal.prepare()

digits = datasets.load("digits")
print(f"{len(digits.x_train)} training images of shape {digits.input_shape}")

# %% [markdown]
# The model is plain Keras: each hidden layer is Dense without bias → BatchNormalization →
# activation; the output layer is Dense → softmax.

# %%
hyperparameters = Hyperparameters(layers=2, units=100)
build(digits.input_shape, digits.classes, hyperparameters).summary()

# %% [markdown]
# Training shows each epoch, and keeps the weights of the epoch that did best on the validation set.


# %%
def show(epoch):
    print(f"epoch {epoch.number + 1:>2}   validation accuracy {epoch.validation_accuracy:.4f}")


training = train(digits, hyperparameters, seed=0, on_epoch=show)

# %% [markdown]
# The test set has not been looked at until now.

# %%
test = evaluate(training.model, digits.x_test, digits.y_test)
print(f"test accuracy {test.accuracy:.4f}")
print(test.confusion)
