"""Panda or caviar: one model, watched day by day, or many trained at the same time."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tfcourse._arrays import Floats
from tfcourse.datasets import Dataset
from tfcourse.lecture import ledger, population
from tfcourse.lecture.gallery import figure
from tfcourse.lecture.ledger import HOLDS, Erratum, Evidence, claim, errata, note, weighed, worst
from tfcourse.lecture.scales import ALPHA, BETA
from tfcourse.lecture.searching import FIXED as SMALL
from tfcourse.lecture.statistics import difference, holm, mean
from tfcourse.lecture.style import BOOK, Figure, Style
from tfcourse.tuning import panda as one_model
from tfcourse.tuning import search
from tfcourse.tuning.scales import Linear
from tfcourse.tuning.space import Chosen, Space

if TYPE_CHECKING:
    from tfcourse.training import Trained

SPACE = Space(learning_rate=ALPHA, momentum=BETA, decay=Linear(0, 1))
FIXED = {**SMALL, "optimizer": "momentum"}
DEFAULT = {"learning_rate": 0.01, "momentum": 0.9, "decay": 0.0}  # Keras's α, lecture's β
PLAN: Sequence[dict[str, Any]] = (
    {"optimizer": "momentum", "learning_rate": 1e-3, "epochs": 4},
    {"learning_rate": 3e-3},
    {"momentum": 0.95},
    {"learning_rate": 3e-2},
    {"learning_rate": 0.3},
    {"batch_size": 32},
)


@cache
def diary(seed: int = 0, size: int = 6) -> list[tuple[dict[str, Any], bool, Floats]]:
    """Babysit one model for `size` days of the `PLAN`: each day's change, whether it was kept as
    the loss is lower than the evening before, and the validation loss after each epoch.
    """
    days: list[tuple[dict[str, Any], bool, Floats]] = []
    evening = np.inf
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, change in enumerate(PLAN[:size]):
            day = one_model.day(folder, change, seed=None if number else seed)
            loss = np.array(day.history["validation_loss"])
            kept = not day.diverged and bool(loss[-1] < evening)
            days.append((change, kept, loss))
            if kept:
                evening = loss[-1]
            else:
                one_model.revert(folder)
    return days


class Babies(NamedTuple):
    """Models that were babysat, the same left alone, and with every change kept, (models,) each."""

    first: Floats  # validation loss after the first day
    rule: Floats  # test accuracy at the end; so the next two
    alone: Floats
    all_kept: Floats
    kept: float  # share of the days whose change was kept
    restored: float  # largest difference between a weight after a day was undone and before it
    trainings: int  # each model three times, but for the first day


@cache
def babies(seed: int = 0, size: int = 256) -> Babies:
    """Train `size` models of the teacher's task for eight days of two epochs, three times.

    Every model begins with random hyperparameters. By the rule, each day but the first changes one
    of them, and is undone if the validation loss is not lower in the evening. The same changes are
    all kept in the second run; the third makes none.
    """
    rng, data = np.random.default_rng(seed), population.teacher(seed).data
    mine = [{**FIXED, **(one or {})} for one in search.random(SPACE, size, rng)]
    seeds = [*map(int, rng.integers(2**31, size=size))]
    names, ups = rng.choice([*SPACE], (8, size)), rng.choice([-1, 1], (8, size))
    day = partial(population.resume, seeds=seeds, data=data, epochs=2)
    alone = all_kept = rule = first = day([], mine)
    changed, settings, kept, restored = mine, mine, [], 0.0
    for name, up in zip(names[1:], ups[1:], strict=True):
        alone = day(alone, mine)
        changed = [*map(_changed, changed, name, up)]
        all_kept = day(all_kept, changed)
        tried = [*map(_changed, settings, name, up)]
        today = day(rule, tried)
        better = [*(_loss(today) < _loss(rule))]
        kept.append(np.mean(better))
        evening, rule = rule, _undo(today, rule, better)
        settings = _undo(tried, settings, better)
        for one, before, stays in zip(rule, evening, better, strict=True):
            if not stays:
                pairs = zip(one.final_weights, before.final_weights, strict=True)
                restored = max(restored, *(float(np.abs(a - b).max()) for a, b in pairs))
    tests = [_accuracy([m.final_weights for m in way], data) for way in (rule, alone, all_kept)]
    shares = float(np.mean(kept)), restored
    return Babies(_loss(first), tests[0], tests[1], tests[2], *shares, 3 * size)


def _accuracy(models: Sequence[Sequence[Floats]], data: Dataset) -> Floats:
    """Of models with these weights, on test examples, (models,)."""
    z = (population.logits(weights, data.x_test) for weights in models)
    return np.array([population.measured(one, data.y_test)[0] for one in z])


def _loss(models: Sequence[Trained]) -> Floats:
    """Validation loss after the day's two epochs; infinite for what diverged, (models,)."""
    found = [np.asarray(one.history.get("val_loss", ())) for one in models]
    return np.array([one[-1] if len(one) == 2 else np.inf for one in found])


def _undo(today: list[Any], yesterday: list[Any], better: Sequence[bool]) -> list[Any]:
    """What is better today, and of the others what was yesterday."""
    both = zip(better, today, yesterday, strict=True)
    return [new if keep else old for keep, new, old in both]


def _changed(settings: Chosen, name: str, up: int) -> Chosen:
    """Settings with one of them multiplied or divided by 3; momentum by its distance from 1."""
    value, factor = settings[name], 3.0 ** int(up)
    new = 1 - (1 - value) * factor if name == "momentum" else value * factor
    return {**settings, name: max(new, 0.0)}


@cache
def curves(seed: int = 0, models: int = 40, epochs: int = 12) -> Floats:
    """Validation loss of models with random hyperparameters after each epoch, (models, epochs)."""
    trials = [{**FIXED, **(trial or {})} for trial in search.random(SPACE, models, seed)]
    data = population.teacher(seed).data
    outcomes = population.train(trials, epochs=epochs, seed=seed, dataset=data)
    return np.nan_to_num(outcomes.history["validation_loss"], nan=np.inf)


class Caviar(NamedTuple):
    """The best of many models, many times over: test accuracies, (searches,)."""

    default: Floats  # of the default settings, mean of three trainings anew
    best: Floats  # likewise of those that did best in validation
    at_panda_price: Floats  # of the best of 4 models after 4 epochs: as many as one panda's
    trainings: int


@cache
def best_of_many(seed: int = 0, searches: int = 40, models: int = 25) -> Caviar:
    """Train `models` with random hyperparameters, `searches` times, and the winners again."""
    data = population.teacher(seed).data
    rngs = [np.random.default_rng([seed, number]) for number in range(searches)]
    drawn: Any = [[*search.random(SPACE, models, rng)] for rng in rngs]
    trials = [{**FIXED, **trial} for one in drawn for trial in one]
    tried = population.train(trials, epochs=4, seed=seed, dataset=data, keep=True)
    loss = np.nan_to_num(tried.history["validation_loss"][:, -1], nan=np.inf)
    loss = loss.reshape(searches, models)
    winners = [one[i] for one, i in zip(drawn, loss.argmin(axis=1), strict=True)]
    anew = [{**FIXED, **one} for w in winners for one in (DEFAULT, w) for _ in range(3)]
    again = population.train(anew, epochs=4, seed=seed + 1000, dataset=data, test=True)
    default, best = again.test_accuracy.reshape(searches, 2, 3).mean(axis=2).T
    best_of_four = models * np.arange(searches) + loss[:, :4].argmin(axis=1)
    short = _accuracy([tried.weights[i] for i in best_of_four], data)
    return Caviar(default, best, short, tried.trainings + again.trainings)


@figure(
    zh="""熊猫方式：一个模型，天天照看。让曲线变差的改动要退回去。

    一次训练六天里的验证损失，纵轴是对数刻度；每天上方写着当天改动的学习率、动量或 mini-batch 大小。
    损失一天天下降，只有第五天过大的学习率使它升高，画成另一种颜色；
    箭头指回去：第六天从第四天结束的地方继续。""",
    trains=True,
)
def panda(days: int = 6, *, seed: int = 0, style: Style = BOOK) -> Figure:
    """Panda: one model, watched day by day. A change that makes its curve worse is undone.

    Validation loss on a logarithmic scale over the epochs of one training, in six days; above
    each stands what it changes, learning rate, momentum or mini-batch size. The loss falls from day
    to day, but on the fifth too large a learning rate throws it up, in another colour. An arrow
    leads down: the sixth day goes on from where the fourth ended.
    """
    found, say, s, c = diary(seed, days), style.say, style.scale, style.colors
    page = style.page(3.0)
    axes: Any = page.subplots()
    letters = {"learning_rate": "$\\alpha$\n{:g}", "momentum": "$\\beta$\n{:g}"}
    letters["batch_size"] = say("batch\n{:g}", "批\n{:g}")
    above = {"ha": "center", "va": "bottom", "transform": axes.get_xaxis_transform()}
    evening, stands = found[0][2][0], 0
    for day, (change, kept, loss) in enumerate(found):
        color = c.recommended if kept else c.failure
        x, y = day + np.arange(1, len(loss) + 1) / len(loss), loss
        if day:
            x, y = np.append(day, x), np.append(evening, y)
            axes.axvline(day, color=c.faint, lw=0.6 * s, zorder=0)
        axes.plot(x, y, color=color, marker="o", ms=3.5 * s, clip_on=False)
        [words] = (letters[name].format(change[name]) for name in letters if name in change)
        axes.text(day + 0.5, 1.02, words, color=color, **above)
        if kept:
            evening, stands = loss[-1], day + 1
        else:
            arrow = {"arrowstyle": "-|>", "color": color, "lw": 1.4 * s}
            axes.annotate("", (day + 1, evening), (day + 1, loss[-1]), arrowprops=arrow)
            words = say(f"back to\nday {stands}", f"退回\n第 {stands} 天")
            axes.text(day + 1.08, loss[-1], words, color=color, va="bottom")
    axes.set(yscale="log", xlim=(0, days))
    axes.set(xlabel=say("day", "天"), ylabel=say("validation loss", "验证损失"))
    axes.set_xticks(np.arange(days) + 0.5, range(1, days + 1))
    axes.set_yticks([0.1, 0.2, 0.5, 1, 2], ["0.1", "0.2", "0.5", "1", "2"])
    axes.minorticks_off()
    axes.tick_params(axis="x", length=0)
    return page


@figure(
    zh="""鱼子酱方式：40 个模型，超参数随机，同时训练；留下曲线最好的一个。

    十二个 epoch 的验证损失，纵轴是对数刻度，每个模型一条细线：许多很快下降，有的很慢，
    有的几乎不动。降得最低的一条画得粗，最低点上写着它的损失。""",
    trains=True,
)
def caviar(models: int = 40, *, seed: int = 0, style: Style = BOOK) -> Figure:
    """Caviar: 40 models with hyperparameters drawn at random, trained at the same time; the one
    whose curve is best is kept.

    Validation loss on a logarithmic scale over twelve epochs, a thin line for each model: many fall
    at once, some slowly, some hardly at all. The one that gets lowest is drawn thick, its lowest
    point marked with its loss.
    """
    found, say, s, c = curves(seed, models), style.say, style.scale, style.colors
    page = style.page(3.0)
    axes: Any = page.subplots()
    lowest = int(found.min(axis=1).argmin())
    epochs, best = np.arange(1, found.shape[1] + 1), found[lowest]
    for curve in np.delete(found, lowest, axis=0):
        axes.plot(epochs, np.minimum(curve, 5), color=c.faint, lw=0.9 * s)
    at, color = int(best.argmin()), c.recommended
    axes.plot(epochs, best, color=color, lw=2.4 * s)
    axes.plot(epochs[at], best[at], "o", color=color, ms=7 * s)
    how: dict[str, Any] = {"textcoords": "offset fontsize", "ha": "center", "va": "top"}
    words = say(f"kept: {best[at]:.3f}", f"留下：{best[at]:.3f}")
    axes.annotate(words, (epochs[at], best[at]), (0, -0.6), color=color, **how)
    axes.set(yscale="log", xlim=(1, epochs[-1] + 0.6), ylim=(best[at] / 1.9, 5))
    axes.set(xlabel=say("epoch", "轮次"), ylabel=say("validation loss", "验证损失"))
    en, zh = "models: the best reaches", "个模型：最好的到"
    axes.set_title(f"{models} {say(en, zh)} {best[at]:.2f}")
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5) if tick > best[at] / 1.3]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xticks(epochs[1::2])
    return page


POINT = 0.01
WHY = "One percentage point of test accuracy: what a course's exercise would call a difference."


@claim(
    "tuning.panda",
    "Without the compute: one model, watched day by day. Change one hyperparameter, keep it if the "
    "curve improves, go back to yesterday's model if it does not.",
    note("000", 109, "GPU"),
    note("001", 160, "你可能又回归之前的模型", "you may go back to the model before"),
    note("003", 1231, "babysit the model as it's training"),
    trains=True,
    matters=WHY,
    conditions="The rule pays beside changes that are all kept, and for a model that began badly. "
    "One that began well would have got as far alone: a day that is undone is a day without "
    "training.",
)
def watched(seed: int) -> Evidence:
    """Trains 256 models of a random network's classes, with batch norm and random α, β and decay,
    for eight days of two epochs. Each day one of the three, drawn at random, is multiplied or
    divided by three; by the rule a day after which the validation loss is not lower is undone,
    which must restore the weights exactly. The same models go through the same changes with all of
    them kept, and are left alone. Test accuracy is compared; with the models left alone, apart for
    the half that had the higher loss after the first day. Near its border: with seed 2, those gain
    over models left alone, but not for certain.
    """
    found = babies(seed)
    badly = found.first > np.median(found.first)
    over = found.rule - found.alone
    gain = holm(
        {
            "keeping all": partial(mean, found.rule - found.all_kept),
            "alone, began badly": partial(mean, over[badly]),
            "alone, began well": partial(mean, over[~badly]),
        }
    )
    seen = {name: weighed(one, POINT) for name, one in gain.items()}
    exact = found.restored == 0
    pays = worst(seen["keeping all"], seen["alone, began badly"])
    always = HOLDS if seen["alone, began well"] == HOLDS else ledger.CONDITIONS
    return Evidence(
        worst(pays, always) if exact else ledger.REFUTED,
        "gain over "
        + "; ".join(f"{name} {one.show('.1f', '%')}" for name, one in gain.items())
        + f"; {found.kept:.0%} of the changes kept, the others undone "
        + ("exactly" if exact else f"but for {found.restored:.1g}"),
        "Undoing what did not help gained {:.0f} points over keeping every change. Beside "
        "models left alone, those that began badly gained {:.0f}, the others {:.0f}.".format(
            *(100 * one.value for one in gain.values())
        ).replace("-", "−"),
        gain["keeping all"],
        (found,),
    )


@claim(
    "tuning.caviar",
    "With the compute, train many models in parallel, and take the one whose curve is best.",
    note("000", 117, "即并行训练多个模型", "train several models in parallel"),
    note("001", 197, "那绝对采用鱼子酱方式", "then by all means the caviar way"),
    note("002", 58, "可以多次训练模型", "one can train many times"),
    note("003", 1237, "being trained at the same time in parallel, pick the best one"),
    trains=True,
    matters=WHY,
)
def many(seed: int) -> Evidence:
    """Trains 25 models of the same classes with random α, β and decay for four epochs, 40 times.
    The settings of the best in validation are set against the default ones (α 0.01, β 0.9, no
    decay): both are trained three times again and judged on test examples.
    """
    found = best_of_many(seed)
    gain = mean(found.best - found.default)
    default, best = found.default.mean(), found.best.mean()
    measured = (
        f"the best of 25 reaches {best:.1%}, the default settings {default:.1%}: gain "
        f"{gain.show('.1f', '%')}"
    )
    plain = f"The best of 25 models reached {best:.0%}, the default settings {default:.0%}."
    return Evidence(weighed(gain, POINT), measured, plain, gain, (found,))


@claim(
    "tuning.panda-or-caviar",
    "The compute decides which: with enough to train many models, caviar by all means; at equal "
    "compute, too, many finds the better model.",
    note("001", 197, "如果你拥有足够的计算机去平行试验许多模型", "if you have enough computers"),
    note("002", 56, "数据量较大同时计算机算力不足", "much data and little compute"),
    trains=True,
    matters=WHY,
)
def panda_or_caviar(seed: int) -> Evidence:
    """Takes the models of tuning.panda, each babysat for 16 epochs from random settings, and the
    first four of each 25 of tuning.caviar, trained for four epochs each, the best in validation
    kept as it stands. Both have cost 16 epochs; test accuracies are compared.
    """
    babysat, found = babies(seed), best_of_many(seed)
    gain = difference(found.at_panda_price, babysat.rule)
    four, one = found.at_panda_price.mean(), babysat.rule.mean()
    measured = f"best of four {four:.1%}, one babysat {one:.1%}: gain {gain.show('.1f', '%')}"
    plain = f"For 16 epochs the best of four reached {four:.0%}, one babysat {one:.0%}."
    return Evidence(weighed(gain, POINT), measured, plain, gain, (babysat, found))


errata(
    __name__,
    Erratum(
        "tuning.erratum.parameters-at-random",
        note("000", 111, "例如第一天令所有超参数随机初始化"),
        "the first day begins with random parameters (weights), not hyperparameters.",
        "One letter more in Chinese: 超参数 for 参数; 001:155 has it right.",
    ),
    Erratum(
        "tuning.erratum.models-so-big",
        note("001", 198, "你需要试验大量的模型"),
        "the models are so big that training many at once is difficult.",
        "“Models so big” was rendered as many models, which turns the reason round.",
        whose="translation",
    ),
)
