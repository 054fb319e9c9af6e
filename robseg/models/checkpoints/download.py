"""Downloads that resume where they broke off, from several servers that have the same file.

A partial file lies beside its destination as `.NAME.SIZE.part`. The file appears under its own name only once
it is complete and has passed its check.
"""

from __future__ import annotations

import contextlib
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from robseg.errors import InputError

__all__ = ["Transfer", "Unfit", "Unreachable", "download"]

SECONDS = 20.0  # a server may be silent for so long
TRIES = 5  # attempts at a server whose connection breaks
BLOCK = 1 << 18
HEADERS = {"User-Agent": "robseg", "Accept-Encoding": "identity"}


class Transfer(NamedTuple):
    """The progress of a download: `done` bytes of `total` (0: unknown) from `url`."""

    url: str
    done: int
    total: int


class Unfit(Exception):
    """A server sent something else than the file; the message says what."""


class Unreachable(Exception):
    """No server sent the file; the message gives a reason for each."""


def download(
    urls: Sequence[str],
    path: Path,
    check: Callable[[Path], None],
    progress: Callable[[Transfer], None],
) -> str:
    """Download a file from the first of `urls` that sends it, and return that URL.

    `check` raises Unfit for a wrong file. A server is asked again as long as an attempt brings more bytes or
    removes a wrong partial file. The next server continues what the one before has sent.

    Raises
    ------
    Unreachable
        If no server sent the file.
    InputError
        If the file cannot be written.
    """
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    reasons = []
    for url in urls:
        for _ in range(TRIES):
            before = _done(path)
            try:
                part = _transfer(url, path, progress)
                _checked(part, check)
            except (OSError, HTTPException, Unfit) as error:
                reason = f"{urlsplit(url).netloc}: {_reason(error)}"
            else:
                with _writing(path):
                    part.replace(path)
                return url
            if _done(path) == before:
                break
        reasons.append(reason)
    raise Unreachable("; ".join(reasons))


def _transfer(url: str, path: Path, progress: Callable[[Transfer], None]) -> Path:
    """Download the missing bytes from one server, and return the partial file, which is now complete."""
    part = _part(path)
    if part is not None:
        start = part.stat().st_size
        try:
            with _opened(url, start) as response:
                if _continues(response, start, _total(part)):
                    return _copied(response, part, start, progress)
        except urllib.error.HTTPError as error:
            if error.code != 416:  # the partial file is larger than the server's
                raise
        part.unlink()
    with _opened(url) as response:
        total = response.headers.get("Content-Length") or "0"
        return _copied(response, path.with_name(f".{path.name}.{total}.part"), 0, progress)


def _opened(url: str, start: int = 0) -> HTTPResponse:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise Unfit(f"{url} is not a web address")
    headers = {**HEADERS, "Range": f"bytes={start}-"} if start else HEADERS
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 (the scheme is checked)
    response = cast(HTTPResponse, urllib.request.urlopen(request, timeout=SECONDS))  # noqa: S310
    if response.headers.get_content_type() == "text/html":
        response.close()
        raise Unfit("answered with a web page")
    return response


def _continues(response: HTTPResponse, start: int, total: int) -> bool:
    """Return whether a response continues exactly where the partial file ends, and is the same file."""
    content_range = response.headers.get("Content-Range", "")
    return response.status == 206 and bool(re.fullmatch(rf"bytes {start}-\d+/{total}", content_range))


def _copied(response: HTTPResponse, part: Path, start: int, progress: Callable[[Transfer], None]) -> Path:
    """Append a response to a partial file and return it; raise Unfit if it is still incomplete."""
    done, total = start, _total(part)
    with _writing(part):
        file = part.open("ab" if start else "wb")
    with file:
        progress(Transfer(response.url, done, total))
        while block := response.read(BLOCK):
            with _writing(part):
                file.write(block)
                file.flush()
            done += len(block)
            progress(Transfer(response.url, done, total))
    if total and done != total:
        raise Unfit(f"broke off after {done} of {total} bytes")
    return part


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn errors of the disk, which no other server can help, into InputError."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"Expected to be able to write {path}, but got: {error.strerror}. "
            "Make room, or set ROBSEG_HOME to another folder."
        ) from error


def _checked(part: Path, check: Callable[[Path], None]) -> None:
    try:
        check(part)
    except Unfit:
        part.unlink()
        raise


def _part(path: Path) -> Path | None:
    """Return the partial file of an earlier download, if its full size is known and it is not empty."""
    for part in path.parent.glob(f".{_literal(path.name)}.*.part"):
        if _total(part) and part.stat().st_size > 0:
            return part
        part.unlink()
    return None


def _literal(name: str) -> str:
    """Return a glob pattern that matches only that name."""
    return re.sub(r"([*?\[])", r"[\1]", name)


def _done(path: Path) -> int:
    part = _part(path)
    return 0 if part is None else part.stat().st_size


def _total(part: Path) -> int:
    """Return the size of the complete file, which is part of the partial file's name."""
    digits = part.name.split(".")[-2]
    return int(digits) if digits.isdecimal() else 0


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer for {SECONDS:.0f} s"
    return str(cause) or type(cause).__name__
