"""Kernels are compiled ahead: all that images of usual sizes need, in a process that ends with its parent."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numba.core import event

import corruptions
from corruptions import compilation
from corruptions.compilation import compile_kernels


class Compiled(event.Listener):
    """The names of the kernels that are compiled."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def on_start(self, event: event.Event) -> None:
        self.names.append(event.data["dispatcher"].py_func.__name__)

    def on_end(self, event: event.Event) -> None:
        pass


@pytest.mark.parametrize("name", corruptions.names("all"))
def test_images_of_other_sizes_need_no_other_kernels(name: str) -> None:
    assert list(compile_kernels([name])) == [name]
    with event.install_listener("numba:compile", Compiled()) as compiled:
        for size in ((96, 128), (75, 100), (101, 77)):
            for severity in corruptions.get(name).severities:
                corruptions.corrupt(np.zeros((*size, 3), np.uint8), name, severity)
    assert not compiled.names


def ahead(names: tuple[str, ...], then: str, folder: Path) -> str:
    """Compile ahead in a process with an empty cache, which then does something; return what it prints."""
    start = f"from corruptions import compilation as c; c.compile_ahead({names}); process = c._started[0]"
    code = f"{start}; {then}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder)},
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_another_process_compiles_for_all(tmp_path: Path) -> None:
    assert ahead(("brightness",), "print(process.wait())", tmp_path) == "0\n"
    assert list(tmp_path.rglob("colour._raise_value*.nbc"))


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    # All of them take longer than the limit below.
    killed = "print(process.pid, flush=True); import os; os.kill(os.getpid(), 9)"
    child = Path("/proc", ahead(corruptions.names("all"), killed, tmp_path).strip(), "cmdline")
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("processes are found in /proc")
    deadline = time.monotonic() + 10
    while child.exists() and child.read_bytes():  # nobody may care for what a dead process said
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_nothing_is_started_where_all_kernels_are_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "_started", [])
    assert list(compile_kernels(["contrast"])) == ["contrast"]
    compilation.compile_ahead(["contrast"])
    assert not compilation._started
