"""JPEG compression without a file gives the pixels of the file."""

from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

import corruptions

SIZES = [(32, 32), (33, 500), (500, 33), (97, 131), (95, 130), (200, 320), (48, 272)]


def texture(height: int, width: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(height).normal(size=(height, width, 3))
    rough = ndimage.gaussian_filter(noise, (1.5, 1.5, 0)) * 300 + noise * 5
    image: NDArray[np.uint8] = np.clip(128 + rough + 60 * np.sign(noise[:1]), 0, 255).astype(np.uint8)
    return image


def through_a_file(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_pixels_are_exactly_those_of_the_file(severity: int, size: tuple[int, int]) -> None:
    quality = int(corruptions.get("jpeg_compression").parameters[severity - 1]["quality"])
    image = texture(*size)
    ours = corruptions.corrupt(image, "jpeg_compression", severity)
    assert (ours == through_a_file(image, quality)).all()


@pytest.mark.parametrize("extreme", ["noise", "black and white", "colours"])
def test_pixels_of_extreme_images_are_those_of_the_file(extreme: str) -> None:
    rng = np.random.default_rng(1)
    image = {
        "noise": rng.integers(0, 256, (64, 96, 3), dtype=np.uint8),
        "black and white": np.repeat(rng.integers(0, 2, (64, 96, 1), dtype=np.uint8) * 255, 3, axis=2),
        "colours": rng.integers(0, 2, (64, 96, 3), dtype=np.uint8) * np.uint8(255),
    }[extreme]
    ours = corruptions.corrupt(image, "jpeg_compression", 5)
    assert (ours == through_a_file(image, 7)).all()
