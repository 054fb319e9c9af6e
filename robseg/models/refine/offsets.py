"""Where the offsets of an image come from: a network that looks at it, or files made before."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from robseg.errors import InputError
from robseg.models.checkpoints.digest import sha256_of
from robseg.models.model import Model
from robseg.models.predict.batch import Batch, Part
from robseg.models.refine.files import read_offsets
from robseg.models.refine.predict import predict_offsets

__all__ = ["Offsets", "PredictedOffsets", "StoredOffsets", "find_offsets"]

# What may stand for an image's id in its file's name: all of it, its last part, and the last part as the
# authors' files for Cityscapes have it.
NAMES = ("{id}.mat", "{last}.mat", "{last}_leftImg8bit.mat")


class Offsets(Part[NDArray[np.int8]], Protocol):
    """A part of a batch that gives the offsets (N, H, W, 2) of its images; refined models may share one."""

    @property
    def title(self) -> str:
        """The network's name, or the folder of the files."""

    @property
    def origin(self) -> str:
        """How the offsets came about, for a run's record."""

    @property
    def identity(self) -> str:
        """What the offsets depend on."""

    @property
    def sha256(self) -> str:
        """The SHA-256 of the network's weights, or of all files."""

    @property
    def parameters(self) -> int | None:
        """The number of trained values, None where it is unknown."""

    def gmacs(self, height: int, width: int) -> float | None:
        """Return the billions of multiply-accumulates for one image, None where they cannot be counted."""


@dataclasses.dataclass(frozen=True)
class PredictedOffsets:
    """Offsets that a SegFix predicts from the image alone."""

    network: Model
    origin: ClassVar = "predicted from each image as the models saw it"

    @property
    def name(self) -> str:
        """The network's name."""
        return self.network.name

    title = name

    @property
    def parts(self) -> tuple[()]:
        """It needs nothing but the images."""
        return ()

    @property
    def identity(self) -> str:
        """The network's."""
        return self.network.identity

    @property
    def sha256(self) -> str:
        """The SHA-256 of the network's weights."""
        return self.network.sha256

    @property
    def parameters(self) -> int | None:
        """The number of the network's trained values."""
        return self.network.parameters

    def gmacs(self, height: int, width: int) -> float | None:
        """Return the network's billions of multiply-accumulates for one image."""
        return self.network.gmacs(height, width)

    def compute(self, batch: Batch) -> NDArray[np.int8]:
        """Return the offsets (N, H, W, 2) of a batch."""
        return predict_offsets(self.network, batch.images)


@dataclasses.dataclass(frozen=True)
class StoredOffsets:
    """Offsets made before: a file for each image's id; `sha256` is that of all of them."""

    folder: Path
    files: Mapping[str, Path]
    sha256: str
    name: ClassVar = "offsets"
    parts: ClassVar[tuple[Part[Any], ...]] = ()
    parameters: ClassVar = 0
    origin: ClassVar = (
        "read from files made of other images than the corrupted ones: they leak what the corruptions hide"
    )

    @property
    def title(self) -> str:
        """The folder."""
        return str(self.folder)

    @property
    def identity(self) -> str:
        """The SHA-256 of all files."""
        return self.sha256

    def gmacs(self, height: int, width: int) -> float:  # noqa: ARG002
        """Return 0: reading a file multiplies nothing."""
        return 0.0

    def compute(self, batch: Batch) -> NDArray[np.int8]:
        """Return the offsets (N, H, W, 2) of a batch's ids.

        Raises
        ------
        InputError
            If the batch has no ids, or an image's offsets are of another size.
        """
        if len(batch.ids) != len(batch.images):
            raise InputError(
                f"Expected the ids of images, whose offsets are read from {self.folder}, but got none: "
                "evaluate a data set, or refine with a SegFix."
            )
        height, width = batch.images.shape[1:3]
        found = [read_offsets(self.files[image]) for image in batch.ids]
        for image, offsets in zip(batch.ids, found, strict=True):
            if offsets.shape[:2] != (height, width):
                raise InputError(
                    f"Expected offsets of {height}x{width} pixels in {self.files[image]}, but got "
                    f"{offsets.shape[0]}x{offsets.shape[1]}: make them from images of the data set's size."
                )
        return np.stack(found)


def find_offsets(folder: Path, ids: Sequence[str]) -> StoredOffsets:
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
    return StoredOffsets(folder, files, digest.hexdigest())


def _file_of(folder: Path, image: str) -> Path | None:
    return next((folder / name for name in _names(image) if (folder / name).is_file()), None)


def _names(image: str) -> list[str]:
    return [name.format(id=image, last=image.rsplit("/", 1)[-1]) for name in NAMES]
