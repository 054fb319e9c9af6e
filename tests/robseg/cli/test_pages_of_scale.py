"""The commands of docs/beyond-one-machine.md and docs/export.md are understood."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from robseg.evaluation.parts import part_in
from tests.invoke import invoke

DOCS = Path(__file__).parents[3] / "docs"
VARIABLES = {"$SLURM_ARRAY_TASK_ID": "3", "$((JOB_COMPLETION_INDEX + 1))": "3", "HOST": "10.0.0.1"}


def commands(page: str) -> Iterator[list[str]]:
    text = (DOCS / page).read_text(encoding="utf-8")
    scripts = re.findall(r"```(?:sh|bash)\n(.*?)```", text, flags=re.DOTALL)
    for job in re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL):
        (container,) = yaml.safe_load(job)["spec"]["template"]["spec"]["containers"]
        scripts += container["args"]
    lines = "\n".join(scripts).replace("\\\n", " ")
    for variable, value in VARIABLES.items():
        lines = lines.replace(variable, value)
    for line in lines.splitlines():
        if line.startswith("robseg "):
            yield shlex.split(line, comments=True)[1:]


COMMANDS = [*commands("beyond-one-machine.md"), *commands("export.md")]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_is_understood(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke(*words, "--print-config")
    assert result.exit_code == 0, result.output
    assert part_in(tomllib.loads(result.stdout).get("part")) in {None, (3, 16)}


def test_both_pages_have_commands() -> None:
    assert len(COMMANDS) == 8
    assert sum("--part" in words for words in COMMANDS) == 2
