"""Compilation of the inner loops: at their first use, cached on disk, without the GIL.

Fast-math is off: float arithmetic happens in the order in which it is written and without fused
multiply-additions, so a kernel gives the same bits on every processor.
"""

import contextlib
import functools
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import event
from numba.core.caching import FunctionCache

__all__ = ["cache_folder", "kernel"]

F = TypeVar("F", bound=Callable[..., Any])

_log = logging.getLogger("corruptions")


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers when it is first called with arguments of their types.

    Division by zero gives inf or NaN, as in numpy. In inner loops, index with slices and unsigned or constant
    offsets: an index that may be negative is wrapped at every access, which prevents vectorisation.
    """
    compiled: Any = numba.njit(nogil=True, error_model="numpy")(function)
    with contextlib.suppress(RuntimeError):  # no folder for a cache can be written to
        compiled._cache = _Cache(function)  # type: ignore[no-untyped-call]
    return cast(F, compiled)


@functools.cache
def cache_folder() -> Path | None:
    """Return the folder in which compiled kernels are kept, or None if none can be written to."""
    with contextlib.suppress(RuntimeError):
        return Path(_Cache(cache_folder.__wrapped__).cache_path)  # type: ignore[no-untyped-call]
    return None


class _Cache(FunctionCache):
    """Numba's cache on disk; without one that can be read or written, a kernel is compiled in memory."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled code for a signature, or None."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001 - a file that was cut short may raise anything
            _log.debug("Compiling a kernel again, because its cache cannot be read: %r", error)
            with contextlib.suppress(OSError):
                self.flush()  # type: ignore[no-untyped-call]
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the compiled code for a signature, unless the disk is full."""
        with contextlib.suppress(OSError):
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]


class _Announcement(event.Listener):
    """Tells the user, once per process, that kernels are being compiled, if that takes long.

    Compiling a kernel also compiles the kernels that it calls; numba compiles in one thread at a time.
    """

    def __init__(self, patience: float) -> None:
        self.patience = patience  # seconds of silence before the user is told why nothing happens
        self._depth = 0
        self._timer = threading.Timer(0, _say)
        self._said = False

    def on_start(self, event: event.Event) -> None:
        if not _is_ours(event):
            return
        self._depth += 1
        if self._depth == 1 and not self._said:
            self._timer = threading.Timer(self.patience, _say)
            self._timer.daemon = True
            self._timer.start()

    def on_end(self, event: event.Event) -> None:
        if not _is_ours(event):
            return
        self._depth -= 1
        if self._depth == 0:
            self._said = self._said or self._timer.finished.is_set()
            self._timer.cancel()


def _say() -> None:
    _log.warning("Compiling the corruptions' kernels. This happens once; later runs load them.")


def _is_ours(event: event.Event) -> bool:
    module: str = event.data["dispatcher"].py_func.__module__
    return module.startswith("corruptions.")


announcement = _Announcement(patience=1.0)
event.register("numba:compile", announcement)  # type: ignore[no-untyped-call]
