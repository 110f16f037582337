# %% [markdown]
# # Is tuning worth it?
#
# The same network with the values one would begin with, and tuned: both trained under several
# seeds, and judged by the test set that neither saw.
#
#     python scripts/compare_tuning.py
#     python scripts/compare_tuning.py --data mnist.npz --seeds 10

# %%
import argparse

import numpy as np
from rich.progress import track

import tfcourse as tfc
from tfcourse import _terminal


# %%
def accuracies(data: tfc.datasets.Dataset, seed: int, trials: int) -> tuple[float, float]:
    """Test accuracy with the defaults, and of the best of so many trials."""
    model = tfc.train(data, tfc.Hyperparameters(), seed=seed).model
    begun = tfc.evaluate(model, data.x_test, data.y_test).accuracy
    study = tfc.tune(data=data, trials=trials, seed=seed)
    assert study.best and study.best.test_accuracy
    return begun, study.best.test_accuracy


def main() -> None:
    """Compare under each seed, and print means with standard errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits", help="a name or a path, as for tfcourse train")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=30)
    told = parser.parse_args()
    _terminal.prepare()
    data = tfc.datasets.load(told.data)
    found = np.array(
        [accuracies(data, seed, told.trials) for seed in track(range(told.seeds), "seeds")]
    )
    for name, values in (
        ("defaults", found[:, 0]),
        ("tuned", found[:, 1]),
        ("gain", found[:, 1] - found[:, 0]),
    ):
        error = values.std(ddof=1) / len(values) ** 0.5
        print(f"{name:9} {values.mean():.4f} ± {error:.4f}")


if __name__ == "__main__":
    main()
