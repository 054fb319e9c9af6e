"""What worker processes of tests do in place of real work; imports nothing that takes time to import."""

import os
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


def be_slow(_path: Path, parent: Connection) -> None:
    """Do one shard, slowly, and wait for the end."""
    parent.send(0)
    time.sleep(1)
    parent.send({"read": 1.0})
    parent.recv()


def look_at_the_file(path: Path, parent: Connection) -> None:
    """Answer its permissions and those of its folder."""
    parent.send({"file": path.stat().st_mode & 0o777, "folder": path.parent.stat().st_mode & 0o777})
    parent.recv()
