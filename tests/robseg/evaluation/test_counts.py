"""Confusion counts equal their definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from robseg.evaluation.counts import count

CLASSES = 4
labels = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).choice(np.array([0, 1, 2, 3, 7, 255], np.uint8), (5, 9))
)
targets = labels.map(lambda a: np.where(a == 7, 255, a).astype(np.uint8))


@given(labels, targets)
def test_counts_equal_the_definition(prediction: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
    counts = count(prediction, target, CLASSES)
    kept = target != 255
    for c in range(CLASSES):
        assert counts.tp[c] == np.sum(kept & (target == c) & (prediction == c))
        assert counts.fp[c] == np.sum(kept & (target != c) & (prediction == c))
        assert counts.fn[c] == np.sum(kept & (target == c) & (prediction != c))
    assert all(field.dtype == np.int64 for field in counts)


@given(labels, targets)
def test_counts_of_parts_add_up(prediction: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
    whole = count(prediction, target, CLASSES)
    parts = [count(prediction[rows], target[rows], CLASSES) for rows in (slice(2), slice(2, None))]
    for field, a, b in zip(whole, *parts, strict=True):
        np.testing.assert_array_equal(field, a + b)


def test_images_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        count(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8), 2)
