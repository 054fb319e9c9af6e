"""Snow: noise, magnified to flakes and blurred by their fall, on a scene that has lost some of its colour."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel
from corruptions.kernels.gaussian import EPSILON, ZoomAxis, motion_blur, motion_path, zoom, zoom_axis
from corruptions.kernels.random import Stream, normals, uniform
from corruptions.registry import Parameters

__all__ = ["SnowDraws", "draw_snow", "snow", "snow_with"]


class SnowDraws(NamedTuple):
    """Standard normal noise for the middle of the image, which is magnified; the angle of fall in degrees."""

    noise: NDArray[np.float32]
    angle: float


def snow(image: NDArray[np.uint8], parameters: Parameters, stream: Stream) -> NDArray[np.uint8]:
    """Let random snow fall on an image."""
    height, width, _ = image.shape
    return snow_with(image, parameters, draw_snow(height, width, parameters, stream))


def draw_snow(height: int, width: int, parameters: Parameters, stream: Stream) -> SnowDraws:
    """Return the noise of as many pixels as are magnified, and an angle of -90 degrees, more or less."""
    sides = tuple(int(np.ceil(side / parameters["zoom"])) for side in (height, width))
    return SnowDraws(normals(stream, sides), uniform(stream, -135, -45, lane=1))


def snow_with(image: NDArray[np.uint8], parameters: Parameters, draws: SnowDraws) -> NDArray[np.uint8]:
    """Let the snow of the given draws fall on an image, and the same turned upside down."""
    height, width, _ = image.shape
    flakes = zoom(draws.noise, _axis(height, parameters["zoom"]), _axis(width, parameters["zoom"]))
    _cut_out(
        flakes,
        np.float32(parameters["mean"]),
        np.float32(parameters["scale"]),
        np.float32(parameters["threshold"]),
    )
    path = motion_path(int(parameters["radius"]), parameters["sigma"], draws.angle, *flakes.shape)
    falling = motion_blur(flakes, path)
    snowy = np.empty_like(image)
    _cover(
        image.reshape(height, -1),
        np.float32(parameters["image_weight"]),
        falling[:height, :width],
        snowy.reshape(height, -1),
    )
    return snowy


def _axis(side: int, factor: float) -> ZoomAxis:
    """Return where to magnify a line of which only the middle has been drawn."""
    axis = zoom_axis(side, factor)
    return ZoomAxis(axis.first - axis.first[0], axis.fraction)


@kernel
def _cut_out(flakes: NDArray[np.float32], mean: np.float32, scale: np.float32, threshold: np.float32) -> None:
    """Turn standard noise into grey levels, 0 below the threshold."""
    for y in range(flakes.shape[0]):
        row = flakes[y]
        for x in range(row.size):
            level = mean + scale * row[x]
            level = min(level, np.float32(1)) if level >= threshold else np.float32(0)
            row[x] = np.float32(255) * level


@kernel
def _cover(
    image: NDArray[np.uint8],
    image_weight: np.float32,
    falling: NDArray[np.float32],
    snowy: NDArray[np.uint8],
) -> None:
    """Mix in what is whitened, add the flakes, rounded to grey levels, and cut off."""
    height, width = falling.shape
    white_weight = np.float32(1) - image_weight
    turned = np.empty(width, np.float32)
    for y in range(height):
        row, flake, out = image[y], falling[y], snowy[y]
        turned[:] = falling[height - 1 - y][::-1]
        for x in range(width):
            red, green, blue = np.float32(row[3 * x]), np.float32(row[3 * x + 1]), np.float32(row[3 * x + 2])
            grey = np.float32(0.299) * red + np.float32(0.587) * green + np.float32(0.114) * blue
            white = np.float32(1.5) * grey + np.float32(127.5)
            snow = np.rint(flake[x]) + np.rint(turned[x]) + EPSILON
            out[3 * x] = _cut_off(image_weight * red + white_weight * max(red, white) + snow)
            out[3 * x + 1] = _cut_off(image_weight * green + white_weight * max(green, white) + snow)
            out[3 * x + 2] = _cut_off(image_weight * blue + white_weight * max(blue, white) + snow)


@kernel
def _cut_off(level: np.float32) -> np.uint8:
    return np.uint8(np.int32(min(level, np.float32(255))))
