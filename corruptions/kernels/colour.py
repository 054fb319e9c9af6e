"""Brightness, saturation and contrast: every pixel on its own.

Hue, saturation and value are those of Smith (SIGGRAPH 1978) as scikit-image computes them. Before the
reference truncates a result, it is often within rounding error of an integer. So brightness and saturation
repeat the reference's float64 arithmetic, with fewer divisions.
"""

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel

__all__ = ["brightness", "contrast", "saturate"]


def brightness(image: NDArray[np.uint8], *, value_shift: float) -> NDArray[np.uint8]:
    """Raise the value (of hue, saturation, value; 0 to 1) of every pixel by `value_shift`."""
    brighter = np.empty_like(image)
    _raise_value(image.reshape(-1), float(value_shift), brighter.reshape(-1))
    return brighter


def saturate(image: NDArray[np.uint8], *, factor: float, offset: float) -> NDArray[np.uint8]:
    """Scale and shift the saturation of every pixel. A shift turns grey pixels, whose hue is 0, red."""
    saturated = np.empty_like(image)
    _scale_saturation(image.reshape(-1), float(factor), float(offset), saturated.reshape(-1))
    return saturated


def contrast(image: NDArray[np.uint8], *, factor: float) -> NDArray[np.uint8]:
    """Scale every channel by `factor` around its mean over the image."""
    height, width, channels = image.shape
    rows = image.reshape(height, width * channels)
    means = _sums_of_columns(rows).reshape(width, channels).sum(axis=0) / (255 * height * width)
    offsets = np.tile(_offsets(factor, means), width).astype(np.float32)
    flat = np.empty_like(rows)
    _scale_and_shift(rows, np.float32(factor), offsets, flat)
    return flat.reshape(image.shape)


def _offsets(factor: float, means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the offset of each channel such that truncating `factor` * level + offset gives the contrast.

    Of all offsets that give the right result for the 256 levels, the middle one is taken, so that rounding it
    to float32 changes no pixel.
    """
    levels = np.arange(256)[:, np.newaxis]
    exact = np.floor(((levels / 255 - means) * factor + means) * 255)
    least, most = (exact - factor * levels).max(axis=0), (exact + 1 - factor * levels).min(axis=0)
    middle: NDArray[np.float64] = (least + most) / 2
    return middle


@kernel
def _raise_value(image: NDArray[np.uint8], shift: float, brighter: NDArray[np.uint8]) -> None:
    for i in range(image.size // 3):
        hue, saturation, value = _hsv(image[3 * i], image[3 * i + 1], image[3 * i + 2])
        value = min(value + shift, 1.0)
        brighter[3 * i], brighter[3 * i + 1], brighter[3 * i + 2] = _rgb(hue, saturation, value)


@kernel
def _scale_saturation(
    image: NDArray[np.uint8], factor: float, offset: float, saturated: NDArray[np.uint8]
) -> None:
    for i in range(image.size // 3):
        hue, saturation, value = _hsv(image[3 * i], image[3 * i + 1], image[3 * i + 2])
        saturation = min(saturation * factor + offset, 1.0)
        saturated[3 * i], saturated[3 * i + 1], saturated[3 * i + 2] = _rgb(hue, saturation, value)


@kernel
def _hsv(red: np.uint8, green: np.uint8, blue: np.uint8) -> tuple[float, float, float]:
    """Return the hue in sextants from 0 to 6, and saturation and value from 0 to 1."""
    r, g, b = _fraction(red), _fraction(green), _fraction(blue)
    value = max(r, g, b)
    chroma = value - min(r, g, b)
    difference = r - g if b == value else (b - r if g == value else g - b)
    sextant = 4.0 if b == value else (2.0 if g == value else 0.0)
    hue = (sextant + difference / chroma) / 6.0
    hue = hue + 1.0 if hue < 0.0 else hue
    saturation = chroma / value
    grey = chroma == 0.0
    return (0.0 if grey else hue * 6.0), (0.0 if grey else saturation), value


@kernel
def _fraction(level: np.uint8) -> float:
    """Return level / 255, rounded as the division rounds it; 1/255 is split so that one product is exact."""
    x = np.float64(level)
    return x * 0.0039215686274509665 + x * 1.3932210505100003e-17


@kernel
def _rgb(hue: float, saturation: float, value: float) -> tuple[np.uint8, np.uint8, np.uint8]:
    """Return the levels of red, green and blue, truncated."""
    sextant = np.int32(hue)
    f = hue - np.float64(sextant)
    v = np.int32(value * 255.0)
    p = np.int32(value * (1.0 - saturation) * 255.0)
    q = np.int32(value * (1.0 - f * saturation) * 255.0)
    t = np.int32(value * (1.0 - (1.0 - f) * saturation) * 255.0)
    red = v if sextant == 0 or sextant == 5 else (q if sextant == 1 else (t if sextant == 4 else p))
    green = v if sextant == 1 or sextant == 2 else (t if sextant == 0 else (q if sextant == 3 else p))
    blue = v if sextant == 3 or sextant == 4 else (t if sextant == 2 else (q if sextant == 5 else p))
    return np.uint8(red), np.uint8(green), np.uint8(blue)


@kernel
def _sums_of_columns(rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return the sum of every column of an (H, W * 3) image."""
    sums = np.zeros(rows.shape[1], np.uint32)
    for y in range(rows.shape[0]):
        row = rows[y]
        for i in range(row.size):
            sums[i] += np.uint32(row[i])
    return sums


@kernel
def _scale_and_shift(
    rows: NDArray[np.uint8], factor: np.float32, offsets: NDArray[np.float32], scaled: NDArray[np.uint8]
) -> None:
    """Truncate `rows` * `factor` + `offsets`, one offset per column; every result lies in 0..255."""
    for y in range(rows.shape[0]):
        row, out = rows[y], scaled[y]
        for i in range(row.size):
            out[i] = np.uint8(np.int32(np.float32(row[i]) * factor + offsets[i]))
