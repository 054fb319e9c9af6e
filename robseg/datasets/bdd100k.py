"""BDD100K, semantic segmentation: 7000 train and 1000 val dash-cam frames of 1280x720, Cityscapes' classes.

Yu et al., "BDD100K: A Diverse Driving Dataset for Heterogeneous Multitask Learning", CVPR 2020. Masks hold
trainIds. The reader takes the present layout (images/10k, labels/sem_seg/masks) and the older one
(seg/images, seg/labels).
"""

from __future__ import annotations

from pathlib import Path

from robseg.datasets.base import IGNORE_INDEX, Dataset
from robseg.datasets.cityscapes import CLASS_NAMES, PALETTE
from robseg.datasets.files.card import FileCard, below, find_root
from robseg.datasets.files.layout import find_pairs
from robseg.datasets.files.pixels import IndexLabels
from robseg.datasets.files.reader import open_pairs

__all__ = ["CARD"]

LABELS = IndexLabels.of({**{value: value for value in range(19)}, 255: IGNORE_INDEX})


def open_bdd100k(root: Path | None, split: str) -> Dataset:
    """Open a split; `root` may be the folder bdd100k or the one above it."""
    root = below(find_root(CARD, root), "bdd100k")
    if (root / "seg").is_dir():
        pairs = find_pairs(
            root / "seg/images" / split,
            root / "seg/labels" / split,
            image_ending=".jpg",
            target_ending="_train_id.png",
        )
    else:
        pairs = find_pairs(
            root / "images/10k" / split,
            root / "labels/sem_seg/masks" / split,
            image_ending=".jpg",
            target_ending=".png",
        )
    return open_pairs(CARD, root, split, pairs, LABELS)


CARD = FileCard(
    name="bdd100k",
    title="BDD100K (semantic segmentation, 19 classes)",
    class_names=CLASS_NAMES,
    palette=PALETTE,
    splits=("train", "val"),
    default_split="val",
    open=open_bdd100k,
    layout="images/10k/SPLIT/*.jpg and labels/sem_seg/masks/SPLIT/*.png",
    licence="research and other not-for-profit use, see doc.bdd100k.com/license.html",
    citation=(
        "Yu, Chen, Wang, Xian, Chen, Liu, Madhavan, Darrell: BDD100K: A Diverse Driving Dataset for "
        "Heterogeneous Multitask Learning, CVPR 2020."
    ),
)
