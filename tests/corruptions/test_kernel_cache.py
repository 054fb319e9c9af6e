"""The cache of compiled kernels: what cannot be used is compiled again."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CODE = """
import numpy as np
from corruptions.kernels.compiling import kernel

@kernel
def plus_one(values):
    return values + 1

print(plus_one(np.zeros(1))[0])
"""


def run(folder: Path) -> str:
    file = folder / "own.py"
    file.write_text(CODE)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run([sys.executable, file], env=environment, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.strip()


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:40])


def locked(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("spoil", [cut, locked])
def test_a_cache_that_cannot_be_used_is_passed_over(
    tmp_path: Path, ending: str, spoil: Callable[[Path], None]
) -> None:
    assert run(tmp_path) == "1.0"
    [file] = (tmp_path / "cache").rglob(f"*.{ending}")
    spoil(file)
    assert run(tmp_path) == "1.0"
    if spoil is cut:
        assert file.stat().st_size > 40
