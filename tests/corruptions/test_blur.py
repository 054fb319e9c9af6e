"""Blur agrees with the reference on photographs, given the reference's own draws."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import stats
from skimage import data

import corruptions
from corruptions.kernels import glass, motion
from corruptions.kernels.random import stream
from tests.corruptions.deviations import pair

SIZES = [(33, 500), (500, 33), (64, 64), (97, 131), (200, 320), (360, 480)]
every_severity = pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])


def photo(height: int, width: int) -> NDArray[np.uint8]:
    """Take a part of a photograph and add a little noise."""
    photos = (data.astronaut, data.coffee, data.chelsea, data.rocket)
    picture = Image.fromarray(photos[(height + width) % 4]())
    rng = np.random.default_rng(height)
    resized = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC), np.float64)
    noisy: NDArray[np.uint8] = np.clip(resized + rng.normal(0, 2, resized.shape), 0, 255).astype(np.uint8)
    return noisy


def assert_agree(ours: NDArray[np.uint8], theirs: NDArray[np.uint8], bias: float = 0.01) -> None:
    difference = ours.astype(int) - theirs
    assert np.abs(difference).max() <= 1
    assert abs(difference.mean()) <= bias


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["gaussian_blur", "zoom_blur", "defocus_blur"])
@every_severity
def test_deterministic_blurs_are_the_references(name: str, severity: int, size: tuple[int, int]) -> None:
    pytest.importorskip("cv2")
    # radius 3 has equal weights: its sums are often integers, apart from the reference's rounding errors
    fuzzy = name == "defocus_blur" and severity == 1
    assert_agree(*pair(photo(*size), name, severity), 0.05 if fuzzy else 0.01)


@pytest.mark.parametrize("size", SIZES)
@every_severity
def test_motion_blur_with_the_references_angle_is_the_references(
    severity: int, size: tuple[int, int]
) -> None:
    for seed in range(4):
        assert_agree(*pair(photo(*size), "motion_blur", severity, seed))


@every_severity
def test_glass_blur_with_the_references_draws_is_the_references(severity: int) -> None:
    assert_agree(*pair(photo(48, 67), "glass_blur", severity))


@every_severity
def test_shifts_of_glass_are_uniform_and_independent(severity: int) -> None:
    parameters = corruptions.get("glass_blur").parameters[severity - 1]
    d, passes = int(parameters["max_delta"]), int(parameters["iterations"])
    draws = stream("1", 1, "glass_blur", severity, "k")
    shifts = glass.draw_shifts((300, 400), draws, max_delta=d, iterations=passes)
    assert shifts.shape == (passes, 300, 400, 2)
    pairs = (shifts[..., 0].astype(int) + d) * 2 * d + shifts[..., 1] + d
    counts = np.bincount(pairs.ravel(), minlength=4 * d * d)
    assert counts.size == 4 * d * d
    assert stats.chisquare(counts).pvalue * 5 > 0.001


def test_angles_of_motion_are_uniform() -> None:
    angles = [motion.draw_angle(stream("1", 0, "motion_blur", 1, str(key))) for key in range(2000)]
    assert stats.kstest(angles, stats.uniform(-45, 90).cdf).pvalue > 0.001


@pytest.mark.parametrize("size", [(36, 71), (78, 139), (136, 33)])
@every_severity
def test_zoom_blur_has_no_dark_border(severity: int, size: tuple[int, int]) -> None:
    flat = np.full((*size, 3), 200, np.uint8)
    assert (corruptions.corrupt(flat, "zoom_blur", severity) == 200).all()


def test_a_sweep_of_zoom_blurs_in_any_order_is_what_corrupt_returns() -> None:
    image = photo(60, 80)
    for severity, swept in zip(
        (5, 1, 1, 3), corruptions.sweep(image, "zoom_blur", (5, 1, 1, 3)), strict=True
    ):
        assert (swept == corruptions.corrupt(image, "zoom_blur", severity)).all()


def test_no_severities_make_an_empty_sweep() -> None:
    assert list(corruptions.sweep(photo(40, 40), "zoom_blur", ())) == []
