"""Where a command's text goes: a file, or the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["wide_console", "write_text"]


def wide_console() -> Console:
    """Return a console as wide as the terminal, or 120 columns where there is none."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=120)


def write_text(text: str, out: Path | None) -> None:
    """Write a text to a file, whose path is then printed, or without one to stdout.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    if out is None:
        click.echo(text, nl=False)
        return
    from reports.run.files import write_atomically

    write_atomically(out, text)
    click.echo(str(out))
