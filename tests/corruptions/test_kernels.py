"""Shared numerics against scipy's and against their definitions."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from corruptions.kernels import gaussian, motion
from corruptions.kernels.gaussian import blur_to_bytes, gaussian_weights
from corruptions.kernels.motion import motion_blur, motion_path
from corruptions.kernels.random import stream
from corruptions.kernels.zoom import zoom, zoom_axis

PLANE = np.random.default_rng(0).uniform(0, 255, (33, 47)).astype(np.float32)
IMAGE = np.random.default_rng(1).integers(0, 256, (34, 45, 3), dtype=np.uint8)


def rows(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image.reshape(image.shape[0], -1)


@pytest.mark.parametrize(("mirrored", "mode"), [(False, "nearest"), (True, "reflect")])
@pytest.mark.parametrize(("down", "across"), [(0.7, 1.0), (3, 0.4), (6, 9)])
def test_gaussian_blur_is_scipys(mirrored: bool, mode: str, down: float, across: float) -> None:
    weights = gaussian_weights(down), gaussian_weights(across)
    expected = ndimage.gaussian_filter(PLANE.astype(float), (down, across), mode=mode)
    blurred = gaussian.blur_plane(PLANE, *weights, mirrored)
    np.testing.assert_allclose(blurred, expected, atol=2e-4)


def test_gaussian_blur_keeps_channels_apart_and_cuts_off() -> None:
    weights = gaussian_weights(2)
    blurred = blur_to_bytes(rows(IMAGE), weights)
    expected = ndimage.gaussian_filter(IMAGE.astype(float), (2, 2, 0), mode="nearest") + 1e-3
    difference = blurred.reshape(IMAGE.shape) - np.floor(expected)
    assert np.abs(difference).max() <= 1
    assert (difference != 0).mean() < 1e-3


@pytest.mark.parametrize("value", [0, 1, 127, 200, 255])
def test_blurs_leave_a_flat_image_as_it_is(value: int) -> None:
    flat = np.full((40, 3 * 50), value, np.uint8)
    weights = gaussian_weights(3)
    draws = stream("1", 0, "motion_blur", 1, "")
    assert (blur_to_bytes(flat, weights) == value).all()
    assert (motion_blur(flat.reshape(40, 50, 3), radius=15, sigma=8, stream=draws) == value).all()


@pytest.mark.parametrize("angle", [-135, -90, -45, 0, 10, 45])
def test_motion_blur_is_the_sum_of_shifted_images(angle: float) -> None:
    path = motion_path(8, 3, angle, *PLANE.shape)
    padded = np.pad(PLANE.astype(float), 20, mode="edge")
    expected = sum(
        weight * np.roll(padded, (down, across), (0, 1))[20:-20, 20:-20]
        for weight, down, across in zip(*path, strict=True)
    )
    np.testing.assert_allclose(motion.blur_plane(PLANE, path), expected, atol=2e-4)


def test_a_motion_path_runs_backwards_along_its_angle_and_stays_in_the_image() -> None:
    path = motion_path(20, 15, -30, 500, 500)
    lengths = np.arange(41)
    np.testing.assert_allclose(path.rows, lengths * 0.5, atol=0.5)
    np.testing.assert_allclose(path.columns, -lengths * np.cos(np.pi / 6), atol=0.5)
    assert path.weights.sum() == pytest.approx(1, abs=1e-5)
    assert motion_path(20, 15, -90, 10, 500).rows.tolist() == list(range(10))


@pytest.mark.parametrize("factor", [1, 1.11, 2, 2.5, 4.5])
@pytest.mark.parametrize("shape", [(33, 47), (36, 71), (320, 78)])
def test_zoom_equals_scipys_except_for_its_dark_borders(factor: float, shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(2).uniform(0, 255, shape).astype(np.float32)
    crop = [int(np.ceil(size / factor)) for size in shape]
    top, left = ((size - part) // 2 for size, part in zip(shape, crop, strict=True))
    middle = plane[top : top + crop[0], left : left + crop[1]].astype(float)
    expected = ndimage.zoom(middle, factor, order=1)
    zoomed = zoom(plane, *(zoom_axis(size, factor) for size in shape))
    assert zoomed.shape == expected.shape
    np.testing.assert_allclose(zoomed[:-1, :-1], expected[:-1, :-1], atol=1e-3)
    assert zoomed[-1, -1] == pytest.approx(middle[-1, -1], abs=1e-3)
    np.testing.assert_allclose(zoomed[-1, 0], middle[-1, 0], atol=1e-3)
