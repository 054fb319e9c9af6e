"""The encoder of a network: how to find it, start it from ImageNet weights, and normalise its images."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import nn

from robseg.errors import InputError
from robseg.models.backbones import Backbone
from robseg.models.backbones.pretrained import load_imagenet
from robseg.models.card import IMAGENET_MEAN, IMAGENET_STD

__all__ = ["Normalisation", "find_encoder", "normalisation", "start_from_imagenet"]


class Normalisation(NamedTuple):
    """The normalisation of pixels on the scale 0..255, per channel: (pixel - mean) / std, as on a Card."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channel_order: Literal["RGB", "BGR"] = "RGB"


PLAIN = Normalisation((0.0, 0.0, 0.0), (255.0, 255.0, 255.0))
IMAGENET = Normalisation(IMAGENET_MEAN, IMAGENET_STD)
# EfficientNets were trained in TensorFlow, where pixels are scaled to -1..1.
TENSORFLOW = Normalisation((127.5, 127.5, 127.5), (127.5, 127.5, 127.5))


def normalisation(backbone: str) -> Normalisation:
    """Return the normalisation that a backbone was trained with; "" is a network without a backbone.

    Examples
    --------
    >>> normalisation("efficientnet_lite0").mean
    (127.5, 127.5, 127.5)
    """
    if backbone.startswith("efficientnet"):
        return TENSORFLOW
    return IMAGENET if backbone else PLAIN


def find_encoder(network: nn.Module) -> Backbone | None:
    """Return the backbone of a network, or None if it has none."""
    return next((module for module in network.modules() if isinstance(module, Backbone)), None)


def start_from_imagenet(network: nn.Module, backbone: str) -> None:
    """Load ImageNet weights into the encoder of a network."""
    encoder = find_encoder(network)
    if encoder is None:
        raise InputError(
            "Expected a network with a backbone for `pretrained`, but this one has none: set it to false."
        )
    load_imagenet(encoder, backbone)
