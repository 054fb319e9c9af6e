"""How strong corruptions are by measurement, as a severity is a number in a list and no more.

`strength.csv` holds the peak signal-to-noise ratio, in dB, between an image and its corrupted version for
each corruption and severity: the mean over the four photographs that scikit-image ships (astronaut, coffee,
chelsea, rocket; 300 to 512 pixels high), for the corruption set of version SET_VERSION. The table in
docs/corruptions.md is made by the same measurement (docs/make_corruption_pictures.py).
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

__all__ = ["SET_VERSION", "SOURCE", "psnr"]

SET_VERSION = "1"
SOURCE = "the mean over four photographs, not over the images of this run"
TABLE = Path(__file__).with_name("strength.csv")


def psnr(set_version: str) -> Mapping[tuple[str, int], float]:
    """Return the PSNR in dB by (corruption, severity); nothing for a corruption set that was not measured.

    Examples
    --------
    >>> psnr("1")["fog", 3]
    12.2
    """
    return _table() if set_version == SET_VERSION else MappingProxyType({})


@functools.cache
def _table() -> Mapping[tuple[str, int], float]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = [(row["corruption"], int(row["severity"]), float(row["psnr"])) for row in csv.DictReader(file)]
    return MappingProxyType({(corruption, severity): value for corruption, severity, value in rows})
