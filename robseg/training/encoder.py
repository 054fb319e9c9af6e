"""The encoder of a network in training: found, started from ImageNet, and fed as it was there."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import nn

from robseg.errors import InputError
from robseg.models.backbones import Backbone
from robseg.models.backbones.pretrained import load_imagenet
from robseg.models.card import IMAGENET_MEAN, IMAGENET_STD

__all__ = ["IMAGENET", "Normalisation", "find_encoder", "normalisation", "start_from_imagenet"]


class Normalisation(NamedTuple):
    """What is subtracted from and divides the pixels of 0..255, per channel, as on a Card."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channel_order: Literal["RGB", "BGR"] = "RGB"


PLAIN = Normalisation((0.0, 0.0, 0.0), (255.0, 255.0, 255.0))
IMAGENET = Normalisation(IMAGENET_MEAN, IMAGENET_STD)
# EfficientNets came from TensorFlow, where pixels run from -1 to 1.
TENSORFLOW = Normalisation((127.5, 127.5, 127.5), (127.5, 127.5, 127.5))


def normalisation(backbone: str) -> Normalisation:
    """Return how the backbone of that name sees pixels; "" is a network without one.

    Examples
    --------
    >>> normalisation("efficientnet_lite0").mean
    (127.5, 127.5, 127.5)
    """
    if backbone.startswith("efficientnet"):
        return TENSORFLOW
    return IMAGENET if backbone else PLAIN


def find_encoder(network: nn.Module) -> Backbone | None:
    """Return the backbone in a network, or None."""
    return next((module for module in network.modules() if isinstance(module, Backbone)), None)


def start_from_imagenet(network: nn.Module, backbone: str) -> None:
    """Give a network's encoder the weights that were trained on ImageNet."""
    encoder = find_encoder(network)
    if encoder is None:
        raise InputError(
            "Expected a network with a backbone for `pretrained`, but got one without: set it to false."
        )
    load_imagenet(encoder, backbone)
