"""The training loop: build or continue, step, validate, save checkpoints, export."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from torch import Tensor

from reports.run.folder import OutFolder
from reports.run.typed import typed
from robseg.errors import IncompleteRun, InputError
from robseg.models.base import Network
from robseg.models.card import Card
from robseg.models.predict.failures import NotFiniteError
from robseg.models.predict.inference import autocast, open_device, preprocess
from robseg.options import POSITIVE
from robseg.training.batches import SampleCache, batches, steps_per_epoch
from robseg.training.build import blank_card, build_state
from robseg.training.curve import plot_curve
from robseg.training.export import export, exported
from robseg.training.objective import objective
from robseg.training.optimizer import average, learning_rate, set_learning_rate
from robseg.training.recipe import Recipe
from robseg.training.setup import Setup
from robseg.training.state import Row, load_checkpoint, save_checkpoint, write_log
from robseg.training.validate import MiouInterval, score

__all__ = ["Progress", "Trained", "train"]

_DROPOUT = 3  # the first word of the dropout's seeds; batches.py uses 1 and 2


class Progress(NamedTuple):
    """The progress of a training, reported after each step; `val_miou` is set only after a validation."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    seconds: float
    val_miou: float | None = None


class Trained(NamedTuple):
    """A finished training: its log and its files (`last`, `best`)."""

    rows: tuple[Row, ...]
    weights: dict[str, Path]


def train(
    recipe: Recipe,
    setup: Setup,
    out: Path,
    *,
    minutes: float | None = None,
    cache: Path | None = None,
    device: str | torch.device = "cpu",
    report: Callable[[Progress], None] | None = None,
) -> Trained:
    """Train, or continue from OUT/checkpoint.pt, and export the weights.

    On a CPU the result depends only on the recipe, the data and the number of threads: an interrupted and
    continued training ends with the same bits as an uninterrupted one.

    Parameters
    ----------
    minutes
        Save a checkpoint and stop after this time. The schedule still follows the recipe's epochs.
    cache
        A folder for decoded images (OUT/cache if None), which several trainings may share.
    device
        `cpu`, or a GPU such as `cuda`, where some of PyTorch's gradients differ in the last bits from run to
        run.

    Raises
    ------
    IncompleteRun
        If `minutes` are over, or if the loss is no longer a number.
    InputError
        If OUT cannot be written to, is in use, or holds a checkpoint of another recipe or files of others.
    """
    typed(Annotated[float | None, POSITIVE], minutes, "minutes")
    OutFolder(out)
    _try_to_write(out)
    lock = FileLock(out / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            f"Another `robseg train` is writing to {out}: wait for it or give another --out."
        ) from error
    place = open_device(device)
    # The first weights and the dropout use torch's global generators, which are restored afterwards.
    with lock, torch.random.fork_rng(devices=[place] if place.type == "cuda" else []):
        return _Training(recipe, setup, out, minutes, cache, place, report).run()


def _try_to_write(out: Path) -> None:
    try:
        (out / ".lock").touch()
    except OSError as error:
        raise InputError(
            f"Expected `out` to be a folder that can be written to, but got {out} "
            f"({error.strerror}): give another folder."
        ) from error


class _Training:
    """One call of `train`: its state, and everything that stays the same from step to step."""

    def __init__(
        self,
        recipe: Recipe,
        setup: Setup,
        out: Path,
        minutes: float | None,
        cache: Path | None,
        device: torch.device,
        report: Callable[[Progress], None] | None,
    ) -> None:
        self.recipe, self.setup, self.out, self.report = recipe, setup, out, report
        self.device = device
        self.started = time.monotonic()
        self.limit = math.inf if minutes is None else 60 * minutes
        self.card: Card = blank_card(recipe, setup.architecture, setup.train_set, setup.start)
        OutFolder(out).reserve([self.checkpoint.name, "log.csv", "curve.png", *exported(self.card)])
        # The network takes crops as they are; the card's sizes apply only to whole images.
        self.crop_card = dataclasses.replace(self.card, test_size=None, size_divisor=1)
        self.samples = SampleCache(setup.train_set, cache or out / "cache")
        self.val_samples = SampleCache(setup.val_set, cache or out / "cache")
        self.per_epoch = steps_per_epoch(len(self.samples), recipe)
        self.steps = recipe.epochs * self.per_epoch
        self.state = build_state(recipe, setup.architecture, self.card, setup.start, device)
        if self.checkpoint.exists():
            load_checkpoint(self.checkpoint, self.state, self.identity, Recipe.defaults())
        self.seconds_before = self.state.seconds
        self.objective = objective(recipe, self.card, self.samples, device)

    @property
    def checkpoint(self) -> Path:
        return self.out / "checkpoint.pt"

    @property
    def identity(self) -> dict[str, Any]:
        fingerprints = {"data": self.setup.train_set.identity, "val_data": self.setup.val_set.identity}
        start = {} if self.setup.start is None else {"start_sha256": self.setup.start.sha256}
        return {**self.recipe.deciding(), **fingerprints, **start}

    def run(self) -> Trained:
        """Train to the last step, or save a checkpoint and raise IncompleteRun."""
        state, saved = self.state, time.monotonic()
        while state.step < self.steps:
            loss = self._step()
            self._report(loss)
            if state.step % self.per_epoch == 0:
                self._end_epoch()
            overdue = time.monotonic() - saved > 60 * self.recipe.checkpoint_minutes
            over = time.monotonic() - self.started > self.limit
            if overdue or over or state.step == self.steps:
                self._save()
                saved = time.monotonic()
            if over and state.step < self.steps:
                raise IncompleteRun(
                    f"Stopped after {state.step} of {self.steps} steps, as requested: "
                    "the same command continues."
                )
        write_log(self.out / "log.csv", state.rows)
        plot_curve(self.out / "curve.png", state.rows, self.card.id)
        weights = export(self.recipe, self.card, self.setup, state, self.out, self._score)
        return Trained(tuple(state.rows), weights)

    def _step(self) -> float:
        """Take one optimizer step and return its loss."""
        state, recipe = self.state, self.recipe
        torch.manual_seed(
            int(np.random.SeedSequence((_DROPOUT, recipe.seed, state.step)).generate_state(1)[0])
        )
        set_learning_rate(state.optimizer, learning_rate(recipe, state.step, self.steps))
        state.optimizer.zero_grad()
        loss = 0.0
        parts = list(batches(self.samples, recipe, state.step))
        together = sum(len(images) for images, _ in parts)
        for images, targets in parts:
            part = self._loss(images, targets) * (len(images) / together)
            loss += part.item()
            if not math.isfinite(loss):
                raise self._diverged(f"the loss became {loss}", state.step + 1)
            part.backward()  # type: ignore[no-untyped-call]
        state.optimizer.step()
        state.step += 1
        if state.averaged is not None:
            average(state.averaged, state.network, recipe.ema, state.step)
        state.loss += loss
        state.seconds = self.seconds_before + time.monotonic() - self.started
        return loss

    def _loss(self, images: NDArray[np.uint8], targets: NDArray[np.uint8]) -> Tensor:
        x = preprocess(images, self.crop_card, self.device)
        with autocast(self.device, self.recipe.precision):
            heads = self.state.network.heads(x)
        return self.objective.loss(heads, targets)

    def _end_epoch(self) -> None:
        state, recipe = self.state, self.recipe
        epoch = state.step // self.per_epoch
        miou = None
        if epoch % recipe.val_every == 0 or epoch == recipe.epochs:
            state.network.eval()
            miou = self._score(state.result).miou
            state.network.train()
            if recipe.keep_best and miou > state.best_miou:
                state.best_miou = miou
                state.best = {key: tensor.clone() for key, tensor in state.result.state_dict().items()}
        rate = learning_rate(recipe, state.step - 1, self.steps)
        loss = state.loss / self.per_epoch
        state.seconds = self.seconds_before + time.monotonic() - self.started
        state.rows.append(Row(epoch, state.step, state.seconds, rate, loss, miou))
        state.loss = 0.0
        write_log(self.out / "log.csv", state.rows)
        self._report(loss, miou)

    def _score(self, network: Network) -> MiouInterval:
        try:
            counts = self.objective.counts(network, self.val_samples)
        except NotFiniteError as error:
            raise self._diverged(f"the network answers {error.value}", self.state.step) from error
        return score(counts, self.setup.val_set)

    def _report(self, loss: float, miou: float | None = None) -> None:
        if self.report is None:
            return
        epoch = (self.state.step - 1) // self.per_epoch + 1
        self.report(
            Progress(epoch, self.recipe.epochs, self.state.step, self.steps, loss, self.state.seconds, miou)
        )

    def _save(self) -> None:
        # A step with a finite loss can still produce invalid weights: keep the last good checkpoint.
        if not self.state.is_finite():
            raise self._diverged("a weight is no longer a number", self.state.step)
        save_checkpoint(self.checkpoint, self.state, self.identity)

    def _diverged(self, what: str, step: int) -> IncompleteRun:
        kept = "No checkpoint was saved"
        if self.checkpoint.exists():
            kept = f"The last good checkpoint is {self.checkpoint}"
        return IncompleteRun(
            f"Stopped at step {step} of {self.steps}: {what}.\n"
            f"{kept}. Start from the beginning with a lower --learning-rate and another --out."
        )
