"""Write a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from reports.run.errors import InputError

__all__ = ["LEFTOVERS", "write_atomically"]

LEFTOVERS = ".*.tmp"  # a glob pattern for the files that a killed process leaves behind


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file under a temporary name, then rename it. Text is written as UTF-8.

    Raises
    ------
    InputError
        If the file cannot be written, for example because the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            f"Expected to be able to write {path}, but got: {error.strerror}. "
            "Make room or choose another folder."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
