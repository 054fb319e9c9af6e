"""Every command that writes is killed: at file operations, in the middle of writes too, and at times.

Afterwards every file under its final name is whole, and nothing is lost. The same command again ends well and
leaves the files of an uninterrupted one, byte for byte where no times are in them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pytest

from tests.faults.processes import run
from tests.faults.results import Problem, Undisturbed, losses, refusal, repeated, summary
from tests.faults.world import ALONE, COMMANDS, OWN, WORKERS, spread


def points(
    number: int, commands: Sequence[str], undisturbed: Callable[[str], Undisturbed]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield commands, and where each is killed."""
    for name, turn, place in spread(number, commands):
        ended = undisturbed(name).ended
        if turn % 3 == 2:
            yield name, {"action": "kill group", "after": place * ended.seconds}
        elif name == WORKERS and turn % 3 == 1:  # while the workers start, or at work
            moment = {"after": place / 2} if turn % 2 else {"at": turn % 5}
            yield name, {"action": "kill", "in_worker": True, **moment}
        else:
            at = int(place * len(ended.operations))
            yield name, {"action": "kill group" if turn % 2 else "kill", "at": at}


def killed(name: str, where: dict[str, Any], folder: Path, known: Undisturbed) -> Iterator[Problem]:
    """Kill a command, run it again, and yield what is wrong."""
    first = run(COMMANDS[name].split(), folder, **where)
    if first.hung:
        yield Problem("hangs", f"{first.seconds:.0f} s")
    elif where.get("in_worker"):
        yield from refusal(first)
    yield from losses(folder, known)
    yield from repeated(name, folder, known)


@pytest.mark.parametrize(
    ("number", "commands"), [(20, ALONE), pytest.param(200, list(COMMANDS), marks=pytest.mark.slow)]
)
def test_a_killed_command_loses_nothing_and_can_be_run_again(
    number: int,
    commands: list[str],
    world: Path,
    tmp_path: Path,
    undisturbed: Callable[[str], Undisturbed],
) -> None:
    problems = {}
    for index, (name, where) in enumerate(points(number, commands, undisturbed)):
        folder = shutil.copytree(world, tmp_path / str(index))
        if found := list(killed(name, where, folder, undisturbed(name))):
            problems[f"{name} {where}"] = found
        shutil.rmtree(folder)
    said = summary("Kills", number, problems)
    click.echo(said)
    assert not problems, said


@pytest.mark.parametrize("name", ALONE)
def test_a_command_that_is_not_killed_keeps_the_users_files(
    name: str, undisturbed: Callable[[str], Undisturbed]
) -> None:
    after = undisturbed(name).after
    assert {own: after.get(own) for own in OWN} == OWN
