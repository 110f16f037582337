"""Which axis is which: the lecture's (C, m) is (m, C) in Keras."""

import numpy as np

from tfcourse import softmax
from tfcourse.lecture.ledger import Evidence, claim, judged, note, raised


@claim(
    "softmax.shapes",
    "z, a, y are (C, 1); for m examples Y and Ŷ are (C, m).",
    note("002", 152, "注意上图中的维度", "note the dimensions in the picture above"),
    note("004", 140, "k classes"),
    note("004", 144, "m points"),
)
def shapes(seed: int) -> Evidence:
    """A layer of C = 4 classes in the lecture's orientation, Z = WA + b with b (C, 1), on m = 7
    examples with 3 inputs; each column must be a probability vector, and equal to the row that the
    package computes in Keras's orientation.
    """
    random = np.random.default_rng(seed)
    W, b, A = random.normal(size=(4, 3)), random.normal(size=(4, 1)), random.normal(size=(3, 7))
    z, Z = W @ A[:, :1] + b, W @ A + b
    Y_hat = softmax.softmax(Z, axis=0)
    rows = softmax.softmax(softmax.from_lecture_orientation(Z, classes=4))
    same = float(np.abs(Y_hat.T - rows).max()) + float(np.abs(Y_hat.sum(axis=0) - 1).max())
    right = (z.shape, Y_hat.shape, rows.shape) == ((4, 1), (4, 7), (7, 4))
    return judged(
        right and same < 1e-14,
        f"C = 4, m = 7: z {z.shape}, Ŷ {Y_hat.shape}, in Keras {rows.shape}, the same numbers",
    )


@claim(
    "softmax.orientation",
    "The lecture's (C, m) is (m, C) in Keras; one taken for the other gives a wrong cost without "
    "an error when C = m.",
)
def orientation(seed: int) -> Evidence:
    """Hands Keras's cross-entropy logits of five classes and five examples, right and transposed,
    and then of seven classes. With integer labels C ≠ m must raise an error. One-hot labels turned
    the same way as the logits are tried as well: then there is no error whatever C and m are.
    """
    from tfcourse._tensorflow import keras

    random, m, C = np.random.default_rng(seed), 5, 7
    sparse = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    dense = keras.losses.CategoricalCrossentropy(from_logits=True)
    square, labels = random.normal(0, 3, (m, m)), random.integers(0, m, m)
    cost, turned = float(sparse(labels, square)), float(sparse(labels, square.T))
    wide, labels = random.normal(0, 3, (m, C)), random.integers(0, C, m)
    error = raised(lambda: sparse(labels, wide.T))
    y = softmax.one_hot(labels, C)
    one_hot, one_hot_turned = float(dense(y, wide)), float(dense(y.T, wide.T))
    return judged(
        abs(turned - cost) > 0.01 and bool(error),
        f"C = m: J = {turned:.3f} instead of {cost:.3f}, no error; C ≠ m: {error or 'no error'}, "
        f"but none with one-hot labels ({one_hot_turned:.3f} instead of {one_hot:.3f})",
        plain="Transposed by mistake, the cost is wrong; an error is raised only where the shapes "
        "cannot fit.",
    )
