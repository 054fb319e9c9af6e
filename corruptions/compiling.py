"""How the inner loops become machine code: compiled at their first use, kept on disk, free of the GIL.

No fast-math: float arithmetic is done in the order in which it is written and without fused
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

_PATIENCE = 1.0  # seconds of silence before the user is told why nothing happens
_log = logging.getLogger("corruptions")


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers when it is first called with their types.

    Division by zero gives inf or NaN as in numpy. Index with slices and unsigned or constant offsets in inner
    loops: an index that may be negative is wrapped at every access and keeps a loop from being vectorised.
    """
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written to
        compiled = numba.njit(nogil=True, error_model="numpy")(function)
    return cast(F, compiled)


class _Announcement(event.Listener):
    """Says once per process that kernels are being compiled, if that takes long."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None

    def on_start(self, event: event.Event) -> None:
        module = event.data["dispatcher"].py_func.__module__
        if self._timer is None and module.startswith("corruptions."):
            message = "Compiling the corruptions' kernels; this happens once, later runs load them."
            self._timer = threading.Timer(_PATIENCE, _log.warning, [message])
            self._timer.daemon = True
            self._timer.start()

    def on_end(self, event: event.Event) -> None:
        module = event.data["dispatcher"].py_func.__module__
        if self._timer is not None and module.startswith("corruptions."):
            self._timer.cancel()
            self._timer = self._timer if self._timer.finished.is_set() else None


event.register("numba:compile", _Announcement())  # type: ignore[no-untyped-call]
