"""The card of a foreign model, from its source, its user, and the model's own answers."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.card_fields import check_options, check_single_output, overridden
from robseg.models.foreign.answers import ForeignNetwork
from robseg.models.foreign.kinds import AmbiguousError
from robseg.models.foreign.reading import Foreign
from robseg.models.predict.inference import preprocess
from robseg.models.predict.sizes import Size

__all__ = ["described"]

# The sizes of the image that shows what a model answers, if its card states no size. The second is tried
# where a square does not show which side of the answer is which.
PROBES = ((64, 64), (64, 96))


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
    if card.answers == "probability":
        card = dataclasses.replace(card, average="scores")
    names = card.class_names or tuple(class_names or ())
    count = foreign.num_classes
    if count in {None, 1} or card.answers is not None:
        count = _answered(foreign.network, card, names, device)
    if count in {None, 1} and not names:
        kind = "labels" if count is None else "one channel"
        raise InputError(
            f"Expected class names for {card.id}, which answers {kind}, but got none: give class_names."
        )
    if count is not None and names and len(names) != count:
        shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        advice = "two if it answers one logit for two" if count == 1 else "one for each"
        raise InputError(
            f"Expected {card.id} to answer {len(names)} classes ({shown}), but it answers {count}: "
            f"give class_names, {advice}, in its card (--model-card FILE, or card=)."
        )
    if not names and count is not None:
        names = tuple(f"class {index}" for index in range(count))
    if isinstance(foreign.network, ForeignNetwork):
        foreign.network.num_classes = len(names)
    return dataclasses.replace(card, class_names=names)


def _answered(network: torch.nn.Module, card: Card, names: Sequence[str], device: torch.device) -> int | None:
    """Return how many classes a network answers for an image, None if it answers labels."""
    stated = card.crop_size or card.test_size
    if stated is not None:
        return _answered_at(stated, network, card, names, device)
    with contextlib.suppress(AmbiguousError):
        return _answered_at(PROBES[0], network, card, names, device)
    return _answered_at(PROBES[1], network, card, names, device)


@torch.inference_mode()
def _answered_at(
    size: Size, network: torch.nn.Module, card: Card, names: Sequence[str], device: torch.device
) -> int | None:
    # Noise, because many answers are whole numbers where the image is black.
    noise = np.random.default_rng(0).integers(0, 256, (1, *size, 3), dtype=np.uint8)
    images = preprocess(noise, card, device)
    if isinstance(network, ForeignNetwork):
        return network.learn(images, names, card.answers)
    return int(network(images).shape[1])
