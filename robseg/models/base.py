"""What an architecture is: a builder of networks, and a function that recognises its checkpoints."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal, cast

from torch import Tensor, nn

from robseg.models.catalogue import ARCHITECTURES

__all__ = ["WRONG_OPTIONS", "Architecture", "Fit", "Network", "architecture"]

# What torch and Python raise where an architecture is built with options that it cannot have.
WRONG_OPTIONS = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)


class Network(nn.Module):
    """A segmentation network with a main head, and auxiliary heads that only training uses."""

    def heads(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the logits (N, num_classes, h, w) of all heads before any resize, the main one first."""
        return (self(images),)


@dataclasses.dataclass(frozen=True)
class Fit:
    """How a checkpoint fits an architecture: the builder's options, its tensors under our names, its classes.

    `options` holds what the tensors or their layout prove; other options (such as dilations) keep the
    builder's defaults or come from the card. `class_names` is None if the file does not say; `preprocess`
    holds the Card fields that the layout fixes.
    """

    layout: str
    num_classes: int
    options: dict[str, Any]
    state_dict: dict[str, Tensor]
    class_names: tuple[str, ...] | None = None
    preprocess: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Architecture:
    """One architecture.

    `build(num_classes, **options)` returns the network: normalised float (N, 3, H, W) to the main head's
    logits (N, num_classes, h, w). `fit(state_dict)` recognises a checkpoint of this architecture, in our own
    layout or a published one, and raises InputError for any other. H and W must be multiples of
    `size_divisor`. `task` says what the network learns.
    """

    name: str
    build: Callable[..., Network]
    fit: Callable[[dict[str, Tensor]], Fit]
    size_divisor: int = 1
    task: Literal["segmentation", "offsets"] = "segmentation"


def architecture(name: str) -> Architecture:
    """Return the architecture of that name; an unknown name raises InputError with the nearest one."""
    return cast(Architecture, ARCHITECTURES[name])
