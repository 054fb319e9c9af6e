"""A wrong run file, or a wrong option of a Python call, is refused in a line."""

import dataclasses
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from robseg.errors import InputError
from robseg.evaluation import resolve
from robseg.evaluation.request import Request
from robseg.training.recipe import Recipe
from tests.invoke import invoke
from tests.mutations import DEPTHS, NUMBERS, fuzz, mutated, nested
from tests.robseg.cli.test_run_files import CALLS
from tests.toml import toml

REQUEST = Request(
    ["enet"], "streets", ["fog"], (1, 2), weights=["a.pth"], card=["a.json"], limit=3, out="run",
    boundaries=(2,), tallies=("trimap-3",), move_targets=False, data_root="data",
)  # fmt: skip
RECIPE = Recipe("enet", "streets", options={"generation": 2018}, test_size=(64, 96), name="a", start="b.pth")


def raw(record: Request | Recipe) -> dict[str, Any]:
    """Return the options of a Python call as a file would hold them."""

    def listed(value: Any) -> Any:
        if isinstance(value, tuple | list):
            return [listed(one) for one in value]
        return str(value) if isinstance(value, Path) else value

    return {name: listed(value) for name, value in dataclasses.asdict(record).items() if name != "progress"}


@pytest.mark.parametrize("path", [path for path in CALLS if path != ("doctor",)], ids=" ".join)
@pytest.mark.parametrize("number", NUMBERS)
def test_a_wrong_run_file_is_refused(number: int, path: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    printed = tomllib.loads(invoke(*path, *CALLS[path].split(), "--print-config").stdout)

    def read(options: Any) -> None:
        file.write_bytes(toml(options))
        done = invoke(*path, file, "--print-config")
        if done.exit_code == 2:
            # click writes its usage and a hint above its own errors
            raise InputError(done.stderr.partition("Error: ")[2].strip())
        assert (done.exit_code, done.exception) == (0, None)

    read(printed)
    fuzz(number // len(CALLS), mutated(printed), read)


def ask(**options: Any) -> None:
    """Make a request, and look up its names."""
    request = Request(**options)
    resolve.check(request)
    resolve.conditions(request)


@pytest.mark.parametrize(("make", "record"), [(ask, REQUEST), (Recipe, RECIPE)], ids=["evaluate", "train"])
@pytest.mark.parametrize("number", NUMBERS)
def test_wrong_options_of_a_python_call_are_refused(
    number: int, make: Callable[..., object], record: Request | Recipe
) -> None:
    needed = {name: value for name, value in raw(record).items() if name in ("model", "dataset")}

    def read(options: Any) -> None:
        known = record.__dataclass_fields__
        make(**needed | {name: value for name, value in options.items() if name in known})

    make(**raw(record))
    fuzz(number, mutated(raw(record)).filter(lambda options: isinstance(options, dict)), read)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("words", ["evaluate", "train -o out", "gate", "report"])
def test_a_nested_run_file_is_refused(words: str, depth: int, tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text(f"seed = {nested(depth)}\n")
    done = invoke(*words.split(), file)
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: ")
    assert str(file) in done.stderr
    assert isinstance(done.exception, SystemExit | click.ClickException)
