"""Checkpoints of github.com/VainF/DeepLabV3Plus-Pytorch (MIT)."""

from __future__ import annotations

from torch import Tensor

from robseg.models.card import IMAGENET_MEAN, IMAGENET_STD
from robseg.models.layouts.published import Published

__all__ = ["NATIVE", "native"]

# The number of blocks in each of MobileNetV2's layers. There the blocks have running numbers; the stem is 0.
BLOCKS = (1, 2, 3, 4, 3, 3, 1)


def native(state_dict: dict[str, Tensor]) -> Published | None:
    """Return a DeepLabV3+ checkpoint of that repository with our names, or None if it is not one."""
    if "classifier.aspp.project.0.weight" not in state_dict:
        return None
    preprocess = {"mean": IMAGENET_MEAN, "std": IMAGENET_STD, "channel_order": "RGB"}
    return Published("vainf", renamed(state_dict), preprocess)


def renamed(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a checkpoint's tensors with our names, and with our order of channels after a concatenation."""
    tensors = {}
    for key, tensor in state_dict.items():
        module, value = key.rpartition(".")[::2]
        tensors[f"{NAMES.get(module, module)}.{value}"] = tensor
    project, decoder = (f"decode_head.{part}.conv.weight" for part in ("bottleneck", "sep_bottleneck.0"))
    if all(key in tensors and tensors[key].ndim == 4 for key in (project, decoder)):
        channels = len(tensors[project])
        # There the pooled image is concatenated last, and the low-level map first.
        tensors[project] = tensors[project].roll(channels, dims=1)
        tensors[decoder] = tensors[decoder].roll(channels, dims=1)
    return tensors


def head_names() -> dict[str, str]:
    """Return our name of each layer of the head."""
    names = {
        "project.0": "c1_bottleneck.conv",
        "project.1": "c1_bottleneck.bn",
        "aspp.convs.4.1": "image_pool.1.conv",
        "aspp.convs.4.2": "image_pool.1.bn",
        "aspp.project.0": "bottleneck.conv",
        "aspp.project.1": "bottleneck.bn",
        "classifier.0": "sep_bottleneck.0.conv",
        "classifier.1": "sep_bottleneck.0.bn",
        "classifier.3": "conv_seg",
    }
    for branch in range(4):
        names[f"aspp.convs.{branch}.0"] = f"aspp_modules.{branch}.conv"
        names[f"aspp.convs.{branch}.1"] = f"aspp_modules.{branch}.bn"
    return {f"classifier.{theirs}": f"decode_head.{ours}" for theirs, ours in names.items()}


def mobilenet_names() -> dict[str, str]:
    """Return our name of each layer of MobileNetV2; the names of ResNets are the same as ours."""
    names = {
        "backbone.low_level_features.0.0": "backbone.conv1.conv",
        "backbone.low_level_features.0.1": "backbone.conv1.bn",
    }
    places = [(layer, block) for layer, blocks in enumerate(BLOCKS, start=1) for block in range(blocks)]
    for index, (layer, block) in enumerate(places, start=1):
        theirs = f"backbone.{'low' if index < 4 else 'high'}_level_features.{index}.conv"
        ours = f"backbone.layer{layer}.{block}.conv"
        # The first block does not expand.
        last = 1 if index == 1 else 2
        for part in range(last):
            names[f"{theirs}.{part}.0"] = f"{ours}.{part}.conv"
            names[f"{theirs}.{part}.1"] = f"{ours}.{part}.bn"
        names[f"{theirs}.{last}"] = f"{ours}.{last}.conv"
        names[f"{theirs}.{last + 1}"] = f"{ours}.{last}.bn"
    return names


NAMES = head_names() | mobilenet_names()
NATIVE = {"deeplabv3plus": native}
