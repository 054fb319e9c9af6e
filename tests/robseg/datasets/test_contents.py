"""Digests of files: read once, and again after any change."""

import os
import sqlite3
import time
from pathlib import Path

import pytest

from robseg.datasets.files import contents as module
from robseg.datasets.files.contents import contents, is_unchanged
from robseg.errors import InputError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROBSEG_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read."""
    files: list[Path] = []
    digest = module._digest

    def noted(file: Path) -> str:
        files.append(file)
        return digest(file)

    monkeypatch.setattr(module, "_digest", noted)
    return files


def old_file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    os.utime(path, (time.time() - 60,) * 2)
    return path


def test_a_file_is_read_once(tmp_path: Path, read: list[Path]) -> None:
    files = [old_file(tmp_path / name, name.encode()) for name in ("a", "b")]
    assert contents(files) == contents(files)
    assert sorted(read) == files


def test_a_change_that_keeps_size_and_time_is_noticed(tmp_path: Path) -> None:
    file = old_file(tmp_path / "a.bmp", b"street")
    before = file.stat()
    [content] = contents([file])
    file.write_bytes(b"noise!")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert contents([file]) != [content]
    assert not is_unchanged(file, content)
    file.write_bytes(b"street")
    assert is_unchanged(file, content)
    file.unlink()
    assert not is_unchanged(file, content)


def test_a_file_that_was_written_just_now_is_read_again(tmp_path: Path, read: list[Path]) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"a")
    for _ in range(2):
        contents([file])
    assert read == [file, file]


def test_without_a_cache_files_are_read_each_time(tmp_path: Path, home: Path, read: list[Path]) -> None:
    file = old_file(tmp_path / "a", b"a")
    home.write_text("a file in the way")
    assert contents([file]) == contents([file])
    assert read == [file, file]


def test_a_damaged_cache_is_passed_over(tmp_path: Path, home: Path) -> None:
    file = old_file(tmp_path / "a", b"a")
    expected = contents([file])
    (home / "contents.sqlite").write_bytes(b"no database" * 1000)
    assert contents([file]) == expected


def test_the_cache_may_be_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(sqlite3.Connection):
        def executemany(self, *_arguments: object) -> sqlite3.Cursor:
            raise sqlite3.OperationalError("database or disk is full")

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda file: connect(file, factory=Full))
    assert contents([old_file(tmp_path / "a", b"a")])[0].digest


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"readable file.*gone"):
        contents([tmp_path / "gone"])
