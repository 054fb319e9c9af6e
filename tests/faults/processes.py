"""Run a robseg command with a fault in a process of its own, and wait until all its processes have ended.

The process is forked from one that has imported everything (warm.py), which saves seconds for each command.
"""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from tests.faults.operations import ENVIRONMENT, LIMIT, Action, Fault, install

__all__ = ["HOME", "Ended", "run"]

HERE = Path(__file__).parent
HOME = "home"  # the folder for robseg's cache
# Bytes that a process may ask for, so that a faulty command does not take the memory of other programs.
MEMORY = 8 * 2**30


class Ended(NamedTuple):
    """How a command ended: its exit code (negative for a signal), stderr, wall time, and file operations."""

    code: int
    stderr: str
    seconds: float
    operations: tuple[str, ...]

    @property
    def touched(self) -> set[str]:
        """The files that the command wrote, replaced or removed."""
        return {line.split(" ", 2)[2] for line in self.operations}

    @property
    def last_line(self) -> str:
        return " | ".join(self.stderr.strip().splitlines()[-1:])[:200]

    @property
    def hung(self) -> bool:
        return self.seconds >= LIMIT or self.code == -signal.SIGALRM


def run(
    words: Sequence[str],
    folder: Path,
    action: Action = "none",
    *,
    at: int = -1,
    after: float = 0.0,
    in_worker: bool = False,
) -> Ended:
    """Run `robseg WORDS` in a folder. Beside the folder lies a log of the operations."""
    folder = folder.resolve()
    log = folder.with_name(f"{folder.name}.operations")
    log.unlink(missing_ok=True)
    fault = Fault(str(folder), str(log), action, at, after, in_worker)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.warm"])
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(list(words), fault, writer))
    start = time.monotonic()
    process.start()
    writer.close()
    # It ends when the last process that can write to it has ended, so no worker outlives its run unnoticed.
    stderr = _read(reader)
    process.join()
    seconds = time.monotonic() - start
    operations = log.read_text().splitlines() if log.exists() else []
    return Ended(process.exitcode or 0, stderr, seconds, tuple(operations))


def _read(pipe: Connection) -> str:
    with os.fdopen(os.dup(pipe.fileno()), "rb") as file:
        pipe.close()
        return file.read().decode(errors="replace")


def _child(words: list[str], fault: Fault, stderr: Connection) -> None:
    os.setsid()  # "kill group" then meets this process and its workers only
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.chdir(fault.folder)
    os.dup2(stderr.fileno(), 2)
    stderr.close()
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    os.environ[ENVIRONMENT] = json.dumps(dataclasses.asdict(fault))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *sys.path])
    os.environ["ROBSEG_HOME"] = f"{fault.folder}/{HOME}"
    os.environ["TMPDIR"] = tempfile.tempdir = str(Path(fault.log).parent)
    sys.argv = ["robseg", *words]
    install(fault)
    from robseg.__main__ import main

    main()
