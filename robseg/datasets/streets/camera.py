"""A pinhole camera above a flat street; x points right, y up and z forward, all in metres."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Camera", "place_camera", "single"]

Array = NDArray[Any]


def single(values: object) -> Array:
    """Return numbers, such as an RGB colour, in single precision."""
    return np.asarray(values, np.float32)


@dataclasses.dataclass(frozen=True)
class Camera:
    """The position and the optics of the camera; `height` and `width` count samples, several per pixel.

    `focal`, `centre` and `horizon` are in samples; `eye` is the height above the road in metres. The camera
    is not tilted. Instead the horizon is shifted, so that vertical edges stay vertical and the depth of the
    ground depends only on the row.
    """

    height: int
    width: int
    focal: float
    centre: float
    horizon: float
    eye: float

    def project(self, points: Array) -> Array:
        """Return the (N, 2) columns and rows of (N, 3) points, which must lie in front of the camera."""
        columns = self.centre + self.focal * points[:, 0] / points[:, 2]
        rows = self.horizon + self.focal * (self.eye - points[:, 1]) / points[:, 2]
        return np.stack([columns, rows], axis=1)

    def columns(self, start: int = 0, stop: int | None = None) -> Array:
        """Return x / z of the rays through the centres of the columns start..stop-1."""
        stop = self.width if stop is None else stop
        return (np.arange(start, stop) + (0.5 - self.centre)) / self.focal

    def rows(self, start: int = 0, stop: int | None = None) -> Array:
        """Return (y - eye) / z of the rays through the centres of the rows start..stop-1."""
        stop = self.height if stop is None else stop
        return (self.horizon - 0.5 - np.arange(start, stop)) / self.focal


def place_camera(rng: np.random.Generator, height: int, width: int, samples: int) -> Camera:
    """Return a camera behind the windscreen of a car or van, for an image of `height` x `width` pixels."""
    focal = rng.uniform(0.92, 1.3) * float(np.sqrt(height * width))
    return Camera(
        height=height * samples,
        width=width * samples,
        focal=focal * samples,
        centre=width * samples * rng.uniform(0.4, 0.6),
        horizon=height * samples * rng.uniform(0.4, 0.54),
        eye=rng.uniform(1.2, 2.1),
    )
