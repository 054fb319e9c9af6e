"""`robseg corrupt`: corrupted copies of images, and contact sheets of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import corruptions
from robseg.cli.images import find_images, read_upright
from robseg.cli.severities import parse_severities
from robseg.errors import InputError
from robseg.evaluation.plan import SEVERITIES, parse_corruptions

__all__ = ["corrupt"]

TILE = 256  # width in pixels of an image on a contact sheet
LABEL = 16  # height in pixels of the line above it


@click.command("corrupt")
@click.argument("sources", metavar="IMAGE|FOLDER|PATTERN...", nargs=-1, required=True)
@click.option(
    "--corruptions", "-c", "wanted", default="all", show_default=True, help="Names, groups, subsets."
)
@click.option("--severities", "-s", default=None, help="Such as 3, 1,3,5 or 1-3.  [default: 1-5]")
@click.option("--out", "-o", type=click.Path(path_type=Path), required=True, help="Folder for the images.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--sheet", is_flag=True, help="Write one contact sheet an image in place of the images.")
def corrupt(
    sources: tuple[str, ...], wanted: str, severities: str | None, out: Path, seed: int, sheet: bool
) -> None:
    """Corrupt images, or all images of a folder, and save them losslessly (PNG).

    \b
    OUT/fog/3/street.png       fog at severity 3
    OUT/street.png             with --sheet: all of them side by side

    An image's file name, relative to its folder and without its ending, is its key: the same name and seed
    give the same pixels, whatever else is corrupted beside it.
    """
    names = parse_corruptions(wanted)
    levels = parse_severities(severities) or SEVERITIES
    files = find_images(sources, out)
    for key, path in files.items():
        image = read_upright(path)
        if sheet:
            _save(out / f"{key}.png", _sheet(image, names, levels, seed, key))
        else:
            for name in names:
                for severity, corrupted in _sweep(image, name, levels, seed, key):
                    _save(out / name / str(severity) / f"{key}.png", corrupted)
    what = "sheets" if sheet else f"images x {len(names)} corruptions x {len(levels)} severities"
    click.echo(f"{len(files)} {what}: {out}")


def _sweep(
    image: NDArray[np.uint8], name: str, levels: Sequence[int], seed: int, key: str
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    yield from zip(levels, corruptions.sweep(image, name, levels, seed=seed, key=key), strict=True)


def _save(path: Path, image: NDArray[np.uint8]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    except OSError as error:
        raise InputError(
            f"Expected to be able to write {path}, but got: {error}. Choose another --out."
        ) from error


def _sheet(
    image: NDArray[np.uint8], names: Sequence[str], levels: Sequence[int], seed: int, key: str
) -> NDArray[np.uint8]:
    """Return the image under every corruption (rows) and severity (columns), with a caption above each."""
    height = round(TILE * image.shape[0] / image.shape[1])
    sheet = Image.new("RGB", (TILE * len(levels), (height + LABEL) * len(names)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, name in enumerate(names):
        for column, (severity, corrupted) in enumerate(_sweep(image, name, levels, seed, key)):
            left, top = column * TILE, row * (height + LABEL)
            draw.text((left + 4, top + 2), f"{name} {severity}", fill="black")
            tile = Image.fromarray(corrupted).resize((TILE, height), Image.Resampling.LANCZOS)
            sheet.paste(tile, (left, top + LABEL))
    return np.asarray(sheet)
