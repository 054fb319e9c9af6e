"""Keep memory that a process frees and soon needs again."""

from __future__ import annotations

import ctypes
import platform

__all__ = ["keep_freed_memory"]

# Parameters of mallopt(3).
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
MOST = 2**31 - 1


def keep_freed_memory() -> None:
    """Let this process keep the memory that it frees, if its C library is glibc.

    A network allocates the same large maps again and again. glibc returns each to the system, which then has
    to supply new, zeroed pages one by one. For DeepLabV3+, this took a sixth of the time of a forward pass
    and a twentieth of that of a training step.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(MMAP_THRESHOLD, MOST)
        library.mallopt(TRIM_THRESHOLD, MOST)
