"""Cityscapes, fine annotations: 2975 train and 500 val images of 2048x1024 from 21 German and Swiss cities.

Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016. The authors
withhold the labels of the test split, so it is not offered.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from robseg.datasets.base import IGNORE_INDEX, Dataset
from robseg.datasets.files.card import FileCard, colours, find_root, names
from robseg.datasets.files.drives import blocks
from robseg.datasets.files.layout import find_pairs
from robseg.datasets.files.pixels import IndexLabels
from robseg.datasets.files.reader import open_pairs

__all__ = ["CARD", "CLASS_NAMES", "PALETTE"]

CLASS_NAMES = names(
    "road, sidewalk, building, wall, fence, pole, traffic light, traffic sign, vegetation, terrain, "
    "sky, person, rider, car, truck, bus, train, motorcycle, bicycle"
)
PALETTE = colours(
    "804080 f423e8 464646 66669c be9999 999999 faaa1e dcdc00 6b8e23 98fb98 "
    "4682b4 dc143c ff0000 00008e 000046 003c64 005064 0000e6 770b20"
)
LABEL_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
"""The labelId of each class; the other ids up to 33 are not evaluated."""
LABELS = IndexLabels.of(
    {**dict.fromkeys((*range(34), 255), IGNORE_INDEX), **{label: i for i, label in enumerate(LABEL_IDS)}}
)


def open_cityscapes(root: Path | None, split: str) -> Dataset:
    """Open a split; ids are like "frankfurt/frankfurt_000000_000294"."""
    root = find_root(CARD, root)
    pairs = find_pairs(
        root / "leftImg8bit" / split,
        root / "gtFine" / split,
        image_ending="_leftImg8bit.png",
        target_ending="_gtFine_labelIds.png",
    )
    dataset = open_pairs(CARD, root, split, pairs, LABELS)
    cities = [name.split("/")[0] for name in dataset.ids]
    return dataclasses.replace(dataset, clusters=blocks(dataset.ids, cities))


CARD = FileCard(
    name="cityscapes",
    title="Cityscapes (fine, 19 classes)",
    class_names=CLASS_NAMES,
    palette=PALETTE,
    splits=("train", "val"),
    default_split="val",
    open=open_cityscapes,
    layout="leftImg8bit/SPLIT/CITY/*_leftImg8bit.png and gtFine/SPLIT/CITY/*_gtFine_labelIds.png",
    variable="CITYSCAPES_DATASET",
    licence="non-commercial, see cityscapes-dataset.com/license",
    citation=(
        "Cordts, Omran, Ramos, Rehfeld, Enzweiler, Benenson, Franke, Roth, Schiele: The Cityscapes Dataset "
        "for Semantic Urban Scene Understanding, CVPR 2016."
    ),
)
