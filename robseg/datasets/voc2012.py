"""PASCAL VOC 2012, segmentation: 1464 train and 1449 val photographs, 20 classes of objects and background.

Everingham et al., "The PASCAL Visual Object Classes Challenge: A Retrospective", IJCV 111, 2015. Targets are
palette PNGs and are read as indices; 255 is the border around objects.
"""

from __future__ import annotations

from pathlib import Path

from robseg.datasets.base import IGNORE_INDEX, Dataset
from robseg.datasets.files.card import FileCard, below, colours, find_root, names
from robseg.datasets.files.faults import Fault, refuse, some
from robseg.datasets.files.layout import Pair
from robseg.datasets.files.lists import read_list
from robseg.datasets.files.pixels import IndexLabels
from robseg.datasets.files.reader import open_pairs

__all__ = ["CARD"]

LABELS = IndexLabels.of({**{value: value for value in range(21)}, 255: IGNORE_INDEX})


def open_voc2012(root: Path | None, split: str) -> Dataset:
    """Open the images of a split's list file; `root` may be VOC2012 itself or a folder above it."""
    root = below(find_root(CARD, root), "VOCdevkit/VOC2012", "VOC2012")
    return open_pairs(CARD, root, split, _listed(root, split), LABELS)


def _listed(root: Path, split: str) -> list[Pair]:
    list_file = root / "ImageSets" / "Segmentation" / f"{split}.txt"
    stems = read_list(list_file)
    pairs = [
        Pair(stem, root / "JPEGImages" / f"{stem}.jpg", root / "SegmentationClass" / f"{stem}.png")
        for stem in stems
    ]
    missing = {file: None for pair in pairs for file in (pair.image, pair.target) if not file.is_file()}
    if missing:
        message = (
            f"Expected {some([*missing])}, which '{list_file}' names, but there is no such file: add it, or "
            "remove its name from the list."
        )
        refuse(Fault(message, "listed file that is missing", missing))
    return [pair for pair in pairs if pair.image not in missing and pair.target not in missing]


CARD = FileCard(
    name="voc2012",
    title="PASCAL VOC 2012 (20 classes and background)",
    class_names=names(
        "background, aeroplane, bicycle, bird, boat, bottle, bus, car, cat, chair, cow, diningtable, dog, "
        "horse, motorbike, person, pottedplant, sheep, sofa, train, tvmonitor"
    ),
    palette=colours(
        "000000 800000 008000 808000 000080 800080 008080 808080 400000 c00000 "
        "408000 c08000 400080 c00080 408080 c08080 004000 804000 00c000 80c000 004080"
    ),
    splits=("train", "val", "trainval"),
    default_split="val",
    open=open_voc2012,
    layout="VOCdevkit/VOC2012/ with ImageSets/Segmentation/SPLIT.txt, JPEGImages/ and SegmentationClass/",
    licence="Flickr terms of use, see host.robots.ox.ac.uk/pascal/VOC/voc2012",
    citation=(
        "Everingham, Eslami, Van Gool, Williams, Winn, Zisserman: The PASCAL Visual Object Classes "
        "Challenge: A Retrospective, IJCV 111(1), 2015."
    ),
)
