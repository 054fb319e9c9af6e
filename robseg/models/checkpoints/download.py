"""Downloads that go on where they broke off, over several places that have the same file.

What has come so far lies beside the file to be, as `.NAME.SIZE.part`; the file appears under its name only
when it is whole and accepted.
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

SECONDS = 20.0  # that a server may be silent
TRIES = 5  # of a place whose connection breaks
BLOCK = 1 << 18
HEADERS = {"User-Agent": "robseg", "Accept-Encoding": "identity"}


class Transfer(NamedTuple):
    """How far a download is: bytes, of `total` (0: unknown), from `url`."""

    url: str
    done: int
    total: int


class Unfit(Exception):
    """What came is not the file that was asked for; the message says why."""


class Unreachable(Exception):
    """No place gave the file; the message has a reason for each."""


def download(
    urls: Sequence[str],
    path: Path,
    check: Callable[[Path], None],
    progress: Callable[[Transfer], None],
) -> str:
    """Fetch a file from the first of `urls` that gives it, and return which.

    `check` raises Unfit for a file that will not do. A place is asked again a few times if that may help: the
    file got further, or began with another's remains. A later place goes on with what an earlier one gave.

    Raises
    ------
    Unreachable
        If no place gave the file.
    InputError
        If it cannot be written.
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
    """Fetch what is missing of a file from one place, and return the partial file, which is now whole."""
    part = _part(path)
    if part is not None:
        start = part.stat().st_size
        try:
            with _opened(url, start) as response:
                if _continues(response, start, _total(part)):
                    return _copied(response, part, start, progress)
        except urllib.error.HTTPError as error:
            if error.code != 416:  # the range is beyond the file
                raise
        part.unlink()
    with _opened(url) as response:
        total = response.headers.get("Content-Length") or "0"
        return _copied(response, path.with_name(f".{path.name}.{total}.part"), 0, progress)


def _opened(url: str, start: int = 0) -> HTTPResponse:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise Unfit(f"{url} is no address of the web")
    headers = {**HEADERS, "Range": f"bytes={start}-"} if start else HEADERS
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 (the scheme is checked)
    response = cast(HTTPResponse, urllib.request.urlopen(request, timeout=SECONDS))  # noqa: S310
    if response.headers.get_content_type() == "text/html":
        response.close()
        raise Unfit("answered with a web page")
    return response


def _continues(response: HTTPResponse, start: int, total: int) -> bool:
    """Return whether a response goes on just where the partial file ends, and is of the same file."""
    content_range = response.headers.get("Content-Range", "")
    return response.status == 206 and bool(re.fullmatch(rf"bytes {start}-\d+/{total}", content_range))


def _copied(response: HTTPResponse, part: Path, start: int, progress: Callable[[Transfer], None]) -> Path:
    """Write a response to the end of a partial file and return it, if it is whole then."""
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
    """Tell the disk's faults, which are the same wherever a file comes from, from a connection's."""
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
    """Return what an earlier download left of a file, if its size was known and some of it came."""
    for part in path.parent.glob(f".{_literal(path.name)}.*.part"):
        if _total(part) and part.stat().st_size > 0:
            return part
        part.unlink()
    return None


def _literal(name: str) -> str:
    """Return a glob pattern that matches just that name."""
    return re.sub(r"([*?\[])", r"[\1]", name)


def _done(path: Path) -> int:
    part = _part(path)
    return 0 if part is None else part.stat().st_size


def _total(part: Path) -> int:
    """Return the whole file's size, which stands in the name of the partial one."""
    digits = part.name.split(".")[-2]
    return int(digits) if digits.isdecimal() else 0


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer for {SECONDS:.0f} s"
    return str(cause) or type(cause).__name__
