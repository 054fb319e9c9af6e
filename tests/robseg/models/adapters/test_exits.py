"""A model that ends the program is an error that names it, wherever it does so, and never a success."""

from pathlib import Path

import pytest
from click.testing import CliRunner

import robseg
from robseg.cli import cli
from robseg.datasets.base import Dataset
from robseg.errors import InputError

SOURCE = """
import sys

class Halt(BaseException):
    pass

def fail():
    raise GeneratorExit

def halt():
    raise Halt

def answering():
    return lambda images: sys.exit(0)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"exits_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    return name


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("fail", "GeneratorExit"),
        ("halt", "Halt"),
        ("answering", r"SystemExit \(0\)"),
        ("sys.exit", "SystemExit"),
    ],
)
def test_a_model_that_ends_the_program_is_an_error(
    module: str, dataset: Dataset, factory: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=rf"py:{module}:{factory} .*{said}"):
        robseg.evaluate(f"py:{module}:{factory}", dataset, "none", out=tmp_path / "run")


def test_a_module_that_ends_the_program_is_an_error(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ends_at_once.py").write_text("raise SystemExit(0)")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"py:ends_at_once:make, but got SystemExit \(0\)"):
        robseg.evaluate("py:ends_at_once:make", dataset, "none", out=tmp_path / "run")


def test_sys_exit_is_no_model(tree: Path, tmp_path: Path) -> None:
    words = [
        "evaluate",
        "-m",
        "py:sys:exit",
        "-d",
        "folder",
        "--data-root",
        str(tree),
        "-o",
        str(tmp_path / "run"),
    ]
    done = CliRunner().invoke(cli, [*words, "-c", "none", "-j", "0"])
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: Expected py:sys:exit to make a model, but got SystemExit")
    assert len(done.stderr.splitlines()) == 1


def test_ctrl_c_while_a_model_is_made_is_ctrl_c(
    module: str, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        robseg.evaluate("py:_thread:interrupt_main", dataset, "none")
