"""A web server on this machine that answers for a checkpoint well, badly or not at all."""

import contextlib
import gzip
import hashlib
import http.server
import io
import threading
from collections.abc import Callable, Iterator

import numpy as np
import torch

from robseg.models.architectures.enet import ENet

Answer = Callable[["Handler"], None]


def checkpoint(num_classes: int = 1, seed: int = 0, zipped: bool = True) -> bytes:
    torch.manual_seed(seed)
    file = io.BytesIO()
    content = {"state_dict": ENet(num_classes).state_dict()}
    torch.save(content, file, _use_new_zipfile_serialization=zipped)
    return file.getvalue()


CONTENT = checkpoint()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
LEGACY = checkpoint(zipped=False)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answer a path as `answers` says, and remember the ranges that were asked for."""

    answers: dict[str, Answer]
    asked: list[tuple[str, str]]
    done: threading.Event
    etag = '"version-1"'

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Range", "")))
        self.answers[self.path](self)

    def log_message(self, *_: object) -> None:
        pass

    def send(self, body: bytes, status: int = 200, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"ETag": self.etag, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)


def good(handler: Handler) -> None:
    """Give the file, or the part that is asked for if it is of this version."""
    asked = handler.headers.get("Range") if handler.headers.get("If-Range") == handler.etag else None
    start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
    if start >= len(CONTENT):
        handler.send(b"", 416)
    elif start:
        content_range = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
        handler.send(CONTENT[start:], 206, Content_Range=content_range)
    else:
        handler.send(CONTENT)


def without_ranges(handler: Handler) -> None:
    handler.send(CONTENT)


def truncated(handler: Handler) -> None:
    handler.send(CONTENT[:100_000], length=len(CONTENT))


def cut_without_length(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(CONTENT[:100_000])


def hanging(handler: Handler) -> None:
    handler.done.wait()


def stalling(handler: Handler) -> None:
    truncated(handler)
    handler.wfile.flush()
    handler.done.wait()


def cut_legacy(handler: Handler) -> None:
    """Break off without a length, in the format that has no directory at its end."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(LEGACY[:100_000])


def other_version(handler: Handler) -> None:
    """Give the end of another file of the same size, whatever version the client has."""
    start = int(handler.headers["Range"][6:-1]) if "Range" in handler.headers else 0
    content_range = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
    body = checkpoint(seed=1)[start:]
    handler.send(body, 206 if start else 200, Content_Range=content_range, ETag='"version-2"')


def wrong_range(handler: Handler) -> None:
    """Give bytes from elsewhere in the file, and the whole file if no range is asked for."""
    start = 0 if "Range" not in handler.headers else 7
    content_range = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
    handler.send(CONTENT[start:], 206 if start else 200, Content_Range=content_range)


def unasked_range(handler: Handler) -> None:
    handler.send(CONTENT[:-7], 206, Content_Range=f"bytes 0-{len(CONTENT) - 8}/{len(CONTENT)}")


def random_bytes(handler: Handler) -> None:
    handler.send(np.random.default_rng(0).bytes(200_000))


def gzip_body(handler: Handler) -> None:
    handler.send(gzip.compress(CONTENT))


def gzip_encoding(handler: Handler) -> None:
    handler.send(gzip.compress(CONTENT), Content_Encoding="gzip")


def more_classes(handler: Handler) -> None:
    handler.send(checkpoint(2))


def other_network(handler: Handler) -> None:
    file = io.BytesIO()
    torch.save({"a": torch.ones(3)}, file)
    handler.send(file.getvalue())


def not_tensors(handler: Handler) -> None:
    file = io.BytesIO()
    torch.save({"epoch": 3}, file)
    handler.send(file.getvalue())


def odd_length(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "../1")
    handler.end_headers()
    handler.wfile.write(CONTENT)


def redirecting_to(target: str) -> Answer:
    return lambda handler: handler.send(b"", 302, Location=target)


def missing(handler: Handler) -> None:
    handler.send(b"gone", 404)


def web_page(handler: Handler) -> None:
    handler.send(b"\xef\xbb\xbf<p>Log in</p>", Content_Type="text/html; charset=utf-8")


def disguised_page(handler: Handler) -> None:
    handler.send(b"  <html>Log in</html>", Content_Type="application/octet-stream")


def other_file(handler: Handler) -> None:
    handler.send(b"\x80\x02other")


ANSWERS = (
    good, without_ranges, truncated, cut_without_length, cut_legacy, hanging, stalling, missing, web_page,
    disguised_page, other_file, other_version, wrong_range, unasked_range, random_bytes, gzip_body,
    gzip_encoding, more_classes, other_network, not_tensors, odd_length,
)  # fmt: skip


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """Serve each of ANSWERS under its name, and yield the server's address."""
    Handler.asked, Handler.done = [], threading.Event()
    Handler.answers = {f"/{answer.__name__}": answer for answer in ANSWERS}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        httpd.daemon_threads = True
        httpd.block_on_close = False
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        Handler.done.set()
        httpd.shutdown()
        thread.join()
