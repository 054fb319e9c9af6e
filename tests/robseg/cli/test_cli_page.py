"""docs/cli.md shows what works."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.invoke import invoke

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


COMMANDS = [line.split("  #")[0].strip() for block in blocks("sh") for line in block.splitlines()]


def test_the_page_has_commands_and_a_run_file() -> None:
    assert len(COMMANDS) == 4
    assert len(blocks("toml")) == 1


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_understood(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.toml").write_text(blocks("toml")[0])
    words = line.partition(" >")[0].removesuffix(" --print-config").split()[1:]
    result = invoke(*words, "--print-config")
    assert result.exit_code == 0, result.output
    tomllib.loads(result.stdout)


def test_every_variable_is_that_of_an_option() -> None:
    variables = dict(re.findall(r"`(ROBSEG_[A-Z_]+)=([^`]+)`", PAGE))
    assert len(variables) == 2
    asked = {
        "ROBSEG_EVALUATE_DATA_ROOT": (["evaluate", "-m", "enet"], "data-root"),
        "ROBSEG_BASELINE_SAVE_OUT": (["baseline", "save", "run"], "out"),
    }
    for name, text in variables.items():
        words, key = asked[name]
        printed = invoke(*words, "--print-config", environment={name: text})
        assert str(tomllib.loads(printed.stdout)[key]) == text


@pytest.mark.parametrize("shell", re.findall(r"_ROBSEG_COMPLETE=(\w+)_source robseg", PAGE))
def test_every_shell_has_its_script(shell: str) -> None:
    environment = {**os.environ, "_ROBSEG_COMPLETE": f"{shell}_source"}
    call = [sys.executable, "-m", "robseg"]
    ended = subprocess.run(call, env=environment, capture_output=True, text=True)
    assert "_ROBSEG_COMPLETE" in ended.stdout
    assert ended.returncode == 0 or "version is older" in ended.stderr
