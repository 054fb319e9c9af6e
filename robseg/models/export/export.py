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
from robseg.models.foreign.reading import package, reading
from robseg.models.foreign.statistics import unreported
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
    card = model.card
    if card.test_size is None and card.test_mode == "whole":
        card = dataclasses.replace(card, test_size=stated, resize="exact")
    shape = network_sizes(stated, card)[0]
    seen = list(_inputs(model, images, shape)) if precision == "int8" else []
    text = Embedded(card, model.sha256, precision, calibration if seen else "").to_text()
    told = f"{model.name} to be exported as {target}"
    with unreported(), reading(told, "report it with the versions of torch and of the engine"):
        TARGETS[target].write(traced(model.network, shape), text, out, precision, seen)


def check_target(target: str, precision: Precision) -> None:
    """Raise InputError unless a kind of file has a precision, and the packages for it are there."""
    there = TARGETS[target].packages
    if precision not in there:
        others = [name for name in TARGETS if precision in TARGETS[name].packages]
        raise InputError(
            f"Expected --precision {' or '.join(there)} for --to {target}, but got {precision}: choose it, "
            f"or --to {' or '.join(others)}."
        )
    with unreported():
        for name in there[precision]:
            package(name, "export")


def _inputs(model: Model, images: Sequence[NDArray[np.uint8]], size: Size) -> Iterator[Tensor]:
    """Yield what the network sees when the model predicts images, each (1, 3, *size)."""
    seen: list[Tensor] = []

    def see(_network: nn.Module, inputs: tuple[Any, ...]) -> None:
        seen.append(inputs[0])

    with torch.no_grad(), model.network.register_forward_pre_hook(see):
        for image in images:
            model.predict(image[None])
            for one in torch.split(torch.cat(seen), 1):
                if one.shape[2:] != size:
                    raise InputError(
                        f"Expected images to calibrate with that the network sees as {size[0]} x {size[1]} "
                        f"pixels, but for one it is {one.shape[2]} x {one.shape[3]}: choose images of the "
                        "size that the file is for."
                    )
                yield one.contiguous()
            seen.clear()
