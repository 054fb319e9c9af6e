"""Drawing labels: their colours, label images, and overlays with a legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from robseg.datasets import DATASETS
from robseg.datasets.files.card import FileCard, colours

__all__ = ["Colour", "Share", "class_colours", "indexed", "overlay", "percent"]

Colour = tuple[int, int, int]

UNKNOWN = (0, 0, 0)
# Okabe & Ito, "Color Universal Design", 2008: distinct for any colour vision. Grey replaces their black.
DISTINCT = colours("e69f00 56b4e9 009e73 f0e442 0072b2 d55e00 cc79a7 bbbbbb")
INK = (20, 20, 20)
SMALLEST_FONT = 13  # pixels


class Share(NamedTuple):
    """A class that was found, as a fraction of the pixels."""

    name: str
    colour: Colour
    share: float


def class_colours(class_names: Sequence[str], dataset: str) -> tuple[Colour, ...]:
    """Return a colour for each class: that of its data set, matched by name, or else a generated one.

    A class that the data set does not know, such as "void", is black.

    Examples
    --------
    >>> class_colours(["Road", "void"], "cityscapes")
    ((128, 64, 128), (0, 0, 0))
    >>> class_colours(["cat", "dog"], "pets")
    ((230, 159, 0), (86, 180, 233))
    """
    known = _colours_of(dataset)
    if not known:
        return tuple(_made_colour(index) for index in range(len(class_names)))
    return tuple(known.get(name.lower(), UNKNOWN) for name in class_names)


def indexed(labels: NDArray[np.uint8], palette: Sequence[Colour]) -> Image.Image:
    """Return labels (H, W) as an image whose pixels are the class ids, shown in the classes' colours."""
    height, width = labels.shape
    image = Image.frombytes("P", (width, height), labels.tobytes())
    image.putpalette([value for colour in palette for value in colour])
    return image


def overlay(
    image: NDArray[np.uint8], labels: Image.Image, opacity: float, shares: Sequence[Share]
) -> Image.Image:
    """Return an image (H, W, 3) under the colours of its labels, with a legend below."""
    coloured = Image.blend(Image.fromarray(image), labels.convert("RGB"), opacity)
    legend = _legend(shares, coloured.size)
    sheet = Image.new("RGB", (legend.width, coloured.height + legend.height), "white")
    sheet.paste(coloured, (0, 0))
    sheet.paste(legend, (0, coloured.height))
    return sheet


def percent(share: float) -> str:
    """Return a fraction above 0 as people read it.

    Examples
    --------
    >>> percent(0.4123), percent(0.0001)
    ('41.2 %', '<0.1 %')
    """
    return f"{share:.1%}".replace("%", " %") if share >= 0.0005 else "<0.1 %"


def _colours_of(dataset: str) -> dict[str, Colour]:
    if dataset not in DATASETS:
        return {}
    card = DATASETS[dataset]
    if isinstance(card, FileCard):
        palette = card.palette
    elif not card.needs_root:
        palette = card.open(None, card.default_split).palette
    else:
        palette = ()
    return {name.lower(): colour for name, colour in zip(card.class_names, palette, strict=bool(palette))}


def _made_colour(index: int) -> Colour:
    """Return one of at least 256 colours: the distinct ones, then darker and lighter ones of them in turn."""
    turn, hue = divmod(index, len(DISTINCT))
    # 1, 2, 3, ... to 0, -0.4, 0.4, -0.6, 0.2, ...: each new shade between those that are there already.
    digits = f"{turn + 1:b}"[::-1]
    shade = 0.8 * (2 * int(digits, 2) / 2 ** len(digits) - 1)
    end = 255 if shade > 0 else 0
    red, green, blue = (round(value + abs(shade) * (end - value)) for value in DISTINCT[hue])
    return red, green, blue


def _legend(shares: Sequence[Share], size: tuple[int, int]) -> Image.Image:
    """Return the classes' names and shares beside their colours, in columns, for an image of (W, H)."""
    width, height = size
    unit = max(SMALLEST_FONT, round(math.sqrt(width * height) / 40))
    font = ImageFont.load_default(unit)
    texts = [f"{entry.name}  {percent(entry.share)}" for entry in shares]
    cell = 2 * unit + math.ceil(max(font.getlength(text) for text in texts)) + unit
    columns = min(max((width - unit) // cell, 1), len(shares))
    rows, line = -(-len(shares) // columns), round(1.6 * unit)
    legend = Image.new("RGB", (max(width, columns * cell + unit), rows * line + unit), "white")
    draw = ImageDraw.Draw(legend)
    for index, (entry, text) in enumerate(zip(shares, texts, strict=True)):
        left = unit + index % columns * cell
        middle = unit // 2 + index // columns * line + line // 2
        box = (left, middle - unit // 2, left + round(1.4 * unit), middle + unit // 2)
        draw.rectangle(box, fill=entry.colour, outline=INK)
        draw.text((left + 2 * unit, middle), text, fill=INK, font=font, anchor="lm")
    return legend
