"""Show the progress of a download: a bar on a terminal, one line in the log elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from robseg.models.checkpoints.download import Transfer
from robseg.printable import terminal_of

__all__ = ["showing"]

logger = logging.getLogger("robseg")


@contextmanager
def showing(name: str) -> Iterator[Callable[[Transfer], None]]:
    """Yield a callback that shows the progress of the file `name` on stderr."""
    if not sys.stderr.isatty():
        yield _logged(name)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(file=terminal_of(sys.stderr))) as progress:
        task = progress.add_task(name, total=None)

        def update(transfer: Transfer) -> None:
            progress.update(task, completed=transfer.done, total=transfer.total or None)

        yield update


def _logged(name: str) -> Callable[[Transfer], None]:
    """Return a callback that logs each address once."""
    logged: set[str] = set()

    def tell(transfer: Transfer) -> None:
        if transfer.url not in logged:
            logged.add(transfer.url)
            # A warning, because that shows without any set-up, and a download takes minutes.
            logger.warning("Downloading %s (%.1f MB) from %s", name, transfer.total / 1e6, transfer.url)

    return tell
