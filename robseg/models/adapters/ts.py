"""`ts:FILE`: TorchScript that torch.jit.save wrote, whatever the file's ending."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch

from robseg.models.card import Card
from robseg.models.checkpoints.digest import sha256_of
from robseg.models.foreign.answers import ForeignNetwork
from robseg.models.foreign.reading import Foreign, Weights, existing, reading, without_weights

__all__ = ["load"]


def load(name: str, weights: Weights | None, device: torch.device) -> Foreign:
    """Return the program in a file; each worker process reads the file again."""
    without_weights(weights, f"ts:{name}")
    path = existing(name, "a TorchScript file")
    with reading(f"{name} to be TorchScript", "save it again with torch.jit.save"):
        program = read(path, device)
    card = Card(f"ts:{path.stem}", str(getattr(program, "original_name", "TorchScript")), "", ())
    network = ForeignNetwork(program, card.id, remade=functools.partial(read, path, device))
    return Foreign(card, network.eval(), sha256_of(path))


def read(path: Path, device: torch.device) -> Callable[..., Any]:
    """Return a file's program in eval mode."""
    with warnings.catch_warnings():
        # torch has deprecated TorchScript; that concerns whoever writes such files.
        warnings.filterwarnings("ignore", message=".*torch.jit.load.*")
        program = torch.jit.load(path, map_location=device)  # type: ignore[no-untyped-call]
    return cast("Callable[..., Any]", program.eval())
