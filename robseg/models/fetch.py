"""Where the weights of a card lie on this machine."""

from __future__ import annotations

from pathlib import Path

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.catalogue import ZOO

__all__ = ["weights_path"]


def weights_path(card: Card) -> Path:
    """Return the file of a card's weights, which comes with the package."""
    path = ZOO / card.weights_file
    if not card.weights_file or not path.is_file():
        raise InputError(
            f"Expected the weights of '{card.id}' in the package, but {path} is missing: install it again."
        )
    return path
