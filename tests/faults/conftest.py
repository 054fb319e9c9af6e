"""The small world and what each command leaves in it, once per session."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.processes import run
from tests.faults.results import Undisturbed, contents
from tests.faults.world import COMMANDS, build

collect_ignore = ["warm.py"]  # doctests would import it, which takes seconds


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if sys.platform != "linux":
        pytest.skip("the faults need /proc and signals")
    return build(tmp_path_factory.mktemp("faults") / "world")


@pytest.fixture(scope="session")
def undisturbed(world: Path) -> Callable[[str], Undisturbed]:
    """Return what a command does without a fault, computed at the first call."""
    known: dict[str, Undisturbed] = {}

    def find(name: str) -> Undisturbed:
        if name not in known:
            folder = shutil.copytree(world, world.with_name("undisturbed"))
            before = contents(folder)
            ended = run(COMMANDS[name].split(), folder)
            after = contents(folder)
            shutil.rmtree(folder)
            assert ended.code == 0, f"{name}: {ended.stderr}"
            known[name] = Undisturbed(ended, before, after)
        return known[name]

    return find
