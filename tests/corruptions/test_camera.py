"""Kamann and Rother's camera: the lens that blurs, the sensor that is noisy, the lens that bends."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import corruptions
from corruptions.kernels import psf, sensor
from corruptions.kernels.distortion import geometric_displacement, geometric_distortion
from corruptions.kernels.psf import Aberrations, psf_blur
from corruptions.kernels.random import stream

SEVERITIES = (1, 2, 3, 4, 5)
LENSES = [Aberrations(**row) for row in corruptions.get("psf_blur").parameters]
WEIGHTS = [row["weight"] for row in corruptions.get("intensity_dependent_noise").parameters]
COEFFICIENTS = [row["coefficient"] for row in corruptions.get("geometric_distortion").parameters]


def photo(height: int, width: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(height + width).normal(size=(height, width, 3))
    smooth = ndimage.gaussian_filter(noise, (2, 2, 0))
    image: NDArray[np.uint8] = np.clip(128 + 300 * smooth, 0, 255).astype(np.uint8)
    return image


def blurred(image: NDArray[np.uint8], severity: int) -> NDArray[np.uint8]:
    return corruptions.corrupt(image, "psf_blur", severity)


def psnr(image: NDArray[np.uint8], corrupted: NDArray[np.uint8]) -> float:
    return 10 * math.log10(255**2 / np.mean((image.astype(float) - corrupted) ** 2))


def test_all_constants_are_marked_as_ours() -> None:
    for name in corruptions.names("kamann"):
        record = corruptions.get(name)
        assert record.substitute == (record.set_name == "kamann-rother-camera")
    assert set(corruptions.names("kamann-rother-camera")) <= set(corruptions.names("kamann"))


@pytest.mark.parametrize("name", corruptions.names("kamann-rother-camera"))
def test_strength_rises_evenly_over_the_severities(name: str) -> None:
    image = photo(120, 160)
    strengths = [psnr(image, corruptions.corrupt(image, name, severity)) for severity in SEVERITIES]
    steps = -np.diff(strengths)
    assert (steps > 0.5 * steps.mean()).all()
    assert (steps < 1.6 * steps.mean()).all()


# psf_blur


@pytest.mark.parametrize("value", [0, 1, 128, 254, 255])
@pytest.mark.parametrize("size", [(32, 40), (33, 97)])
def test_a_lens_leaves_a_flat_image_flat(value: int, size: tuple[int, int]) -> None:
    flat = np.full((*size, 3), value, np.uint8)
    for severity in SEVERITIES:
        assert (blurred(flat, severity) == value).all()


def energy_at(place: tuple[float, float], lens: Aberrations) -> NDArray[np.float64]:
    return psf.psf(place, lens) / psf.SUM


def spread(energy: NDArray[np.float64]) -> float:
    """The root mean square distance from the centre of gravity."""
    rows, columns = np.indices(energy.shape)
    row, column = (rows * energy).sum(), (columns * energy).sum()
    return math.sqrt(((rows - row) ** 2 * energy + (columns - column) ** 2 * energy).sum())


@pytest.mark.parametrize("lens", LENSES)
def test_a_psf_grows_from_the_middle_to_the_corner(lens: Aberrations) -> None:
    places = [(0.6 * radius, 0.8 * radius) for radius in np.linspace(0, 1, 6)]
    spreads = [spread(energy_at(place, lens)) for place in places]
    assert (np.diff(spreads) > 0).all()
    assert spreads[-1] > 2 * spreads[0]


def test_a_psf_grows_with_severity() -> None:
    for place in [(0.0, 0.0), (0.0, 0.5), (0.6, 0.8)]:
        spreads = [spread(energy_at(place, lens)) for lens in LENSES]
        assert (np.diff(spreads) > 0).all()


def test_a_perfect_lens_has_airys_disk() -> None:
    perfect = energy_at((0.5, 0.5), Aberrations(0, 0, 0, 0))
    assert perfect.argmax() == perfect.size // 2
    assert perfect.max() > 0.4
    np.testing.assert_allclose(perfect, perfect[::-1, ::-1], atol=1.1 / psf.SUM)


def test_defocus_blurs_to_the_disk_of_geometrical_optics() -> None:
    """A ray through the pupil's edge lands 4 pixels per wave of defocus from the centre."""
    defocused = energy_at((0, 0), Aberrations(defocus=2.5, curvature=0, astigmatism=0, coma=0))
    # a disk of radius R has the root mean square radius R / sqrt(2)
    assert spread(defocused) == pytest.approx(10 / math.sqrt(2), rel=0.1)


@pytest.mark.parametrize("lens", LENSES)
def test_a_lens_leaves_the_image_in_its_place(lens: Aberrations) -> None:
    """Light that is cut off on one side of a PSF would move its centre of gravity."""
    for size in [(360, 480), (512, 1024), (64, 640)]:
        bank = psf.psf_bank(*size, lens) / psf.SUM
        offsets = np.arange(bank.shape[2]) - bank.shape[2] // 2
        down, across = bank.sum(axis=3) @ offsets, bank.sum(axis=2) @ offsets
        assert np.hypot(down, across).max() < 0.05


@pytest.mark.parametrize("severity", SEVERITIES)
def test_a_ramp_stays_where_it_is(severity: int) -> None:
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None, None], (256, 256, 3))
    near_corners = slice(33, 64), slice(33, 64)  # further out the mirrored border is no ramp
    for image in (ramp, ramp.transpose(1, 0, 2)):
        difference = blurred(image, severity).astype(int) - image
        assert abs(difference[near_corners].mean()) < 0.1


def test_a_psf_is_that_of_a_larger_plane(monkeypatch: pytest.MonkeyPatch) -> None:
    """Light that reaches the end of the plane would come back at its other end."""
    places = [(0.0, 0.0), (0.0, 0.4), (0.3, 0.4), (0.1, 0.9), (0.6, 0.8), (0.1, 0.995)]
    conditions = [(place, lens) for place in places for lens in LENSES]
    computed = [energy_at(*condition) for condition in conditions]
    monkeypatch.setattr(psf, "GRID", 2 * psf.GRID)
    monkeypatch.setattr(psf, "PUPIL_RADIUS", 2 * psf.PUPIL_RADIUS)
    psf._pupil.cache_clear()
    larger = [energy_at(*condition) for condition in conditions]
    psf._pupil.cache_clear()
    for energy, expected in zip(computed, larger, strict=True):
        margin = (len(expected) - len(energy)) // 2
        assert np.abs(np.pad(energy, margin) - expected).sum() < 0.02


def test_a_lens_is_symmetric() -> None:
    image = photo(48, 64)
    expected = blurred(image, 4)
    assert (blurred(image[::-1].copy(), 4)[::-1] == expected).mean() > 0.99
    difference = blurred(image[:, ::-1].copy(), 4)[:, ::-1].astype(int) - expected
    assert np.abs(difference).max() <= 2


def test_a_point_becomes_the_psf_of_its_place() -> None:
    """At the places whose PSFs are computed; around them the PSFs are mixed with others."""
    height, width = 160, 160
    bank = psf.psf_bank(height, width, LENSES[3])
    for place in [(4, 4), (2, 6), (1, 1)]:
        row, column = (20 * number for number in place)
        image = np.zeros((height, width, 3), np.uint8)
        image[row, column] = 255
        result = psf_blur(image, **LENSES[3]._asdict())[..., 1]
        reach = bank.shape[2] // 2
        padded = np.pad(result, reach)
        window = padded[row : row + 2 * reach + 1, column : column + 2 * reach + 1] / 255
        expected = bank[place].astype(float) / psf.SUM
        assert np.corrcoef(window.ravel(), expected.ravel())[0, 1] > 0.95
        turned = expected[::-1, ::-1].ravel()
        if place != (4, 4):  # coma points away from the middle
            assert np.corrcoef(window.ravel(), turned)[0, 1] < 0.7


def test_blurring_equals_the_mixed_convolutions() -> None:
    """The formula in float64: four convolutions with the places' PSFs, mixed by distance."""
    image = photo(64, 80)
    height, width = image.shape[:2]
    bank = psf.psf_bank(height, width, LENSES[2]) / psf.SUM
    reach = bank.shape[2] // 2
    padded = np.pad(image[..., 0].astype(float), reach, mode="symmetric")
    expected = np.zeros((height, width))
    for i in range(psf.PLACES):
        for j in range(psf.PLACES):
            tile_height, tile_width = height / 8, width / 8
            down = np.abs((np.arange(height) + 0.5) / tile_height - i).clip(max=1)
            across = np.abs((np.arange(width) + 0.5) / tile_width - j).clip(max=1)
            share = (1 - down)[:, None] * (1 - across)[None]
            if share.any():
                convolved = ndimage.convolve(padded, bank[i, j])
                expected += share * convolved[reach:-reach, reach:-reach]
    difference = blurred(image, 3)[..., 0] - expected
    assert np.abs(difference).max() < 1.5  # vertically the PSFs are mixed in 16 steps
    assert abs(difference.mean()) < 0.02


def test_the_weights_of_each_place_have_the_same_sum() -> None:
    bank = psf.psf_bank(375, 500, LENSES[4])
    assert (bank.sum(axis=(2, 3), dtype=np.int64) == psf.SUM).all()
    assert (bank >= 0).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2), (9, 70)])
def test_kernels_take_any_size(size: tuple[int, int]) -> None:
    image = photo(*size)
    assert psf_blur(image, **LENSES[4]._asdict()).shape == image.shape
    assert geometric_distortion(image, coefficient=COEFFICIENTS[4]).shape == image.shape
    draws = stream("1", 0, "intensity_dependent_noise", 1, "")
    assert (sensor.intensity_dependent_noise(image, weight=0.0, stream=draws) == image).all()


# intensity_dependent_noise


def test_noise_equals_its_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(0).integers(0, 256, (60, 70, 3), dtype=np.uint8)
    noise = np.random.default_rng(1).normal(size=(60, 70, 4)).astype(np.float32)
    monkeypatch.setattr(sensor, "normals", lambda *_: noise)
    for severity, weight in enumerate(WEIGHTS, 1):
        radiance = np.exp2(image / 255) + weight * (noise[..., :1] + noise[..., 1:].astype(float))
        expected = 255 * np.log2(radiance.clip(1, 2))
        noisy = corruptions.corrupt(image, "intensity_dependent_noise", severity)
        assert np.abs(noisy - expected).max() < 0.5 + 1e-3


def noise_at(level: int, severity: int) -> NDArray[np.float64]:
    image = np.full((200, 250, 3), level, np.uint8)
    return corruptions.corrupt(image, "intensity_dependent_noise", severity).astype(float) - level


def test_dark_pixels_are_noisier() -> None:
    deviations = [noise_at(level, 1).std() for level in (64, 96, 128, 160, 192)]
    assert (np.diff(deviations) < 0).all()
    for level, deviation in zip((96, 128, 160), (noise_at(v, 1).std() for v in (96, 128, 160)), strict=True):
        first_order = 255 * WEIGHTS[0] * math.sqrt(2) / (2 ** (level / 255) * math.log(2))
        assert deviation == pytest.approx(first_order, rel=0.05)


def test_channels_share_half_of_the_noise() -> None:
    noise = noise_at(128, 1).reshape(-1, 3)
    correlation = np.atleast_2d(np.corrcoef(noise, rowvar=False))
    np.testing.assert_allclose(correlation[~np.eye(3, dtype=bool)], 0.5, atol=0.02)


def test_noise_is_independent_between_pixels() -> None:
    noise: NDArray[np.float64] = noise_at(128, 1)[:, :, 0]
    for shifted in (np.roll(noise, 1, 0), np.roll(noise, 1, 1), np.roll(noise, 7, 1)):
        assert abs(np.corrcoef(noise.ravel(), shifted.ravel())[0, 1]) < 0.02


# geometric_distortion


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_distortion_takes_the_image_from_its_displacement(coefficient: float) -> None:
    image = photo(50, 71)
    field = geometric_displacement(50, 71, coefficient=coefficient)
    covered = ~np.isnan(field).any(axis=0)
    distorted = geometric_distortion(image, coefficient=coefficient)
    assert (distorted[~covered] == 0).all()
    for channel in range(3):
        taken = ndimage.map_coordinates(
            image[..., channel].astype(float), np.nan_to_num(field), order=1, mode="nearest"
        )
        assert np.abs(distorted[..., channel] - taken)[covered].max() <= 0.5 + 1e-9


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_the_radius_is_a_barrel_polynomial_of_degree_four(coefficient: float) -> None:
    height, width = 61, 91
    field = geometric_displacement(height, width, coefficient=coefficient)
    middle = np.array([30, 45])
    half_diagonal = math.hypot(height, width) / 2
    rows, columns = np.nonzero(~np.isnan(field[0]))
    radius = np.hypot(rows - 30, columns - 45) / half_diagonal
    taken = np.hypot(*(field[:, rows, columns] - middle[:, None])) / half_diagonal
    polynomial = radius + coefficient * (radius**2 + radius**3 + radius**4)
    np.testing.assert_allclose(taken, polynomial, atol=1e-12)
    assert (field[:, 30, 45] == middle).all()


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("ignore_index", [255, 7])
def test_pixels_that_nothing_moves_to_are_ignored(severity: int, ignore_index: int) -> None:
    image = np.maximum(photo(60, 90), 1)
    target = (np.arange(60 * 90).reshape(60, 90) // 900).astype(np.uint8)
    corrupted, moved = corruptions.corrupt_pair(
        image, target, "geometric_distortion", severity, ignore_index=ignore_index
    )
    field = geometric_displacement(60, 90, coefficient=COEFFICIENTS[severity - 1])
    black = (corrupted == 0).all(axis=2)
    assert black.any()
    assert (black == np.isnan(field[0])).all()
    assert (moved[black] == ignore_index).all()
    rows, columns = np.rint(field[:, ~black]).astype(int)
    agree = moved[~black] == target[rows.clip(0, 59), columns.clip(0, 89)]
    assert agree.all()


def test_moving_a_thresholded_image_is_thresholding_the_moved_one() -> None:
    image = np.maximum(photo(80, 120), 1)
    target = (image[..., 0] > 128).astype(np.uint8)
    corrupted, moved = corruptions.corrupt_pair(image, target, "geometric_distortion", 5)
    covered = moved != 255
    assert ((corrupted[..., 0] > 128) == moved)[covered].mean() > 0.93
