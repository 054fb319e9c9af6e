"""Do the shards in this process, or in worker processes on this machine."""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from multiprocessing.connection import wait
from pathlib import Path

from corruptions.compilation import compile_ahead
from reports.run.record import CLEAN
from robseg.errors import IncompleteRun, InputError
from robseg.evaluation.job import Job
from robseg.evaluation.processes.child import Child, end, started
from robseg.evaluation.processes.interrupts import holding_interrupts
from robseg.evaluation.request import Request
from robseg.evaluation.shards import Shard
from robseg.evaluation.worker import News, ShardDone, Worker, stored

__all__ = ["EXECUTOR", "one_thread"]

# With busy cores, several torch threads per process become very slow, and spinning threads take time from the
# others. Libraries read these variables when they are loaded, so they must be set before a worker starts.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}

CHECKED_EVERY = 1.0  # seconds, for workers that say nothing


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Give torch one thread, as in a worker."""
    import torch  # here, because listing and dry runs do not need it

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def local(job: Job, out: Path, shards: Sequence[Shard], request: Request) -> Generator[News, None, None]:
    """Do the shards in `request.num_workers` spawned processes of one thread each; with 0, in this process.

    Raises
    ------
    InputError
        If the job cannot be sent to other processes.
    IncompleteRun
        If a worker process died, for example because memory ran out, or does not start.
    """
    if not shards:
        return
    compile_ahead(dict.fromkeys(name for shard in shards if (name := shard.condition.corruption) != CLEAN))
    num_workers = min(request.num_workers, len(shards))
    if num_workers == 0:
        with one_thread():  # as in a worker, so that the counts have the same bytes
            yield from stored(job, out, Worker(job).run(shards))
    else:
        yield from _in_processes(job, out, shards, num_workers)


EXECUTOR = local


def _in_processes(
    job: Job, out: Path, shards: Sequence[Shard], num_workers: int
) -> Generator[News, None, None]:
    _refuse_stdin()
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    tasks = enumerate(shards)
    left = len(shards)
    children: list[Child] = []
    with contextlib.ExitStack() as temporary:
        path = temporary.enter_context(_job_file(job, out, shards))
        try:
            with holding_interrupts():
                children.extend(started(f"worker {n + 1}", path) for n in range(num_workers))
            while left:
                busy = [child for child in children if not child.connection.closed]
                talking = wait([child.connection for child in busy], CHECKED_EVERY)
                for child in busy:
                    if child.connection not in talking:
                        child.check()
                        continue
                    news = child.news()
                    if news is None:
                        child.give(next(tasks, None))
                        continue
                    left -= isinstance(news, ShardDone)
                    yield news
                if all(child.started for child in children):
                    temporary.close()  # early, because a killed process cannot do it
        finally:
            with holding_interrupts():
                end(children)


def _refuse_stdin() -> None:
    """Raise IncompleteRun if workers cannot import the user's script, as multiprocessing has them do."""
    script = sys.modules["__main__"]
    path = getattr(script, "__file__", None)
    if path is not None and script.__spec__ is None and not Path(path).exists():
        raise IncompleteRun(
            f"Expected a script that worker processes can import, but got {path}: "
            "save the script as a file, or use num_workers=0."
        )


@contextlib.contextmanager
def _job_file(job: Job, out: Path, shards: Sequence[Shard]) -> Iterator[Path]:
    """Yield a file with all that workers need, which only this user can read, and delete it at the end.

    multiprocessing would write it to a pipe, and wait forever if a worker dies before it has read that.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="robseg-"))
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
                pickle.dump((job, out, shards), file)
        except OSError as error:
            raise InputError(
                f"Expected room for the models in a temporary file, which worker processes read, but got: "
                f"{error}. Set TMPDIR to another folder, or use --num-workers 0."
            ) from error
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise InputError(
                f"Expected a data set that can be sent to worker processes, but got: {error}. "
                "Define it at the top of a module, or use num_workers=0."
            ) from error
        yield Path(file.name)
