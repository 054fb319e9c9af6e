"""The state of a training, and its files: checkpoint.pt and log.csv."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import pickle
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from reports.run.files import write_atomically
from robseg.errors import InputError
from robseg.models.base import Network

__all__ = ["Row", "State", "load_checkpoint", "save_checkpoint", "write_log"]

VERSION = 2


class Row(NamedTuple):
    """One line of log.csv, written after an epoch: the mean loss of its steps, and the mIoU if measured."""

    epoch: int
    step: int
    seconds: float
    lr: float
    loss: float
    val_miou: float | None


@dataclasses.dataclass
class State:
    """A training after `step` optimizer steps.

    `loss` is the sum over the steps of the current epoch. `seconds` is the training time so far, including
    interrupted runs. `best` holds the weights with the best validation mIoU so far. `averaged` is the network
    with the moving average of weights, if the recipe asks for one; it is then validated and exported instead
    of `network`. There is no generator, because every random choice is a function of the seed and the step.
    """

    network: Network
    optimizer: torch.optim.Optimizer
    averaged: Network | None = None
    step: int = 0
    loss: float = 0.0
    seconds: float = 0.0
    rows: list[Row] = dataclasses.field(default_factory=list)
    best_miou: float = -math.inf
    best: dict[str, Tensor] = dataclasses.field(default_factory=dict)

    @property
    def result(self) -> Network:
        """The network that is validated and exported."""
        return self.network if self.averaged is None else self.averaged

    def is_finite(self) -> bool:
        """Return whether all weights are finite."""
        return all(bool(tensor.isfinite().all()) for tensor in self.network.state_dict().values())


def save_checkpoint(path: Path, state: State, identity: dict[str, Any]) -> None:
    """Write the state, with the recipe's fields that decide the result as its `identity`."""
    buffer = io.BytesIO()
    content = {
        "version": VERSION,
        "identity": identity,
        "network": state.network.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "averaged": None if state.averaged is None else state.averaged.state_dict(),
        "step": state.step,
        "loss": state.loss,
        "seconds": state.seconds,
        "rows": [tuple(row) for row in state.rows],
        "best_miou": state.best_miou,
        "best": state.best,
    }
    torch.save(content, buffer)
    write_atomically(path, buffer.getvalue())


def load_checkpoint(path: Path, state: State, identity: dict[str, Any], defaults: dict[str, Any]) -> None:
    """Load a checkpoint into a newly built `state`.

    Fields that the checkpoint's version did not know get their `defaults`.

    Raises
    ------
    InputError
        If the file is not a checkpoint of `robseg train`, or if its recipe differs; the error says in what.
    """
    content = _read(path)
    before = {**defaults, **content["identity"]}
    fields = [key for key in {**before, **identity} if before.get(key) != identity.get(key)]
    if fields:
        changes = ", ".join(f"{key} {before.get(key)!r} (now {identity.get(key)!r})" for key in fields)
        raise InputError(
            f"Expected {path} to be a checkpoint of this recipe, but it is one of another: {changes}.\n"
            "Give the same recipe to continue, or another --out to start from the beginning."
        )
    state.network.load_state_dict(content["network"])
    state.optimizer.load_state_dict(content["optimizer"])
    if state.averaged is not None:
        state.averaged.load_state_dict(content["averaged"])
    state.step, state.loss, state.seconds = content["step"], content["loss"], content["seconds"]
    state.rows = [Row(*row) for row in content["rows"]]
    state.best_miou, state.best = content["best_miou"], content["best"]


def _read(path: Path) -> dict[str, Any]:
    # torch.load raises these if a file is no archive, is truncated, or contains an object that it refuses.
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content["version"] == VERSION:
            return dict(content)
        found = f"version {content['version']}"
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        found = f"something unreadable ({type(error).__name__})"
    raise InputError(
        f"Expected {path} to be a checkpoint of this version of `robseg train`, but got {found}: "
        "delete it to start from the beginning."
    )


def write_log(path: Path, rows: list[Row]) -> None:
    """Write log.csv as a whole, so that a continued training repeats no line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    for row in rows:
        miou = "" if row.val_miou is None else f"{row.val_miou:.6f}"
        writer.writerow([row.epoch, row.step, f"{row.seconds:.1f}", f"{row.lr:.8f}", f"{row.loss:.6f}", miou])
    write_atomically(path, text.getvalue().encode())
