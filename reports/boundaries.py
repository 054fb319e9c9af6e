"""The scores near class boundaries, from counts of their regions, as a data frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.frames import clean_first, ends
from reports.replicates import Replicates, read_replicates
from reports.resampling import interval
from reports.schema import BOUNDARY, TRIMAP, region_name

__all__ = ["boundaries"]

Floats = NDArray[np.float64]

# Both are the mean IoU over classes, of other counts.
SCORES = {"trimap_miou": TRIMAP, "boundary_iou": BOUNDARY}
COLUMNS = ["model", "dataset", "corruption", "severity", "width", *ends(*SCORES)]


def boundaries(run: Path, scored: Replicates, *, partial: bool = False) -> pd.DataFrame:
    """Return the table of boundaries.csv: rows as in scores.csv, then widths; empty where none were counted.

    Trimap mIoU (Kohli et al. 2009): mIoU over the pixels within `width` of a boundary of the target. Boundary
    IoU (Cheng et al. 2021): the mean over classes of the IoU of their inner bands in target and prediction.

    Raises
    ------
    InvalidRun
        If counts near boundaries are damaged or, unless `partial`, missing.
    """
    record = scored.record
    parts = [_columns(run, scored, width, partial=partial) for width in record.boundaries]
    rows = [
        {
            "model": model.name,
            "dataset": record.dataset["name"],
            "corruption": condition.corruption,
            "severity": condition.severity,
            "width": width,
            **{name: values[m, k] for name, values in part.items()},
        }
        for m, model in enumerate(record.models)
        for k, condition in clean_first(record.conditions)
        for width, part in zip(record.boundaries, parts, strict=True)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _columns(run: Path, scored: Replicates, width: int, *, partial: bool) -> dict[str, Floats]:
    """Return the scores at a width and the ends of their intervals, (M, K), by column."""
    columns: dict[str, Floats] = {}
    for name, kind in SCORES.items():
        near = read_replicates(
            run, scored.record, scored.bootstrap, partial=partial, region=region_name(kind, width)
        )
        units = np.minimum(near.totals.images, near.units.count)
        low, high = interval(near.miou, units, near.bootstrap)
        columns |= {name: near.miou[..., 0], f"{name}_low": low, f"{name}_high": high}
    return columns
