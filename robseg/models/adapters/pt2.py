"""`pt2:FILE`: a program that torch.export.save wrote."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.checkpoints.digest import sha256_of
from robseg.models.foreign.answers import ForeignNetwork
from robseg.models.foreign.reading import Foreign, Weights, existing, reading, without_weights

__all__ = ["load"]


class Program(nn.Module):
    """An exported program; it stays in the mode in which it was exported."""

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        self.program = program

    def forward(self, images: Tensor) -> Any:
        """Return whatever the program answers."""
        return self.program(images)

    def train(self, mode: bool = True) -> Program:  # noqa: ARG002
        """Leave the mode alone: an exported program raises when it is asked to change it."""
        return self


def load(name: str, weights: Weights | None, device: torch.device) -> Foreign:
    """Return the program in a file, with a card that states the sizes that it was exported for."""
    without_weights(weights, f"pt2:{name}")
    path = existing(name, "an exported program")
    with reading(f"{name} to be an exported program", "save it again with torch.export.save"):
        program = torch.export.load(path)
    batch, _, rows, columns = _input_shape(program, name)
    fixed = isinstance(rows, int) and isinstance(columns, int)
    card = Card(
        id=f"pt2:{path.stem}",
        architecture="torch.export",
        dataset="",
        class_names=(),
        test_size=(rows, columns) if fixed else None,
        size_divisor=1 if fixed else max(_multiple(rows), _multiple(columns)),
    )
    network = ForeignNetwork(
        _on(program, device),
        card.id,
        remade=functools.partial(_read, path, device),
        batch_size=batch if isinstance(batch, int) else None,
    )
    return Foreign(card, network.eval(), sha256_of(path))


def _read(path: Path, device: torch.device) -> Program:
    return _on(torch.export.load(path), device)


def _on(program: ExportedProgram, device: torch.device) -> Program:
    if device.type != "cpu":
        from torch.export.passes import move_to_device_pass

        program = move_to_device_pass(program, device)
    return Program(program.module())


def _input_shape(program: ExportedProgram, name: str) -> tuple[Any, ...]:
    """Return (N, 3, H, W) as the program takes it: integers, and symbols for sizes left open."""
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
    return shape


def _multiple(side: Any) -> int:
    """Return the number of which a side must be a multiple: 32 if it was exported as 32 * s."""
    return 1 if isinstance(side, int) else max(1, int(side.node.expr.as_coeff_Mul()[0]))
