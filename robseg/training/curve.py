"""The training curve, a PNG with the loss and the validation mIoU over the epochs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from reports.run.files import write_atomically
from robseg.training.state import Row

__all__ = ["plot_curve"]

LOSS, MIOU = "#7f7f7f", "#1f77b4"


def plot_curve(path: Path, rows: Sequence[Row], title: str) -> None:
    """Plot the mean loss of each epoch (left axis) and the measured validation mIoUs in % (right axis)."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    left = figure.add_subplot(title=title, xlabel="epoch")
    left.set_ylabel("loss", color=LOSS)
    left.plot([row.epoch for row in rows], [row.loss for row in rows], color=LOSS)
    left.set_ylim(bottom=0)
    right = left.twinx()
    right.set_ylabel("validation mIoU, %", color=MIOU)
    validated = [(row.epoch, 100 * row.val_miou) for row in rows if row.val_miou is not None]
    right.plot(*zip(*validated, strict=True), color=MIOU, marker=".")
    right.set_ylim(0, 100)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110)
    write_atomically(path, image.getvalue())
