"""Checkpoints of PSPNet of github.com/hszhao/semseg (MIT), which the paper's first author wrote."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from robseg.models.layouts.published import MMSEG_INPUT, Published, renamed

__all__ = ["NATIVE", "native"]

# Pairs of their pattern and our name.
LAYERS = (
    (r"layer0\.(\d)", r"backbone.stem.\1"),
    (r"(layer[1-4]\..+)", r"backbone.\1"),
    (r"ppm\.features\.(\d)\.1", r"decode_head.psp_modules.\1.1.conv"),
    (r"ppm\.features\.(\d)\.2", r"decode_head.psp_modules.\1.1.bn"),
    (r"cls\.0", "decode_head.bottleneck.conv"),
    (r"cls\.1", "decode_head.bottleneck.bn"),
    (r"cls\.4", "decode_head.conv_seg"),
    (r"aux\.0", "auxiliary_head.convs.0.conv"),
    (r"aux\.1", "auxiliary_head.convs.0.bn"),
    (r"aux\.4", "auxiliary_head.conv_seg"),
)

# Options that the tensors do not show: all blocks have the dilation of their stage, and corners are aligned.
OPTIONS = {"contract_dilation": False, "align_corners": True}

# Card fields, which mmsegmentation took over.
INPUT = {**MMSEG_INPUT, "size_divisor": 8, "size_remainder": 1, "align_corners": True}

# The side of a window and the size of images, by the number of classes: Cityscapes, VOC and ADE20K.
WINDOWS = {19: (713, (1024, 2048)), 21: (473, (512, 512)), 150: (473, (512, 512))}


def native(state_dict: Mapping[str, Tensor]) -> Published | None:
    """Return a checkpoint of that repository with our names, or None if it is not one."""
    if not any(key.startswith("ppm.features.") for key in state_dict):
        return None
    tensors = renamed(state_dict, LAYERS)
    classes = tensors.get("decode_head.conv_seg.bias", torch.empty(0))
    return Published("semseg", tensors, INPUT | protocol(len(classes)), OPTIONS)


def protocol(num_classes: int) -> dict[str, Any]:
    """Return the Card fields of the published test protocol: mirrored windows, two thirds of a window apart.

    They are empty for other numbers of classes.

    Examples
    --------
    >>> protocol(19)["crop_size"], protocol(19)["stride"]
    ((713, 713), (476, 476))
    """
    if num_classes not in WINDOWS:
        return {}
    side, size = WINDOWS[num_classes]
    stride = math.ceil(side * 2 / 3)
    return {
        "test_size": size,
        "resize": "long",
        "test_mode": "slide",
        "crop_size": (side, side),
        "stride": (stride, stride),
        "average": "probabilities",
        "flip": True,
    }


NATIVE = {"pspnet": native}
