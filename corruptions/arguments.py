"""Checks of the arguments that callers give. What is right comes back; anything else raises ValueError."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions.registry import Corruption

__all__ = [
    "checked_ignore_index",
    "checked_image",
    "checked_key",
    "checked_seed",
    "checked_severity",
    "checked_target",
]


def checked_image(image: Any) -> NDArray[np.uint8]:
    """Return a uint8 array (H, W, 3), (H, W, 1) or (H, W) as it is."""
    good = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.size > 0
    if good and (image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (1, 3))):
        checked: NDArray[np.uint8] = np.asarray(image)
        return checked
    raise ValueError(
        f"Expected `image` to be a uint8 array (H, W, 3), (H, W, 1) or (H, W) of at least 1x1 pixels, "
        f"but got {_described(image)}: convert it first, e.g. np.asarray(image.convert('RGB'))."
    )


def checked_target(target: Any, size: tuple[int, ...] | None = None) -> NDArray[np.uint8]:
    """Return a uint8 array (H, W), of this size if one is given, as it is."""
    good = isinstance(target, np.ndarray) and target.dtype == np.uint8 and target.size > 0
    if good and target.ndim == 2 and size in (None, target.shape):
        checked: NDArray[np.uint8] = np.asarray(target)
        return checked
    expected = "at least 1x1 pixels" if size is None else f"the image's size {size}"
    raise ValueError(
        f"Expected `target` to be a uint8 array (H, W) of class ids of {expected}, "
        f"but got {_described(target)}: resize or convert it first."
    )


def checked_severity(severity: Any, record: Corruption) -> int:
    """Return a severity that the corruption has, as an int."""
    if _is_integer(severity) and severity in record.severities:
        return int(severity)
    raise ValueError(
        f"Expected `severity` to be an int from 1 to {record.severities[-1]}, but got "
        f"{severity!r}: choose a severity of {record.name}."
    )


def checked_seed(seed: Any) -> int:
    """Return an integer from 0 to 2**64 - 1 as an int."""
    if _is_integer(seed) and 0 <= seed < 2**64:
        return int(seed)
    shown = repr(seed) if not _is_integer(seed) or abs(seed) < 2**70 else "a larger one"
    raise ValueError(
        f"Expected `seed` to be an int from 0 to 2**64 - 1, but got {shown}: choose a smaller one."
    )


def checked_key(key: Any) -> str:
    """Return a str as it is."""
    if isinstance(key, str):
        return key
    raise ValueError(f"Expected `key` to be a str, the image's id, but got {key!r}: use str(...).")


def checked_ignore_index(ignore_index: Any) -> int:
    """Return an integer from 0 to 255 as an int."""
    if _is_integer(ignore_index) and 0 <= ignore_index <= 255:
        return int(ignore_index)
    raise ValueError(
        f"Expected `ignore_index` to be an int from 0 to 255, but got {ignore_index!r}: "
        f"use 255, which no class has."
    )


def _is_integer(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return f"a {type(value).__name__}"
