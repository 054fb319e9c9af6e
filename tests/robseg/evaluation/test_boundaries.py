"""Counts near boundaries equal their definitions, pixel by pixel, and leave ignored pixels alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from robseg.errors import InputError
from robseg.evaluation.boundaries import check_widths, count_boundaries, edges_of, near_boundary

CLASSES = 4
IGNORED, NO_CLASS = 255, 9  # 9: a model's channel that the data set does not know
Labels = NDArray[np.uint8]


def blocks(seed: int, values: list[int]) -> Labels:
    """Random labels in blocks of random shape, with some noise, at odd sizes."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 30, 2)
    side = int(rng.integers(1, 20))
    coarse = rng.choice(np.array(values, np.uint8), (height // side + 1, width // side + 1))
    labels = coarse.repeat(side, 0).repeat(side, 1)[:height, :width]
    return np.where(rng.random(labels.shape) < rng.choice([0, 0, 0.05]), rng.choice(values), labels).astype(
        np.uint8
    )


seeds = st.integers(0, 2**32 - 1)
widths = st.one_of(st.integers(1, 4), st.integers(1, 40))


def pair(seed: int) -> tuple[Labels, Labels]:
    """A prediction and a target of one size."""
    target = blocks(seed, [0, 1, 2, 3, IGNORED])
    guess = np.resize(blocks(seed + 1, [0, 1, 2, 3, NO_CLASS, IGNORED]), target.shape)
    keep = np.random.default_rng(seed).random(target.shape) < 0.95
    return np.where(keep, target, guess).astype(np.uint8), target


def near_by_definition(target: Labels, width: int) -> NDArray[np.bool_]:
    """Look at every pixel of the square around every pixel."""
    height, columns = target.shape
    near = np.zeros(target.shape, bool)
    for y in range(height):
        for x in range(columns):
            around = target[max(0, y - width) : y + width + 1, max(0, x - width) : x + width + 1]
            near[y, x] = target[y, x] != IGNORED and ((around != target[y, x]) & (around != IGNORED)).any()
    return near


def band_by_definition(labels: Labels, target: Labels, c: int, width: int) -> NDArray[np.bool_]:
    """Erode a class's mask as the authors of boundary IoU do; ignored pixels belong to every mask."""
    ignored = target == IGNORED
    mask = np.pad((labels == c) | ignored, 1)
    eroded = ndimage.binary_erosion(mask, np.ones((3, 3)), iterations=width, border_value=0)
    return (labels == c) & ~eroded[1:-1, 1:-1] & ~ignored


@given(seeds, widths)
def test_trimap_counts_equal_the_definition(seed: int, width: int) -> None:
    prediction, target = pair(seed)
    counts = count_boundaries(prediction, edges_of(target, [width]), CLASSES)[f"trimap-{width}"]
    near = near_by_definition(target, width)
    for c in range(CLASSES):
        assert counts.tp[c] == np.sum(near & (target == c) & (prediction == c))
        assert counts.fp[c] == np.sum(near & (target != c) & (prediction == c))
        assert counts.fn[c] == np.sum(near & (target == c) & (prediction != c))
    assert all(field.dtype == np.int64 for field in counts)


@given(seeds, widths)
def test_boundary_counts_equal_the_definition(seed: int, width: int) -> None:
    prediction, target = pair(seed)
    counts = count_boundaries(prediction, edges_of(target, [width]), CLASSES)[f"boundary-{width}"]
    for c in range(CLASSES):
        mine = band_by_definition(prediction, target, c, width)
        true = band_by_definition(target, target, c, width)
        assert counts.tp[c] == np.sum(mine & true)
        assert counts.fp[c] == np.sum(mine & ~true)
        assert counts.fn[c] == np.sum(true & ~mine)
    assert all(field.dtype == np.int64 for field in counts)


@given(seeds)
def test_a_perfect_prediction_has_no_errors_whatever_it_says_of_ignored_pixels(seed: int) -> None:
    noise, target = pair(seed)
    perfect = np.where(target == IGNORED, noise, target).astype(np.uint8)
    for counts in count_boundaries(perfect, edges_of(target, [1, 3]), CLASSES).values():
        assert not counts.fp.any()
        assert not counts.fn.any()


def test_a_boundary_against_ignored_pixels_is_none() -> None:
    target = np.full((20, 20), 1, np.uint8)
    target[8:12] = IGNORED
    assert not near_boundary(target, target == IGNORED, 3).any()


def test_far_from_boundaries_nothing_counts() -> None:
    target = np.zeros((40, 60), np.uint8)
    target[:, 30:] = 1
    prediction = target.copy()
    prediction[18:22, 8:12] = 2
    counts = count_boundaries(prediction, edges_of(target, [2]), CLASSES)
    assert counts["trimap-2"].fp.sum() == counts["trimap-2"].fn.sum() == 0
    assert counts["trimap-2"].tp.tolist() == [80, 80, 0, 0]
    # A band of the prediction lies around its hole, where the target has none.
    assert counts["boundary-2"].fp.tolist() == [8 * 8 - 4 * 4, 0, 4 * 4, 0]


def test_each_width_gives_the_same_alone() -> None:
    prediction, target = pair(5)
    together = count_boundaries(prediction, edges_of(target, [2, 5]), CLASSES)
    alone = count_boundaries(prediction, edges_of(target, [5]), CLASSES)
    assert list(together) == ["trimap-2", "boundary-2", "trimap-5", "boundary-5"]
    for region, counts in alone.items():
        np.testing.assert_array_equal(counts, together[region])


@pytest.mark.parametrize("widths", [(0,), (2, -1), (2, 2), (1.5,)])
def test_widths_that_are_none_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=f"from 1 on, but got {widths[0]}"):
        check_widths(widths)
