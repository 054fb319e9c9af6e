"""A model given in Python: an nn.Module or any callable from float (N, 3, H, W) to logits or labels."""

from __future__ import annotations

import copy
import dataclasses
import re
import secrets
from collections.abc import Callable
from typing import Any

from torch import nn

from robseg.errors import InputError
from robseg.models.card import UNTOLD, Card
from robseg.models.foreign.answers import ForeignNetwork
from robseg.models.foreign.code import UntoldError, code_digest
from robseg.models.foreign.reading import Foreign, Weights, last_line, take_weights, without_weights

__all__ = ["foreign_of", "load", "name_of"]


def load(model: Callable[..., Any], weights: Weights | None) -> Foreign:
    """Return the model as it is now: a module is copied, so later changes to the original do not matter."""
    if not callable(model):
        raise InputError(
            f"Expected a model's spec, an nn.Module or another callable, but got {type(model).__name__}."
        )
    if isinstance(model, nn.Module):
        try:
            model = copy.deepcopy(model)
        except (RuntimeError, TypeError, AttributeError) as error:
            raise InputError(
                f"Expected a module that can be copied, but {type(model).__name__} cannot "
                f"({last_line(error)}): give `lambda images: model(images)`, and leave it in eval mode."
            ) from error
    return foreign_of(model, name_of(model), weights)


def foreign_of(
    model: Callable[..., Any],
    name: str,
    weights: Weights | None,
    remade: Callable[[Any], Callable[[], Any]] | None = None,
) -> Foreign:
    """Return a module or callable as a model of that name, with its own card if it has one.

    `remade` takes the module's tensors (None for a callable) and returns a function that makes it again in
    another process.
    """
    own = getattr(model, "card", None)
    card = own if isinstance(own, Card) else Card(name, type(model).__name__, "", ())
    state = None
    if isinstance(model, nn.Module):
        sha256 = take_weights(model.eval(), weights, name)
        state = {key: tensor.detach().cpu() for key, tensor in model.state_dict().items()}
    else:
        without_weights(weights, f"the callable {name}")
        sha256 = ""
    # The answers depend on the code, and options are part of a model's identity.
    card = dataclasses.replace(card, options={**card.options, **_code(model)})
    network = ForeignNetwork(model, name, remade=None if remade is None else remade(state))
    return Foreign(card, network, sha256)


def _code(model: Any) -> dict[str, str]:
    """Return the digest of a model's code, or digits that no other load has and what has no digest."""
    try:
        return {"code": code_digest(model)}
    except UntoldError as error:
        return {"code": f"unknown-{secrets.token_hex(8)}", UNTOLD: str(error)}


def name_of(model: Any) -> str:
    """Return a name for a model: that of a function, or of its class.

    Examples
    --------
    >>> name_of(nn.Conv2d(3, 2, 1)), name_of(lambda images: images)
    ('Conv2d', 'lambda')
    """
    name = getattr(model, "__name__", type(model).__name__)
    return re.sub(r"[^\w.-]", "", str(name)) or "model"
