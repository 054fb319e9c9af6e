"""How much a command says on stderr: notes and progress, nothing but errors (-q), or what it does (-v)."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import click

__all__ = ["hush", "is_quiet", "notes", "on_stderr", "speak_up"]

notes = logging.getLogger("robseg")

LOGGERS = (notes, logging.getLogger("reports"), logging.getLogger("corruptions"))


class _Stderr(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), err=True)


@contextlib.contextmanager
def on_stderr() -> Iterator[None]:
    """Write log records from INFO on to stderr, as plain lines, until the block ends."""
    handler = _Stderr()
    before = [logger.level for logger in LOGGERS]
    for logger in LOGGERS:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger, level in zip(LOGGERS, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


def hush() -> None:
    """Show neither notes nor progress."""
    _set(logging.ERROR)


def speak_up() -> None:
    """Show details too."""
    _set(logging.DEBUG)


def is_quiet() -> bool:
    """Return whether notes and progress are off."""
    return notes.level == logging.ERROR


def _set(level: int) -> None:
    for logger in LOGGERS:
        logger.setLevel(level)
