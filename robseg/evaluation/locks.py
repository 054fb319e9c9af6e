"""Locks in the folder of a run, so that no two processes do the same work or write the same file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from robseg.errors import InputError
from robseg.evaluation.parts import Part

__all__ = ["RunLock"]

# Seconds to wait for another part that writes what all parts share; the last one writes tables and a report.
PATIENCE = 600.0
WHOLE, SHARED = ".lock", ".shared.lock"


class RunLock:
    """Locks a run, or only one part of it, as a context manager.

    Raises
    ------
    InputError
        On entering, if another process is at work on the run, or on the same part.
    """

    def __init__(self, out: Path, part: Part | None) -> None:
        self._out = out
        self._part = part
        self._own = FileLock(out / (WHOLE if part is None else f".part-{part.number}-of-{part.total}.lock"))
        self._shared = FileLock(out / SHARED)

    def __enter__(self) -> RunLock:
        with self.shared():  # so that nobody takes a lock between two looks at locks
            try:
                self._own.acquire(timeout=0)
                for other in [self._out / WHOLE] if self._part else self._out.glob(".part-*.lock"):
                    with FileLock(other).acquire(timeout=0):
                        pass
            except Timeout as error:
                self._own.release()
                what = "it" if self._part is None else f"part {self._part.number} or the whole of it"
                raise InputError(
                    f"Expected {self._out} to be free, but another robseg is at work on {what}: "
                    "wait for it to end, or choose another --out."
                ) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._own.release()

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        """Keep other parts from writing what all parts share."""
        try:
            lock = self._shared.acquire(timeout=PATIENCE)
        except Timeout as error:
            raise InputError(
                f"Expected to write to {self._out} within {PATIENCE:.0f} seconds, but another robseg holds "
                f"{SHARED}: wait for it to end, and run the same command again."
            ) from error
        with lock:
            yield
