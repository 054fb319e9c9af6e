"""The card beside a model: how to feed its network, what it answers, where its weights come from.

This module and the list of cards do without torch, so that `robseg list models` is quick.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

__all__ = ["IMAGENET_MEAN", "IMAGENET_STD", "Card"]

# Of ImageNet's pixels 0..255 in RGB, as nearly all published networks use them.
IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)


@dataclasses.dataclass(frozen=True)
class Card:
    """Facts about one model.

    Attributes
    ----------
    id
        What the user types: `architecture@dataset` for models of ours, its configuration's name for a
        published one.
    class_names
        The name of each output channel. Evaluation maps channels to a data set's classes by these names; a
        channel whose name the data set does not have (such as "void") is never right where a target is
        labelled.
    mean, std
        Per channel in `channel_order`, on the scale 0..255: the network sees (pixel - mean) / std.
    test_size
        (H, W) that `resize` refers to, or None for the images' own size.
    resize
        What becomes of an image at `test_size`: `exact` gives it just that size; the others keep its ratio:
        `fit` makes it as large as fits into it (either way round, as in mmsegmentation), `short` and `long`
        bring its shorter or longer side to the smaller or larger of the two.
    antialias
        Whether that resizing averages over what it shrinks (Pillow does, OpenCV does not).
    test_mode
        `whole` image, or `slide`: windows of `crop_size` at every `stride`, their logits averaged.
    average
        What windows and flips average: `logits` or `probabilities`.
    flip
        Whether the mirrored image is averaged in.
    size_divisor
        The network needs sides that are multiples of this; images are padded (zeros after normalisation) at
        the bottom and on the right, and the logits cropped.
    size_remainder
        1 where sides must be such multiples plus one, as in networks with aligned corners.
    align_corners
        How the logits are resized to the target's size.
    weights_urls
        The places to download the weights from, in the order to try.
    weights_file
        The file's name.
    sha256
        The file's; "" where its publisher states none.
    layout
        The upstream whose names the file's tensors bear.
    config
        The upstream's configuration.
    published_miou
        A fraction, as printed by `source` (None where there is none), by its `published_protocol`.
    published_interval
        The 95 % interval of `published_miou`, where known: by a bootstrap over images or blocks of frames.
    options
        Keyword arguments of the architecture's builder, such as the generation of an ENet.
    trained_on
        What the weights have seen: data set and split, and the corruptions used as augmentation, if any.
    citation
        What to cite of the data that the weights were trained on.
    seen_corruptions
        The names of the corruptions that were seen in training, as far as is known.
    """

    id: str
    architecture: str
    dataset: str
    class_names: tuple[str, ...]
    backbone: str = ""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (255.0, 255.0, 255.0)
    channel_order: Literal["RGB", "BGR"] = "RGB"
    test_size: tuple[int, int] | None = None
    resize: Literal["exact", "fit", "short", "long"] = "exact"
    antialias: bool = True
    test_mode: Literal["whole", "slide"] = "whole"
    crop_size: tuple[int, int] | None = None
    stride: tuple[int, int] | None = None
    average: Literal["logits", "probabilities"] = "logits"
    flip: bool = False
    size_divisor: int = 1
    size_remainder: Literal[0, 1] = 0
    align_corners: bool = False
    weights_urls: tuple[str, ...] = ()
    weights_file: str = ""
    sha256: str = ""
    layout: str = ""
    config: str = ""
    published_miou: float | None = None
    published_interval: tuple[float, float] | None = None
    published_protocol: str = ""
    licence: str = ""
    source: str = ""
    trained_on: str = ""
    citation: str = ""
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    seen_corruptions: tuple[str, ...] = ()
