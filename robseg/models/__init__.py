"""Models: networks with their cards, which take and return plain NumPy arrays.

A name is imported when it is first used; only `Model` and `load_model` import torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from robseg.models.card import Card
    from robseg.models.catalogue import CARDS, list_cards, resolve
    from robseg.models.model import Model, load_model

__all__ = ["CARDS", "Card", "Model", "list_cards", "load_model", "resolve"]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "card": ["Card"],
        "catalogue": ["CARDS", "list_cards", "resolve"],
        "model": ["Model", "load_model"],
    },
)
