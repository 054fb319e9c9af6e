"""The encoders that architectures share: they map images to the feature maps of four stages."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Literal

from torch import Tensor, nn

from robseg.errors import InputError, unknown_name
from robseg.registry import Registry

__all__ = ["Backbone", "OutputStride", "backbones", "build_backbone"]

OutputStride = Literal[8, 16, 32]


class Backbone(nn.Module):
    """An encoder without a classifier.

    It maps normalised float (N, 3, H, W) to four maps with `channels` channels, at 1/4, 1/8, 1/16 and 1/32 of
    the image's size. Later maps are larger if dilations replace strides.
    """

    channels: tuple[int, ...]

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the maps of the four stages, the finest first."""
        raise NotImplementedError


Builders = Mapping[str, Callable[..., Backbone]]

# A family is a module, whose BACKBONES are builders by name: flags to a backbone.
FAMILIES: Registry[Builders] = Registry("family of backbones", __name__, "BACKBONES", besides=("pretrained",))


@functools.cache
def backbones() -> Builders:
    """Return the builder of each backbone by name."""
    return {name: build for family in FAMILIES.values() for name, build in family.items()}


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
    if name not in backbones():
        raise unknown_name("backbone", name, backbones())
    build = backbones()[name]
    lacking = flags.keys() - inspect.signature(build).parameters.keys()
    if lacking:
        raise InputError(
            f"Expected a backbone with {', '.join(sorted(lacking))}, but {name} has no such option: "
            "take another backbone or architecture."
        )
    return build(**flags)
