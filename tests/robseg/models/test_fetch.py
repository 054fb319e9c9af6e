"""Weights are fetched whole or not at all, from whichever place has them, and held to afterwards."""

import dataclasses
import hashlib
import http.server
import io
import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.checkpoints import download
from robseg.models.checkpoints.download import Transfer
from robseg.models.checkpoints.fetch import LOCK_FILE, cache_folder, weights_path, whereabouts

Answer = Callable[["Handler"], None]


def checkpoint() -> bytes:
    file = io.BytesIO()
    torch.save({"state_dict": {"a": torch.arange(60_000.0)}}, file)
    return file.getvalue()


CONTENT = checkpoint()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answer a path as `answers` says, and remember the ranges that were asked for."""

    answers: dict[str, Answer]
    asked: list[tuple[str, str]]
    done: threading.Event

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Range", "")))
        self.answers[self.path](self)

    def log_message(self, *_: object) -> None:
        pass

    def send(self, body: bytes, status: int = 200, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)


def good(handler: Handler) -> None:
    """Give the file, or the part that is asked for."""
    asked = handler.headers.get("Range")
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


def missing(handler: Handler) -> None:
    handler.send(b"gone", 404)


def web_page(handler: Handler) -> None:
    handler.send(b"\xef\xbb\xbf<p>Log in</p>", Content_Type="text/html; charset=utf-8")


def disguised_page(handler: Handler) -> None:
    handler.send(b"  <html>Log in</html>", Content_Type="application/octet-stream")


def other_file(handler: Handler) -> None:
    handler.send(b"\x80\x02other")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Serve on this machine, with the cache in `tmp_path`; yields the server's address."""
    monkeypatch.setenv("ROBSEG_HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
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


ANSWERS = (
    good, without_ranges, truncated, cut_without_length, hanging, stalling, missing, web_page, disguised_page,
    other_file,
)  # fmt: skip


def card(server: str, *answers: Answer) -> Card:
    """Return a card whose weights each of `answers` is asked for, in that order."""
    urls = tuple(f"{server}/{answer.__name__}" for answer in answers)
    return Card("net@toy", "enet", "toy", ("a",), weights_urls=urls, weights_file="net.pth")


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "SECONDS", 1.0)


def visible(folder: Path) -> set[str]:
    return {file.name for file in folder.glob("weights/*") if not file.name.startswith(".")}


def test_a_file_is_fetched_whole_and_its_hash_recorded(server: str, tmp_path: Path) -> None:
    net, seen = card(server, good), list[Transfer]()
    assert whereabouts(net) == "remote"
    path = weights_path(net, seen.append)
    assert path == tmp_path / "weights" / "net.pth"
    assert path.read_bytes() == CONTENT
    record = json.loads((tmp_path / "weights" / LOCK_FILE).read_text())["net.pth"]
    assert record == {"sha256": SHA256, "size": len(CONTENT), "url": net.weights_urls[0]}
    assert [seen[0].done, seen[-1].done, seen[-1].total] == [0, len(CONTENT), len(CONTENT)]
    assert visible(tmp_path) == {"net.pth", LOCK_FILE}
    assert whereabouts(net) == "downloaded"


def test_a_file_in_the_cache_is_not_fetched_again(server: str) -> None:
    weights_path(card(server, good))
    weights_path(card(server, good))
    assert len(Handler.asked) == 1


@pytest.mark.usefixtures("impatience")
@pytest.mark.parametrize(
    "bad", [truncated, cut_without_length, hanging, stalling, missing, web_page, disguised_page]
)
def test_a_place_that_fails_leads_to_the_next(server: str, bad: Answer) -> None:
    assert weights_path(card(server, bad, good)).read_bytes() == CONTENT
    assert Handler.asked[-1][0] == "/good"


@pytest.mark.usefixtures("impatience")
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (truncated, f"broke off after 100000 of {len(CONTENT)} bytes"),
        (cut_without_length, "sent a part of the file"),
        (hanging, "no answer"),
        (missing, "HTTP 404"),
        (web_page, "web page"),
        (disguised_page, "web page"),
    ],
)
def test_where_no_place_gives_the_file_the_reasons_are_reported(
    server: str, tmp_path: Path, bad: Answer, reason: str
) -> None:
    net = card(server, bad)
    with pytest.raises(InputError, match=reason) as caught:
        weights_path(net)
    assert net.weights_urls[0] in str(caught.value)
    assert str(tmp_path / "weights" / "net.pth") in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2
    assert visible(tmp_path) == set()


def test_a_broken_download_goes_on_where_it_stopped(server: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="broke off"):
        weights_path(card(server, truncated))
    assert weights_path(card(server, good)).read_bytes() == CONTENT
    assert Handler.asked[-1] == ("/good", "bytes=100000-")
    assert not list(tmp_path.glob("weights/.*.part"))


def test_a_server_that_knows_no_ranges_sends_all_again(server: str) -> None:
    with pytest.raises(InputError):
        weights_path(card(server, truncated))
    assert weights_path(card(server, without_ranges)).read_bytes() == CONTENT


@pytest.mark.parametrize("total", [len(CONTENT), len(CONTENT) + 5])
@pytest.mark.parametrize("left", [1000, len(CONTENT), len(CONTENT) + 3])
def test_remains_of_another_file_do_no_harm(server: str, tmp_path: Path, total: int, left: int) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / f".net.pth.{total}.part").write_bytes(b"x" * left)
    net = dataclasses.replace(card(server, good), sha256=SHA256)
    assert weights_path(net).read_bytes() == CONTENT


@pytest.mark.parametrize("known", [SHA256, "0" * 64])
def test_a_file_of_another_hash_is_not_taken(server: str, tmp_path: Path, known: str) -> None:
    net = dataclasses.replace(card(server, other_file, good), sha256=known)
    if known == SHA256:
        assert weights_path(net).read_bytes() == CONTENT
        return
    with pytest.raises(InputError, match=r"another file .* expected 000000000000"):
        weights_path(net)
    assert visible(tmp_path) == set()


def test_the_digits_in_a_torchvision_name_are_checked(server: str, tmp_path: Path) -> None:
    def named(digits: str, layout: str) -> Card:
        return dataclasses.replace(card(server, good), weights_file=f"net-{digits}.pth", layout=layout)

    assert weights_path(named(SHA256[:8], "torchvision")).is_file()
    assert weights_path(named("00000000", "mmseg")).is_file()
    with pytest.raises(InputError, match="another file"):
        weights_path(named("11111111", "torchvision"))


def test_a_changed_file_is_noticed(server: str) -> None:
    path = weights_path(card(server, good))
    path.write_bytes(CONTENT + b"x")
    with pytest.raises(InputError, match=rf"SHA-256 {SHA256[:12]}.*, but got .*: delete the file"):
        weights_path(card(server, good))


def test_a_file_fetched_again_must_be_the_recorded_one(server: str) -> None:
    weights_path(card(server, good)).unlink()
    with pytest.raises(InputError, match="another file"):
        weights_path(card(server, other_file))
    assert weights_path(card(server, good)).read_bytes() == CONTENT


def test_a_file_put_there_by_hand_is_used_and_checked(server: str, tmp_path: Path) -> None:
    path = tmp_path / "weights" / "net.pth"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    assert weights_path(card(server)) == path
    path.write_bytes(b"other")
    with pytest.raises(InputError, match="SHA-256"):
        weights_path(card(server))
    assert Handler.asked == []


def test_a_file_without_an_address_is_to_be_got_by_hand(server: str, tmp_path: Path) -> None:
    net = dataclasses.replace(card(server), source="https://drive.example/folder")
    assert whereabouts(net) == "by hand"
    with pytest.raises(InputError, match=r"drive\.example/folder by hand") as caught:
        weights_path(net)
    assert str(tmp_path / "weights" / "net.pth") in str(caught.value)


def test_two_at_once_fetch_a_file_once(server: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: weights_path(card(server, good)), range(4)))
    assert len(set(paths)) == 1
    assert len(Handler.asked) == 1


@pytest.mark.parametrize("text", ["{", "[]", '{"net.pth": {}}'])
def test_a_damaged_record_is_named(server: str, tmp_path: Path, text: str) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / LOCK_FILE).write_text(text)
    with pytest.raises(InputError, match=rf"{LOCK_FILE} .*: delete it"):
        weights_path(card(server, good))


def test_addresses_other_than_the_webs_are_not_opened(server: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(CONTENT)
    net = dataclasses.replace(card(server), weights_urls=(f"file://{tmp_path}/secret",))
    with pytest.raises(InputError, match="is not a web address"):
        weights_path(net)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep caches elsewhere")
def test_the_cache_lies_where_the_system_keeps_caches(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ROBSEG_HOME", "~/mine")
    assert cache_folder() == Path.home() / "mine"
    monkeypatch.delenv("ROBSEG_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "robseg"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "robseg"
