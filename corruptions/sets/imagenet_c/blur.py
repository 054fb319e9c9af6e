"""Blur: light from one point of the scene spreads over several pixels."""

import numpy as np
from numpy.typing import NDArray

from corruptions.kernels.defocus import defocus_blur
from corruptions.kernels.gaussian import (
    gaussian_blur_to_bytes,
    gaussian_weights,
    motion_blur_to_bytes,
    motion_path,
)
from corruptions.kernels.glass import glass_blur
from corruptions.kernels.random import Stream, uniform
from corruptions.kernels.zooming import zoom_blur, zoom_blurs
from corruptions.registry import IMAGENET_C, Corruption, Parameters, by_severity, register

__all__ = ["draw_angle", "moved"]


def _gaussian_blur(image: NDArray[np.uint8], parameters: Parameters, _: Stream) -> NDArray[np.uint8]:
    weights = gaussian_weights(parameters["sigma"])
    rows, channels = image.reshape(image.shape[0], -1), image.shape[2]
    return gaussian_blur_to_bytes(rows, weights, weights, channels, False).reshape(image.shape)


def _motion_blur(image: NDArray[np.uint8], parameters: Parameters, stream: Stream) -> NDArray[np.uint8]:
    return moved(image, parameters, draw_angle(stream))


def draw_angle(stream: Stream) -> float:
    """Draw the direction of the camera's motion in degrees, from -45 to 45."""
    return uniform(stream, -45, 45)


def moved(image: NDArray[np.uint8], parameters: Parameters, angle: float) -> NDArray[np.uint8]:
    """Return an image taken while the camera moved at a given angle."""
    height, width, channels = image.shape
    path = motion_path(int(parameters["radius"]), parameters["sigma"], angle, height, width)
    return motion_blur_to_bytes(image.reshape(height, -1), path, channels).reshape(image.shape)


register(
    Corruption(
        name="defocus_blur",
        group="blur",
        parameters=by_severity(radius=(3, 4, 6, 8, 10), alias_blur=(0.1, 0.5, 0.5, 0.5, 0.5)),
        random=False,
        source=IMAGENET_C,
        subsets=("common", "imagenet-c", "kamann"),
        apply=defocus_blur,
    )
)
register(
    Corruption(
        name="glass_blur",
        group="blur",
        parameters=by_severity(
            sigma=(0.7, 0.9, 1, 1.1, 1.5), max_delta=(1, 2, 2, 3, 4), iterations=(2, 1, 3, 2, 2)
        ),
        random=True,
        source=IMAGENET_C,
        subsets=("common", "imagenet-c", "kamann"),
        apply=glass_blur,
    )
)
register(
    Corruption(
        name="motion_blur",
        group="blur",
        parameters=by_severity(radius=(10, 15, 15, 15, 20), sigma=(3, 5, 8, 12, 15)),
        random=True,
        source=IMAGENET_C,
        subsets=("common", "imagenet-c", "kamann"),
        apply=_motion_blur,
    )
)
register(
    Corruption(
        name="zoom_blur",
        group="blur",
        parameters=by_severity(stop=(1.11, 1.16, 1.21, 1.26, 1.31), step=(0.01, 0.01, 0.02, 0.02, 0.03)),
        random=False,
        source=IMAGENET_C,
        subsets=("common", "imagenet-c"),
        apply=zoom_blur,
        apply_all=zoom_blurs,
    )
)
register(
    Corruption(
        name="gaussian_blur",
        group="blur",
        parameters=by_severity(sigma=(1, 2, 3, 4, 6)),
        random=False,
        source=IMAGENET_C,
        subsets=("validation", "imagenet-c", "kamann"),
        apply=_gaussian_blur,
    )
)
