"""Find the weights of a card: in the package, or in the cache, where missing weights are downloaded.

The cache is $ROBSEG_HOME, or the system's cache folder; weights are in its folder `weights`. Publishers state
no checksums (the digits in the name of an mmsegmentation file belong to another file). So the SHA-256 of each
file is recorded in `weights.lock.json` when the file is first seen, and the file must keep it from then on.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import platformdirs

from reports.run.files import write_atomically
from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.catalogue import ZOO
from robseg.models.checkpoints.digest import sha256_of

__all__ = [
    "LOCK_FILE",
    "Whereabouts",
    "cache_folder",
    "recorded_name",
    "weights_folder",
    "weights_path",
    "whereabouts",
]

LOCK_FILE = "weights.lock.json"

# What `whereabouts` returns.
Whereabouts = Literal["shipped", "downloaded", "remote", "by hand"]


def cache_folder() -> Path:
    """Return the folder for what can be downloaded again: $ROBSEG_HOME, or the system's cache folder."""
    if chosen := os.environ.get("ROBSEG_HOME"):
        return Path(chosen).expanduser()
    return platformdirs.user_cache_path("robseg", appauthor=False, opinion=False)


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


def weights_path(card: Card, progress: Callable[[Any], None] | None = None) -> Path:
    """Return the file of a card's weights, and download it if it is missing.

    `progress` is called with a `download.Transfer` from time to time; None shows a bar on a terminal.

    Raises
    ------
    InputError
        If the file cannot be found or downloaded, or has changed since it was first seen.
    """
    if not card.weights_file:
        raise InputError(
            f"Expected the card of '{card.id}' to name a file of weights, but it names none: give --weights."
        )
    if (ZOO / card.weights_file).is_file():
        return ZOO / card.weights_file
    path = weights_folder() / card.weights_file
    if not path.is_file():
        _fetch(card, path, progress)
    _hold(card, path)
    return path


def recorded_name(sha256: str) -> str | None:
    """Return the name under which a file of that SHA-256 is recorded, or None."""
    records = _records(weights_folder() / LOCK_FILE)
    return next((name for name, record in records.items() if record["sha256"] == sha256), None)


def _fetch(card: Card, path: Path, progress: Callable[[Any], None] | None) -> None:
    if not card.weights_urls:
        raise InputError(_by_hand(card, path))
    # Imported here: mostly the file is in place, and nothing is downloaded.
    from filelock import FileLock

    from robseg.models.checkpoints.download import Unreachable, download
    from robseg.models.checkpoints.transfers import showing

    _make(path.parent)
    with FileLock(path.with_name(f".{path.name}.lock")):
        if path.is_file():  # another process has downloaded it
            return
        try:
            with showing(path.name) as shown:
                url = download(card.weights_urls, path, lambda part: _check(part, card), progress or shown)
        except Unreachable as error:
            raise InputError(
                f"Expected to download the weights of '{card.id}', but no server sent them ({error}).\n"
                f"Download {card.weights_urls[0]} by hand and save it as {path}."
            ) from error
        _record(path, url)


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


def _check(part: Path, card: Card) -> None:
    """Raise Unfit if a file is a web page or incomplete, or has another SHA-256 than is known of the card."""
    from robseg.models.checkpoints.download import Unfit

    with part.open("rb") as file:
        head = file.read(512).lstrip()
    if not head or head.startswith(b"<"):
        raise Unfit("sent a web page or nothing instead of the file")
    if head.startswith(b"PK") and not zipfile.is_zipfile(part):
        raise Unfit("sent a part of the file")
    sha256, known = sha256_of(part), _known_sha256(card)
    if not sha256.startswith(known):
        raise Unfit(f"sent another file (SHA-256 {sha256[:12]}..., expected {known[:12]}...)")


def _known_sha256(card: Card) -> str:
    """Return the SHA-256 of a card's file, or its first digits if only these are known, or ""."""
    recorded = _records(weights_folder() / LOCK_FILE).get(card.weights_file, {})
    if known := card.sha256 or recorded.get("sha256", ""):
        return str(known)
    digits = re.search(r"-([0-9a-f]{8})\.pth$", card.weights_file)
    # Only torchvision puts the first digits of the file's own hash into its name.
    return digits[1] if digits and card.layout == "torchvision" else ""


def _hold(card: Card, path: Path) -> None:
    """Check that a file in the cache is the one that was first seen under its name."""
    known, sha256 = _known_sha256(card), sha256_of(path)
    if not sha256.startswith(known):
        raise InputError(
            f"Expected {path} to have the SHA-256 {known[:12]}... of its card or of {LOCK_FILE} beside it, "
            f"but got {sha256[:12]}...: delete the file to download it again."
        )
    if path.name not in _records(path.with_name(LOCK_FILE)) and os.access(path.parent, os.W_OK):
        _record(path, "")  # put there by hand


def _record(path: Path, url: str) -> None:
    from filelock import FileLock  # imported here because it is slow

    lock_file = path.with_name(LOCK_FILE)
    with FileLock(path.with_name(f".{LOCK_FILE}.lock")):
        records = _records(lock_file)
        records[path.name] = {"sha256": sha256_of(path), "size": path.stat().st_size, "url": url}
        write_atomically(lock_file, (json.dumps(records, indent=2, sort_keys=True) + "\n").encode())


def _records(lock_file: Path) -> dict[str, dict[str, Any]]:
    try:
        records = json.loads(lock_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _unreadable(lock_file, str(error)) from error
    if not isinstance(records, dict) or not all("sha256" in record for record in records.values()):
        raise _unreadable(lock_file, "no record of SHA-256")
    return records


def _unreadable(lock_file: Path, why: str) -> InputError:
    return InputError(
        f"Expected {lock_file} to record the SHA-256 of weights, but it cannot be read ({why}): delete it."
    )
