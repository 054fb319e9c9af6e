"""A Ray cluster of several nodes on this machine, and evaluations on it in processes of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

__all__ = ["LIMIT", "PLAN", "Nodes", "actors", "ended", "evaluating", "until", "write_model"]

LIMIT = 120  # seconds after which a run counts as hanging

# Slow enough to be killed in the middle of its work; what it answers depends on the image. The time is not in
# its code, by which runs of it are told apart.
MODEL = """
import pathlib, time

def model(images):
    time.sleep(float(pathlib.Path("seconds").read_text()))
    return images

def make():
    return model
"""
PLAN = ("py:slow:make", "folder", "fog,pixelate", (1, 2, 3, 4, 5))  # model, data set, corruptions, severities


class Nodes:
    """A head without room for workers, and nodes of one core each."""

    def __init__(self, count: int, env: Mapping[str, str]) -> None:
        from ray.cluster_utils import Cluster

        self._cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
        )
        self.address: str = self._cluster.address
        self.all = [self.add(env=env) for _ in range(count)]

    def add(self, *, gpus: int = 0, env: Mapping[str, str] | None = None) -> Any:
        """Start a node; its GPUs are only believed in, which is enough to place workers."""
        return self._cluster.add_node(num_cpus=1, num_gpus=gpus, env_vars=env)

    def kill(self, node: Any) -> None:
        """Kill a node's raylet as if the machine had failed."""
        raylet = _raylet(node)
        raylet.kill()
        raylet.wait()  # while it is a zombie, its workers think that it is alive

    def works(self, node: Any) -> bool:
        """Return whether a node has an actor of ours."""
        return any(_parent(actor) == _raylet(node).pid for actor in actors())

    def remove(self, node: Any) -> None:
        self._cluster.remove_node(node, allow_graceful=False)

    def stop(self) -> None:
        self._cluster.shutdown()


def write_model(folder: Path, seconds: float) -> None:
    """Write the module `slow`, whose factory `make` makes a model that takes so long for each image."""
    (folder / "slow.py").write_text(MODEL)
    (folder / "seconds").write_text(str(seconds))


@contextlib.contextmanager
def evaluating(
    nodes: Nodes | None, tree: Path | str, out: Path, *words: str, seconds: float = 0.1
) -> Iterator[subprocess.Popen[str]]:
    """Start an evaluation of the slow model, on a cluster if there is one, and leave nothing of it behind."""
    write_model(out.parent, seconds)
    model, dataset, corruptions, _ = PLAN
    command = [
        *("-m", "robseg", "evaluate", "-m", model, "-d", dataset, "--data-root", str(tree)),
        *("-c", corruptions, "-o", str(out), *words),
        *(("--executor", "ray", "--ray-address", nodes.address) if nodes else ()),
    ]
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=out.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return the exit code of a run and what it wrote; fail if it hangs."""
    try:
        text = process.communicate(timeout=LIMIT)[1]
    except subprocess.TimeoutExpired:
        pytest.fail("the run hangs")
    return process.returncode, text


def until(what: Callable[[], Any], process: subprocess.Popen[str] | None = None) -> Any:
    """Return what is true as soon as it is, while a run goes on."""
    start = time.monotonic()
    while time.monotonic() - start < LIMIT and (process is None or process.poll() is None):
        if found := what():
            return found
        time.sleep(0.02)
    pytest.fail("it never happened" if process is None else f"the run ended early: {ended(process)}")


def actors() -> list[int]:
    """Return the processes of our actors on all nodes."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes().startswith(b"ray::Actor"):
                found.append(int(path.parent.name))
    return found


def _raylet(node: Any) -> subprocess.Popen[bytes]:
    (found,) = node.all_processes["raylet"]
    process: subprocess.Popen[bytes] = found.process
    return process


def _parent(process: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return 0
