"""Compilation of the inner loops: at their first use, cached on disk, without the GIL.

Fast-math is off: float arithmetic happens in the order in which it is written and without fused
multiply-additions, so a kernel gives the same bits on every processor.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core import event

__all__ = ["kernel"]

F = TypeVar("F", bound=Callable[..., Any])

_log = logging.getLogger("corruptions")


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers when it is first called with arguments of their types.

    Division by zero gives inf or NaN, as in numpy. In inner loops, index with slices and unsigned or constant
    offsets: an index that may be negative is wrapped at every access, which prevents vectorisation.
    """
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written to
        compiled = numba.njit(nogil=True, error_model="numpy")(function)
    return cast(F, compiled)


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
