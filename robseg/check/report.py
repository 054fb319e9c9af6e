"""What a check has found, as a record."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

__all__ = ["ClassShare", "Finding", "Report", "Undeclared"]


class Finding(NamedTuple):
    """One thing that was found, in a line, and the files that have it."""

    kind: str
    text: str
    files: tuple[str, ...] = ()


class ClassShare(NamedTuple):
    """How often a class occurs: its pixels, their share of all labelled pixels, and its images."""

    name: str
    pixels: int
    share: float
    images: int


class Undeclared(NamedTuple):
    """A label value (a number, or red, green and blue) that is neither a class nor ignored."""

    value: int | list[int]
    pixels: int
    files: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Report:
    """A checked split of a data set.

    `sizes` counts the images of each (height, width), the most frequent first. `unscored` is the number of
    pixels that are ignored. A fault would stop an evaluation or make its scores wrong; a warning would not.
    `toml` declares what is undeclared, if the data set has a dataset.toml.
    """

    name: str
    split: str
    images: int
    sizes: dict[tuple[int, int], int]
    classes: tuple[ClassShare, ...]
    unscored: int
    undeclared: tuple[Undeclared, ...]
    faults: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    toml: str = ""
