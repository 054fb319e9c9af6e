"""0: done, 1: the gate failed, 3: a run that is read has not ended; whatever becomes of the output."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import robseg
from reports.run.folder import LIST
from robseg.cli import cli, entries
from robseg.cli.completion import RUN
from robseg.datasets.base import Dataset
from robseg.models.model import Model


@pytest.fixture(scope="module")
def ended(model: Model, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "ended"
    robseg.evaluate(model, dataset, "fog", (1,), out=out, examples=False)
    return out


@pytest.fixture(scope="module")
def unfinished(ended: Path) -> Path:
    out = shutil.copytree(ended, ended.with_name("unfinished"))
    next((out / "counts").glob("*.parquet")).unlink()
    return out


CALLS = {
    "report": ["report U", "report U E"],
    "compare": ["compare U E", "compare E U"],
    "ranks": ["ranks U E", "ranks E U"],
    "baseline": ["baseline save U"],
    "gate": ["gate U --floor mpc=0", "gate U -b E", "gate E -b U"],
    "power": ["power U"],
}


NAME = "x" * 300


def test_these_are_the_commands_that_read_a_run() -> None:
    def reads(name: str) -> bool:
        command = cli.get_command(None, name)
        parts = [command, *getattr(command, "commands", {}).values()]
        return any(p.type is RUN or p.name == "runs" for part in parts for p in part.params)

    assert {entry.name for entry in entries() if reads(entry.name)} == CALLS.keys()


@pytest.mark.parametrize("call", [call for calls in CALLS.values() for call in calls])
def test_a_run_that_has_not_ended_is_3(
    call: str, ended: Path, unfinished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [{"U": str(unfinished), "E": str(ended)}.get(word, word) for word in call.split()]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 3, done.output
    assert done.stderr.startswith("Error: Expected ")
    assert "run the same `robseg evaluate` again" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.fixture
def closed() -> Iterator[int]:
    """Yield the end of a pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


@pytest.mark.parametrize(("floor", "code"), [("0", 0), ("100", 1)])
def test_a_reader_that_leaves_changes_neither_verdict_nor_files(
    ended: Path, closed: int, tmp_path: Path, floor: str, code: int
) -> None:
    gate = [sys.executable, "-m", "robseg", "gate", str(ended), "--floor", f"mpc={floor}", "--no-intervals"]
    done = subprocess.run([*gate, "-o", str(tmp_path)], stdout=closed, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (code, "")
    assert {path.name for path in tmp_path.iterdir()} == {"gate.json", "gate.md", "junit.xml", LIST}


@pytest.mark.parametrize(("words", "code"), [("list models", 0), ("list nothing", 2)])
def test_nobody_needs_to_read_the_errors_either(closed: int, words: str, code: int) -> None:
    call = [sys.executable, "-m", "robseg", *words.split()]
    assert subprocess.run(call, stdout=closed, stderr=closed).returncode == code


@pytest.mark.parametrize(
    "words", [["train", NAME], ["report", NAME], ["evaluate", "-m", NAME], ["weights", "inspect", NAME]]
)
def test_a_name_that_no_file_can_have_is_2(words: list[str]) -> None:
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
