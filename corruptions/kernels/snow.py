"""Snow: noise, magnified to flakes and blurred by their fall, over a whitened scene."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.compiling import kernel
from corruptions.kernels.motion import blur_plane, motion_path
from corruptions.kernels.random import Stream, normals, uniform
from corruptions.kernels.rows import EPSILON
from corruptions.kernels.zoom import ZoomAxis, zoom_axis
from corruptions.kernels.zoom import zoom as magnify

__all__ = ["SnowDraws", "draw_snow", "snow"]


class SnowDraws(NamedTuple):
    """Standard normal noise, of the middle of the image, and the angle of fall in degrees."""

    noise: NDArray[np.float32]
    angle: float


def snow(
    image: NDArray[np.uint8],
    *,
    mean: float,
    scale: float,
    zoom: float,
    threshold: float,
    radius: int,
    sigma: float,
    image_weight: float,
    stream: Stream,
) -> NDArray[np.uint8]:
    """Let random snow fall on an image, and the same snow turned upside down.

    The noise has a mean and a standard deviation of `mean` and `scale` (1 is white). It is magnified by
    `zoom`, set to 0 below `threshold` and blurred by a `motion_path`. `image_weight` is the share of the
    image that is not whitened.
    """
    height, width, _ = image.shape
    draws = draw_snow(height, width, stream, zoom=zoom)
    flakes = magnify(draws.noise, _axis(height, zoom), _axis(width, zoom))
    _cut_out(flakes, np.float32(mean), np.float32(scale), np.float32(threshold))
    path = motion_path(radius, sigma, draws.angle, *flakes.shape)
    falling = blur_plane(flakes, path)
    snowy = np.empty_like(image)
    _cover(
        image.reshape(height, -1),
        np.float32(image_weight),
        falling[:height, :width],
        snowy.reshape(height, -1),
    )
    return snowy


def draw_snow(height: int, width: int, stream: Stream, *, zoom: float) -> SnowDraws:
    """Draw noise for the pixels that are magnified, and an angle from -135 to -45 degrees."""
    sides = tuple(int(np.ceil(side / zoom)) for side in (height, width))
    return SnowDraws(normals(stream, sides), uniform(stream, -135, -45, lane=1))


def _axis(side: int, factor: float) -> ZoomAxis:
    """Return the zoom of a line of which only the middle has been drawn."""
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
    """Whiten the image, add the flakes, rounded to grey levels, and truncate."""
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
            out[3 * x] = _truncated(image_weight * red + white_weight * max(red, white) + snow)
            out[3 * x + 1] = _truncated(image_weight * green + white_weight * max(green, white) + snow)
            out[3 * x + 2] = _truncated(image_weight * blue + white_weight * max(blue, white) + snow)


@kernel
def _truncated(level: np.float32) -> np.uint8:
    return np.uint8(np.int32(min(level, np.float32(255))))
