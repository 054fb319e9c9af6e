"""Find the weights of a card: in the package, or in the cache, where missing weights are downloaded.

The cache is $ROBSEG_HOME, or the system's cache folder; weights are in its folder `weights`. Most publishers
state no checksum. So a file is read, without running code from it, and compared with the network of its card
when it is first seen. Then its SHA-256 is recorded in `weights.lock.json`, and the file must keep it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from reports.run.files import write_atomically
from robseg.caches import cache_folder
from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.catalogue import ZOO
from robseg.models.checkpoints.digest import sha256_of

if TYPE_CHECKING:
    from filelock import BaseFileLock
    from torch import Tensor

__all__ = [
    "LOCK_FILE",
    "Check",
    "Whereabouts",
    "recorded_name",
    "weights_folder",
    "weights_path",
    "whereabouts",
]

LOCK_FILE = "weights.lock.json"

GZIP = b"\x1f\x8b"

# Raises InputError unless a checkpoint's tensors are those of the card's network.
Check = Callable[[Card, "dict[str, Tensor]"], object]

# What `whereabouts` returns.
Whereabouts = Literal["shipped", "downloaded", "remote", "by hand"]


def weights_folder() -> Path:
    """Return the cache's folder of weights."""
    return cache_folder() / "weights"


def whereabouts(card: Card) -> Whereabouts:
    """Return where a card's weights are: in the package, in the cache, on the web, or for the user to get."""
    if (ZOO / card.weights_file).is_file():
        return "shipped"
    if (weights_folder() / card.weights_file).is_file():
        return "downloaded"
    return "remote" if card.weights_urls else "by hand"


def weights_path(card: Card, check: Check, progress: Callable[[Any], None] | None = None) -> Path:
    """Return the file of a card's weights, and download it if it is missing.

    A file outside the package is checked when it is first seen. `progress` is called with a
    `download.Transfer` from time to time; None shows a bar on a terminal.

    Raises
    ------
    InputError
        If the file cannot be found or downloaded, is not the card's, or has changed since it was first seen.
    """
    if not card.weights_file:
        raise InputError(
            f"Expected the card of '{card.id}' to name a file of weights, but it names none: give --weights."
        )
    if (ZOO / card.weights_file).is_file():
        return ZOO / card.weights_file
    path = weights_folder() / card.weights_file
    if not path.is_file():
        _fetch(card, path, check, progress)
    _hold(card, path, check)
    return path


def recorded_name(sha256: str) -> str | None:
    """Return the name under which a file of that SHA-256 is recorded, or None."""
    records = _records(weights_folder() / LOCK_FILE)
    return next((name for name, record in records.items() if record["sha256"] == sha256), None)


def _fetch(card: Card, path: Path, check: Check, progress: Callable[[Any], None] | None) -> None:
    if not card.weights_urls:
        raise InputError(_by_hand(card, path))
    # Imported here: mostly the file is in place, and nothing is downloaded.
    from robseg.models.checkpoints.download import Unfit, Unreachable, download
    from robseg.models.checkpoints.transfers import showing

    def checked(part: Path) -> None:
        if fault := _fault(card, part, check):
            raise Unfit(f"sent {fault}")

    _make(path.parent)
    with _lock(path):
        if path.is_file():  # another process has downloaded it
            return
        try:
            with showing(path.name) as shown:
                url = download(card.weights_urls, path, checked, progress or shown)
        except Unreachable as error:
            raise InputError(
                f"Expected to download the weights of '{card.id}', but no server sent them ({error}).\n"
                f"Download {card.weights_urls[0]} by hand and save it as {path}."
            ) from error
        _record(path, url)


def _lock(path: Path) -> BaseFileLock:
    """Return the lock of a file. A link in its place is removed: locking opens what it points to."""
    from filelock import FileLock  # imported here because it is slow

    lock = path.with_name(f".{path.name}.lock")
    if lock.is_symlink():
        lock.unlink(missing_ok=True)
    return FileLock(lock)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"Expected to be able to write to {folder}, but got: {error.strerror}. "
            "Set ROBSEG_HOME to a folder that you may write to."
        ) from error


def _by_hand(card: Card, path: Path) -> str:
    if card.source.startswith("http"):
        return (
            f"Expected the weights of '{card.id}' at {path}, but there is no file, and no direct address.\n"
            f"Get the file from {card.source} by hand and save it there."
        )
    return (
        f"Expected the weights of '{card.id}' in the package, but {card.weights_file} is missing: "
        "install the package again."
    )


def _fault(card: Card, path: Path, check: Check) -> str:
    """Return what a file is if it is not the one of the card, or ""."""
    from robseg.models.checkpoints.weights import read_weights  # imported here because torch is slow

    sha256, known = sha256_of(path), _known_sha256(card)
    with path.open("rb") as file:
        head = file.read(512).lstrip()
    if not head or head.startswith(b"<"):
        return "a web page or nothing"
    if head.startswith(GZIP):
        return "gzip data"
    if known not in ("", sha256):
        return (
            f"another file (SHA-256 {sha256[:12]}..., expected {known[:12]}... of its card or of {LOCK_FILE})"
        )
    try:
        tensors = read_weights(path)
    except InputError:
        return f"no checkpoint, or a part of one ({path.stat().st_size} bytes)"
    try:
        check(card, tensors)
    except (InputError, RuntimeError) as error:  # RuntimeError: torch cannot convert tensors of such shapes
        why = str(error).partition("\n")[0]
        return f"a checkpoint of another network ({why})"
    return ""


def _known_sha256(card: Card) -> str:
    """Return the SHA-256 that a card's file must have, or "" if none is known yet."""
    recorded = _records(weights_folder() / LOCK_FILE).get(card.weights_file, {})
    return card.sha256 or recorded.get("sha256", "")


def _hold(card: Card, path: Path, check: Check) -> None:
    """Check that a file in the cache is the one that was first seen under its name."""
    known, sha256 = _known_sha256(card), sha256_of(path)
    if known not in ("", sha256):
        raise InputError(
            f"Expected {path} to have the SHA-256 {known[:12]}... of its card or of {LOCK_FILE} beside it, "
            f"but got {sha256[:12]}...: delete the file to download it again."
        )
    if path.name not in _records(path.with_name(LOCK_FILE)) and os.access(path.parent, os.W_OK):
        # Put there by hand, or downloaded by a process that was killed before it could record the file.
        if fault := _fault(card, path, check):
            raise InputError(
                f"Expected the weights of '{card.id}' in {path}, but it is {fault}: "
                "delete the file to download it again."
            )
        _record(path, "")


def _record(path: Path, url: str) -> None:
    lock_file = path.with_name(LOCK_FILE)
    with _lock(lock_file):
        records = _records(lock_file)
        records[path.name] = {"sha256": sha256_of(path), "size": path.stat().st_size, "url": url}
        write_atomically(lock_file, (json.dumps(records, indent=2, sort_keys=True) + "\n").encode())


def _records(lock_file: Path) -> dict[str, dict[str, Any]]:
    try:
        records = json.loads(lock_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(lock_file, str(error)) from error
    if not isinstance(records, dict) or not all(map(_is_record, records.values())):
        raise _unreadable(lock_file, "no record of SHA-256")
    return records


def _is_record(record: object) -> bool:
    return isinstance(record, dict) and isinstance(record.get("sha256"), str)


def _unreadable(lock_file: Path, why: str) -> InputError:
    return InputError(
        f"Expected {lock_file} to record the SHA-256 of weights, but it cannot be read ({why}): delete it."
    )
