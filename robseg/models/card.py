"""The card beside a model: how to feed its network, what it answers, where its weights come from.

This module and the list of cards do without torch, so that `robseg list models` is quick.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

__all__ = ["Card"]


@dataclasses.dataclass(frozen=True)
class Card:
    """Facts about one model.

    Attributes
    ----------
    id
        What the user types: `architecture@dataset` for models of ours.
    class_names
        The name of each output channel. Evaluation maps channels to a data set's classes by these names; a
        channel whose name the data set does not have (such as "void") is never right where a target is
        labelled.
    mean, std
        Per channel in `channel_order`, on the scale 0..255: the network sees (pixel - mean) / std.
    test_size
        (H, W) that images are resized to before the network, or None for their own size.
    size_divisor
        The network needs sides that are multiples of this; images are padded (zeros after normalisation) at
        the bottom and on the right, and the logits cropped.
    align_corners
        How the logits are resized to the target's size.
    published_miou
        A fraction, as printed by `source` (None where there is none).
    options
        Keyword arguments of the architecture's builder, such as the generation of an ENet.
    trained_on
        What the weights have seen: data set and split, and the corruptions used as augmentation, if any.
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
    test_mode: Literal["whole"] = "whole"
    size_divisor: int = 1
    align_corners: bool = False
    weights_url: str = ""
    weights_file: str = ""
    sha256: str = ""
    published_miou: float | None = None
    licence: str = ""
    source: str = ""
    trained_on: str = ""
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
