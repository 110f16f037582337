"""Saving a classifier as a `.keras` file, and loading one without trusting it.

The file is Keras's own and opens with `keras.saving.load_model`. One more member of the archive, a
card in JSON, says what the model was trained on; Keras takes no notice of it.
"""

from __future__ import annotations

import dataclasses
import json
import math
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tfcourse._checks import InputError
from tfcourse._files import whole_file
from tfcourse._tensorflow import keras
from tfcourse.datasets import Dataset
from tfcourse.datasets.loading import absolute
from tfcourse.hyperparameters import Hyperparameters

CARD = "tfcourse.json"
MOST_BYTES = 2**29  # of a model, unpacked


@dataclass(frozen=True)
class Card:
    """What a saved classifier was trained on, and how.

    data: the data set's name, or its absolute path. fingerprint: of the data set's content.
    """

    data: str
    fingerprint: str
    class_names: tuple[str, ...]
    hyperparameters: dict[str, Any]
    seed: int

    @classmethod
    def of(cls, dataset: Dataset, data: str, hyperparameters: Hyperparameters, seed: int) -> Self:
        """Return the card of a training on `data`, which loaded as `dataset`."""
        return cls(
            absolute(data),
            dataset.fingerprint,
            dataset.class_names,
            dataclasses.asdict(hyperparameters),
            seed,
        )


def save(model: Any, path: Path, card: Card) -> None:
    """Write `model` and its card to `path`, a `.keras` file: wholly, or not at all."""
    with whole_file(path) as temporary:
        model.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(CARD, json.dumps(dataclasses.asdict(card), ensure_ascii=False))


def load(path: Path) -> tuple[Any, Card | None]:
    """Return the Keras classifier in `path`, and its card if it has one; see `load_any`.

    Raises: FileNotFoundError, or ValueError for a file that is no Keras model of one input and one
    output, or cannot be loaded safely.
    """
    model, card = load_any(path)
    if not isinstance(getattr(model, "input_shape", None), tuple):
        raise InputError(f"{path} must take one input and give class probabilities")
    classes = model.output_shape[-1] if isinstance(model.output_shape, tuple) else 0
    if card and 0 < len(card.class_names) < (classes or 0):
        raise InputError(
            f"{path} names {len(card.class_names)} classes, but its model knows {classes}"
        )
    return model, card


def load_any(path: Path, *, compile: bool = False) -> tuple[Any, Card | None]:
    """Return the Keras model in `path`, whatever it takes and gives, and its card if it has one.

    Nothing of the file is run: a model with Lambda layers or custom objects is refused, and so is
    one of more than 512 MiB. compile: with the loss, the metrics and the optimizer it was saved
    with.

    Raises: FileNotFoundError, or ValueError for a file that is no Keras model or cannot be loaded
    safely.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no model {path}")
    if not path.is_file() or not zipfile.is_zipfile(path):
        raise InputError(f"{path} is no Keras model: a .keras archive is expected")
    try:
        with zipfile.ZipFile(path) as archive:
            _require_affordable(sum(member.file_size for member in archive.infolist()))
            config = json.loads(archive.read("config.json"))
            text = archive.read(CARD) if CARD in archive.namelist() else None
        card = Card(**json.loads(text)) if text else None
        _require_known_code(config)
        bare = {**config, "compile_config": None}
        with keras.StatelessScope(initialize_variables=False):  # shapes alone, no memory yet
            claimed = keras.saving.deserialize_keras_object(bare, safe_mode=True)
        _require_affordable(4 * sum(math.prod(v.shape) for v in claimed.variables))
        with warnings.catch_warnings():  # a model of its best epoch has no optimizer's memory
            warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
            model = keras.saving.load_model(path, compile=compile, safe_mode=True)
    except Exception as error:  # whatever a damaged or hostile archive provokes
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(f"{path} cannot be loaded as a Keras model: {reason[0]}") from error
    return model, card


def _require_affordable(size: int) -> None:
    if size > MOST_BYTES:
        raise InputError(f"it claims {size:,} bytes, more than the {MOST_BYTES:,} accepted")


def _require_known_code(config: Any) -> None:
    """Refuse a model that names code other than Keras's own layers."""
    if isinstance(config, dict):
        module, name = str(config.get("module") or "keras"), config.get("class_name")
        if name == "Lambda":
            raise InputError("it has a Lambda layer, and code from a file is never run")
        if module.split(".")[0] not in {"keras", "builtins"}:
            raise InputError(f"it needs {module}.{name}, and only Keras's own layers are loaded")
    for value in config.values() if isinstance(config, dict) else config:
        if isinstance(value, dict | list):
            _require_known_code(value)
