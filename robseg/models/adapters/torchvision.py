"""`torchvision:NAME`: torchvision's DeepLabV3, FCN and LR-ASPP, with published or own weights."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torchvision.models import get_model, list_models, segmentation
from torchvision.models.segmentation import FCN_ResNet50_Weights

from robseg.errors import InputError, unknown_name
from robseg.models import catalogue
from robseg.models.base import Network
from robseg.models.card import IMAGENET_MEAN, IMAGENET_STD, Card
from robseg.models.checkpoints.fetch import weights_path
from robseg.models.checkpoints.weights import fitted
from robseg.models.checkpoints.wrapped import fitted_inside
from robseg.models.foreign.answers import ForeignNetwork
from robseg.models.foreign.reading import Foreign, Weights, origin_of, tensors_of, weights_name
from robseg.models.layers import resize

__all__ = ["load"]

# The layer of the main head with one output for each class, in DeepLabV3 and FCN, and in LR-ASPP.
LAST = ("classifier.4.weight", "classifier.low_classifier.weight")
AUXILIARY = "aux_classifier.4.weight"

# The classes of all published weights; torchvision writes the first as __background__.
CLASSES = ("background", *FCN_ResNet50_Weights.DEFAULT.meta["categories"][1:])


class Torchvision(Network):
    """A segmentation model of torchvision, which keeps its names and answers at the images' size."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.backbone = cast(nn.Module, model.backbone)
        self.classifier = cast(nn.Module, model.classifier)
        self.aux_classifier = cast("nn.Module | None", getattr(model, "aux_classifier", None))
        # The head of LR-ASPP takes two maps of the backbone; the other heads take the last one.
        self.takes_all = isinstance(model, segmentation.LRASPP)

    def heads(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the logits of the main head and of the auxiliary head, if there is one."""
        features = self.backbone(images)
        main = self._main(features, images)
        if self.aux_classifier is None:
            return (main,)
        return main, resize(self.aux_classifier(features["aux"]), images.shape[-2:])

    def forward(self, images: Tensor) -> Tensor:
        """Return the main head's logits."""
        return self._main(self.backbone(images), images)

    def _main(self, features: Mapping[str, Tensor], images: Tensor) -> Tensor:
        return resize(self.classifier(features if self.takes_all else features["out"]), images.shape[-2:])


def load(name: str, weights: Weights | None, device: object) -> Foreign:
    """Return the model of that name, with the classes and heads that its weights have."""
    known = list_models(module=segmentation)
    if name not in known:
        raise unknown_name("segmentation model of torchvision", name, known)
    card = _published(name) if weights is None else _card(name, weights_name(weights))
    if weights is None:
        weights = weights_path(card, lambda _, tensors: load(name, tensors, device))
    tensors, sha256 = tensors_of(weights)
    network, num_classes = fitted_inside(functools.partial(_built, name), tensors, origin_of(weights))
    if not card.class_names and num_classes == len(CLASSES):
        card = dataclasses.replace(card, class_names=CLASSES)
    if num_classes == 1:  # the logit of the second of two classes
        return Foreign(card, ForeignNetwork(network.eval(), card.id), sha256)
    return Foreign(card, network.eval(), sha256, num_classes)


def _built(name: str, tensors: Mapping[str, Tensor]) -> tuple[Torchvision, int]:
    """Return a network with exactly these tensors, and the number of its classes."""
    num_classes = _num_classes(name, tensors)
    options: dict[str, Any] = {} if name.startswith("lraspp") else {"aux_loss": AUXILIARY in tensors}
    with torch.device("meta"):
        network = Torchvision(
            get_model(name, weights=None, weights_backbone=None, num_classes=num_classes, **options)
        )
        fitting = fitted(f"torchvision's {name}", tensors, network.state_dict())
    network.load_state_dict(fitting, strict=True, assign=True)
    return network, num_classes


def _published(name: str) -> Card:
    card = catalogue.find(f"torchvision:{name}")
    if card is None:
        raise InputError(f"Expected weights for torchvision:{name}, but none are published: give --weights.")
    return card


def _card(name: str, weights: str) -> Card:
    """Return a card for a user's weights, fed like torchvision's own."""
    return Card(
        id=f"torchvision:{name}:{weights}",
        architecture=name,
        dataset="",
        class_names=(),
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        test_size=(520, 520),
        resize="short",
    )


def _num_classes(name: str, tensors: Mapping[str, Tensor]) -> int:
    last = [tensors[key].shape[0] for key in LAST if key in tensors and tensors[key].ndim == 4]
    if not last:
        raise InputError(
            f"Expected a checkpoint of torchvision's {name}, but it has none of {', '.join(LAST)}: "
            "check that the file belongs to the model."
        )
    return last[0]
