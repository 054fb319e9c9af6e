"""The versions of all software that can change a pixel or a label."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

__all__ = ["PACKAGES", "versions"]

PACKAGES = (
    "robseg",
    "torch",
    "torchvision",
    "numpy",
    "numba",
    "scipy",
    "pillow",
    "scikit-image",
    "imagecorruptions",
    "opencv-python",
    "pandas",
    "pyarrow",
    "matplotlib",
    "timm",
    "transformers",
    "segmentation-models-pytorch",
    "onnxruntime",
)


def versions() -> dict[str, str]:
    """Return the versions of Python, the platform and PACKAGES ("" for a package that is not installed)."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = ""
    return found
