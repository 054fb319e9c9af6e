"""Kill this process at its k-th file operation, or make that operation fail.

The operations are those that change files: an open for writing, a write, a sync, a rename, a removal, a new
folder. Only those below one folder count. A fault at a write comes when half of the bytes are written. A log
names every operation, so that a failing test can be understood from its number.
"""

from __future__ import annotations

import builtins
import dataclasses
import errno
import io
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

__all__ = ["ENVIRONMENT", "LIMIT", "Action", "Fault", "install", "install_in_worker"]

Action = Literal["none", "kill", "kill group", "ENOSPC", "EIO"]

ENVIRONMENT = "FAULT_OF_THE_TESTS"  # where worker processes find their fault
LIMIT = 120  # seconds after which a process counts as hanging and is ended by the kernel
OPEN = open
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# The audit events of changes, and where each has the new or changed path and the folder it is relative to.
CHANGES = {
    "os.rename": (1, 3),
    "os.remove": (0, 1),
    "os.rmdir": (0, 1),
    "os.mkdir": (0, 2),
    "os.link": (1, 3),
    "os.symlink": (1, 2),
}
REMOVALS = {"os.remove", "os.rmdir"}


@dataclasses.dataclass(frozen=True)
class Fault:
    """What happens at operation number `at`, counted from 0 in each process, on files below `folder`.

    EIO happens once. ENOSPC stays, except for removals, as on a full disk. "kill group" also kills the parent
    or the workers. A kill `after` some seconds of wall time needs no operation. With `in_worker`, a worker is
    struck, else the parent. `log` is a file outside `folder`.
    """

    folder: str
    log: str
    action: Action = "none"
    at: int = -1
    after: float = 0.0
    in_worker: bool = False


def install(fault: Fault, *, worker: bool = False) -> None:
    """Watch the file operations of this process, the parent or a worker, until it ends."""
    signal.alarm(LIMIT)
    if fault.in_worker != worker:
        fault = dataclasses.replace(fault, action="none", after=0.0)
    watch = _Watch(fault)
    sys.addaudithook(watch.heard)
    builtins.open = io.open = watch.open
    os.write = watch.on_descriptor("os.write", os.write)
    # The system outlives these faults, so nothing has to reach the disk.
    os.fsync = watch.on_descriptor("os.fsync", lambda _: None)
    os.fdatasync = watch.on_descriptor("os.fdatasync", lambda _: None)
    if fault.after:
        threading.Timer(fault.after, watch.strike).start()


def install_in_worker() -> None:
    """Install the fault of the process that started this one, if it has one."""
    if text := os.environ.get(ENVIRONMENT):
        install(Fault(**json.loads(text)), worker=True)


class _Watch:
    """Counts operations, and strikes at one of them."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._number = 0
        self._log = os.open(fault.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._write = os.write

    def due(self, name: str, path: str) -> bool:
        """Count an operation and return whether the fault happens at it."""
        fault = self._fault
        if not f"{path}/".startswith(f"{fault.folder}/"):
            return False
        number, self._number = self._number, self._number + 1
        self._write(self._log, f"{number} {name} {os.path.relpath(path, fault.folder)}\n".encode())
        still_full = fault.action == "ENOSPC" and number > fault.at >= 0 and name not in REMOVALS
        return number == fault.at or still_full

    def strike(self, path: str = "") -> None:
        """Kill, or raise OSError."""
        action = self._fault.action
        if action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif action == "kill group" and os.getpgrp() == os.getsid(0):  # a group of our own, see processes.py
            os.killpg(os.getpgrp(), signal.SIGKILL)
        elif action in ("ENOSPC", "EIO"):
            code = getattr(errno, action)
            raise OSError(code, os.strerror(code), path)

    def heard(self, event: str, values: tuple[Any, ...]) -> None:
        """Take an audit event."""
        folder = ""
        if event in CHANGES:
            path, descriptor = (values[place] for place in CHANGES[event])
            folder = _path_of(descriptor) if descriptor >= 0 else ""
        elif event == "open" and not isinstance(values[0], int) and values[2] & WRITING:
            path = values[0]
        else:
            return
        path = str(Path(folder, os.fsdecode(path)).resolve())
        if self.due(event, path):
            self.strike(path)

    def on_descriptor(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function whose calls are counted."""

        def counted(descriptor: int, *values: Any) -> Any:
            path = _path_of(descriptor)
            if self.due(name, path):
                self.strike(path)
            return function(descriptor, *values)

        return counted

    def open(
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        """Open a file as `open` does. Its writes are counted."""
        if not set(mode) & set("wax+"):
            return OPEN(file, mode, buffering, encoding, errors, newline, closefd, opener)
        raw = _File(file, mode.translate({ord("b"): None, ord("t"): None}), closefd, opener)
        raw.watch = self
        if buffering == 0:
            return raw
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)


class _File(io.FileIO):
    """A file whose writes are counted."""

    watch: _Watch

    def write(self, data: Any, /) -> int:
        path = _path_of(self.fileno())
        if self.watch.due("write", path):
            content = memoryview(data).cast("B")
            super().write(content[: len(content) // 2])
            self.watch.strike(path)
        return super().write(data)


def _path_of(descriptor: int) -> str:
    """Return the path of an open file; where there is none, a text that is no path."""
    try:
        return str(Path(f"/proc/self/fd/{descriptor}").readlink())
    except OSError:
        return ""
