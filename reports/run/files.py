"""Write a file whole or not at all, and read a run from its folder or from one file."""

from __future__ import annotations

import contextlib
import lzma
import os
import struct
import time
import uuid
import zipfile
import zlib
from pathlib import Path

from reports.run.errors import InputError

__all__ = ["DAMAGE", "LEFTOVERS", "contents", "holds_run", "remove_abandoned", "write_atomically"]

LEFTOVERS = ".robseg-*.tmp"  # a glob pattern for the files that a killed process leaves behind

LONGEST_WRITE = 600.0  # seconds
HOST = f"{uuid.getnode():x}"

# What reading a damaged file raises, in a folder or in a ZIP file; RuntimeError is for encryption and unknown
# compressions.
DAMAGE = (
    OSError, ValueError, KeyError, EOFError, RuntimeError,
    zipfile.BadZipFile, lzma.LZMAError, zlib.error, struct.error,
)  # fmt: skip


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file under a temporary name, then rename it. Text is written as UTF-8.

    After a power cut, too, the file has its old content or all of the new one. If the path is a link, the
    link is replaced, not the file that it points to.

    Raises
    ------
    InputError
        If the file cannot be written, for example because the disk is full.
    """
    temporary = path.parent / LEFTOVERS.replace("*", f"{HOST}-{os.getpid()}-{uuid.uuid4().hex}")
    try:
        if path.is_dir():
            raise InputError(f"Expected a file to write, but got the folder '{path}': name a file.")
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise InputError(
            f"Expected to be able to write {path}, but got: {error.strerror}. "
            "Make room or choose another folder."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def remove_abandoned(folder: Path) -> None:
    """Delete temporary files in a folder whose writers were killed, as far as this machine can tell."""
    for leftover in folder.glob(LEFTOVERS):
        with contextlib.suppress(OSError):
            if _is_abandoned(leftover):
                leftover.unlink()


def _is_abandoned(leftover: Path) -> bool:
    """Return whether a temporary file has no writer."""
    try:
        _, host, process, _ = leftover.name.split("-")
        if host == HOST:
            os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return True
    except PermissionError:  # the process is somebody else's
        return False
    return time.time() - leftover.stat().st_mtime > LONGEST_WRITE


def _sync_folder(folder: Path) -> None:
    """Have a rename survive a power cut, where folders can be opened for that."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def contents(run: Path) -> Path | zipfile.Path:
    """Return the folder of a run, or the root of its ZIP file (`reports.run.packed`).

    This, and reading the files inside, may raise any of DAMAGE.
    """
    return zipfile.Path(run) if run.is_file() else run


def holds_run(run: Path) -> bool:
    """Return whether a folder or ZIP file holds a run."""
    try:
        return (contents(run) / "run.json").is_file()
    except DAMAGE:
        return False
