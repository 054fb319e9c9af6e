"""Tell whether tensors are those of a published model, before their file is kept as its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from robseg.errors import InputError
from robseg.models import adapters
from robseg.models.base import architecture
from robseg.models.card import Card
from robseg.models.checkpoints.wrapped import fitted_inside

__all__ = ["check_belongs"]


def check_belongs(card: Card, tensors: dict[str, Tensor]) -> None:
    """Check a file's tensors against a card; the network that they must fit is built without memory.

    Raises
    ------
    InputError
        If a tensor is missing, left over or has another shape, or the tensors prove something other than what
        the card says.
    """
    said = {
        "layout": card.layout,
        "number of classes": len(card.class_names),
        "backbone": card.backbone,
        **card.options,
    }
    shown = _shown(card, tensors)
    differing = [
        f"{name} {shown[name]} instead of {said[name]}"
        for name in said
        if shown.get(name, said[name]) != said[name]
    ]
    if differing:
        raise InputError(f"Expected a checkpoint of {card.id}, but got {', '.join(differing)}.")


def _shown(card: Card, tensors: dict[str, Tensor]) -> Mapping[str, Any]:
    """Return what tensors prove of a model; InputError if they do not fit its network."""
    if adapters.adapter_of(card.id) is not None:
        return {"number of classes": adapters.load(card.id, tensors, torch.device("cpu")).num_classes}
    fit = fitted_inside(architecture(card.architecture).fit, tensors, "the file")
    return {**fit.options, "layout": fit.layout, "number of classes": fit.num_classes}
