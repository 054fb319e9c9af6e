"""Weights are fetched whole or not at all, from whichever place has them, and held to afterwards."""

import dataclasses
import io
import json
import sys
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from robseg.caches import cache_folder
from robseg.errors import InputError
from robseg.models.belonging import check_belongs
from robseg.models.card import Card
from robseg.models.checkpoints import download, fetch
from robseg.models.checkpoints.download import Transfer, Unfit
from robseg.models.checkpoints.fetch import LOCK_FILE, whereabouts
from tests.robseg.models.server import (
    CONTENT,
    SHA256,
    Answer,
    Handler,
    checkpoint,
    cut_legacy,
    cut_without_length,
    disguised_page,
    good,
    gzip_body,
    gzip_encoding,
    hanging,
    missing,
    more_classes,
    not_tensors,
    odd_length,
    other_file,
    other_network,
    other_version,
    random_bytes,
    redirecting_to,
    serving,
    stalling,
    truncated,
    unasked_range,
    web_page,
    without_ranges,
    wrong_range,
)


def weights_path(card: Card, progress: Callable[[Transfer], None] | None = None) -> Path:
    return fetch.weights_path(card, check_belongs, progress)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Serve on this machine, with the cache in `tmp_path`; yields the server's address."""
    monkeypatch.setenv("ROBSEG_HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as address:
        yield address


def card(server: str, *answers: Answer) -> Card:
    """Return a card whose weights each of `answers` is asked for, in that order."""
    urls = tuple(f"{server}/{answer.__name__}" for answer in answers)
    return Card(
        "net@toy",
        "enet",
        "toy",
        ("a",),
        weights_urls=urls,
        weights_file="net.pth",
        layout="pytorch-enet-2021",
    )


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "SECONDS", 1.0)


def visible(folder: Path) -> set[str]:
    return {file.name for file in folder.glob("weights/*") if not file.name.startswith(".")}


def interrupt(server: str) -> None:
    """Leave a partial file of 100,000 bytes."""
    with pytest.raises(InputError, match="broke off"):
        weights_path(card(server, truncated))


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
        (cut_without_length, r"sent no checkpoint, or a part of one \(100000 bytes\)"),
        (cut_legacy, "sent no checkpoint, or a part of one"),
        (random_bytes, r"sent no checkpoint, or a part of one \(200000 bytes\)"),
        (not_tensors, "sent no checkpoint"),
        (gzip_body, "sent gzip data"),
        (gzip_encoding, "encoding 'gzip', which was not asked for"),
        (other_network, "sent a checkpoint of another network .*1 unexpected"),
        (more_classes, "another network .*number of classes 2 instead of 1"),
        (unasked_range, "HTTP 206"),
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
    if bad is not truncated:
        assert [file.name for file in (tmp_path / "weights").iterdir()] in ([".net.pth.lock"], [])


def test_a_broken_download_goes_on_where_it_stopped(server: str, tmp_path: Path) -> None:
    interrupt(server)
    assert weights_path(card(server, good)).read_bytes() == CONTENT
    assert Handler.asked[-1] == ("/good", "bytes=100000-")
    assert not list(tmp_path.glob("weights/.*.part*"))


@pytest.mark.parametrize("answer", [without_ranges, wrong_range])
def test_a_server_that_sends_other_bytes_than_the_missing_ones_sends_all_again(
    server: str, answer: Answer
) -> None:
    interrupt(server)
    assert weights_path(card(server, answer)).read_bytes() == CONTENT


def test_a_partial_file_is_not_completed_with_another_version_of_the_file(server: str) -> None:
    interrupt(server)
    assert weights_path(card(server, other_version)).read_bytes() == checkpoint(seed=1)


def test_a_file_without_a_stated_version_is_downloaded_from_its_start(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "etag", 'W/"weak"')
    interrupt(server)
    assert weights_path(card(server, good)).read_bytes() == CONTENT
    assert Handler.asked[-1] == ("/good", "")


def test_a_partial_file_goes_on_by_date_where_there_is_no_tag(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    monkeypatch.setattr(Handler, "etag", date)
    send = Handler.send
    monkeypatch.setattr(
        Handler, "send", lambda *given, **headers: send(*given, **headers, Last_Modified=date)
    )
    interrupt(server)
    assert weights_path(card(server, good)).read_bytes() == CONTENT
    assert Handler.asked[-1] == ("/good", "bytes=100000-")


@pytest.mark.parametrize("damage", ["flipped", "shorter", "longer", "no note", "empty note", "link"])
def test_a_damaged_partial_file_is_found(server: str, tmp_path: Path, damage: str) -> None:
    interrupt(server)
    part = tmp_path / "weights" / ".net.pth.part"
    note = part.with_name(".net.pth.part.note")
    content = bytearray(part.read_bytes())
    assert len(content) == 100_000
    if damage == "flipped":
        content[50_000] ^= 1
    part.write_bytes({"shorter": content[:70_000], "longer": content + b"x" * 50}.get(damage, content))
    if damage == "no note":
        note.unlink()
    elif damage == "empty note":
        note.write_text("")
    elif damage == "link":
        part.rename(tmp_path / "target")
        part.symlink_to(tmp_path / "target")
    assert weights_path(card(server, good)).read_bytes() == CONTENT
    resumed = damage == "longer"  # a killed process may have written more than it noted
    assert Handler.asked[-1] == ("/good", "bytes=100000-" if resumed else "")
    assert damage != "link" or (tmp_path / "target").read_bytes() == content


@pytest.mark.parametrize("name", [".net.pth.part", ".net.pth.part.note", ".net.pth.lock", "net.pth"])
@pytest.mark.parametrize("exists", [True, False])
def test_nothing_is_written_through_a_link(server: str, tmp_path: Path, name: str, exists: bool) -> None:
    (tmp_path / "weights").mkdir()
    target = tmp_path / "precious"
    if exists and name != "net.pth":  # a link to a file that is there stands for the file
        target.write_bytes(b"mine")
    (tmp_path / "weights" / name).symlink_to(target)
    path = weights_path(card(server, good))
    assert path.read_bytes() == CONTENT
    assert not path.is_symlink()
    assert (target.read_bytes() if target.exists() else b"mine") == b"mine"
    assert target.exists() == (exists and name != "net.pth")


@pytest.mark.parametrize("target", ["/good", "http://127.0.0.1:{port}/good"])
def test_redirects_to_web_addresses_are_followed(server: str, target: str) -> None:
    Handler.answers["/moved"] = redirecting_to(target.format(port=server.rpartition(":")[2]))
    net = dataclasses.replace(card(server), weights_urls=(f"{server}/moved",))
    assert weights_path(net).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "target", ["file://{folder}/secret", "ftp://127.0.0.1/secret", "data:,x", "http://[", "//", "/moved"]
)
def test_redirects_elsewhere_are_not_followed(server: str, tmp_path: Path, target: str) -> None:
    (tmp_path / "secret").write_bytes(CONTENT)
    Handler.answers["/moved"] = redirecting_to(target.format(folder=tmp_path))
    net = dataclasses.replace(card(server), weights_urls=(f"{server}/moved",))
    with pytest.raises(InputError, match=r"redirect|address|no host") as caught:
        weights_path(net)
    assert len(str(caught.value).splitlines()) == 2
    assert visible(tmp_path) == set()


@pytest.mark.parametrize(
    ("target", "followed"), [("https://b.example/f", True), ("http://b.example/f", False)]
)
def test_a_redirect_does_not_leave_encryption(target: str, followed: bool) -> None:
    asked = urllib.request.Request("https://a.example/f")
    given: Any = (asked, io.BytesIO(), 302, "Found", {}, target)
    if followed:
        assert download._Redirects().redirect_request(*given).full_url == target
    else:
        with pytest.raises(Unfit, match="redirects from https to http"):
            download._Redirects().redirect_request(*given)


def test_a_length_that_is_no_number_does_no_harm(server: str) -> None:
    assert weights_path(card(server, odd_length)).read_bytes() == CONTENT


@pytest.mark.parametrize("known", [SHA256, "0" * 64])
def test_a_file_of_another_hash_is_not_taken(server: str, tmp_path: Path, known: str) -> None:
    net = dataclasses.replace(card(server, other_file, good), sha256=known)
    if known == SHA256:
        assert weights_path(net).read_bytes() == CONTENT
        return
    with pytest.raises(InputError, match=r"another file .* expected 000000000000"):
        weights_path(net)
    assert visible(tmp_path) == set()


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


@pytest.mark.parametrize(
    ("content", "fault"), [(b"\x80noise", "no checkpoint"), (checkpoint(2), "number of classes 2")]
)
def test_a_wrong_file_put_there_by_hand_is_not_recorded(
    server: str, tmp_path: Path, content: bytes, fault: str
) -> None:
    path = tmp_path / "weights" / "net.pth"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"{fault}.*: delete the file"):
        weights_path(card(server))
    assert not path.with_name(LOCK_FILE).exists()
    path.write_bytes(CONTENT)
    assert weights_path(card(server)) == path


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


@pytest.mark.parametrize("text", ["{", "[]", '{"net.pth": {}}', '{"net.pth": ["sha256"]}', "[" * 10**5])
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
