"""What is printed: nothing that a terminal or a CI system obeys, in any encoding, on any device."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

import robseg
import robseg.cli
from robseg.__main__ import main
from robseg.cli import cli
from robseg.datasets.base import Dataset
from robseg.models.model import Model
from robseg.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\rb\x9b2K", r"a\rb\x9b2K"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("name\n::stop-commands::x", "name\n\\::stop-commands::x"),
        ("  ::error::x", "  \\::error::x"),
        ("##[error]x ##vso[task]x", "# #[error]x # #vso[task]x"),
        ("std::string, 10 ≥ 9\tend\n", "std::string, 10 ≥ 9\tend\n"),
    ],
)
def test_nothing_is_obeyed(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("words", [["list", "\x1b[2J"], ["report", "no\n::error::run"], ["\x1b[2J"]])
def test_errors_are_printable(words: list[str]) -> None:
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 2
    assert "\x1b" not in done.output
    assert "\n::error" not in done.output


@pytest.fixture(scope="module")
def run(model: Model, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    robseg.evaluate(model, dataset, "fog", (1,), out=out, examples=False)
    return out


def gate(run: Path, out: Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    words = ["gate", str(run), "--floor", "mpc=0", "--no-intervals", "-o", str(out)]
    done: subprocess.CompletedProcess[bytes] = subprocess.run(
        [sys.executable, "-m", "robseg", *words], stderr=subprocess.PIPE, **options
    )
    return done


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_verdict_is_0_in_any_encoding(run: Path, tmp_path: Path, encoding: str) -> None:
    done = gate(
        run,
        tmp_path,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "120"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b">= 0.00" in done.stdout


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_output_changes_no_exit_code(run: Path, tmp_path: Path, closed: str) -> None:
    line = f"{sys.executable} -m robseg gate {run} --floor mpc=0 --max-rise off --no-intervals -o {tmp_path}"
    assert subprocess.run(["/bin/sh", "-c", f"{line} {closed}"], capture_output=True).returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ["train", "-m", "enet", "--minutes", "-1", "-o", "new"],
        ["train", "enet-streets", "--start", "", "-o", "new"],
        ["predict", "here.png", "-m", "enet", "--weights", ""],
        ["evaluate", "--nope"],
        ["--nope"],
        ["-m"],
    ],
)
def test_a_mistake_has_one_or_two_lines(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8)).save("here.png")
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 2, done.output
    assert len(done.stderr.splitlines()) <= 2


def test_the_output_may_be_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["robseg", "list", "protocols"])
    with contextlib.redirect_stdout(io.StringIO()) as text, pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "kamann-rother" in text.getvalue()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_device_is_an_error_and_the_files_are_written(run: Path, tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = gate(run, tmp_path, stdout=full)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert b"Expected to be able to write to stdout, but got: No space left on device" in done.stderr
    assert (tmp_path / "gate.json").is_file()


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (RuntimeError("\x1b"), 70, "a fault of robseg, not yours (RuntimeError)"),
        (EOFError(), 70, "a fault of robseg"),
        (MemoryError(), 3, "Expected more memory"),
    ],
)
def test_a_fault_has_its_own_code_and_one_line(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, said: str
) -> None:
    def fail(_self: object, _ctx: object, _name: str) -> None:
        raise error

    monkeypatch.setattr(robseg.cli.Commands, "get_command", fail)
    done = CliRunner().invoke(cli, ["list"])
    assert done.exit_code == code
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    if code == 70:
        kept = Path(next(word for word in done.stderr.split() if "robseg-fault-" in word))
        assert type(error).__name__ in kept.read_text()
        kept.unlink()
