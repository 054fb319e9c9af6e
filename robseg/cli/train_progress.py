"""What `robseg train` shows while it runs: a live line on a terminal, elsewhere a line every half minute."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from robseg.cli.output import console
from robseg.cli.verbosity import is_quiet

if TYPE_CHECKING:
    from robseg.training.trainer import Progress

__all__ = ["display", "line"]

QUIET_SECONDS = 30  # between two lines where there is no terminal


@contextlib.contextmanager
def display() -> Iterator[Callable[[Progress], None]]:
    """Yield a callback that shows progress on stderr, unless -q was given."""
    if is_quiet():
        yield lambda _progress: None
        return
    terminal = console(sys.stderr)
    if not terminal.is_terminal:
        yield _Lines()
        return
    with terminal.status("preparing") as status:

        def report(progress: Progress) -> None:
            status.update(line(progress))
            if progress.val_miou is not None:
                terminal.print(line(progress), highlight=False)

        yield report


class _Lines:
    """Write a line at each validation and otherwise every QUIET_SECONDS."""

    def __init__(self) -> None:
        self.written = time.monotonic() - QUIET_SECONDS

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.val_miou is not None or now - self.written >= QUIET_SECONDS:
            click.echo(line(progress), err=True)
            self.written = now


def line(progress: Progress) -> str:
    """Describe a training's progress in one line."""
    text = (
        f"epoch {progress.epoch}/{progress.epochs}  step {progress.step}/{progress.steps}  "
        f"loss {progress.loss:.3f}  {progress.seconds / 60:.1f} min"
    )
    return text if progress.val_miou is None else f"{text}  val mIoU {100 * progress.val_miou:.1f}"
