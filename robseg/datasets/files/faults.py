"""Faults of a data set's files: opening the data set stops at the first, and a check collects them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from robseg.errors import InputError

__all__ = ["Fault", "collecting", "refuse", "some"]

SHOWN = 3

_collected: ContextVar[list[Fault] | None] = ContextVar("collected", default=None)


class Fault(InputError):
    """One thing that is wrong with some files; `kind` is a short name for it."""

    def __init__(self, message: str, kind: str = "", files: Iterable[object] = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.files = tuple(map(str, files))


@contextmanager
def collecting() -> Iterator[list[Fault]]:
    """Yield a list to which faults go, instead of being raised, until the block ends."""
    faults: list[Fault] = []
    token = _collected.set(faults)
    try:
        yield faults
    finally:
        _collected.reset(token)


def refuse(fault: Fault) -> None:
    """Raise a fault. While faults are collected, keep it; the caller then goes on without the files."""
    faults = _collected.get()
    if faults is None:
        raise fault
    faults.append(fault)


def some(names: Sequence[object]) -> str:
    """Return the first names in quotes, and the number of the others.

    Examples
    --------
    >>> some(["a", "b", "c", "d", "e"]), some(["a", "b"])
    ("'a', 'b', 'c' and 2 more", "'a', 'b'")
    """
    shown = ", ".join(f"'{name}'" for name in names[:SHOWN])
    return shown + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
