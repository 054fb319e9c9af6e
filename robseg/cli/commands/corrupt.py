"""Corrupt images and save them losslessly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from corruptions import sweep
from robseg.cli.images import find_images, read_upright
from robseg.cli.options import Command
from robseg.errors import InputError
from robseg.evaluation.conditions import severities_of
from robseg.evaluation.request import Request
from robseg.options import fields

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
    for key, path in files.items():
        image = read_upright(path)
        if sheet:
            _save(out / f"{key}.png", _sheet(image, chosen, seed, key))
        else:
            for name, levels in chosen.items():
                for severity, corrupted in _sweep(image, name, levels, seed, key):
                    _save(out / name / str(severity) / f"{key}.png", corrupted)
    conditions = sum(map(len, chosen.values()))
    what = "sheets" if sheet else f"images x {conditions} conditions ({len(chosen)} corruptions)"
    click.echo(f"{len(files)} {what}: {out}")


def _sweep(
    image: NDArray[np.uint8], name: str, levels: Sequence[int], seed: int, key: str
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    yield from zip(levels, sweep(image, name, levels, seed=seed, key=key), strict=True)


def _save(path: Path, image: NDArray[np.uint8]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    except OSError as error:
        raise InputError(
            f"Expected to be able to write {path}, but got: {error}. Choose another --out."
        ) from error


def _sheet(
    image: NDArray[np.uint8], chosen: Mapping[str, Sequence[int]], seed: int, key: str
) -> NDArray[np.uint8]:
    """Return the image under every corruption (rows) and severity (columns), with a caption above each."""
    height = round(TILE * image.shape[0] / image.shape[1])
    columns = max(map(len, chosen.values()), default=0)
    sheet = Image.new("RGB", (TILE * columns, (height + LABEL) * len(chosen)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (name, levels) in enumerate(chosen.items()):
        for column, (severity, corrupted) in enumerate(_sweep(image, name, levels, seed, key)):
            left, top = column * TILE, row * (height + LABEL)
            draw.text((left + 4, top + 2), f"{name} {severity}", fill="black")
            tile = Image.fromarray(corrupted).resize((TILE, height), Image.Resampling.LANCZOS)
            sheet.paste(tile, (left, top + LABEL))
    return np.asarray(sheet)
