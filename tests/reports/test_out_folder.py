"""The list of robseg's own files in a folder: nothing else in it is replaced or deleted."""

import json
import os
import time
from pathlib import Path

import pytest

from reports.run.errors import InputError
from reports.run.files import HOST, LEFTOVERS, write_atomically
from reports.run.folder import LIST, OutFolder
from tests.leftovers import leave_behind
from tests.reports.synthetic import EXAMPLES, RECORD


def test_a_folder_with_files_of_others_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.py").write_text("mine")
    with pytest.raises(InputError, match=r"holds thesis\.py: choose another --out"):
        OutFolder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.py"]


def test_a_file_of_others_is_not_reserved(tmp_path: Path) -> None:
    folder = OutFolder(tmp_path / "out")
    folder.reserve(["scores.csv"])
    (folder.path / "report.html").write_text("mine")
    (folder.path / "link.csv").symlink_to(tmp_path / "nowhere")
    for name in ("report.html", "link.csv"):
        with pytest.raises(InputError, match="move it away"):
            OutFolder(folder.path).reserve(["scores.csv", name])
    assert OutFolder(folder.path).names == {"scores.csv"}


def test_only_listed_files_are_deleted(tmp_path: Path) -> None:
    folder = OutFolder(tmp_path)
    folder.reserve(["examples/0.png"])
    (tmp_path / "examples").mkdir()
    for name in ("0.png", "thesis.py"):
        (tmp_path / "examples" / name).write_text(name)
    assert folder.delete(["examples/0.png", "examples/thesis.py", "gone.csv"]) == ["examples/0.png"]
    assert (tmp_path / "examples" / "thesis.py").exists()


@pytest.mark.parametrize("name", ["../mine.txt", "/mine.txt", "linked/mine.txt", "a/../../mine.txt"])
def test_a_list_cannot_name_files_outside_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    out = tmp_path / "out"
    OutFolder(out)
    (out / "linked").symlink_to(tmp_path)
    if name.startswith("/"):
        name = str(tmp_path / "mine.txt")
    (out / LIST).write_text(json.dumps(name) + "\n")
    assert OutFolder(out).delete([name]) == []
    assert (tmp_path / "mine.txt").exists()


def test_a_torn_line_of_the_list_is_no_name_and_spoils_no_other(tmp_path: Path) -> None:
    OutFolder(tmp_path).reserve(["a.csv"])
    with (tmp_path / LIST).open("a") as file:
        file.write('"b.c')
    OutFolder(tmp_path).reserve(["c.csv"])
    assert OutFolder(tmp_path).names == {"a.csv", "c.csv"}


def test_a_run_from_before_there_was_a_list_owns_what_its_records_name(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(RECORD.to_json())
    (tmp_path / "scoring.json").write_text(json.dumps({"files": ["scores.csv"]}))
    (tmp_path / "notes.md").write_text("mine")
    (tmp_path / "gate.json").write_text(json.dumps({"verdict": "pass"}))
    recorded = {"run.json", "scoring.json", "scores.csv", "gate.json", "gate.md", "junit.xml"}
    examples = {name for each in EXAMPLES for name in (each.image, each.prediction, each.target)}
    assert OutFolder(tmp_path).names == recorded | examples


def test_records_that_are_damaged_own_nothing_more(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(RECORD.to_json())
    (tmp_path / "scoring.json").write_text('{"files": 7}')
    (tmp_path / "gate.json").write_text("[" * 100_000)
    assert "gate.json" not in OutFolder(tmp_path).names


def test_a_run_json_of_another_tool_makes_no_run(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"run": "npm start"}')
    with pytest.raises(InputError, match=r"holds run\.json"):
        OutFolder(tmp_path)


def test_abandoned_temporary_files_are_deleted_and_others_are_kept(tmp_path: Path) -> None:
    folder = OutFolder(tmp_path)
    old, new = (tmp_path / LEFTOVERS.replace("*", f"{HOST}-{os.getpid()}-{name}") for name in "12")
    killed, config = leave_behind(tmp_path), tmp_path / ".config.tmp"
    for path in (old, new, config):
        path.write_text("")
    for path in (old, config):
        os.utime(path, (time.time() - 3600,) * 2)
    folder.reserve(["scores.csv"])
    assert not old.exists()
    assert not killed.exists()
    assert new.exists()
    assert config.exists()


def test_writing_replaces_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "out.txt").symlink_to(tmp_path / "mine.txt")
    write_atomically(tmp_path / "out.txt", "ours")
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert (tmp_path / "out.txt").read_text() == "ours"


@pytest.mark.parametrize("name", [".", "..", "folder"])
def test_a_folder_is_no_file_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="name a file"):
        write_atomically(Path(name), "")


def test_a_list_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    folder = OutFolder(tmp_path)
    (tmp_path / LIST).unlink()
    (tmp_path / LIST).mkdir()
    with pytest.raises(InputError, match="Expected to be able to write to"):
        folder.reserve(["scores.csv"])


def test_a_name_that_is_too_long_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="File name too long"):
        write_atomically(tmp_path / ("a" * 300), "")


def test_a_write_that_fails_leaves_the_old_file_and_no_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_atomically(tmp_path / "a.csv", "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_atomically(tmp_path / "a.csv", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "old"
