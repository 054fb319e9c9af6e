"""Downloads that resume where they broke off, from several servers that have the same file.

The bytes that have come so far are beside the destination in `.NAME.part`, and what is known of them in
`.NAME.part.note`. The file appears under its own name only once it is complete and has passed its check.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from email.message import Message
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, Any, NamedTuple, cast
from urllib.parse import urlsplit

from robseg.errors import InputError

__all__ = ["Transfer", "Unfit", "Unreachable", "download"]

SECONDS = 20.0  # a server may be silent for so long
TRIES = 5  # attempts at a server whose connection breaks
BLOCK = 1 << 18
HEADERS = {"User-Agent": "robseg", "Accept-Encoding": "identity"}

# What tells two versions of a file on a server apart: a strong entity tag, or a date.
VALIDATOR = r'"[!#-~]*"|[A-Z][a-z]{2}, [0-9A-Za-z: ]{1,40}'
NOTE = re.compile(rf"([1-9][0-9]{{0,17}}) ([0-9]{{1,18}}) ([0-9a-f]{{64}}) ({VALIDATOR})")


class Transfer(NamedTuple):
    """The progress of a download: `done` bytes of `total` (0: unknown) from `url`."""

    url: str
    done: int
    total: int


class Unfit(Exception):
    """A server sent something other than the file; the message says what."""


class Unreachable(Exception):
    """No server sent the file; the message gives a reason for each."""


class Partial(NamedTuple):
    """A partial file: how many bytes are there, their digest, and the size and version of the whole file."""

    done: int
    digest: Any
    total: int
    validator: str


def download(
    urls: Sequence[str],
    path: Path,
    check: Callable[[Path], None],
    progress: Callable[[Transfer], None],
) -> str:
    """Download a file from the first of `urls` that sends it, and return that URL.

    `check` raises Unfit for a wrong file. A server is asked again as long as an attempt brings more bytes or
    removes a wrong partial file. The next server continues what the one before has sent, if it has the same
    version of the file.

    Raises
    ------
    Unreachable
        If no server sent the file.
    InputError
        If the file cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    reasons = []
    for url in urls:
        for _ in range(TRIES):
            before = _size(part)
            try:
                _transfer(url, part, progress)
                _checked(part, check)
            except (OSError, HTTPException, Unfit) as error:
                reason = f"{urlsplit(url).netloc}: {_reason(error)}"
            else:
                with _writing(path):
                    part.replace(path)
                    _note(part).unlink(missing_ok=True)
                return url
            if _size(part) == before:
                break
        reasons.append(reason)
    raise Unreachable("; ".join(reasons))


def _transfer(url: str, part: Path, progress: Callable[[Transfer], None]) -> None:
    """Download what is missing in a partial file from one server."""
    begun = _begun(part)
    if begun is not None:
        try:
            with _opened(url, begun) as response:
                if _continues(response, begun):
                    _copy(response, part, begun, progress)
                    return
        except urllib.error.HTTPError as error:
            if error.code != 416:  # the partial file is larger than the server's
                raise
    _remove(part)
    with _opened(url) as response:
        if response.status != 200:
            raise Unfit(f"answered with HTTP {response.status}")
        whole = Partial(0, hashlib.sha256(), response.length or 0, _validator(response.headers))
        _copy(response, part, whole, progress)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Redirects to other web addresses; from an encrypted one, only to another encrypted one."""

    def redirect_request(
        self,
        request: urllib.request.Request,
        response: IO[bytes],
        code: int,
        message: str,
        headers: Any,
        url: str,
    ) -> urllib.request.Request | None:
        allowed = {"https"} if request.type == "https" else {"http", "https"}
        if urlsplit(url).scheme not in allowed:
            response.close()
            raise Unfit(f"redirects from {request.type} to {urlsplit(url).scheme}")
        return super().redirect_request(request, response, code, message, headers, url)


def _opened(url: str, begun: Partial | None = None) -> HTTPResponse:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise Unfit(f"{url} is not a web address")
    # A server sends what is missing if it still has the same version of the file, and the whole file if not.
    missing = {} if begun is None else {"Range": f"bytes={begun.done}-", "If-Range": begun.validator}
    request = urllib.request.Request(url, headers=HEADERS | missing)  # noqa: S310 (the scheme is checked)
    try:
        opened = urllib.request.build_opener(_Redirects).open(request, timeout=SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        raise
    except ValueError as error:
        raise Unfit("leads to an address that cannot be opened") from error
    response = cast(HTTPResponse, opened)
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        response.close()
        raise Unfit(f"sent the file in the encoding {encoding!r}, which was not asked for")
    if response.headers.get_content_type() == "text/html":
        response.close()
        raise Unfit("answered with a web page")
    return response


def _continues(response: HTTPResponse, begun: Partial) -> bool:
    """Return whether a response continues exactly where the partial file ends, and is of the same version."""
    content_range = response.headers.get("Content-Range", "")
    return (
        response.status == 206
        and bool(re.fullmatch(rf"bytes {begun.done}-\d+/{begun.total}", content_range))
        and _validator(response.headers) == begun.validator
    )


def _validator(headers: Message) -> str:
    """Return what tells the version of a file that a server sends, or "" if it does not say."""
    stated = (headers.get(name, "") for name in ("ETag", "Last-Modified"))
    return next((text for text in stated if re.fullmatch(VALIDATOR, text)), "")


def _copy(response: HTTPResponse, part: Path, begun: Partial, progress: Callable[[Transfer], None]) -> None:
    """Append a response to a partial file; raise Unfit if it is still incomplete."""
    done, digest, total, validator = begun
    with _writing(part):
        _note(part).unlink(missing_ok=True)
        # Neither mode writes through a link: "x" makes a new file, and `_begun` has refused links.
        file, note = part.open("r+b" if done else "xb"), _note(part).open("x", encoding="ascii")
        file.seek(done)
    with file, note:
        progress(Transfer(response.url, done, total))
        while block := response.read(BLOCK):
            digest.update(block)
            done += len(block)
            with _writing(part):
                file.write(block)
                file.flush()
                note.seek(0)
                note.write(f"{done} {total} {digest.hexdigest()} {validator}")
                note.flush()
            progress(Transfer(response.url, done, total))
        with _writing(part):
            file.truncate()
            os.fsync(file.fileno())
    if total and done != total:
        raise Unfit(f"broke off after {done} of {total} bytes")


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
        _remove(part)
        raise


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.note")


def _begun(part: Path) -> Partial | None:
    """Return what an earlier attempt left, or None if it left nothing that can be continued for certain.

    A killed process may have written more than it noted; a power cut may have damaged what it wrote.
    """
    try:
        noted = NOTE.fullmatch(_note(part).read_text(encoding="ascii"))
        if noted is None or part.is_symlink():
            return None
        digest = hashlib.sha256()
        with part.open("rb") as file:
            left = done = int(noted[1])
            while block := file.read(min(BLOCK, left)):
                digest.update(block)
                left -= len(block)
    except (OSError, ValueError):
        return None
    return Partial(done, digest, int(noted[2]), noted[4]) if digest.hexdigest() == noted[3] else None


def _remove(part: Path) -> None:
    with _writing(part):
        part.unlink(missing_ok=True)
        _note(part).unlink(missing_ok=True)


def _size(part: Path) -> int:
    return part.lstat().st_size if os.path.lexists(part) else 0


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}" + (", a redirect that is not followed" if 300 <= error.code < 400 else "")
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer for {SECONDS:.0f} s"
    return str(cause) or type(cause).__name__
