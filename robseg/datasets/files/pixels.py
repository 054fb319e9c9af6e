"""Read an image file and its target file into arrays, and refuse files that would be scored wrongly."""

from __future__ import annotations

import dataclasses
import os
import struct
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError

from robseg.errors import InputError

__all__ = [
    "DECODING_ERRORS",
    "FORMATS",
    "MAX_CLASSES",
    "ColourLabels",
    "IndexLabels",
    "Labels",
    "LookedUp",
    "colour_of",
    "opened",
    "orientation_of",
    "read_image",
    "read_oriented",
    "refuse_size",
    "rgb_of",
    "turned",
]

UNDECLARED = 254
"""The class id of a label that is neither a class nor ignored."""
MAX_CLASSES = 254

FORMATS = ("PNG", "JPEG", "JPEG2000", "WEBP", "BMP", "GIF", "PPM", "TIFF")
"""The formats of images, in Pillow's names. Pillow would open many more, and run Ghostscript for EPS."""

DECODING_ERRORS = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)
MAX_PIXELS = 178_956_970
"""The most pixels of an image if ROBSEG_MAX_PIXELS does not say otherwise, as where Pillow refuses images."""
MAX_PIXELS_VARIABLE = "ROBSEG_MAX_PIXELS"

_PILLOW = threading.Lock()  # its limit is a global variable
_COLOUR_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})
_INDEX_MODES = frozenset({"1", "L", "P", "I", "I;16", "I;16B", "I;16L"})
_WIDENED_BY = {"L;2": 85, "L;4": 17}
"""The factor, for each raw mode, by which Pillow spreads grey values of fewer than 8 bits over 0..255."""


class LookedUp(NamedTuple):
    """A target (H, W): its label values, their class ids or IGNORE_INDEX, and where a value is undeclared."""

    values: NDArray[Any]
    target: NDArray[np.uint8]
    undeclared: NDArray[np.bool_]


class Labels(Protocol):
    """How the pixels of a target's file become class ids."""

    @property
    def meanings(self) -> tuple[tuple[str, int], ...]:
        """Each label value or colour as text, with its class id or IGNORE_INDEX."""

    def look_up(self, path: Path) -> LookedUp:
        """Return what the pixels of a file stand for."""

    def read(self, path: Path) -> NDArray[np.uint8]:
        """Return the target (H, W) of class ids or IGNORE_INDEX; other labels are an error."""


@dataclasses.dataclass(frozen=True)
class IndexLabels:
    """Single-channel targets: `classes` holds sorted pairs of a label value and a class id or IGNORE_INDEX.

    Label values are whole numbers of 32 bits.
    """

    classes: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, classes: Mapping[int, int]) -> IndexLabels:
        """Make them from {label value: class id or IGNORE_INDEX}."""
        return cls(tuple(sorted(classes.items())))

    @property
    def meanings(self) -> tuple[tuple[str, int], ...]:
        """Each label value as text, with its class id or IGNORE_INDEX."""
        return tuple((str(value), label) for value, label in self.classes)

    def look_up(self, path: Path) -> LookedUp:
        """Return what the pixels of a file stand for."""
        values = _read_values(path)
        if values.dtype != np.uint8:
            return LookedUp(values, *_looked_up(values, self.classes))
        classes = dict(self.classes)  # a table is several times as fast as a search
        table = np.array([classes.get(value, UNDECLARED) for value in range(256)], np.uint8)
        target = table[values]
        return LookedUp(values, target, target == UNDECLARED)

    def read(self, path: Path) -> NDArray[np.uint8]:
        """Return the target (H, W) of class ids or IGNORE_INDEX."""
        values, target, wrong = self.look_up(path)
        if wrong.any():
            row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
            raise InputError(
                f"Expected label values {self._known()} in '{path}', but got {values[row, column]} "
                f"at row {row}, column {column}: correct the file, or choose the data set that it belongs to."
            )
        return target

    def _known(self) -> str:
        known = [value for value, _ in self.classes]
        starts = [value for value in known if value - 1 not in known]
        ends = [value for value in known if value + 1 not in known]
        return ", ".join(
            str(start) if start == end else f"{start}-{end}" for start, end in zip(starts, ends, strict=True)
        )


@dataclasses.dataclass(frozen=True)
class ColourLabels:
    """Targets drawn in colours: `classes` holds sorted pairs of 0xRRGGBB and a class id or IGNORE_INDEX."""

    classes: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, classes: Mapping[tuple[int, int, int], int]) -> ColourLabels:
        """Make them from {(red, green, blue): class id or IGNORE_INDEX}."""
        return cls(tuple(sorted((_code(*colour), label) for colour, label in classes.items())))

    @property
    def meanings(self) -> tuple[tuple[str, int], ...]:
        """Each colour as #RRGGBB, with its class id or IGNORE_INDEX."""
        return tuple((f"#{code:06x}", label) for code, label in self.classes)

    def look_up(self, path: Path) -> LookedUp:
        """Return what the pixels of a file stand for; their values are 0xRRGGBB."""
        codes = _code(*np.moveaxis(read_image(path).astype(np.int32), -1, 0))
        return LookedUp(codes, *_looked_up(codes, self.classes))

    def read(self, path: Path) -> NDArray[np.uint8]:
        """Return the target (H, W) of class ids or IGNORE_INDEX."""
        codes, target, wrong = self.look_up(path)
        if wrong.any():
            row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
            raise InputError(
                f"Expected the {len(self.classes)} declared colours only in '{path}', but got "
                f"{colour_of(int(codes[row, column]))} at row {row}, column {column}: declare it as a class "
                "or as ignored, or save the target without JPEG and without smoothing."
            )
        return target


def _looked_up(
    values: NDArray[Any], classes: Sequence[tuple[int, int]]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the class of each value, and where values are not among the sorted `classes`."""
    known, labels = np.array(classes, np.int32).T
    position = np.searchsorted(known[:-1], values)
    return labels.astype(np.uint8)[position], known[position] != values


Channel = TypeVar("Channel", int, NDArray[np.int32])


def _code(red: Channel, green: Channel, blue: Channel) -> Channel:
    return red * 65536 + green * 256 + blue


def colour_of(code: int) -> list[int]:
    """Return [red, green, blue] of 0xRRGGBB."""
    return [code >> 16, code >> 8 & 255, code & 255]


def read_image(path: Path) -> NDArray[np.uint8]:
    """Return the image (H, W, 3) as RGB; grey is repeated, palettes are resolved, alpha is dropped."""
    return read_oriented(path)[0]


def read_oriented(path: Path) -> tuple[NDArray[np.uint8], int]:
    """Return the pixels as `read_image` does, and the EXIF orientation that viewers would apply (1: none)."""
    image, _ = _decode(path)
    orientation = orientation_of(image)
    return rgb_of(image, f"'{path}'"), orientation


def rgb_of(image: Image.Image, what: str) -> NDArray[np.uint8]:
    """Return an image as an array (H, W, 3); an error calls it `what`."""
    if image.mode not in _COLOUR_MODES:
        raise InputError(
            f"Expected an image of 8 bits a channel, but {what} has mode '{image.mode}': convert it to "
            "8 bits, and choose which values become black and white."
        )
    if image.mode in {"P", "PA"}:  # straight to RGB, Pillow warns of transparent entries
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation of an image that viewers would apply (1: none)."""
    try:  # Pillow turns TIFF files itself, and then forgets their orientation
        exif = Image.Image.getexif(image)  # that of PNG files decodes the pixels first
        orientation: Any = exif.get(ExifTags.Base.Orientation)
    except DECODING_ERRORS:  # damaged EXIF data do not make an image unreadable
        return 1
    return int(orientation) if orientation in range(2, 9) else 1


def turned(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Return an image (H, W, 3) turned as its EXIF orientation says."""
    if orientation == 1:
        return pixels
    image = Image.fromarray(pixels)
    image.getexif()[ExifTags.Base.Orientation] = orientation
    return np.array(ImageOps.exif_transpose(image))


def _read_values(path: Path) -> NDArray[Any]:
    image, raw_mode = _decode(path)
    if image.mode not in _INDEX_MODES:
        raise InputError(
            f"Expected a single-channel target of label values, but '{path}' has mode '{image.mode}': save "
            "the ids as a grey PNG of 8 or 16 bits, or describe the colours in a dataset.toml (data set "
            "'folder')."
        )
    values = np.asarray(image, dtype=np.uint8 if image.mode == "1" else None)
    return values // _WIDENED_BY.get(raw_mode, 1)


def opened(path: Path) -> ImageFile.ImageFile:
    """Return a file as an image whose pixels are not decoded yet; it is a context manager.

    Pillow's limit on the size of images is lifted meanwhile, because robseg has its own.
    """
    with _PILLOW:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(path, formats=FORMATS)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def refuse_size(path: Path, image: Image.Image) -> None:
    """Raise InputError if an image has more pixels than allowed: a small file may fill the memory."""
    most = os.environ.get(MAX_PIXELS_VARIABLE, str(MAX_PIXELS))
    if not most.isdecimal():
        raise InputError(
            f"Expected {MAX_PIXELS_VARIABLE} to be a whole number of pixels, but got '{most}': correct it."
        )
    if image.width * image.height > int(most):
        raise InputError(
            f"Expected images of at most {most} pixels, but '{path}' has {image.height}x{image.width} "
            f"(height x width): cut it into tiles, or set {MAX_PIXELS_VARIABLE}={image.width * image.height}."
        )


def _decode(path: Path) -> tuple[Image.Image, str]:
    """Return the decoded image and its raw mode in the file ("" if Pillow does not say)."""
    try:
        with opened(path) as image:
            refuse_size(path, image)
            arguments = image.tile[0][3] if image.tile else ""
            image.load()
    except InputError:
        raise
    except UnidentifiedImageError as error:
        raise InputError(
            f"Expected a readable image file '{path}' ({', '.join(FORMATS)}), but got another kind of file "
            "or a damaged one: download it again, or convert it to PNG."
        ) from error
    except DECODING_ERRORS as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"Expected a readable image file '{path}', but got: {reason}. Download the file again."
        ) from error
    raw_mode = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return image, str(raw_mode)
