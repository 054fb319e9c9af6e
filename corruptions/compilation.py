"""Compile the kernels before they are needed, in a process of its own.

Compiling all of them takes a CPU about forty seconds. Numba keeps the result on disk, where every process of
this machine finds it.
"""

import atexit
import contextlib
import functools
import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numba
import numpy as np

from corruptions.engine import sweep
from corruptions.kernels.compiling import cache_folder

__all__ = ["compile_ahead", "compile_kernels"]

# RGB images whose sides are multiples of 16 go through other kernels than those whose sides are not.
SIZES = ((80, 96), (75, 101))
NICENESS = 5  # below the workers, which may need the processor for their networks
CHECKED_EVERY = 0.5  # seconds

_started: list[subprocess.Popen[bytes]] = []


def compile_kernels(names: Iterable[str]) -> Iterator[str]:
    """Compile what corrupting RGB images needs, and yield each corruption's name when it is done."""
    for name in names:
        for size in SIZES:
            for _ in sweep(np.zeros((*size, 3), np.uint8), name):
                pass
        _note(name)
        yield name


def compile_ahead(names: Iterable[str]) -> None:
    """Start a process that compiles what corruptions need, unless that is noted to be on disk already.

    It ends with this process, even if that is killed. Where it cannot help, for example because no folder
    can be written to, kernels are compiled at their first use as ever.
    """
    busy = any(process.poll() is None for process in _started)
    missing = [name for name in names if (note := _note_of(name)) and not note.exists()]
    if busy or not missing or not sys.executable:
        return
    # -P, because a folder of the user's may have a file named corruptions.py.
    command = [sys.executable, "-P", "-m", "corruptions.compilation", str(os.getpid()), *missing]
    quiet = subprocess.DEVNULL
    try:
        # In a session of its own, so that Ctrl-C does not make it print a traceback.
        process = subprocess.Popen(  # noqa: S603
            command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )
    except OSError:  # no room for another process
        return
    _started.append(process)


def _note(name: str) -> None:
    """Note that the kernels of a corruption are on disk; a note of other code or of other packages goes."""
    if note := _note_of(name):
        with contextlib.suppress(OSError):
            for old in note.parent.glob(f"{name}-*{note.suffix}"):
                old.unlink()
            note.touch()


def _note_of(name: str) -> Path | None:
    """Return the file whose existence notes that a corruption's kernels are on disk, for this very code."""
    folder = cache_folder()
    return folder and folder / f"{name}-{_state_of_code()}.compiled"


@functools.cache
def _state_of_code() -> str:
    """Return a digest of what numba compares before it uses its cache, except for the processor."""
    package = Path(__file__).parent
    times = [(str(file), file.stat().st_mtime) for file in sorted(package.rglob("*.py"))]
    parts = [times, sys.version, numba.__version__]
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


@atexit.register
def _end_all() -> None:
    for process in _started:
        process.kill()
        process.wait()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(CHECKED_EVERY)
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with, args=(int(sys.argv[1]),), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    for _ in compile_kernels(sys.argv[2:]):
        pass
