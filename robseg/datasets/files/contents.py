"""What files contain, in short. It is kept, so that a file is read again only after it was changed."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from robseg.caches import cache_folder
from robseg.datasets.files.headers import read_header
from robseg.errors import InputError

__all__ = ["Content", "contents", "is_unchanged"]

notes = logging.getLogger("robseg")

TABLE = (
    "CREATE TABLE IF NOT EXISTS summaries (path TEXT PRIMARY KEY, state TEXT, digest TEXT, "
    "height INTEGER, width INTEGER, orientation INTEGER, palette TEXT)"
)
SETTLED = 2 * 10**9  # ns: a file that was written later than this might be changed without a trace
MUCH = 10**9  # bytes: reading this takes long enough to say so
BLOCK = 2**20


class Content(NamedTuple):
    """The state of a file (size, times of change, inode), a digest of its content, and its header.

    `palette` is a digest of its colours, empty if there are none. The rest is as in `Header`.
    """

    state: str
    digest: str
    height: int
    width: int
    orientation: int
    palette: str

    @property
    def size(self) -> tuple[int, int]:
        """Height and width as stored; (0, 0) of a file that is no image."""
        return self.height, self.width

    @property
    def upright_size(self) -> tuple[int, int]:
        """Height and width of the image turned as its EXIF orientation says."""
        return self.size[::-1] if self.orientation >= 5 else self.size


def contents(files: Sequence[Path]) -> list[Content]:
    """Return the content of each file; digests are BLAKE2b of 16 bytes in hexadecimal digits.

    The digests of a file whose state is the same as before come from the cache folder.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    paths = [str(file.absolute()) for file in files]
    stats = [_stat(file) for file in files]
    states = [_state(stat) for stat in stats]
    with _kept() as kept:
        found = _known(kept, paths, states)
        missing = [place for place, content in enumerate(found) if content is None]
        if (size := sum(stats[place].st_size for place in missing)) > MUCH:
            notes.info(
                "Reading %d files (%.1f GB) once, so that changes are noticed.", len(missing), size / 1e9
            )
        with ThreadPoolExecutor() as threads:
            read = threads.map(_content, [files[p] for p in missing], [states[p] for p in missing])
            for place, known in zip(missing, read, strict=True):
                found[place] = known
        settled = time.time_ns() - SETTLED
        new = [place for place in missing if stats[place].st_mtime_ns < settled]
        with contextlib.suppress(sqlite3.Error), kept:  # a full disk: the files are read again next time
            kept.executemany(
                "INSERT OR REPLACE INTO summaries VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(paths[place], *content) for place in new if (content := found[place])],
            )
    return [content for content in found if content]


def is_unchanged(file: Path, content: Content) -> bool:
    """Return whether a file still has a content; it is read only if its state has changed."""
    try:
        return _state(file.stat()) == content.state or _digest(file) == content.digest
    except (OSError, InputError):
        return False


def _known(kept: sqlite3.Connection, paths: Sequence[str], states: Sequence[str]) -> list[Content | None]:
    """Return the content of each path in its state, or None where it is not kept."""
    found: list[Content | None] = []
    for path, state in zip(paths, states, strict=True):
        query = (
            "SELECT state, digest, height, width, orientation, palette FROM summaries "
            "WHERE path = ? AND state = ?"
        )
        try:
            row = kept.execute(query, (path, state)).fetchone()
        except (sqlite3.Error, UnicodeError):  # damaged, or a name that is not Unicode
            row = None
        found.append(None if row is None else Content(*row))
    return found


@contextlib.contextmanager
def _kept() -> Iterator[sqlite3.Connection]:
    """Open the kept digests, or an empty table in memory where the cache folder cannot be used."""
    file = cache_folder() / "contents.sqlite"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(file)
        connection.execute(TABLE)
    except (OSError, sqlite3.Error):
        connection = sqlite3.connect(":memory:")
        connection.execute(TABLE)
    with contextlib.closing(connection):
        yield connection


def _stat(file: Path) -> os.stat_result:
    try:
        return file.stat()
    except OSError as error:
        raise InputError(f"Expected a readable file '{file}', but got: {error.strerror}.") from error


def _state(stat: os.stat_result) -> str:
    return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}"


def _content(file: Path, state: str) -> Content:
    digest, header = _digest(file), read_header(file)
    palette = hashlib.blake2b(header.palette, digest_size=16).hexdigest() if header.palette else ""
    return Content(state, digest, header.height, header.width, header.orientation, palette)


def _digest(file: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    try:
        with file.open("rb") as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
    except OSError as error:
        raise InputError(f"Expected a readable file '{file}', but got: {error.strerror}.") from error
    return digest.hexdigest()
