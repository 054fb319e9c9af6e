"""The card of a data set that is read from files, and the search for its folder."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from robseg.datasets.base import DatasetCard
from robseg.errors import InputError

__all__ = ["FileCard", "below", "colours", "find_root", "names"]

ROOT_VARIABLE = "ROBSEG_DATA_ROOT"


@dataclasses.dataclass(frozen=True)
class FileCard(DatasetCard):
    """A data set in files has one line that says what its root holds."""

    layout: str = ""


def names(text: str) -> tuple[str, ...]:
    """Return the names in a text, separated by commas.

    Examples
    --------
    >>> names("road, traffic light")
    ('road', 'traffic light')
    """
    return tuple(name.strip() for name in text.split(","))


def colours(digits: str) -> tuple[tuple[int, int, int], ...]:
    """Return the colours in a text of hexadecimal digits.

    Examples
    --------
    >>> colours("804080 f423e8")
    ((128, 64, 128), (244, 35, 232))
    """
    triples = (bytes.fromhex(word) for word in digits.split())
    return tuple((red, green, blue) for red, green, blue in triples)


def find_root(card: DatasetCard, root: Path | None) -> Path:
    """Return the data set's folder: `root`, else $ROBSEG_DATA_ROOT/<name>, else the card's own variable.

    A variable that points nowhere is skipped; a given `root` that does not exist is an error.
    """
    layout = f" holding {card.layout}" if isinstance(card, FileCard) else ""
    if root is not None:
        root = Path(root).expanduser()
        if not root.exists():
            raise InputError(
                f"Expected the root of {card.name}{layout}, but '{root}' does not exist: correct the path."
            )
        return root
    tried = []
    for place in _usual_places(card):
        if place.exists():
            return place
        tried.append(f"; '{place}' does not exist")
    own = f", or set {card.variable}" if card.variable else ""
    raise InputError(
        f"Expected the root of {card.name}{layout}, but got none{''.join(tried)}.\n"
        f"Give --data-root DIR (in Python data_root=, for open_dataset root=), or set {ROOT_VARIABLE} to "
        f"a folder that holds '{card.name}'{own}."
    )


def _usual_places(card: DatasetCard) -> Iterator[Path]:
    if shared := os.environ.get(ROOT_VARIABLE):
        yield Path(shared).expanduser() / card.name
    if card.variable and (own := os.environ.get(card.variable)):
        yield Path(own).expanduser()


def below(root: Path, *folders: str) -> Path:
    """Return the first of `folders` that exists below `root`, or else `root`; users give either."""
    return next((root / folder for folder in folders if (root / folder).is_dir()), root)
