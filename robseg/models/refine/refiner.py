"""Where the offsets of an image come from: a network that looks at it, or files made before."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from robseg.errors import InputError
from robseg.models.checkpoints.weights import sha256_of
from robseg.models.model import Model
from robseg.models.refine.files import read_offsets
from robseg.models.refine.gather import SCALE, refined
from robseg.models.refine.predict import predict_offsets

__all__ = ["OffsetFiles", "Refiner", "find_offsets"]

# What may stand for an image's id in its file's name: all of it, its last part, and the last part as the
# authors' files for Cityscapes have it.
NAMES = ("{id}.mat", "{last}.mat", "{last}_leftImg8bit.mat")


@dataclasses.dataclass(frozen=True)
class OffsetFiles:
    """Offsets made before: a file for each image's id; `sha256` is that of all of them."""

    folder: Path
    files: Mapping[str, Path]
    sha256: str


@dataclasses.dataclass(frozen=True)
class Refiner:
    """Offsets from a SegFix or from files, and how many pixels a unit of them is. It can be pickled."""

    source: Model | OffsetFiles
    scale: int = SCALE

    @property
    def sha256(self) -> str:
        """Of the network's weights, or of all files of offsets."""
        return self.source.sha256

    def offsets(self, images: NDArray[np.uint8], ids: Sequence[str]) -> NDArray[np.int8]:
        """Return the offsets (N, H, W, 2) of images (N, H, W, 3); of files, those of their ids."""
        if isinstance(self.source, Model):
            return predict_offsets(self.source, images)
        found = [read_offsets(self.source.files[image]) for image in ids]
        for image, offsets in zip(ids, found, strict=True):
            if offsets.shape[:2] != images.shape[1:3]:
                raise InputError(
                    f"Expected offsets of {images.shape[1]}x{images.shape[2]} pixels in "
                    f"{self.source.files[image]}, but got {offsets.shape[0]}x{offsets.shape[1]}: "
                    "make them from images of the data set's size."
                )
        return np.stack(found)

    def refined(self, labels: NDArray[np.uint8], offsets: NDArray[np.int8]) -> NDArray[np.uint8]:
        """Return labels (N, H, W), moved in by the offsets."""
        return refined(labels, offsets, self.scale)


def find_offsets(folder: Path, ids: Sequence[str]) -> OffsetFiles:
    """Return the files of offsets of all images.

    Raises
    ------
    InputError
        If one has none; the first is named.
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
    return OffsetFiles(folder, files, digest.hexdigest())


def _file_of(folder: Path, image: str) -> Path | None:
    return next((folder / name for name in _names(image) if (folder / name).is_file()), None)


def _names(image: str) -> list[str]:
    return [name.format(id=image, last=image.rsplit("/", 1)[-1]) for name in NAMES]
