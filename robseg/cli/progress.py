"""Shows how far a run is: a bar on a terminal, elsewhere a line every twenty seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from robseg.cli.output import console
from robseg.cli.verbosity import is_quiet
from robseg.evaluation.progress import Progress as Done

__all__ = ["showing"]

SECONDS_BETWEEN_LINES = 20.0


class _Rate(ProgressColumn):
    """Things per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}/s" if speed else "", style="progress.data.speed")


@contextmanager
def showing(what: str = "predictions") -> Iterator[Callable[[Done], None]]:
    """Yield a callback that shows progress on stderr until the block ends, unless -q was given.

    `what` is the word for the things that are counted.
    """
    if is_quiet():
        yield lambda _done: None
    elif sys.stderr.isatty():
        progress = _bar()
        task = progress.add_task(what, total=None)

        def update(done: Done) -> None:
            progress.start()  # at the first call, since loading the models may write lines
            progress.update(task, completed=done.done, total=done.total, description=what + _place(done))

        try:
            yield update
        finally:
            progress.stop()
    else:
        yield _Lines(what)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console(sys.stderr),
    )


class _Lines:
    """Write a line every twenty seconds, and at the end."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._start = self._last = time.monotonic()

    def __call__(self, done: Done) -> None:
        now = time.monotonic()
        if done.done == 0 or (now - self._last < SECONDS_BETWEEN_LINES and done.done < done.total):
            return
        self._last = now
        rate = done.done / max(now - self._start, 1e-9)
        left = (done.total - done.done) / rate
        click.echo(
            f"{done.done}/{done.total} {self._what}{_place(done)}, {rate:.1f}/s, {left:.0f} s left", err=True
        )


def _place(done: Done) -> str:
    """Return where the work is done, if not here."""
    if done.place is None:
        return ""
    nodes, workers = done.place
    return f" ({nodes} node{'s' * (nodes != 1)}, {workers} worker{'s' * (workers != 1)})"
