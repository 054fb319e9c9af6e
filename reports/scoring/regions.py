"""The regions that counts are of: what their scores are called, and whether a run has them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from reports.run.record import BOUNDARY, TRIMAP, WHOLE, InvalidRun, RunRecord, regions_at

__all__ = ["ScoreNames", "check_region", "score_names"]


class ScoreNames(NamedTuple):
    """What the score of a region is called: its mean over classes, and that of one class."""

    mean: str
    of_class: str


SCORES = {
    TRIMAP: ScoreNames("trimap mIoU", "trimap IoU"),
    BOUNDARY: ScoreNames("boundary IoU", "boundary IoU"),
}


def score_names(region: str) -> ScoreNames:
    """Return what the scores of a region, or of whole images, are called.

    Examples
    --------
    >>> score_names("").mean, score_names("trimap-2").mean, score_names("boundary-1").of_class
    ('mIoU', 'trimap mIoU at 2 pixels', 'boundary IoU at 1 pixel')
    """
    if region == WHOLE:
        return ScoreNames("mIoU", "IoU")
    kind, width = region.split("-")
    at = "at 1 pixel" if width == "1" else f"at {width} pixels"
    return ScoreNames(*(f"{name} {at}" for name in SCORES[kind]))


def check_region(region: str, record: RunRecord, run: Path) -> None:
    """Raise InvalidRun unless a run was asked for the counts of a region; it has those of whole images."""
    there = regions_at(record.boundaries)
    if region == WHOLE or region in there:
        return
    named = re.fullmatch(f"(?:{TRIMAP}|{BOUNDARY})-([1-9][0-9]*)", region)
    if named is None:
        raise InvalidRun(
            f"Expected a region as {TRIMAP}-W or {BOUNDARY}-W, W a width in pixels, but got '{region}': name "
            f"one, such as {TRIMAP}-2."
        )
    widths = ",".join(map(str, sorted({*record.boundaries, int(named[1])})))
    raise InvalidRun(
        f"Expected counts of the region {region} in {run}, but it has those of "
        f"{', '.join(there) or 'whole images only'}: `robseg evaluate` it again with --boundaries {widths}."
    )
