"""Checkpoints of github.com/openseg-group/openseg.pytorch (MIT): OCRNet and SegFix."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from robseg.models.card import IMAGENET_MEAN, IMAGENET_STD
from robseg.models.layouts.hrnet_ocr import object_context_layers
from robseg.models.layouts.published import (
    Published,
    renamed,
    without_abs,
    without_biases,
)

__all__ = ["HRNET_INPUT", "NATIVE", "native", "segfix"]

# The networks were trained with BGR channels, but with mean and standard deviation in RGB order.
HRNET_INPUT = {"mean": IMAGENET_MEAN, "std": IMAGENET_STD, "channel_order": "BGR", "align_corners": True}
RESNET_INPUT = {
    "mean": (102.9801, 115.9465, 122.7717),
    "std": (1.0, 1.0, 1.0),
    "channel_order": "BGR",
    "align_corners": True,
}

HRNET_LAYERS = (
    (r"aux_head\.0", "decode_head.0.convs.0.conv"),
    (r"aux_head\.1(?:\.0)?", "decode_head.0.convs.0.bn"),
    (r"aux_head\.2", "decode_head.0.conv_seg"),
    (r"conv3x3\.0", "decode_head.1.bottleneck.conv"),
    (r"conv3x3\.1(?:\.0)?", "decode_head.1.bottleneck.bn"),
    *object_context_layers("ocr_distri_head"),
    (r"cls_head", "decode_head.1.conv_seg"),
)
RESNET_LAYERS = (
    (r"backbone\.resinit\.conv1", "backbone.stem.0"),
    (r"backbone\.resinit\.bn1", "backbone.stem.1"),
    (r"backbone\.resinit\.conv2", "backbone.stem.3"),
    (r"backbone\.resinit\.bn2", "backbone.stem.4"),
    (r"backbone\.resinit\.conv3", "backbone.stem.6"),
    (r"backbone\.resinit\.bn3", "backbone.stem.7"),
    (r"dsn_head\.0", "decode_head.0.convs.0.conv"),
    (r"dsn_head\.1(?:\.0)?", "decode_head.0.convs.0.bn"),
    (r"dsn_head\.3", "decode_head.0.conv_seg"),
    (r"conv_3x3\.0", "decode_head.1.bottleneck.conv"),
    (r"conv_3x3\.1(?:\.0)?", "decode_head.1.bottleneck.bn"),
    *object_context_layers("spatial_ocr_head"),
    (r"head", "decode_head.1.conv_seg"),
)


def native(state_dict: Mapping[str, Tensor]) -> Published | None:
    """Return an OCRNet of that repository, on HRNet or ResNet, with our names, or None if it is not one."""
    if "conv3x3.0.weight" in state_dict and "ocr_distri_head.conv_bn_dropout.0.weight" in state_dict:
        layers, preprocess, mark = HRNET_LAYERS, HRNET_INPUT, "conv3x3.1.weight"
        options = {"align_corners": True}
    elif "conv_3x3.0.weight" in state_dict and "spatial_ocr_head.conv_bn_dropout.0.weight" in state_dict:
        layers, preprocess, mark = RESNET_LAYERS, RESNET_INPUT, "conv_3x3.1.weight"
        options = {"maxpool_ceil_mode": True}
    else:
        return None
    tensors = renamed(state_dict, layers)
    in_place = mark in state_dict
    return Published(
        layout="openseg",
        tensors=without_biases(without_abs(tensors) if in_place else tensors),
        preprocess=preprocess,
        options={**options, **_activation(in_place)},
    )


def segfix(state_dict: Mapping[str, Tensor]) -> Published:
    """Return a SegFix of that repository: its names are ours except for in-place activated batch norms."""
    in_place = "dir_head.1.weight" in state_dict
    tensors = renamed(state_dict, [(r"(mask|dir)_head\.1", r"\1_head.1.0")])
    return Published(
        layout="openseg",
        tensors=without_abs(tensors) if in_place else tensors,
        preprocess={
            **HRNET_INPUT,
            "test_mode": "slide",
            "crop_size": (512, 512),
            "stride": (170, 170),
        },
        options=_activation(in_place),
    )


def _activation(in_place: bool) -> dict[str, str]:
    """Return the activation of the heads: in-place activated batch norm uses leaky ReLU."""
    return {"activation": "leaky_relu"} if in_place else {}


NATIVE = {"ocrnet": native}
