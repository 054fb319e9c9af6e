"""Write a file whole or not at all, and read a run from its folder or from one file."""

from __future__ import annotations

import contextlib
import os
import zipfile
from pathlib import Path

from reports.run.errors import InputError

__all__ = ["LEFTOVERS", "contents", "holds_run", "write_atomically"]

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


def contents(run: Path) -> Path | zipfile.Path:
    """Return the folder of a run, or the root of its ZIP file (`reports.run.packed`).

    Raises
    ------
    OSError, zipfile.BadZipFile
        If it is a file that is no ZIP file.
    """
    return zipfile.Path(run) if run.is_file() else run


def holds_run(run: Path) -> bool:
    """Return whether a folder or ZIP file holds a run."""
    try:
        return (contents(run) / "run.json").is_file()
    except (OSError, zipfile.BadZipFile):
        return False
