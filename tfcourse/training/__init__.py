"""Training: one way for any number of Keras models, compiled together or with `model.fit`."""

from tfcourse.training.data import Data
from tfcourse.training.engine import chunks, load, train
from tfcourse.training.trained import Epoch, Objective, Trained

__all__ = ["Data", "Epoch", "Objective", "Trained", "chunks", "load", "train"]
