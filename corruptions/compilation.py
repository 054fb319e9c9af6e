"""Compile the kernels before they are needed, in a process of its own.

Compiling all of them takes a CPU about forty seconds. Numba keeps the result on disk, where every process of
this machine finds it.
"""

import atexit
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator

import numpy as np

from corruptions.engine import sweep
from corruptions.kernels.compiling import is_everything_cached

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
        yield name


def compile_ahead(names: Iterable[str]) -> None:
    """Start a process that compiles what corruptions need, unless all kernels are on disk already.

    It ends with this process, even if that is killed. Where it cannot help, for example because no folder
    can be written to, kernels are compiled at their first use as ever.
    """
    busy = any(process.poll() is None for process in _started)
    if busy or not sys.executable or is_everything_cached():
        return
    # -P, because a folder of the user's may have a file named corruptions.py.
    command = [sys.executable, "-P", "-m", "corruptions.compilation", str(os.getpid()), *names]
    quiet = subprocess.DEVNULL
    try:
        # In a session of its own, so that Ctrl-C does not make it print a traceback.
        process = subprocess.Popen(  # noqa: S603
            command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )
    except OSError:  # no room for another process
        return
    _started.append(process)


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
