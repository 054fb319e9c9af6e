"""Where a command's text goes: a file, the terminal, or a pipe."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from rich.console import Console

__all__ = ["outlive_readers", "wide_console", "write_text"]


class _Pipe(io.FileIO):
    """A file descriptor, which stays open; what is written to it after its reader has gone is dropped."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)

    def write(self, data: ReadableBuffer, /) -> int:
        """Write bytes and return how many were taken."""
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def outlive_readers() -> None:
    """Let this process go on when the reader of its stdout or stderr leaves, as `head` does.

    The command then still writes its files, and its exit code is that of its work.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):  # None where the shell closed it
            pipe = io.BufferedWriter(_Pipe(stream.fileno()))
            lines = stream.line_buffering
            wrapped = io.TextIOWrapper(pipe, stream.encoding, stream.errors, line_buffering=lines)
            setattr(sys, name, wrapped)


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
