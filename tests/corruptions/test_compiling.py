"""Kernels are compiled once, and a message tells the user why it takes time."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from numba.core import event

from corruptions.kernels import compiling
from corruptions.kernels.compiling import kernel

ROOT = Path(__file__).parents[2]


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True)


CORRUPT = (
    "import numpy as np, corruptions; from corruptions.kernels import compiling; "
    "compiling.announcement.patience = 0.01; "
    "corruptions.corrupt(np.zeros((40, 40, 3), np.uint8), 'shot_noise')"
)


def test_the_first_process_says_that_it_compiles_and_the_next_is_silent(tmp_path: Path) -> None:
    first, second = (run(CORRUPT, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2))
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert first.stderr.count("Compiling the corruptions' kernels") == 1
    assert second.stderr == ""


def test_importing_compiles_nothing() -> None:
    code = "from numba.core import event\nseen = event.RecordingListener()\n"
    code += "event.register('numba:compile', seen)\nimport corruptions\nassert not seen.buffer, seen.buffer"
    done = run(code)
    assert done.returncode == 0, done.stderr


def test_where_nothing_can_be_written_kernels_are_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, cache: bool = False, **options: Any) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(**options)

    njit = numba.njit
    monkeypatch.setattr(numba, "njit", refuse)

    def double(x: float) -> float:
        return 2 * x

    assert kernel(double)(3.0) == 6


def test_division_by_zero_is_that_of_numpy() -> None:
    @kernel
    def divide(x: float, y: float) -> float:
        return x / y

    assert divide(1.0, 0.0) == np.inf
    assert np.isnan(divide(0.0, 0.0))


@pytest.mark.parametrize(("seconds", "messages"), [(0, 0), (0.3, 1)])
def test_only_a_long_compilation_is_announced_and_only_once(
    seconds: float, messages: int, caplog: pytest.LogCaptureFixture
) -> None:
    announcement = compiling._Announcement(patience=0.01 if seconds else 60)
    dispatcher = kernel(compiling._say)  # a function of the package
    start = event.Event("numba:compile", event.EventStatus.START, {"dispatcher": dispatcher})
    for _ in range(2):
        announcement.on_start(start)
        announcement.on_start(start)
        announcement.on_end(start)
        time.sleep(seconds)
        announcement.on_end(start)
    assert len(caplog.records) == messages
