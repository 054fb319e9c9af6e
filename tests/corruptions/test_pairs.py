"""Targets move with the pixels of their image."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import corruptions

SMOOTH = np.random.default_rng(0).normal(size=(90, 130))
SMOOTH = ndimage.gaussian_filter(SMOOTH, 8)
SMOOTH = np.round(255 * (SMOOTH - SMOOTH.min()) / np.ptp(SMOOTH)).astype(np.uint8)
IMAGE = np.stack([SMOOTH, 255 - SMOOTH, SMOOTH[::-1]], axis=2)


def field(severity: int) -> NDArray[np.float64]:
    record = corruptions.get("elastic_transform")
    assert record.displacement is not None
    return record.displacement(*SMOOTH.shape, **record.arguments(severity, seed=3, key="k"))


@pytest.mark.parametrize("severity", [1, 3, 5])
def test_the_elastic_field_is_the_one_that_moved_the_image(severity: int) -> None:
    corrupted = corruptions.corrupt(IMAGE, "elastic_transform", severity, seed=3, key="k")
    for channel in range(3):
        taken = ndimage.map_coordinates(
            IMAGE[..., channel].astype(float), field(severity), order=1, mode="reflect"
        )
        assert np.abs(corrupted[..., channel] - taken).max() <= 1


@pytest.mark.parametrize("severity", [1, 3, 5])
def test_moving_a_thresholded_image_is_thresholding_the_moved_image(severity: int) -> None:
    target = (SMOOTH > 128).astype(np.uint8)
    image, moved = corruptions.corrupt_pair(IMAGE, target, "elastic_transform", severity, seed=3, key="k")
    unmoved = (image[..., 0] > 128) == target
    agree = (image[..., 0] > 128) == moved
    assert agree.mean() > 0.98
    assert (1 - agree.mean()) < 0.5 * (1 - unmoved.mean())


def test_small_targets_move_with_the_middle_of_their_mirrored_image() -> None:
    image = IMAGE[:20, :26]
    target = (image[..., 0] > np.median(image[..., 0])).astype(np.uint8)
    corrupted, moved = corruptions.corrupt_pair(image, target, "elastic_transform", 5, seed=1)
    agree = (corrupted[..., 0] > np.median(image[..., 0])) == moved
    assert agree.mean() > 0.95


def test_an_elastic_target_keeps_its_classes() -> None:
    target = (SMOOTH // 64).astype(np.uint8)
    target[:5] = 255
    _, moved = corruptions.corrupt_pair(IMAGE, target, "elastic_transform", 5, ignore_index=99)
    assert set(np.unique(moved)) <= set(np.unique(target))
    assert (moved != target).any()
