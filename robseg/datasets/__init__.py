"""Labelled images: every data set by name, read one image at a time."""

from __future__ import annotations

from pathlib import Path

from robseg.datasets.base import DATASETS, Dataset
from robseg.errors import InputError, unknown_name

__all__ = ["DATASETS", "open_dataset"]


def open_dataset(name: str, root: Path | None = None, split: str | None = None) -> Dataset:
    """Open a split of a data set; this checks the layout of its files, but not their contents.

    If `root` is None, the data set is looked for in $ROBSEG_DATA_ROOT/<name>, and where the data set's own
    variable points. If `split` is None, the split that is usually scored is opened.
    """
    card = DATASETS[name]
    split = card.default_split if split is None else split
    if split not in card.splits and not card.names_own_splits:
        raise unknown_name(f"split of {name}", split, card.splits)
    if root is not None and not card.needs_root:
        raise InputError(
            f"Expected no root for {name}, which needs no files, but got '{root}': leave the root out."
        )
    return card.open(root, split)
