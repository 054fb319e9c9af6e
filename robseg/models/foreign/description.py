"""The card of a foreign model, from its source, its user, and the model's own answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.card_fields import check_options, check_single_output, overridden
from robseg.models.foreign.answers import ForeignNetwork
from robseg.models.foreign.reading import Foreign
from robseg.models.predict.inference import preprocess

__all__ = ["described"]

# The size of the image that shows how many classes a model answers, if its card states no size.
PROBE = (64, 64)


def described(
    foreign: Foreign, fields: Mapping[str, Any], class_names: Sequence[str] | None, device: torch.device
) -> Card:
    """Return a foreign model's card with the user's fields and the names of its classes.

    The names come from the card, else from `class_names`, else they are numbers.

    Raises
    ------
    InputError
        If the model answers another number of classes, or labels without class names.
    """
    check_options(foreign.card.id, fields, foreign.card.options)
    card = overridden(foreign.card, fields)
    if isinstance(foreign.network, ForeignNetwork):
        foreign.network.output = card.output
    else:
        check_single_output(card)
    names = card.class_names or tuple(class_names or ())
    count = foreign.num_classes or _answered(foreign.network, card, device)
    if count is None and not names:
        raise InputError(
            f"Expected class names for {card.id}, which answers labels, but got none: give class_names."
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
    """Return how many classes a network answers for a black image, None if it answers labels."""
    height, width = card.crop_size or card.test_size or PROBE
    images = preprocess(np.zeros((1, height, width, 3), np.uint8), card, device)
    if isinstance(network, ForeignNetwork):
        return network.channels(images)
    return int(network(images).shape[1])
