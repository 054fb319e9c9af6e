"""Options from a run file and from the environment, and `--print-config`, for every command."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from robseg.cli import cli, entries
from robseg.cli.options import Command, made
from robseg.evaluation.request import Request
from robseg.training.recipe import Recipe
from tests.invoke import invoke as run

EVALUATE = """
model = ["enet", "pspnet_r50@cityscapes"]
corruptions = "fog,blur"
severities = "1-3"
limit = 5
boundaries = [2, 5]
move-targets = false
data-root = "data"
"""


def config(*arguments: object, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """Return what a call prints as its options."""
    result = run(*arguments, "--print-config", environment=environment)
    assert result.exit_code == 0, result.output
    return tomllib.loads(result.stdout)


def all_commands(
    command: click.Command = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Command]]:
    """Yield every command that does something, with the words that call it."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from all_commands(child, (*path, name))
    else:
        assert isinstance(command, Command), f"{path} lacks what every command has"
        yield path, command


COMMANDS = dict(all_commands())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(EVALUATE)
    return path


def test_a_run_file_stands_for_its_options(file: Path) -> None:
    flags = "-m enet -m pspnet_r50@cityscapes -c fog,blur -s 1,2,3 --limit 5 --boundaries 2,5 --keep-targets"
    assert config("evaluate", file) == config("evaluate", *flags.split(), "--data-root", "data")


def test_flags_win_over_the_environment_and_that_over_the_file_and_that_over_defaults(file: Path) -> None:
    name = "ROBSEG_EVALUATE_LIMIT"
    assert "limit" not in config("evaluate", "-m", "enet")
    assert config("evaluate", file)["limit"] == 5
    assert config("evaluate", file, environment={name: "6"})["limit"] == 6
    assert config("evaluate", file, "--limit", 7, environment={name: "6"})["limit"] == 7
    assert config("evaluate", "--limit", 7, file, environment={name: "6"})["limit"] == 7


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("ROBSEG_EVALUATE_MODEL", "enet pspnet", "model", ["enet", "pspnet"]),
        ("ROBSEG_EVALUATE_WEIGHTS", "a.pth b.pth", "weights", ["a.pth", "b.pth"]),
        ("ROBSEG_EVALUATE_SEVERITIES", "1-3", "severities", [1, 2, 3]),
        (
            "ROBSEG_EVALUATE_TALLY",
            "trimap-2,boundary-2 trimap-5",
            "tally",
            ["trimap-2", "boundary-2", "trimap-5"],
        ),
        ("ROBSEG_EVALUATE_MOVE_TARGETS", "false", "move-targets", False),
        ("ROBSEG_EVALUATE_DATA_ROOT", "data", "data-root", "data"),
        ("ROBSEG_EVALUATE_DRY_RUN", "1", "dry-run", True),
    ],
)
def test_a_variable_is_named_after_command_and_option(
    variable: str, text: str, key: str, value: object
) -> None:
    assert config("evaluate", "-m", "enet", environment={variable: text})[key] == (
        ["enet"] if key == "model" else value
    )
    if key == "model":
        assert config("evaluate", environment={variable: text})[key] == value


def test_a_nested_command_has_variables_too() -> None:
    environment = {"ROBSEG_BASELINE_SAVE_OUT": "old.zip"}
    assert config("baseline", "save", "RUN", environment=environment) == {"run": "RUN", "out": "old.zip"}


def test_no_variable_of_an_option_is_one_of_the_programs_own() -> None:
    own = {"ROBSEG_HOME", "ROBSEG_DATA_ROOT"}
    names = {
        "_".join(["ROBSEG", *path, option.lstrip("-")]).replace("-", "_").upper()
        for path, command in COMMANDS.items()
        for param in command.params
        for option in param.opts
    }
    assert "ROBSEG_EVALUATE_DATA_ROOT" in names
    assert not own & names


def test_a_variable_version_does_not_end_the_program() -> None:
    assert "version 0" not in run("list", "protocols", environment={"ROBSEG_VERSION": "1"}).stdout


CALLS = {
    ("evaluate",): "-m enet -c fog -s 1-2 --tally trimap-2,boundary-2 --tally trimap-3 --model-card a.json "
    "--limit 3 --protocol mpc --no-examples --refine segfix --offsets dir -j 2 --precision bf16 --dry-run",
    ("predict",): "a.png b.png -m enet -c fog -s 2 --labels --opacity 0.25",
    ("corrupt",): "in -c fog -s 1,3 -o out --sheet",
    ("corruptions", "compile"): "-c fog,noise",
    ("corruptions", "verify"): "-c fog -s 2 --copies 30 --image a.png",
    ("check",): "camvid --data-root dir --split val -j 2 --json --init",
    ("report",): "a b --format csv,markdown --confidence 0.9 --reference ICNet",
    ("ranks",): "a b --format csv -o ranks.csv --confidence 0.9",
    ("compare",): "a b:enet --tally boundary-2 --force --confidence 0.9",
    (
        "gate",
    ): "new --baseline old --max-drop 1 --max-drop fog=2 --floor mpc=30 --strict --no-intervals -o out",
    ("power",): "new --drop 0.5 --drop 3",
    ("baseline", "save"): "new -o b.json",
    ("list",): "models enet* --json",
    (
        "train",
    ): "enet-streets -o out --option generation=2018 --option a=x --crop 64 96 -s 1-2 -c fog --no-flip",
    ("weights", "fetch"): "a b",
    ("weights", "inspect"): "a.pth --arch enet --json",
    (
        "export",
    ): "enet --to openvino -o a.xml --size 360 480 --precision int8 --calibrate camvid --data-root d",
    ("doctor",): "",
}


def test_every_command_is_tried_below() -> None:
    assert CALLS.keys() == COMMANDS.keys()
    assert {path[0] for path in CALLS} == {entry.name for entry in entries()}


@pytest.mark.parametrize("path", CALLS, ids=" ".join)
def test_printed_options_are_a_run_file_of_the_same_call(path: tuple[str, ...], tmp_path: Path) -> None:
    first = run(*path, *CALLS[path].split(), "--print-config")
    assert first.exit_code == 0, first.output
    file = tmp_path / "again.toml"
    file.write_text(first.stdout)
    again = run(*path, file, "--print-config")
    assert again.exit_code == 0, again.output
    assert again.stdout == first.stdout


@pytest.mark.parametrize(("path", "record"), [(("evaluate",), Request), (("train",), Recipe)])
def test_printed_options_make_the_same_request(
    path: tuple[str, ...], record: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def keep(**values: Any) -> None:
        names = record.__dataclass_fields__  # type: ignore[attr-defined]
        asked.append(made(record, {name: value for name, value in values.items() if name in names}))

    printed = run(*path, *CALLS[path].split(), "--print-config").stdout
    file = tmp_path / "again.toml"
    file.write_text(printed)
    monkeypatch.setattr(COMMANDS[path], "callback", keep)
    for arguments in (CALLS[path].split(), [file]):
        result = run(*path, *arguments)
        assert result.exit_code == 0, result.output
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("limt = 3", "Unknown option of robseg evaluate 'limt': did you mean 'limit'?"),
        ("limit = 'ten'", "Expected `--limit` to be a whole number above 0, but got 'ten'"),
        ("limit = 0", "Expected `--limit` to be a whole number above 0, but got 0"),
        ("examples = 3", "Expected `--examples` to be true or false, but got 3"),
        ("dry-run = 'no'", "Expected `--dry-run` to be true or false, but got 'no'"),
        ("precision = 'fp8'", "Expected `--precision` to be fp32, bf16 or fp16, but got 'fp8'"),
        ("boundaries = ['a']", "Expected `--boundaries` to be a whole number above 0, but got 'a'"),
        ("limit = ", "Expected a TOML file"),
    ],
)
def test_a_wrong_run_file_is_reported_in_a_line_that_names_it(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text(f"model = 'enet'\n{text}\n")
    result = run("evaluate", file)
    assert result.exit_code == 2
    assert said in result.stderr
    assert str(file) in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_run_file_that_is_not_there_is_reported() -> None:
    result = run("evaluate", "nowhere.toml")
    assert result.exit_code == 2
    assert "Expected a TOML file at nowhere.toml" in result.stderr


def test_a_key_may_have_underscores(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text("model = 'enet'\nbatch_size = 4\n")
    assert config("evaluate", file)["batch-size"] == 4


def test_arguments_stand_in_a_run_file_too(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_text("run = 'runs/new'\nbaseline = 'runs/old'\nmax-drop = ['1', 'fog=2']\n")
    shown = config("gate", file)
    assert (shown["run"], shown["baseline"], shown["max-drop"]) == ("runs/new", "runs/old", ["1", "fog=2"])


def test_an_option_of_a_recipe_is_added_to_those_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text("model = 'enet'\ndataset = 'streets'\noptions = {generation = 2021, a = 1}\n")
    shown = config("train", file, "-o", "out", "--option", "generation=2018")
    assert shown["option"] == {"generation": 2018, "a": 1}


def test_the_value_of_an_option_may_equal_the_name_of_the_recipe() -> None:
    words = ("--out", "enet-streets", "--minutes", "60")
    assert config("train", *words, "enet-streets") == config("train", "enet-streets", *words)
    assert config("train", *words, "enet-streets")["out"] == "enet-streets"
