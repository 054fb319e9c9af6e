"""Spatter: the reference's own draws give its pixels; edges and distances are OpenCV's."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import corruptions
from corruptions import reference
from corruptions.kernels import spatter
from corruptions.kernels.edges import UNIT, canny, distance

SIZES = [(33, 500), (500, 33), (64, 64), (97, 131), (200, 320), (360, 480)]


def scene(height: int, width: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(4)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def drops(height: int, width: int, sigma: float) -> NDArray[np.uint8]:
    noise = np.random.default_rng(1).normal(0.65, 0.3, (height, width))
    liquid = ndimage.gaussian_filter(noise, sigma)
    levels: NDArray[np.uint8] = (255 * liquid * (liquid > 0.68)).astype(np.uint8)
    return levels


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_the_references_draws_give_its_spatter(
    severity: int, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cv2")
    image = scene(*size)
    draws = np.random.RandomState(severity).normal(size=size).astype(np.float32)
    monkeypatch.setattr(spatter, "normals", lambda *_: draws)
    ours = corruptions.corrupt(image, "spatter", severity).astype(int)
    theirs = reference.corrupt(image, "spatter", severity, np.random.RandomState(severity))
    # a height that float32 takes across the threshold changes a drop's pixel altogether
    assert (np.abs(ours - theirs) > 1).mean() < 1e-4
    assert (ours != theirs).mean() < 0.002
    assert (theirs != image).any()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("sigma", [2, 3, 4])
def test_edges_and_distances_are_those_of_opencv(sigma: float, size: tuple[int, int]) -> None:
    cv2 = pytest.importorskip("cv2")
    image = drops(*size, sigma)
    edges = canny(image, 50, 150)
    assert edges.any()
    assert (edges == (cv2.Canny(image, 50, 150) > 0)).all()
    theirs = cv2.distanceTransform(255 - 255 * edges.astype(np.uint8), cv2.DIST_L2, 5)
    assert distance(edges, 20) / UNIT == pytest.approx(np.minimum(theirs, 20), abs=1e-4)


def test_edges_of_noise_are_those_of_opencv() -> None:
    cv2 = pytest.importorskip("cv2")
    image = np.random.default_rng(0).integers(0, 256, (70, 90), dtype=np.uint8)
    image = ndimage.uniform_filter(image, 3)
    assert (canny(image, 50, 150) == (cv2.Canny(image, 50, 150) > 0)).all()


def test_equalisation_is_that_of_opencv() -> None:
    cv2 = pytest.importorskip("cv2")
    for levels in ([20], [0, 20], [3, 3, 3, 4, 5, 20, 20], list(range(21))):
        image = np.resize(np.array(levels, np.uint8), (33, 41))
        assert (spatter._equalised(image) == cv2.equalizeHist(image)).all()


def test_an_image_without_a_drop_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    image = scene(40, 50)
    monkeypatch.setattr(spatter, "normals", lambda *_: np.full((40, 50), -3, np.float32))
    for severity in (1, 2, 3, 4, 5):
        assert (corruptions.corrupt(image, "spatter", severity) == image).all()


def test_a_flooded_image_is_covered_all_over(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.full((40, 50, 3), 90, np.uint8)
    monkeypatch.setattr(spatter, "normals", lambda *_: np.full((40, 50), 1, np.float32))
    assert (corruptions.corrupt(image, "spatter", 1) > 150).all()
    assert (corruptions.corrupt(image, "spatter", 5) == [63, 42, 20]).all()
