"""Where the offsets of an image come from: a network that looks at it, or files made before."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from robseg.errors import InputError
from robseg.models.checkpoints.digest import sha256_of
from robseg.models.model import Model
from robseg.models.predict.batch import Batch
from robseg.models.refine.files import read_offsets
from robseg.models.refine.predict import predict_offsets

__all__ = ["Offsets", "predicted_offsets", "stored_offsets"]

# What may stand for an image's id in its file's name: all of it, its last part, and the last part as the
# authors' files for Cityscapes have it.
NAMES = ("{id}.mat", "{last}.mat", "{last}_leftImg8bit.mat")


@dataclasses.dataclass(frozen=True)
class Offsets:
    """A part of a batch that computes the offsets (N, H, W, 2) of its images; refined models may share one.

    `compute(batch)` does so. `source` is the network's name or the files' folder, and `origin` says how the
    offsets came about. `identity` is what they depend on, `sha256` that of the weights or of all files. The
    costs are those of a model.
    """

    name: str
    source: str
    origin: str
    identity: str
    sha256: str
    parameters: int | None
    gmacs: Callable[[int, int], float | None]
    compute: Callable[[Batch], NDArray[np.int8]]
    parts: ClassVar[tuple[()]] = ()


def predicted_offsets(network: Model) -> Offsets:
    """Return the offsets that a SegFix predicts from images alone."""
    return Offsets(
        name=network.name,
        source=network.name,
        origin="predicted from each image as the models saw it",
        identity=network.identity,
        sha256=network.sha256,
        parameters=network.parameters,
        gmacs=network.gmacs,
        compute=functools.partial(_predicted, network),
    )


def stored_offsets(folder: Path, ids: Sequence[str]) -> Offsets:
    """Return the offsets in a folder that has a file for each of the images.

    Raises
    ------
    InputError
        If an image has no file; the first is named.
    """
    found = {image: _file_of(folder, image) for image in ids}
    files = {image: path for image, path in found.items() if path is not None}
    missing = [image for image in ids if image not in files]
    if missing:
        raise InputError(
            f"Expected offsets of every image in {folder}, but {len(missing)} of {len(ids)} have none: "
            f"put {_names(missing[0])[0]} and the others there."
        )
    digest = hashlib.sha256()
    for image, path in files.items():
        digest.update(f"{image} {sha256_of(path)}\n".encode())
    return Offsets(
        name="offsets",
        source=str(folder),
        origin=(
            "read from files made of other images than the corrupted ones: "
            "they leak what the corruptions hide"
        ),
        identity=digest.hexdigest(),
        sha256=digest.hexdigest(),
        parameters=0,
        gmacs=_free,
        compute=functools.partial(_read, files),
    )


def _predicted(network: Model, batch: Batch) -> NDArray[np.int8]:
    return predict_offsets(network, batch.images)


def _read(files: Mapping[str, Path], batch: Batch) -> NDArray[np.int8]:
    if not batch.ids:
        raise InputError(
            "Expected the ids of images, whose offsets are read from files, but got images alone: evaluate "
            "a data set, or refine with a SegFix."
        )
    height, width = batch.images.shape[1:3]
    found = [read_offsets(files[image]) for image in batch.ids]
    for image, offsets in zip(batch.ids, found, strict=True):
        if offsets.shape[:2] != (height, width):
            raise InputError(
                f"Expected offsets of {height}x{width} pixels in {files[image]}, but got "
                f"{offsets.shape[0]}x{offsets.shape[1]}: make them from images of the data set's size."
            )
    return np.stack(found)


def _free(_height: int, _width: int) -> float:
    return 0.0


def _file_of(folder: Path, image: str) -> Path | None:
    return next((folder / name for name in _names(image) if (folder / name).is_file()), None)


def _names(image: str) -> list[str]:
    return [name.format(id=image, last=image.rsplit("/", 1)[-1]) for name in NAMES]
