"""Checkpoints of github.com/HRNet/HRNet-Semantic-Segmentation, branch HRNet-OCR (MIT)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from robseg.models.card import IMAGENET_MEAN, IMAGENET_STD
from robseg.models.layouts.published import (
    Published,
    renamed,
    without_abs,
    without_biases,
)

__all__ = ["NATIVE", "native", "object_context_layers"]

INPUT = {"mean": IMAGENET_MEAN, "std": IMAGENET_STD, "channel_order": "RGB", "align_corners": True}


def object_context_layers(head: str) -> tuple[tuple[str, str], ...]:
    """Return pairs of their pattern and our name for the layers of the object-contextual head `head`.

    A norm and its activation are one layer (in-place activated batch norm) or a sequence of two.
    """
    ours = "decode_head.1.object_context_block"
    theirs = rf"{head}\.object_context_block"
    return (
        (rf"{theirs}\.f_pixel\.0", f"{ours}.query_project.0.conv"),
        (rf"{theirs}\.f_pixel\.1(?:\.0)?", f"{ours}.query_project.0.bn"),
        (rf"{theirs}\.f_pixel\.2", f"{ours}.query_project.1.conv"),
        (rf"{theirs}\.f_pixel\.3(?:\.0)?", f"{ours}.query_project.1.bn"),
        (rf"{theirs}\.f_object\.0", f"{ours}.key_project.0.conv"),
        (rf"{theirs}\.f_object\.1(?:\.0)?", f"{ours}.key_project.0.bn"),
        (rf"{theirs}\.f_object\.2", f"{ours}.key_project.1.conv"),
        (rf"{theirs}\.f_object\.3(?:\.0)?", f"{ours}.key_project.1.bn"),
        (rf"{theirs}\.f_down\.0", f"{ours}.value_project.conv"),
        (rf"{theirs}\.f_down\.1(?:\.0)?", f"{ours}.value_project.bn"),
        (rf"{theirs}\.f_up\.0", f"{ours}.out_project.conv"),
        (rf"{theirs}\.f_up\.1(?:\.0)?", f"{ours}.out_project.bn"),
        (rf"{head}\.conv_bn_dropout\.0", f"{ours}.bottleneck.conv"),
        (rf"{head}\.conv_bn_dropout\.1(?:\.0)?", f"{ours}.bottleneck.bn"),
    )


LAYERS = (
    (r"((?:conv|bn)[12]|(?:layer1|transition\d|stage\d)\..+)", r"backbone.\1"),
    (r"aux_head\.0", "decode_head.0.convs.0.conv"),
    (r"aux_head\.1", "decode_head.0.convs.0.bn"),
    (r"aux_head\.3", "decode_head.0.conv_seg"),
    (r"conv3x3_ocr\.0", "decode_head.1.bottleneck.conv"),
    (r"conv3x3_ocr\.1", "decode_head.1.bottleneck.bn"),
    *object_context_layers("ocr_distri_head"),
    (r"cls_head", "decode_head.1.conv_seg"),
)


def native(state_dict: Mapping[str, Tensor]) -> Published | None:
    """Return a checkpoint of that repository with our names, or None if it is not one.

    Files from torch 0.4 have in-place activated batch norms, without a separate activation.
    """
    # The training program saves network and loss together; the loss contains the class weights.
    tensors = {
        key.removeprefix("model."): tensor
        for key, tensor in state_dict.items()
        if not key.startswith("loss.")
    }
    if "conv3x3_ocr.0.weight" not in tensors:
        return None
    return Published(
        layout="hrnet-ocr",
        tensors=without_biases(without_abs(renamed(tensors, LAYERS))),
        preprocess=INPUT,
        options={"align_corners": True},
    )


NATIVE = {"ocrnet": native}
