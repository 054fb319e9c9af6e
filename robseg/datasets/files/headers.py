"""What image files say before their pixels are decoded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from PIL import ImageFile

from robseg.datasets.files.pixels import DECODING_ERRORS, opened, orientation_of, refuse_size

__all__ = ["Header", "read_header"]

TAIL = 65536  # bytes at the end of a PNG that are searched for EXIF data


class Header(NamedTuple):
    """The size of an image as stored, its EXIF orientation (1: none), and the colours of its palette."""

    height: int = 0
    width: int = 0
    orientation: int = 1
    palette: bytes = b""


def read_header(path: Path) -> Header:
    """Return what a file says of its image, or an empty header if it is unreadable or too large."""
    try:
        with opened(path) as image:
            refuse_size(path, image)
            palette = image.palette if image.mode == "P" else None
            colours = b"" if palette is None else bytes(palette.getdata()[1])
            return Header(image.height, image.width, _orientation(path, image), colours)
    except DECODING_ERRORS:  # reading the pixels will say why
        return Header()


def _orientation(path: Path, image: ImageFile.ImageFile) -> int:
    if image.format == "TIFF":  # Pillow turns these itself, when it decodes them
        return 1
    if image.format == "PNG" and b"eXIf" in _tail(path):  # exiftool writes it behind the pixels
        image.load()
    return orientation_of(image)


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
        return file.read()
