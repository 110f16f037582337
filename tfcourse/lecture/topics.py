"""The lecture's topics, in its order: a module of this room each."""

from importlib import import_module
from types import ModuleType

from tfcourse import _checks

TOPICS: dict[str, tuple[str, ...]] = {
    "tuning": (
        "importance", "grid_and_random", "coarse_to_fine", "scales", "panda_and_caviar", "retest",
    ),
    "normalization": (
        "normalized_inputs", "batch_norm_formulas", "batch_norm_updates", "batch_norm_in_keras",
        "sigmoid_region", "before_or_after", "faster_training", "deep_networks", "covariate_shift",
        "hidden_shift", "mini_batch_noise", "regularization", "small_batches", "test_time",
    ),
    "classification": (
        "softmax_layer", "linear_boundaries", "cross_entropy", "softmax_gradient", "orientation",
    ),
    "frameworks": ("quadratic_descent", "computation_graph", "choosing_a_framework"),
}  # fmt: skip


def part_of(module: str) -> str:
    """Return the part of the lecture that a module belongs to, by its dotted name."""
    name = module.rpartition(".")[2]
    return next((part for part, names in TOPICS.items() if name in names), name)


def load(part: str | None = None) -> list[ModuleType]:
    """Import the topics of one part of the lecture, or all, and return them in order.

    Raises: ValueError for another part.
    """
    parts = TOPICS if part is None else [_checks.choice("part", part, TOPICS)]
    return [import_module(f"tfcourse.lecture.{name}") for one in parts for name in TOPICS[one]]
