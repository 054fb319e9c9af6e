"""`pt2:FILE`: a program that torch.export.save wrote."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.checkpoints.digest import sha256_of
from robseg.models.foreign.answers import ForeignNetwork
from robseg.models.foreign.embedded import KEY, embedded_in
from robseg.models.foreign.reading import Foreign, Weights, existing, reading, without_weights

__all__ = ["load"]


class Program(nn.Module):
    """An exported program; it stays in the mode in which it was exported."""

    def __init__(self, program: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.program = program
        self.dtype = dtype

    def forward(self, images: Tensor) -> Any:
        """Return whatever the program answers."""
        pixels = images if self.dtype.is_floating_point else images.round()
        return self.program(pixels.to(self.dtype))

    def train(self, mode: bool = True) -> Program:  # noqa: ARG002
        """Leave the mode alone: an exported program raises when it is asked to change it."""
        return self


def load(name: str, weights: Weights | None, device: torch.device) -> Foreign:
    """Return the program in a file, with a card that states the sizes that it was exported for."""
    without_weights(weights, f"pt2:{name}")
    path = existing(name, "an exported program")
    with reading(f"{name} to be an exported program", "save it again with torch.export.save"):
        # torch wants each name with an empty text, in whose place it puts what the file has, if anything.
        extra = {KEY: ""}
        program = torch.export.load(path, extra_files=extra)
    own = embedded_in(extra[KEY], name)
    taken = _input(program, name)
    batch, _, rows, columns = taken.shape
    fixed = isinstance(rows, int) and isinstance(columns, int)
    card = (
        own.card_of("pt2", path.stem)
        if own
        else Card(
            id=f"pt2:{path.stem}",
            architecture="torch.export",
            dataset="",
            class_names=(),
            # A program that takes bytes normalises them itself.
            std=(255.0, 255.0, 255.0) if taken.dtype.is_floating_point else (1.0, 1.0, 1.0),
            test_size=(rows, columns) if fixed else None,
            size_divisor=1 if fixed else max(_multiple(rows), _multiple(columns)),
        )
    )
    network = ForeignNetwork(
        _on(program, device, taken.dtype),
        card.id,
        remade=functools.partial(_read, path, device, taken.dtype),
        batch_size=batch if isinstance(batch, int) else None,
        takes=torch.float32,  # which the program converts itself
    )
    return Foreign(card, network.eval(), sha256_of(path))


def _read(path: Path, device: torch.device, dtype: torch.dtype) -> Program:
    return _on(torch.export.load(path), device, dtype)


def _on(program: ExportedProgram, device: torch.device, dtype: torch.dtype) -> Program:
    if device.type != "cpu":
        from torch.export.passes import move_to_device_pass

        program = move_to_device_pass(program, device)
    return Program(program.module(), dtype)


def _input(program: ExportedProgram, name: str) -> Tensor:
    """Return a stand-in for the (N, 3, H, W) that the program takes; sizes left open are symbols."""
    inputs = program.graph_signature.user_inputs
    values = [
        node.meta["val"] for node in program.graph.nodes if node.op == "placeholder" and node.name in inputs
    ]
    shape = tuple(values[0].shape) if len(values) == 1 and isinstance(values[0], Tensor) else ()
    if len(shape) != 4 or shape[1] != 3:
        raise InputError(
            f"Expected {name} to take one batch of images (N, 3, H, W), but it takes "
            f"{', '.join(str(tuple(getattr(value, 'shape', ()))) for value in values) or 'nothing'}: "
            "export a module that does."
        )
    return cast(Tensor, values[0])


def _multiple(side: Any) -> int:
    """Return the number of which a side must be a multiple: 32 if it was exported as 32 * s."""
    return 1 if isinstance(side, int) else max(1, int(side.node.expr.as_coeff_Mul()[0]))
