"""Data to learn from: the packaged digits, MNIST, and whatever lies at a path.

Readers (`npz`, `idx`, `hdf5`, `images`) return arrays as they find them; `arrays` alone decides
whether they make a data set, scales and splits them; `files` alone words what goes wrong with a
file. Nothing here runs code from a file, and nothing is read outside the path that was given.

>>> tfc.datasets.load("digits")
Dataset('digits', input_shape=(8, 8), classes=10, train/validation/test=1077/360/360)
"""

from tfcourse.datasets.arrays import from_arrays
from tfcourse.datasets.dataset import Dataset, standardization
from tfcourse.datasets.images import read_images
from tfcourse.datasets.intake import Examples, take
from tfcourse.datasets.loading import Entry, Format, available, formats, load
from tfcourse.datasets.splits import stratified

__all__ = [
    "Dataset",
    "Entry",
    "Examples",
    "Format",
    "available",
    "formats",
    "from_arrays",
    "load",
    "read_images",
    "standardization",
    "stratified",
    "take",
]
