"""What a study teaches: which hyperparameters matter, and what to do next.

Importance is measured on the trials that there are, without training anything more: the share of
the spread of their ranks that the value of one hyperparameter alone explains, the variance of the
conditional mean; in total, with what it does together with others besides. (Saltelli et al.,
Sensitivity Analysis in Practice, 2004, chapter 5.)
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tfcourse._checks import InputError
from tfcourse.tuning.scales import Choice, Scale
from tfcourse.tuning.trial import Trial, Trials

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

FEWEST = 20  # trials, to say anything
BINS = 8  # of a scale, at most; each with about five trials at least
REPEATS = 200  # bootstrap samples, and permutations
EDGE = 0.1  # of a scale, at either end


@dataclass(frozen=True)
class Importance:
    """Share of the spread of the trials' ranks that a hyperparameter explains, from 0 to 1.

    first: alone. total: alone and together with each other one. low, high, total_low, total_high:
    their 90% intervals, by bootstrap. chance: what a hyperparameter that does not matter reaches
    alone in one of twenty studies like this one. trials: how many had a value of it.
    """

    name: str
    first: float
    low: float
    high: float
    total: float
    total_low: float
    total_high: float
    chance: float
    trials: int

    @property
    def matters(self) -> bool:
        """Whether chance alone would hardly explain as much."""
        return self.first > self.chance


def importance(study: Trials) -> list[Importance]:
    """Return the importance of each hyperparameter that was drawn, the largest first.

    Trials that were pruned or diverged count, as the worse ones. A hyperparameter under a condition
    is judged among the trials that had it.
    Raises: ValueError with fewer than 20 trials.
    """
    trials = [trial for trial in study.trials if trial.state != "failed"]
    if len(trials) < FEWEST:
        raise InputError(
            f"importance must be measured on at least {FEWEST} trials, got {len(trials)}"
        )
    interactions = _interactions(study, trials)
    found = []
    for name, scale in study.space.items():
        having = [trial for trial in trials if name in trial.hyperparameters]
        bins = _bins(scale, [trial.hyperparameters[name] for trial in having])
        if len(having) < FEWEST or len(np.unique(bins)) < 2:
            continue
        ranks = _ranks(study, having)
        rng = np.random.default_rng(0)
        sampled = [rng.integers(len(ranks), size=len(ranks)) for _ in range(REPEATS)]
        boots = [_first_order(bins[index], ranks[index]) for index in sampled]
        chance = [_first_order(bins, rng.permutation(ranks)) for _ in range(REPEATS)]
        low, high = np.quantile(boots, (0.05, 0.95))
        first = _first_order(bins, ranks)
        more = interactions.get(name, np.zeros(1 + REPEATS))
        totals = np.clip(np.array([first, *boots]) + more, [first, *boots], 1)
        total_low, total_high = np.quantile(totals[1:], (0.05, 0.95))
        bounds = float(low), float(high), float(totals[0]), float(total_low), float(total_high)
        least = float(np.quantile(chance, 0.95))
        found.append(Importance(name, first, *bounds, least, len(having)))
    return sorted(found, key=lambda one: -one.first)


def _interactions(study: Trials, trials: Sequence[Trial]) -> dict[str, Floats]:
    """What each hyperparameter explains with each other one beyond both alone; then by bootstrap.

    Measured on cells of both scales, and summed over the others: what three do together is not
    seen. Hyperparameters that some trials lack are left out.
    """
    whole = [n for n in study.space if all(n in t.hyperparameters for t in trials)]
    ranks, rng = _ranks(study, trials), np.random.default_rng(0)
    every = np.arange(len(trials))
    samples = [every, *(rng.integers(len(trials), size=len(trials)) for _ in range(REPEATS))]
    most = int(np.clip((len(trials) / 5) ** 0.5, 2, 4))
    bins = {n: _bins(study.space[n], [t.hyperparameters[n] for t in trials], most) for n in whole}
    alone = {
        n: np.array([_explained(bins[n][index], ranks[index]) for index in samples]) for n in whole
    }
    found = {name: np.zeros(len(samples)) for name in whole}
    for a, b in itertools.combinations(whole, 2):
        cells = bins[a] * (bins[b].max() + 1) + bins[b]
        both = np.array([_explained(cells[index], ranks[index]) for index in samples])
        for name in (a, b):
            found[name] += both - alone[a] - alone[b]
    return found


def _ranks(study: Trials, trials: Sequence[Trial]) -> Floats:
    """Rank of each trial, 0 the best to 1; equal scores share theirs, so that ties tell nothing."""
    keys = [study.rank(replace(trial, again=()))[:3] for trial in trials]
    order = sorted(set(keys))
    first = {key: sum(other < key for other in keys) for key in order}
    last = {key: len(keys) - 1 - sum(other > key for other in keys) for key in order}
    return np.array([(first[key] + last[key]) / 2 / max(1, len(keys) - 1) for key in keys])


def _bins(scale: Scale, values: Sequence[object], most: int = BINS) -> npt.NDArray[np.int64]:
    """Which part of its scale each value lies in: options apart, numbers by equal counts."""
    units = np.array([scale.to_unit(value) for value in values])  # type: ignore[arg-type]
    if isinstance(scale, Choice) or len(np.unique(units)) <= most:
        return np.unique(units, return_inverse=True)[1].astype(np.int64)
    count = int(np.clip(len(units) // 5, 2, most))
    edges = np.quantile(units, np.linspace(0, 1, count + 1)[1:-1])
    return np.searchsorted(edges, units, side="right").astype(np.int64)


def _first_order(bins: npt.NDArray[np.int64], ranks: Floats) -> float:
    return float(np.clip(_explained(bins, ranks), 0, 1))


def _explained(bins: npt.NDArray[np.int64], ranks: Floats) -> float:
    """Variance of the mean rank over bins, as a share; corrected for chance (adjusted R²)."""
    total = float(ranks.var())
    counts = np.bincount(bins)
    groups = int((counts > 0).sum())
    if total == 0 or groups < 2 or len(ranks) <= groups:
        return 0.0
    means = np.bincount(bins, ranks) / np.maximum(counts, 1)
    within = float(np.square(ranks - means[bins]).mean())
    unexplained = (within / total) * (len(ranks) - 1) / (len(ranks) - groups)
    return 1 - unexplained


def draw(figure: Figure, study: Trials) -> None:
    """Draw each hyperparameter's importance alone, and with the others, with their intervals.

    What chance reaches is a grey bar.
    """
    found = importance(study)[::-1]
    on = figure.subplots()
    places = range(len(found))
    on.barh(places, [one.chance for one in found], color="0.9", label="by chance")
    on.hlines(places, [one.low for one in found], [one.high for one in found], color="C0")
    on.plot([one.first for one in found], places, "o", color="C0", label="alone")
    above = [place + 0.25 for place in places]
    lows, highs = [one.total_low for one in found], [one.total_high for one in found]
    on.hlines(above, lows, highs, color="C1")
    on.plot([one.total for one in found], above, "s", color="C1", label="with the others")
    on.legend(loc="lower right")
    on.set_yticks(places, [one.name.replace("_", " ") for one in found])
    on.set(xlim=(0, 1), xlabel="share of the spread of ranks explained")


def advice(study: Trials) -> list[str]:
    """Return what to do next, a sentence each; nothing where nothing is clear.

    The best trials lie at an edge of a range; a range could be halved; the best trials cannot be
    told apart; a hyperparameter does not matter.
    """
    complete = [trial for trial in study.ranking if trial.state == "complete" and trial.scores]
    if len(complete) < FEWEST:
        return []
    told = _tied(study, complete)
    measured = importance(study)
    for one in measured:
        scale = study.space[one.name]
        if one.matters and not isinstance(scale, Choice):
            told += _ranges(one.name, scale, complete)
    idle = [
        one.name for one in measured if one.high < 0.1 and not one.matters and one.total_high < 0.3
    ]
    if idle and len(idle) < len(measured):
        told.append(f"{', '.join(idle)}: no sign that it matters here; fix it and save the draws")
    return told


def _ranges(name: str, scale: Any, complete: Sequence[Trial]) -> list[str]:
    """Where the best tenth of the trials, at least five, lie on a scale that matters."""
    best = complete[: max(5, len(complete) // 10)]
    values = [trial.hyperparameters[name] for trial in best if name in trial.hyperparameters]
    if len(values) < 5:
        return []
    units = np.array([scale.to_unit(value) for value in values])
    if np.median(units) > 1 - EDGE:
        return [f"{name}: the best trials lie at its upper end, {scale.show(scale.high)}; widen it"]
    if np.median(units) < EDGE:
        return [f"{name}: the best trials lie at its lower end, {scale.show(scale.low)}; widen it"]
    finer = scale.around(values)
    width = scale.to_unit(finer.high) - scale.to_unit(finer.low)
    if width <= 0.5:
        low, high = scale.show(finer.low), scale.show(finer.high)
        return [f"{name}: the best trials lie between {low} and {high}; search there"]
    return []


def _tied(study: Trials, complete: Sequence[Trial]) -> list[str]:
    """Say how many trials so many validation examples cannot tell from the best."""
    best = complete[0].score
    assert best is not None
    examples = study.about.get("validation_examples")
    name = study.objective.name
    if not examples or not name.endswith("accuracy"):
        tied = sum(trial.score == best for trial in complete)
    else:
        deviation = (max(best * (1 - best), 1 / examples) / examples) ** 0.5
        tied = sum(abs((trial.score or 0.0) - best) <= 2 * deviation for trial in complete)
    if tied < 3:
        return []
    return [
        f"the {tied} best trials cannot be told apart;"
        " train the finalists under more seeds, or stop"
    ]
