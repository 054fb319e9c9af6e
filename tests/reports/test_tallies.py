"""Counts of every tally equal their definitions, pixel by pixel, and add up."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from reports.run.tally import Prediction, Row
from reports.tallies import find, kinds, register, wanted
from reports.tallies._bands import near_boundary

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


def test_a_tally_without_a_headline_is_refused() -> None:
    confusion = find("confusion")
    by_class = tuple(measure for measure in confusion.measures if measure.by_class)
    with pytest.raises(ValueError, match="Expected the tally 'confusion' to have a measure with an interval"):
        dataclasses.replace(confusion, measures=by_class)


def count(name: str, prediction: Labels, target: Labels) -> Row:
    tally = find(name)
    return tally.count(Prediction(prediction), tally.prepare(target), CLASSES)


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


@given(seeds)
def test_confusion_counts_equal_the_definition(seed: int) -> None:
    prediction, target = pair(seed)
    counts = count("confusion", prediction, target)
    kept = target != IGNORED
    for c in range(CLASSES):
        assert counts["tp"][c] == np.sum(kept & (target == c) & (prediction == c))
        assert counts["fp"][c] == np.sum(kept & (target != c) & (prediction == c))
        assert counts["fn"][c] == np.sum(kept & (target == c) & (prediction != c))


@given(seeds)
def test_confusion_counts_of_parts_add_up(seed: int) -> None:
    prediction, target = pair(seed)
    whole = count("confusion", prediction, target)
    parts = [count("confusion", prediction[rows], target[rows]) for rows in (slice(2), slice(2, None))]
    for name, numbers in whole.items():
        np.testing.assert_array_equal(numbers, parts[0][name] + parts[1][name])


@pytest.mark.parametrize("name", ["confusion", "trimap-2", "boundary-2"])
def test_a_row_has_the_columns_that_the_tally_says(name: str) -> None:
    row = count(name, *pair(3))
    assert {column: len(numbers) for column, numbers in row.items()} == find(name).lengths(CLASSES)
    assert all(numbers.dtype == np.int64 for numbers in row.values())


def test_images_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        count("confusion", np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8))


def test_a_run_counts_the_primary_tally_first_and_each_once() -> None:
    names = [tally.name for tally in wanted(["trimap-2", "confusion", "trimap-2"])]
    assert names == ["confusion", "trimap-2"]


def test_a_kind_of_tally_is_registered_once() -> None:
    assert set(kinds()) >= {"confusion", "trimap", "boundary"}
    with pytest.raises(ValueError, match="twice"):
        register("confusion", find)


@given(seeds, widths)
def test_trimap_counts_equal_the_definition(seed: int, width: int) -> None:
    prediction, target = pair(seed)
    counts = count(f"trimap-{width}", prediction, target)
    near = near_by_definition(target, width)
    for c in range(CLASSES):
        assert counts["tp"][c] == np.sum(near & (target == c) & (prediction == c))
        assert counts["fp"][c] == np.sum(near & (target != c) & (prediction == c))
        assert counts["fn"][c] == np.sum(near & (target == c) & (prediction != c))


@given(seeds, widths)
def test_boundary_counts_equal_the_definition(seed: int, width: int) -> None:
    prediction, target = pair(seed)
    counts = count(f"boundary-{width}", prediction, target)
    for c in range(CLASSES):
        mine = band_by_definition(prediction, target, c, width)
        true = band_by_definition(target, target, c, width)
        assert counts["tp"][c] == np.sum(mine & true)
        assert counts["fp"][c] == np.sum(mine & ~true)
        assert counts["fn"][c] == np.sum(true & ~mine)


@given(seeds)
def test_a_perfect_prediction_has_no_errors_whatever_it_says_of_ignored_pixels(seed: int) -> None:
    noise, target = pair(seed)
    perfect = np.where(target == IGNORED, noise, target).astype(np.uint8)
    for name in ("confusion", "trimap-1", "trimap-3", "boundary-1", "boundary-3"):
        counts = count(name, perfect, target)
        assert not counts["fp"].any()
        assert not counts["fn"].any()


def test_a_boundary_against_ignored_pixels_is_none() -> None:
    target = np.full((20, 20), 1, np.uint8)
    target[8:12] = IGNORED
    assert not near_boundary(target, target == IGNORED, 3).any()


def test_far_from_boundaries_nothing_counts() -> None:
    target = np.zeros((40, 60), np.uint8)
    target[:, 30:] = 1
    prediction = target.copy()
    prediction[18:22, 8:12] = 2
    near = count("trimap-2", prediction, target)
    assert near["fp"].sum() == near["fn"].sum() == 0
    assert near["tp"].tolist() == [80, 80, 0, 0]
    # A band of the prediction lies around its hole, where the target has none.
    assert count("boundary-2", prediction, target)["fp"].tolist() == [8 * 8 - 4 * 4, 0, 4 * 4, 0]
