"""Where a command's text goes: a file, the terminal, or a pipe."""

from __future__ import annotations

import codecs
import io
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from robseg.errors import InputError
from robseg.printable import terminal_of, unescaped

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from rich.console import Console

__all__ = [
    "FAULT",
    "console",
    "outlive_outputs",
    "refuse_lost_output",
    "write_command",
    "write_file",
    "write_text",
]

FAULT = 70  # the exit code of a fault of robseg (EX_SOFTWARE of sysexits.h)
# What the texts of this program become in an encoding without them; other characters are written as \uXXXX.
PLAIN = {"≥": ">=", "≤": "<=", "–": "-", "−": "-", "…": "...", "×": "x", "±": "+-"}


class _Pipe(io.FileIO):
    """A file descriptor, which stays open; what cannot be written to it is dropped.

    `error` is why, unless its reader has gone, as `head` does.
    """

    error: OSError | None = None

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)

    def write(self, data: ReadableBuffer, /) -> int:
        """Write bytes and return how many were taken."""
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes
        except OSError as error:
            self.error = error
            return memoryview(data).nbytes


def outlive_outputs() -> None:
    """Let this process go on when nobody reads its stdout or stderr, or their device is full.

    The command then still writes its files. Characters that an encoding lacks are written in another way.
    """
    codecs.register_error("plain", _plain)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):  # None where the shell closed it
            pipe = _Pipe(stream.fileno())
            lines = stream.line_buffering
            text = io.TextIOWrapper(io.BufferedWriter(pipe), stream.encoding, "plain", line_buffering=lines)
            setattr(sys, name, text)


def refuse_lost_output() -> None:
    """Raise InputError if some of stdout could not be written, except because its reader has gone."""
    if sys.stdout is None:  # the shell closed it
        return
    sys.stdout.flush()
    stream: Any = unescaped(sys.stdout)
    pipe = getattr(getattr(stream, "buffer", None), "raw", None)
    if isinstance(pipe, _Pipe) and pipe.error is not None:
        raise InputError(
            f"Expected to be able to write to stdout, but got: {pipe.error.strerror}. All files were written."
        )


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    if character in PLAIN:
        return PLAIN[character], error.start + 1
    return codecs.backslashreplace_errors(error)


def console(stream: IO[str] | None = None, width: int = 120) -> Console:
    """Return a console on a stream (None: stdout), as wide as its terminal, or else `width` columns wide."""
    from rich.console import Console

    stream = stream or sys.stdout
    file = io.StringIO() if stream is None else terminal_of(stream)  # None where the shell closed it
    found = Console(file=file)
    return found if found.is_terminal else Console(file=file, width=width)


def write_command(line: str) -> None:
    """Write a line that a CI system obeys to stdout."""
    if sys.stdout is not None:
        sys.stdout.flush()
        unescaped(sys.stdout).write(f"{line}\n")


def write_text(text: str, out: Path | None) -> None:
    """Write a text to a file, whose path is then printed, or without one to stdout.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    if out is None:
        click.echo(text, nl=False)
    else:
        write_file(text, out)


def write_file(content: bytes | str, out: Path) -> None:
    """Write a file and print its path.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    from reports.run.files import remove_abandoned, write_atomically

    remove_abandoned(out.parent)
    write_atomically(out, content)
    click.echo(str(out))
