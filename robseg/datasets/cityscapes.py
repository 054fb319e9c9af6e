"""Cityscapes, fine annotations: 2975 train and 500 val images of 2048x1024 from 21 German and Swiss cities.

Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016. The authors
withhold the labels of the test split, so it is not offered.
"""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

from robseg.datasets.base import IGNORE_INDEX, Dataset
from robseg.datasets.files.card import FileCard, colours, find_root, names
from robseg.datasets.files.drives import blocks
from robseg.datasets.files.layout import find_pairs, walk
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
TRAIN_LABELS = IndexLabels.of({**{value: value for value in range(19)}, 255: IGNORE_INDEX})
LABEL_ENDING, TRAIN_ENDING = "_gtFine_labelIds.png", "_gtFine_labelTrainIds.png"

notes = logging.getLogger("robseg")


def open_cityscapes(root: Path | None, split: str) -> Dataset:
    """Open a split; ids are like "frankfurt/frankfurt_000000_000294"."""
    root = find_root(CARD, root)
    targets = root / "gtFine" / split
    ending, labels = _kind_of_targets(targets)
    pairs = find_pairs(
        root / "leftImg8bit" / split, targets, image_ending="_leftImg8bit.png", target_ending=ending
    )
    dataset = open_pairs(CARD, root, split, pairs, labels)
    cities = [name.split("/")[0] for name in dataset.ids]
    return dataclasses.replace(dataset, clusters=blocks(dataset.ids, cities))


def _kind_of_targets(folder: Path) -> tuple[str, IndexLabels]:
    """Return the ending and the labels of a split's targets: trainIds only where there are no labelIds.

    The archives of the authors hold labelIds. A script of theirs makes trainIds of them, and some copies of
    the data set hold these alone.
    """
    if any(walk(folder, LABEL_ENDING)) or not any(walk(folder, TRAIN_ENDING)):
        return LABEL_ENDING, LABELS
    notes.info("'%s' has no *%s: the targets are its *%s.", folder, LABEL_ENDING, TRAIN_ENDING)
    return TRAIN_ENDING, TRAIN_LABELS


CARD = FileCard(
    name="cityscapes",
    title="Cityscapes (fine, 19 classes)",
    class_names=CLASS_NAMES,
    palette=PALETTE,
    splits=("train", "val"),
    default_split="val",
    open=open_cityscapes,
    layout=(
        "leftImg8bit/SPLIT/CITY/*_leftImg8bit.png and gtFine/SPLIT/CITY/*_gtFine_labelIds.png "
        "(or labelTrainIds)"
    ),
    variable="CITYSCAPES_DATASET",
    licence="non-commercial, see cityscapes-dataset.com/license",
    citation=(
        "Cordts, Omran, Ramos, Rehfeld, Enzweiler, Benenson, Franke, Roth, Schiele: The Cityscapes Dataset "
        "for Semantic Urban Scene Understanding, CVPR 2016."
    ),
)
