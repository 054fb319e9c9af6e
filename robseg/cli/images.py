"""The images that a user names on the command line: files, folders, patterns."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from robseg.datasets.files.pixels import read_oriented, turned
from robseg.errors import InputError

__all__ = ["find_images", "read_upright"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm")


def find_images(sources: Sequence[str], out: Path) -> dict[str, Path]:
    """Return the image files that `sources` name by key, in the order given.

    The key of an image is its file name without the ending. For a folder or a pattern, the folders in between
    are part of the key, and files below `out` are skipped because an earlier call wrote them.

    Raises
    ------
    InputError
        If a source does not exist, or two files have the same key.
    """
    files: dict[str, Path] = {}
    for source in sources:
        for key, path in _images_of(source, out):
            if files.setdefault(key, path) != path:
                raise InputError(
                    f"Expected images of different names, but got {files[key]} and {path}: "
                    "give the folder above them, or rename one."
                )
    return files


def read_upright(path: Path) -> NDArray[np.uint8]:
    """Return an image (H, W, 3) as RGB, turned as its EXIF orientation says; alpha is dropped."""
    return turned(*read_oriented(path))


def _images_of(source: str, out: Path) -> Iterator[tuple[str, Path]]:
    path = Path(source)
    if path.is_dir():
        found = [file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES]
        yield from _below(path, found, source, out)
    elif path.exists():
        yield path.stem, path
    elif glob.has_magic(source):
        found = [Path(name) for name in glob.glob(source, recursive=True)]  # noqa: PTH207 (takes any text)
        yield from _below(Path(*_before_magic(path)), found, source, out)
    else:
        raise InputError(f"Expected images, a folder or a pattern, but '{source}' does not exist.")


def _before_magic(path: Path) -> Iterator[str]:
    for part in path.parts:
        if glob.has_magic(part):
            return
        yield part


def _below(root: Path, found: Sequence[Path], source: str, out: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files among `found` with their keys relative to `root`, sorted."""
    target = out.resolve()
    if root.resolve() == target:
        raise InputError(
            f"Expected --out to be another folder than the images' own, but got {out}: "
            "what is written there would be taken for images the next time."
        )
    written_before = root.resolve() in target.parents
    images = [
        path
        for path in sorted(found)
        if path.is_file() and not (written_before and target in path.resolve().parents)
    ]
    if not images:
        raise InputError(f"Expected images in '{source}', but there are none (of {', '.join(SUFFIXES)}).")
    for path in images:
        yield path.relative_to(root).with_suffix("").as_posix(), path
