"""What worker processes of tests do in place of real work; imports nothing that takes time to import."""

import contextlib
import os
import pickle
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path


def die(_path: Path, _parent: Connection) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def leave(_path: Path, _parent: Connection) -> None:
    os._exit(0)


def leave_a_child_behind(_path: Path, _parent: Connection) -> None:
    """End, while a process that this one has started keeps the connection open."""
    if os.fork():
        os._exit(4)
    time.sleep(20)
    os._exit(0)


def import_an_unguarded_script(_path: Path, _parent: Connection) -> None:
    from robseg.evaluation.processes.work import UNGUARDED

    os._exit(UNGUARDED)


def hang(_path: Path, _parent: Connection) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)


def begin_and_hang(path: Path, parent: Connection) -> None:
    parent.send(0)
    hang(path, parent)


def be_slow(path: Path, parent: Connection) -> None:
    do(path, parent, {"read": 1.0}, seconds=1)


def look_at_the_file(path: Path, parent: Connection) -> None:
    """Answer its permissions and those of its folder."""
    modes = {"file": float(path.stat().st_mode & 0o777), "folder": float(path.parent.stat().st_mode & 0o777)}
    do(path, parent, modes, seconds=0)


def do(path: Path, parent: Connection, stages: dict[str, float], seconds: float) -> None:
    """Do all shards that the parent gives, in so many seconds each."""
    from robseg.evaluation.worker import ShardDone  # here, because it takes time

    shards = pickle.loads(path.read_bytes())[2]  # noqa: S301 - from our own parent
    parent.send(0)
    with contextlib.suppress(OSError, EOFError):  # the parent has hung up
        while True:
            parent.send(None)
            number = parent.recv()
            if number is None:
                return
            time.sleep(seconds)
            parent.send(ShardDone(shards[number], stages))
