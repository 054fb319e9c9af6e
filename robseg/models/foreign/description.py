"""The card of a foreign model: what its source tells, what a user says, and what the model itself answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.card_fields import overridden
from robseg.models.foreign.answers import ForeignNetwork
from robseg.models.foreign.reading import Foreign
from robseg.models.predict.inference import preprocess

__all__ = ["described"]

# The image by which a model is asked how many classes it answers, where its card says no size.
PROBE = (64, 64)


def described(
    foreign: Foreign, fields: Mapping[str, Any], class_names: Sequence[str] | None, device: torch.device
) -> Card:
    """Return a foreign model's card with the user's fields and the names of its classes.

    The names are the card's, else `class_names`, else numbers.

    Raises
    ------
    InputError
        If the model answers another number of classes, or labels whose number nobody tells.
    """
    card = overridden(foreign.card, fields)
    names = card.class_names or tuple(class_names or ())
    count = foreign.num_classes or _answered(foreign.network, card, device)
    if count is None and not names:
        raise InputError(
            f"Expected to know the classes of {card.id}, which answers labels, but got none: "
            "give class_names."
        )
    if count is not None and names and len(names) != count:
        shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        raise InputError(
            f"Expected {card.id} to answer {len(names)} classes ({shown}), but it answers {count}: "
            "give class_names, one for each, in its card (--model-card FILE, or card=)."
        )
    if not names and count is not None:
        names = tuple(f"class {index}" for index in range(count))
    if isinstance(foreign.network, ForeignNetwork):
        foreign.network.num_classes = len(names)
    return dataclasses.replace(card, class_names=names)


@torch.inference_mode()
def _answered(network: torch.nn.Module, card: Card, device: torch.device) -> int | None:
    """Return how many classes a network answers on a black image, None where it answers labels."""
    height, width = card.crop_size or card.test_size or PROBE
    images = preprocess(np.zeros((1, height, width, 3), np.uint8), card, device)
    if isinstance(network, ForeignNetwork):
        return network.channels(images)
    return int(network(images).shape[1])
