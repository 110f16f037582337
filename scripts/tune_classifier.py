# %% [markdown]
# # Tune the classifier: caviar, on the right scales
#
# α spans decades: r uniform in [−4, 0], α = 10^r. Units may be drawn uniformly.

# %%
from rich import print

from tfcourse import _terminal
from tfcourse.tuning import Integer, Log, Space, tune
from tfcourse.tuning.report import table

_terminal.prepare()

space = Space(learning_rate=Log(1e-4, 1), units=Integer(50, 100))

# %% [markdown]
# Random, not a grid: 25 trials try 25 values of α, where a grid of 5×5 would try 5.

# %%
study = tune(None, "digits", space=space, trials=25, epochs=10)
print(table(study))

# %% [markdown]
# From coarse to fine: with as many trials, half of them in the box around the best of the others.

# %%
finer = tune(None, "digits", space=space, trials=25, epochs=10, search="coarse-to-fine", rounds=2)
print(table(finer))

# %% [markdown]
# Both chose by the validation set. The test set judges once, at the end.

# %%
for best in (study.best, finer.best):
    print(best.hyperparameters, f"test accuracy {best.test_accuracy:.4f}")
