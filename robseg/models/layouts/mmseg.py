"""Checkpoints of mmsegmentation 1.x (Apache-2.0), whose tensor names are ours: read options from tensors."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from robseg.errors import InputError
from robseg.models.backbones.hrnet import PLANS

__all__ = ["backbone_name", "width"]

# ResNets by the number of blocks in their third stage.
DEPTHS = {2: 18, 6: 50, 23: 101}

# Backbones by the kernel size of the depthwise convolution at the start of the third layer.
MOBILE = {3: "mobilenet_v2", 5: "efficientnet_lite0"}


def backbone_name(state_dict: Mapping[str, Tensor], prefix: str = "backbone.") -> str:
    """Return the name of the backbone whose tensors begin with `prefix`.

    Raises
    ------
    InputError
        If the tensors belong to no backbone of ours.
    """
    finest = width(state_dict, f"{prefix}stage4.0.branches.0.0.conv1.weight")
    if finest is not None:
        return _hrnet_name(state_dict, prefix, finest)
    depthwise = state_dict.get(f"{prefix}layer3.0.conv.1.conv.weight")
    if depthwise is not None and depthwise.shape[-1] in MOBILE:
        return MOBILE[depthwise.shape[-1]]
    stage = f"{prefix}layer3."
    # A block counts even if it lacks a tensor; the missing tensor is reported later.
    blocks = len({key.removeprefix(stage).split(".")[0] for key in state_dict if key.startswith(stage)})
    if blocks not in DEPTHS:
        raise InputError(
            f"Expected tensors of a backbone named '{prefix}*', but got "
            f"{', '.join(list(state_dict)[:3])}, ...: check that file and architecture belong together."
        )
    variant = ""
    if f"{prefix}stem.0.weight" in state_dict:
        # The shortcuts of V1d start with a pooling, which has no tensors.
        variant = "v1d" if f"{prefix}layer2.0.downsample.2.weight" in state_dict else "v1c"
    return f"resnet{DEPTHS[blocks]}{variant}"


def _hrnet_name(state_dict: Mapping[str, Tensor], prefix: str, finest: int) -> str:
    stem = f"{prefix}layer1."
    first_blocks = sum(key.startswith(stem) and key.endswith(".conv1.weight") for key in state_dict)
    fitting = (
        name for name, plan in PLANS.items() if (plan.width, plan.first_blocks) == (finest, first_blocks)
    )
    # If no plan fits, assume the most common one: the error then reports the tensors that differ.
    return next(fitting, "hrnet_w48")


def width(state_dict: Mapping[str, Tensor], name: str, axis: int = 0) -> int | None:
    """Return a tensor's size along an axis (of a weight, 0: channels out, 1: in), or None if it is absent."""
    tensor = state_dict.get(name)
    return tensor.shape[axis] if tensor is not None and tensor.ndim > axis else None
