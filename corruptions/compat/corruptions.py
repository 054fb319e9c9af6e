"""The functions of `imagecorruptions.corruptions`, one for each corruption.

They take a PIL image or a uint8 array, and return float64 samples from 0 to 255 of the same shape, or a PIL
image where the package does: jpeg_compression and pixelate. Their pixels are those of
`corruptions.compat.corrupt` and, like it, they draw from numpy's global generator.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from corruptions import engine

__all__ = [
    "brightness",
    "contrast",
    "defocus_blur",
    "elastic_transform",
    "fog",
    "frost",
    "gaussian_blur",
    "gaussian_noise",
    "glass_blur",
    "impulse_noise",
    "jpeg_compression",
    "motion_blur",
    "pixelate",
    "saturate",
    "shot_noise",
    "snow",
    "spatter",
    "speckle_noise",
    "zoom_blur",
]


class Function(Protocol):
    """A corruption as a function of an image and a severity."""

    __name__: str

    def __call__(self, x: ArrayLike | Image.Image, severity: int = 1) -> Any:
        """Return the corrupted image."""


def seed_from_numpy() -> int:
    """Draw a seed from numpy's global generator, which numpy.random.seed makes repeatable."""
    return int(np.random.randint(0, 2**63, dtype=np.int64))  # noqa: NPY002 (callers seed this generator)


def _function(name: str, *, returns_image: bool = False) -> Function:
    def function(x: ArrayLike | Image.Image, severity: int = 1) -> NDArray[np.float64] | Image.Image:
        corrupted = engine.corrupt(np.asarray(x), name, severity, seed=seed_from_numpy())
        return Image.fromarray(corrupted) if returns_image else corrupted.astype(np.float64)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return the image with {name} of a severity from 1 to 5."
    return function


gaussian_noise = _function("gaussian_noise")
shot_noise = _function("shot_noise")
impulse_noise = _function("impulse_noise")
defocus_blur = _function("defocus_blur")
glass_blur = _function("glass_blur")
motion_blur = _function("motion_blur")
zoom_blur = _function("zoom_blur")
snow = _function("snow")
frost = _function("frost")
fog = _function("fog")
brightness = _function("brightness")
contrast = _function("contrast")
elastic_transform = _function("elastic_transform")
pixelate = _function("pixelate", returns_image=True)
jpeg_compression = _function("jpeg_compression", returns_image=True)
speckle_noise = _function("speckle_noise")
gaussian_blur = _function("gaussian_blur")
spatter = _function("spatter")
saturate = _function("saturate")
