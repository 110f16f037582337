"""Training with `model.fit`: one model, on the same mini-batches as the compiled engine."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

import numpy as np

from tfcourse._tensorflow import keras, tf
from tfcourse.training.batches import epoch_batches
from tfcourse.training.blueprint import own_code
from tfcourse.training.compiled import Chunk, Member, Run, one_at_a_time
from tfcourse.training.data import blocks, given
from tfcourse.training.models import settings
from tfcourse.training.objective import chosen
from tfcourse.training.program import GENERATOR
from tfcourse.training.seeds import seeded
from tfcourse.training.trained import Epoch, Trained, memory_of, remember


def fit(member: Member, chunk: Chunk, run: Run, notes: tuple[str, ...]) -> Trained | None:
    """Train a member of a chunk from its first weights, or from where it goes on.

    None is returned if `run.stop` is set before the end.
    """
    with ExitStack() as alone:
        alone.enter_context(one_at_a_time)
        model = member.make()
        if own_code(model) or model.run_eagerly:  # which may read, or draw from, what builds change
            alone.enter_context(seeded(member.seed, member.first))
        else:
            alone.close()
        return _fit(model, member, chunk, run, notes)


def _fit(
    model: keras.Model, member: Member, chunk: Chunk, run: Run, notes: tuple[str, ...]
) -> Trained | None:
    started, start, first, data = time.perf_counter(), member.start, member.first, run.data
    size = min(chunk.batch_size, data.examples)
    model.steps_per_execution = 1  # Keras would leave out steps that do not fill an execution
    if start:
        model.set_weights(list(start.final_weights))
        if start.memory:
            remember(model, start.memory)
    generators = [v for v in model.non_trainable_variables if v.name == GENERATOR]
    for number, variable in enumerate(generators):  # what goes on draws anew
        own = np.random.SeedSequence([member.seed, first, number])
        variable.assign(own.generate_state(2).astype(variable.dtype))
    record = _Record(member, run)
    numbers = range(first, first + chunk.epochs)
    order = [epoch_batches(member.seed, number, data.examples, size) for number in numbers]
    tensors = tf.nest.map_structure(tf.constant, given(data.training))
    dataset = tf.data.Dataset.from_tensor_slices(np.concatenate(order)).map(
        lambda rows: tf.nest.map_structure(lambda array: tf.gather(array, rows), tensors)
    )
    block = blocks(len(tf.nest.flatten(data.validation[0])[0]))[1] if data.has_validation else None
    model.fit(
        dataset,
        epochs=chunk.epochs,
        steps_per_epoch=data.examples // size,
        validation_data=given(data.validation) if data.has_validation else None,
        validation_batch_size=block,
        shuffle=False,
        callbacks=[record],
        verbose=0,
    )
    if run.stop.is_set():
        return None
    return Trained(
        member.trial,
        member.hyperparameters,
        member.seed,
        {name: np.array(values) for name, values in record.history.items()},
        record.best,
        record.weights,
        model.get_weights(),
        record.ended,
        first + record.lasted,
        time.perf_counter() - started,
        member.make,
        memory_of(model),
        notes=notes,
    )


class _Record(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps what each epoch came to and the best weights; ends training when it must."""

    def __init__(self, member: Member, run: Run) -> None:
        super().__init__()
        self.history: dict[str, list[float]] = {}
        self.best: int | None = None
        self.weights: list[Any] = []
        self.lasted, self.ended = 0, "complete"
        self._member, self._run = member, run

    def on_train_begin(self, logs: Any = None) -> None:
        self.weights = self.model.get_weights()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        member = self._member
        if not member.blueprint.compiled:  # otherwise the model's own optimizer decides
            rate = settings(member.hyperparameters).rate(member.first + epoch)
            self.model.optimizer.learning_rate = rate

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        figures = {name: float(value) for name, value in (logs or {}).items()}
        shown = {name: np.array([value]) for name, value in figures.items()}
        run, member = self._run, self._member
        run.tell(Epoch(member.first + epoch, (member.trial,), shown))
        if run.stop.is_set():
            self.model.stop_training = True
            return
        if not np.isfinite([figures["loss"], figures.get("val_loss", 0.0)]).all():
            self.ended, self.model.stop_training = "diverged", True
            return
        objective = chosen(run.objective, figures)
        self.lasted += 1
        for name, value in figures.items():
            self.history.setdefault(name, []).append(value)
        best = objective.best_epoch(self.history)
        if best == epoch:
            self.weights = self.model.get_weights()
        self.best = best
        waited = epoch - (-1 if best is None else best)
        if (
            run.patience is not None
            and waited >= run.patience
            and epoch + 1 < self.params["epochs"]
        ):
            self.ended, self.model.stop_training = "stopped", True
