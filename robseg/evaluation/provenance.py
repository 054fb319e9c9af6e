"""The versions of all software that can change a pixel or a label."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from reports.run.record import RunRecord

__all__ = ["PACKAGES", "counted_versions", "drift", "versions"]

# Pillow decodes the images; torch and robseg resize them, run the network and count.
COUNTED = ("robseg", "torch", "pillow")

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
    "openvino",
)


def counted_versions() -> dict[str, str]:
    """Return the versions of COUNTED: counts made with others do not mix with a run's."""
    return {package: version(package) for package in COUNTED}


def drift(earlier: RunRecord, now: RunRecord) -> list[str]:
    """Return, in words, how the software and batch size of a run changed, except for COUNTED.

    Counts made with them may mix, which the user is told.
    """
    before, after = ({**record.versions, "batch size": str(record.batch_size)} for record in (earlier, now))
    return [
        f"{what} {before.get(what) or 'none'} (now {value or 'none'})"
        for what, value in after.items()
        if before.get(what) != value and what not in COUNTED
    ]


def versions() -> dict[str, str]:
    """Return the versions of Python, the platform and PACKAGES ("" for a package that is not installed)."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = ""
    return found
