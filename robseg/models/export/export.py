"""Write a model to a file that another engine runs, with its card inside."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from robseg.errors import InputError
from robseg.models.base import Network
from robseg.models.export.program import traced
from robseg.models.export.targets import TARGETS, Precision
from robseg.models.foreign.embedded import Embedded
from robseg.models.foreign.reading import reading
from robseg.models.model import Model
from robseg.models.predict.sizes import Size, network_sizes

__all__ = ["check_target", "export"]


def export(
    model: Model,
    target: str,
    out: Path,
    *,
    size: Size | None = None,
    precision: Precision = "fp32",
    images: Sequence[NDArray[np.uint8]] = (),
    calibration: str = "",
) -> None:
    """Write a model for images of one size to a file.

    Parameters
    ----------
    model
        A model of one of our architectures, on the CPU in fp32.
    target
        A kind of file: a name among TARGETS.
    out
        The file.
    size
        (H, W) of the images that it is for; None for the size on the model's card.
    precision
        The precision in which the file will compute.
    images
        RGB images, uint8 (H, W, 3), that are like those that the model will see; needed for int8.
    calibration
        Which images these are.

    Raises
    ------
    InputError
        If the model, the target or the size does not suit, or an engine's package is missing.
    """
    check_target(target, precision)
    if not isinstance(model.network, Network):
        raise InputError(
            f"Expected a model of an architecture of robseg to export, but got {model.name}: export it with "
            "the program that it comes from."
        )
    stated = size or model.card.test_size
    if stated is None:
        raise InputError(
            f"Expected --size HEIGHT WIDTH, because the card of {model.name} states no size, and a file is "
            "for images of one: give that of your images."
        )
    inputs = set(network_sizes(stated, model.card))
    if len(inputs) != 1:
        raise InputError(
            f"Expected a size for which the network of {model.name} sees inputs of one size, but for "
            f"{stated[0]} x {stated[1]} there are {len(inputs)}: choose a --size not below its windows'."
        )
    card = model.card
    if card.test_size is None and card.test_mode == "whole":
        card = dataclasses.replace(card, test_size=stated, resize="exact")
    text = Embedded(card, model.sha256, precision, calibration).to_text()
    seen = [] if precision != "int8" else list(_inputs(model, images))
    with reading(f"{model.name} to be exported as {target}", "report it with the versions of both packages"):
        TARGETS[target].write(traced(model.network, inputs.pop()), text, out, precision, seen)


def check_target(target: str, precision: Precision) -> None:
    """Raise InputError unless a kind of file has a precision."""
    there = TARGETS[target].precisions
    if precision not in there:
        others = [name for name in TARGETS if precision in TARGETS[name].precisions]
        raise InputError(
            f"Expected --precision {' or '.join(there)} for --to {target}, but got {precision}: choose it, "
            f"or --to {' or '.join(others)}."
        )


def _inputs(model: Model, images: Sequence[NDArray[np.uint8]]) -> Iterator[Tensor]:
    """Yield what the network sees when the model predicts images."""
    seen: list[Tensor] = []

    def see(_network: nn.Module, inputs: tuple[Any, ...]) -> None:
        seen.append(inputs[0])

    with torch.no_grad(), model.network.register_forward_pre_hook(see):
        for image in images:
            model.predict(image[None])
            yield from (one.contiguous() for batch in seen for one in torch.split(batch, 1))
            seen.clear()
