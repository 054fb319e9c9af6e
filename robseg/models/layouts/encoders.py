"""Which backbone a checkpoint in our own layout has, HRNets among them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from robseg.models.backbones.hrnet import PLANS
from robseg.models.layouts import mmseg

__all__ = ["backbone_name"]


def backbone_name(tensors: Mapping[str, Tensor]) -> str:
    """Return the name of the backbone whose tensors stand under `backbone.`.

    Raises
    ------
    InputError
        If it is none of ours.
    """
    finest = tensors.get("backbone.stage4.0.branches.0.0.conv1.weight")
    if finest is None:
        return mmseg.backbone_name(tensors)
    first_blocks = sum(
        key.startswith("backbone.layer1.") and key.endswith(".conv1.weight") for key in tensors
    )
    fitting = [
        name
        for name, plan in PLANS.items()
        if plan.width == finest.shape[0] and plan.first_blocks == first_blocks
    ]
    # Of another width or depth than any: nearest to what most files have, so that the error can tell.
    return fitting[0] if fitting else "hrnet_w48"
