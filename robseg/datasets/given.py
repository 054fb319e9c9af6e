"""Data sets that are made in Python: their images and targets get the care that files get."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reports.run.typed import shown
from robseg.datasets.base import IGNORE_INDEX, Dataset, Sample
from robseg.datasets.files.pixels import MAX_CLASSES, rgb_of
from robseg.errors import InputError

__all__ = ["array_of", "checked", "image_of", "target_of"]


def checked(dataset: Dataset) -> Dataset:
    """Return a data set of which every sample is checked, and converted where its meaning is certain.

    Images may be arrays, tensors or PIL images: RGB or grey, channels last or first, bytes or floats from 0
    to 1. Targets may be arrays, tensors or PIL images of whole numbers.

    Raises
    ------
    InputError
        If the names, ids or other facts of the data set cannot be right.
    """
    what = f"the Dataset {shown(dataset.name)}"
    if not dataset.ids:
        raise InputError(f"Expected {what} to have images, but its ids are empty: add some.")
    for name, values in (("ids", dataset.ids), ("class_names", dataset.class_names)):
        if twice := _twice(values):
            raise InputError(f"Expected distinct {name} in {what}, but got {shown(twice)} twice: rename one.")
        if wrong := [value for value in values if not isinstance(value, str)]:
            raise InputError(f"Expected {name} in {what} to be texts, but got {shown(wrong[0])}: use str().")
    if not 0 < dataset.num_classes <= MAX_CLASSES:
        raise InputError(f"Expected 1 to {MAX_CLASSES} classes in {what}, but got {dataset.num_classes}.")
    if len(dataset.clusters) not in (0, len(dataset)):
        raise InputError(
            f"Expected a cluster for each of the {len(dataset)} images in {what}, or none, but got "
            f"{len(dataset.clusters)}."
        )
    return dataclasses.replace(dataset, read=Checked(dataset.ids, dataset.num_classes, dataset.read))


@dataclasses.dataclass(frozen=True)
class Checked:
    """Read a sample and check it; this can be pickled if `read` can."""

    ids: tuple[str, ...]
    num_classes: int
    read: Callable[[int], Any]

    def __call__(self, index: int) -> Sample:
        """Return a sample as uint8 arrays."""
        sample = self.read(index)
        if not isinstance(sample, tuple) or len(sample) != len(Sample._fields):
            raise InputError(
                f"Expected `read` to return a Sample (id, image, target) of {self.ids[index]}, but got "
                f"{type(sample).__name__}: return one."
            )
        name, image, target = sample
        if name != self.ids[index]:
            raise InputError(
                f"Expected the sample at {index} to be '{self.ids[index]}', but `read` returned "
                f"{shown(name)}: return the samples in the order of `ids`."
            )
        labels = target_of(target, self.num_classes, name)
        return Sample(name, image_of(image, labels.shape, name), labels)


def target_of(value: Any, num_classes: int, name: str) -> NDArray[np.uint8]:
    """Return a target as uint8 (H, W); its values must be classes or IGNORE_INDEX."""
    labels = array_of(value, f"the target of {name}")
    if labels.ndim == 3 and 1 in (labels.shape[0], labels.shape[-1]):
        labels = labels.reshape(labels.shape[1:] if labels.shape[0] == 1 else labels.shape[:-1])
    if labels.ndim != 2 or labels.dtype.kind not in "bui":
        raise InputError(
            f"Expected the target of {name} to be whole numbers (H, W), but got {labels.dtype} "
            f"{labels.shape}: give the class of each pixel."
        )
    wrong = (labels < 0) | ((labels >= num_classes) & (labels != IGNORE_INDEX))
    if wrong.any():
        row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
        raise InputError(
            f"Expected labels 0-{num_classes - 1} or {IGNORE_INDEX} in the target of {name}, but got "
            f"{labels[row, column]} at row {row}, column {column}: name its class, or write {IGNORE_INDEX} "
            "where pixels are not scored."
        )
    return labels.astype(np.uint8)


def image_of(value: Any, size: tuple[int, ...], name: str) -> NDArray[np.uint8]:
    """Return an image as uint8 (H, W, 3) RGB, of the `size` (H, W) of its target."""
    if isinstance(value, Image.Image):
        value = rgb_of(value, f"the image of {name}")
    image = array_of(value, f"the image of {name}")
    if image.shape == (3, *size) and (image.shape != (*size, 3) or hasattr(value, "detach")):
        image = np.moveaxis(image, 0, -1)
    elif image.shape in (size, (1, *size), (*size, 1)):
        image = np.repeat(image.reshape(*size, 1), 3, axis=2)
    if image.shape != (*size, 3):
        raise InputError(
            f"Expected the image of {name} to be (H, W, 3) with its target's size {size}, but got "
            f"{image.shape}: give both in one size."
        )
    return np.ascontiguousarray(_bytes(image, name))


def _bytes(image: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Return an image of bytes, or of floats from 0 to 1, as bytes."""
    if image.dtype == np.uint8:
        return image
    if image.dtype.kind == "f" and image.size and image.min() >= 0 and image.max() <= 1:
        return np.rint(image.astype(np.float64) * 255).astype(np.uint8)
    ends = (
        f" from {image.min():.4g} to {image.max():.4g}" if image.size and image.dtype.kind in "bifu" else ""
    )
    raise InputError(
        f"Expected the image of {name} to be bytes (uint8) or floats from 0 to 1, but got "
        f"{image.dtype}{ends}: give it without normalisation, which the model's card states."
    )


def array_of(value: Any, what: str) -> NDArray[Any]:
    """Return an array, tensor or PIL image as an array; `what` names it in an error."""
    try:
        return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"Expected {what} to be an array, a tensor or a PIL image, but got {type(value).__name__}."
        ) from error


def _twice(values: tuple[Any, ...]) -> Any:
    return next((value for value, times in Counter(values).items() if times > 1), None)
