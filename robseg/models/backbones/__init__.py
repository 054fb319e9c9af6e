"""The encoders that architectures share: they map images to the feature maps of four stages."""

from __future__ import annotations

import importlib
import inspect
from typing import Any, cast

from torch import Tensor, nn

from robseg.errors import InputError
from robseg.registry import unknown_name

__all__ = ["BACKBONE_NAMES", "Backbone", "build_backbone"]

# The module of each family has a builder with the family's name: it takes (name, **flags).
FAMILIES = {
    "resnet": tuple(f"resnet{depth}{variant}" for depth in (18, 50, 101) for variant in ("", "v1c", "v1d")),
    "mobilenet_v2": ("mobilenet_v2",),
    "efficientnet_lite": ("efficientnet_lite0",),
    "hrnet": ("hrnet_w18_small", "hrnet_w18", "hrnet_w32", "hrnet_w48", "hrnet_w64", "hrnet2x_w20"),
}
FAMILY_OF = {name: family for family, names in FAMILIES.items() for name in names}
BACKBONE_NAMES = tuple(FAMILY_OF)


class Backbone(nn.Module):
    """An encoder without a classifier.

    It maps normalised float (N, 3, H, W) to four maps with `channels` channels, at 1/4, 1/8, 1/16 and 1/32 of
    the image's size. Later maps are larger if dilations replace strides.
    """

    channels: tuple[int, ...]

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the maps of the four stages, the finest first."""
        raise NotImplementedError


def build_backbone(name: str, **flags: Any) -> Backbone:
    """Return the backbone of that name; `flags` are the options of its family's builder.

    Raises
    ------
    InputError
        If no backbone has that name, or its family lacks a flag.

    Examples
    --------
    >>> build_backbone("resnet18v1c", output_stride=8).channels
    (64, 128, 256, 512)
    """
    if name not in FAMILY_OF:
        raise unknown_name("backbone", name, BACKBONE_NAMES)
    family = FAMILY_OF[name]
    module = importlib.import_module(f"{__name__}.{family}")
    builder = getattr(module, family)
    lacking = flags.keys() - inspect.signature(builder).parameters.keys()
    if lacking:
        raise InputError(
            f"Expected a backbone with {', '.join(sorted(lacking))}, but {name} has no such option: "
            "take another backbone or architecture."
        )
    return cast(Backbone, builder(name, **flags))
