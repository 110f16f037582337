import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.training.batches import epoch_batches


@given(
    seed=st.integers(0, 2**31),
    epoch=st.integers(0, 1000),
    examples=st.integers(1, 200),
    batch_size=st.integers(1, 300),
)
def test_full_mini_batches_of_distinct_examples(seed, epoch, examples, batch_size):
    batches = epoch_batches(seed, epoch, examples, batch_size)
    size = min(batch_size, examples)
    assert batches.shape == (examples // size, size)
    assert batches.dtype == np.int32
    assert len(np.unique(batches)) == batches.size
    assert batches.min() >= 0
    assert batches.max() < examples
    np.testing.assert_array_equal(batches, epoch_batches(seed, epoch, examples, batch_size))


def test_each_seed_and_each_epoch_has_an_order_of_its_own():
    orders = {epoch_batches(s, e, 100, 10).tobytes() for s in range(4) for e in range(4)}
    assert len(orders) == 16


def test_no_example_sits_out_every_epoch():
    seen = np.unique([epoch_batches(0, epoch, 100, 64) for epoch in range(20)])
    assert len(seen) == 100


@pytest.mark.parametrize(
    "bad", [(-1, 0, 10, 2), (0, -1, 10, 2), (0, 0, 0, 2), (0, 0, 10, 0)], ids=str
)
def test_bad_sizes_are_named(bad):
    with pytest.raises(ValueError, match="must be at least"):
        epoch_batches(*bad)
