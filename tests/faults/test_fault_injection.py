"""The disk is full, or fails, at every file operation of every command that writes.

The command ends with 2 or 3 and one or two lines. Nothing is lost or half-written under its final name, and
what was finished stays. Without the fault, the same command ends well.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from tests.faults.operations import Action
from tests.faults.processes import run
from tests.faults.results import Problem, Undisturbed, differences, losses, refusal, repeated, summary
from tests.faults.world import ALONE, COMMANDS, WORKERS, spread

ACTIONS: tuple[Action, ...] = ("ENOSPC", "EIO")


def failed(
    name: str, action: Action, at: int, folder: Path, known: Undisturbed, *, in_worker: bool = False
) -> Iterator[Problem]:
    """Run a command with a fault and again without, and yield what is wrong."""
    first = run(COMMANDS[name].split(), folder, action, at=at, in_worker=in_worker)
    if first.code == 0:  # the command could do without the operation
        yield from differences(folder, known.expected)
    else:
        yield from refusal(first)
    yield from losses(folder, known)
    finished = [line.split(" ", 2) for line in first.operations[:at]]
    for _, operation, path in finished:
        if operation == "os.rename" and path.endswith(".parquet") and not (folder / path).exists():
            yield Problem("finished shard lost", path)
    yield from repeated(name, folder, known)


@pytest.mark.parametrize("number", [12, pytest.param(300, marks=pytest.mark.slow)])
def test_a_disk_that_fails_is_told_and_loses_nothing(
    number: int, world: Path, tmp_path: Path, undisturbed: Callable[[str], Undisturbed]
) -> None:
    problems = {}
    points = {
        (name, ACTIONS[(turn + ALONE.index(name)) % 2], int(place * len(undisturbed(name).ended.operations)))
        for name, turn, place in spread(number, ALONE)
    }
    for name, action, at in sorted(points):
        folder = shutil.copytree(world, tmp_path / "world")
        known = undisturbed(name)
        if found := list(failed(name, action, at, folder, known)):
            problems[f"{name}, {action} at {known.ended.operations[at]}"] = found
        shutil.rmtree(folder)
    said = summary("Failing disk", len(points), problems)
    click.echo(said)
    assert not problems, said


@pytest.mark.slow
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("at", [1, 2, 3])  # with or without a new folder before it: open, write, rename
def test_a_disk_that_fails_in_a_worker_is_told_and_loses_nothing(
    action: Action, at: int, world: Path, tmp_path: Path, undisturbed: Callable[[str], Undisturbed]
) -> None:
    folder = shutil.copytree(world, tmp_path / "world")
    assert not list(failed(WORKERS, action, at, folder, undisturbed(WORKERS), in_worker=True))
