"""Models: architectures of our own, their cards, and a border that takes and gives plain NumPy arrays.

Importing this package does not import torch; asking it for `Model` or `load_model` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robseg.models.card import Card
from robseg.models.catalogue import CARDS, list_cards, resolve

if TYPE_CHECKING:
    from robseg.models.model import Model, load_model

__all__ = ["CARDS", "Card", "Model", "list_cards", "load_model", "resolve"]


def __getattr__(name: str) -> Any:
    if name in {"Model", "load_model"}:
        from robseg.models import model

        return getattr(model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
