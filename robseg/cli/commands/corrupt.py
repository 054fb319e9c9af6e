"""Corrupt images and save them losslessly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from corruptions import sweep
from reports.run.folder import OutFolder
from robseg.cli.images import find_images, read_upright
from robseg.cli.options import Command
from robseg.errors import InputError
from robseg.evaluation.conditions import severities_of
from robseg.evaluation.request import Request
from robseg.options import fields
from robseg.pictures import write_png

GROUP = "Models and data"

TILE = 256  # width in pixels of an image on a contact sheet
LABEL = 16  # height in pixels of the line above it
OPTIONS = fields(Request)


@click.command(
    "corrupt", cls=Command, fields=[OPTIONS[name] for name in ("corruptions", "severities", "seed")]
)
@click.argument("sources", metavar="IMAGE|FOLDER|PATTERN...", nargs=-1, required=True)
@click.option("--out", "-o", type=click.Path(path_type=Path), required=True, help="Folder for the images.")
@click.option("--sheet", is_flag=True, help="Write one contact sheet per image instead of the images.")
def command(
    sources: tuple[str, ...],
    corruptions: tuple[str, ...] | None,
    severities: tuple[int, ...] | None,
    seed: int,
    out: Path,
    sheet: bool,
) -> None:
    """Corrupt images, or all images of a folder, and save them losslessly (PNG).

    \b
    OUT/fog/3/street.png       fog at severity 3
    OUT/street.png             with --sheet: all of them side by side

    The key of an image is its file name without its ending, relative to its folder. The same key and seed
    give the same pixels, whatever else is corrupted.
    """
    chosen = severities_of(corruptions, severities)
    if not chosen:
        raise InputError("Expected corruptions, but got none: name at least one.")
    files = find_images(sources, out)
    OutFolder(out).reserve(name for key in files for name in _names(key, chosen, sheet=sheet))
    for key, path in files.items():
        image = read_upright(path)
        pictures = [_sheet(image, chosen, seed, key)] if sheet else _corrupted(image, chosen, seed, key)
        for name, picture in zip(_names(key, chosen, sheet=sheet), pictures, strict=True):
            write_png(out / name, picture)
    conditions = sum(map(len, chosen.values()))
    what = "sheets" if sheet else f"images x {conditions} conditions ({len(chosen)} corruptions)"
    click.echo(f"{len(files)} {what}: {out}")


def _names(key: str, chosen: Mapping[str, Sequence[int]], *, sheet: bool) -> list[str]:
    """Return the names of the files that are made of one image."""
    if sheet:
        return [f"{key}.png"]
    return [f"{name}/{severity}/{key}.png" for name, levels in chosen.items() for severity in levels]


def _corrupted(
    image: NDArray[np.uint8], chosen: Mapping[str, Sequence[int]], seed: int, key: str
) -> Iterator[Image.Image]:
    """Yield the image under each condition, in the order of `_names`."""
    for name, levels in chosen.items():
        yield from map(Image.fromarray, sweep(image, name, levels, seed=seed, key=key))


def _sheet(image: NDArray[np.uint8], chosen: Mapping[str, Sequence[int]], seed: int, key: str) -> Image.Image:
    """Return the image under every corruption (rows) and severity (columns), with a caption above each."""
    height = round(TILE * image.shape[0] / image.shape[1])
    columns = max(map(len, chosen.values()), default=0)
    sheet = Image.new("RGB", (TILE * columns, (height + LABEL) * len(chosen)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (name, levels) in enumerate(chosen.items()):
        corrupted = sweep(image, name, levels, seed=seed, key=key)
        for column, (severity, pixels) in enumerate(zip(levels, corrupted, strict=True)):
            left, top = column * TILE, row * (height + LABEL)
            draw.text((left + 4, top + 2), f"{name} {severity}", fill="black")
            tile = Image.fromarray(pixels).resize((TILE, height), Image.Resampling.LANCZOS)
            sheet.paste(tile, (left, top + LABEL))
    return sheet
