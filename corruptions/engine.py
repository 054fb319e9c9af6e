"""Corrupting images."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from corruptions.arguments import (
    checked_ignore_index,
    checked_image,
    checked_key,
    checked_seed,
    checked_severity,
    checked_target,
)
from corruptions.kernels.displacement import move_target
from corruptions.registry import Corruption, get

__all__ = ["corrupt", "corrupt_pair", "corrupt_target", "sweep"]

MINIMUM_SIDE = 32  # pixels; smaller images are padded before a kernel sees them


def corrupt(
    image: NDArray[np.uint8], name: str, severity: int = 3, *, seed: int = 0, key: str = ""
) -> NDArray[np.uint8]:
    """Return a corrupted copy of a uint8 image of any size: (H, W, 3) RGB, or grey (H, W) or (H, W, 1).

    `name` is fog or, with its set, imagenet-c/fog; most corruptions have the severities 1 to 5. The pixels
    depend on the image, the corruption, the version of its set, `severity`, `seed` and `key` (the image's
    id), never on order, thread or a global generator. The result has the image's shape, is C-contiguous and
    writable.

    A grey image is corrupted as an RGB image of three equal channels, and the first channel is returned. An
    image with a side of fewer than 32 pixels is mirrored outwards to 32 pixels first, and its middle is
    returned.

    Examples
    --------
    >>> image = np.full((4, 6, 3), 100, np.uint8)
    >>> noisy = corrupt(image, "gaussian_noise", severity=2, seed=1, key="a.png")
    >>> noisy.shape, noisy.dtype, bool((noisy != image).any())
    ((4, 6, 3), dtype('uint8'), True)
    """
    record = get(name)
    return _corrupt(
        checked_image(image),
        record,
        checked_severity(severity, record),
        checked_seed(seed),
        checked_key(key),
    )


def corrupt_pair(
    image: NDArray[np.uint8],
    target: NDArray[np.uint8],
    name: str,
    severity: int = 3,
    *,
    seed: int = 0,
    key: str = "",
    ignore_index: int = 255,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return corrupted copies of an image and of its (H, W) uint8 target.

    The image is that of `corrupt`. If the corruption moves pixels, the target moves with the same field
    (nearest neighbour), and pixels that nothing moves to become `ignore_index`; elastic_transform has none,
    because it mirrors the border. Otherwise the target stays the same.

    Examples
    --------
    >>> image, target = np.zeros((40, 50, 3), np.uint8), np.ones((40, 50), np.uint8)
    >>> _, moved = corrupt_pair(image, target, "elastic_transform")
    >>> moved.shape
    (40, 50)
    """
    image = checked_image(image)
    target = checked_target(target, image.shape[:2])
    moved = corrupt_target(target, name, severity, seed=seed, key=key, ignore_index=ignore_index)
    return corrupt(image, name, severity, seed=seed, key=key), moved


def corrupt_target(
    target: NDArray[np.uint8],
    name: str,
    severity: int = 3,
    *,
    seed: int = 0,
    key: str = "",
    ignore_index: int = 255,
) -> NDArray[np.uint8]:
    """Return the target that `corrupt_pair` returns beside the image; no image is needed.

    Examples
    --------
    >>> target = np.ones((40, 50), np.uint8)
    >>> int(corrupt_target(target, "fog").min())
    1
    """
    record = get(name)
    return _moved_target(
        checked_target(target),
        record,
        checked_severity(severity, record),
        checked_seed(seed),
        checked_key(key),
        checked_ignore_index(ignore_index),
    )


def sweep(
    image: NDArray[np.uint8],
    name: str,
    severities: Sequence[int] | None = None,
    *,
    seed: int = 0,
    key: str = "",
) -> Iterator[NDArray[np.uint8]]:
    """Yield the image at several severities, by default all; each is equal to that of `corrupt`.

    Examples
    --------
    >>> image = np.full((32, 32), 100, np.uint8)
    >>> mild, strong = sweep(image, "brightness", severities=(1, 5))
    >>> bool(mild.mean() < strong.mean())
    True
    """
    record = get(name)
    image, seed, key = checked_image(image), checked_seed(seed), checked_key(key)
    checked = [
        checked_severity(severity, record)
        for severity in (record.severities if severities is None else severities)
    ]
    if record.apply_all is None or not checked:
        return (_corrupt(image, record, severity, seed, key) for severity in checked)
    return _corrupt_all(image, record, checked, seed, key)


def _corrupt(
    image: NDArray[np.uint8], record: Corruption, severity: int, seed: int, key: str
) -> NDArray[np.uint8]:
    corrupted = record.apply(_kernels_image(image), **record.arguments(severity, seed, key))
    return _callers_image(corrupted, image.shape)


def _corrupt_all(
    image: NDArray[np.uint8], record: Corruption, severities: Sequence[int], seed: int, key: str
) -> Iterator[NDArray[np.uint8]]:
    assert record.apply_all is not None  # noqa: S101 (for the type checker)
    rows = [record.arguments(severity, seed, key) for severity in severities]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    for corrupted in record.apply_all(_kernels_image(image), **columns):
        yield _callers_image(corrupted, image.shape)


def _moved_target(
    target: NDArray[np.uint8], record: Corruption, severity: int, seed: int, key: str, ignore_index: int
) -> NDArray[np.uint8]:
    if record.displacement is None:
        return target.copy(order="C")
    padding = _padding(*target.shape)
    padded = np.pad(target, padding, mode="symmetric")
    field = record.displacement(*padded.shape, **record.arguments(severity, seed, key))
    moved = move_target(padded, field, ignore_index)
    return _cropped(moved, padding, *target.shape).copy(order="C")


def _kernels_image(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the image in the form that kernels take: C-contiguous RGB, mirrored outwards if small."""
    padding = _padding(*image.shape[:2])
    rgb = _as_rgb(image)
    if padding != ((0, 0), (0, 0)):
        rgb = np.pad(rgb, (*padding, (0, 0)), mode="symmetric")
    return np.ascontiguousarray(rgb)


def _callers_image(corrupted: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the result of a kernel in the shape of the caller's image."""
    if corrupted.shape == shape:
        return corrupted
    height, width = shape[:2]
    return _in_shape(_cropped(corrupted, _padding(height, width), height, width), shape)


def _padding(height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how many rows and columns to add on both sides to reach the minimum size."""
    rows, columns = (max(0, MINIMUM_SIDE - side) for side in (height, width))
    return (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)


def _cropped(
    array: NDArray[np.uint8], padding: tuple[tuple[int, int], tuple[int, int]], height: int, width: int
) -> NDArray[np.uint8]:
    (top, _), (left, _) = padding
    return array[top : top + height, left : left + width]


def _as_rgb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    planes = image.reshape(*image.shape[:2], -1)
    return np.broadcast_to(planes, (*image.shape[:2], 3))


def _in_shape(rgb: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    channels = 3 if shape[2:] == (3,) else 1
    return np.array(rgb[..., :channels], order="C").reshape(shape)
