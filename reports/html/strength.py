"""The measured strength of corruptions, because severities of different corruptions do not compare.

`strength.csv` holds the peak signal-to-noise ratio (PSNR), in dB, between an image and its corrupted version
for each corruption and severity: the mean over the four photographs that scikit-image ships (astronaut,
coffee, chelsea, rocket; 300 to 512 pixels high). `make generated` writes it and the table in
docs/corruptions.md.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from pathlib import Path

__all__ = ["SOURCE", "psnr"]

SOURCE = "the mean over four photographs, not over the images of this run"
TABLE = Path(__file__).with_name("strength.csv")


def psnr(set_versions: Mapping[str, str]) -> dict[tuple[str, int], float]:
    """Return the PSNR in dB by (corruption, severity), for the corruption sets whose version was measured.

    Examples
    --------
    >>> psnr({"imagenet-c": "1"})["fog", 3]
    12.2
    """
    return {
        (row["corruption"], int(row["severity"])): float(row["psnr"])
        for row in _rows()
        if set_versions.get(row["set"]) == row["version"]
    }


@functools.cache
def _rows() -> tuple[dict[str, str], ...]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))
