"""Do the shards in this process, or in worker processes on this machine."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing.connection import wait as wait_for_sentinel
from multiprocessing.synchronize import Event
from pathlib import Path
from types import FrameType

from robseg.errors import IncompleteRun
from robseg.evaluation.job import Job
from robseg.evaluation.shards import Shard
from robseg.evaluation.worker import ShardDone, Worker
from robseg.memory import keep_freed_memory

__all__ = ["EXECUTOR", "one_thread"]

# With busy cores, several torch threads per process become very slow, and spinning threads take time from the
# others. Libraries read these variables when they are loaded, so they must be set before a worker starts.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}


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


def local(job: Job, out: Path, shards: Sequence[Shard], num_workers: int) -> Iterator[ShardDone]:
    """Do the shards in `num_workers` spawned processes with one thread each; with 0, in this process.

    Raises
    ------
    IncompleteRun
        If a worker process died, for example because memory ran out.
    """
    num_workers = min(num_workers, len(shards))
    if num_workers == 0:
        with one_thread():  # as in a worker, so that the counts have the same bytes
            yield from map(Worker(job, out).run, shards)
    else:
        yield from _in_processes(job, out, shards, num_workers)


EXECUTOR = local


def _in_processes(job: Job, out: Path, shards: Iterable[Shard], num_workers: int) -> Iterator[ShardDone]:
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    # Pickled here, because multiprocessing's pickler opens a file for each tensor and runs out of them.
    payload = pickle.dumps((job, out))
    pool = ProcessPoolExecutor(num_workers, context, initializer=_start, initargs=(payload, stop))
    pending: set[Future[ShardDone]] = set()
    try:
        queue = iter(shards)
        while True:
            # Two shards per worker are submitted at a time: no worker waits, and memory use stays bounded.
            with _holding_interrupts():
                pending |= {
                    pool.submit(_run, shard) for shard in islice(queue, 2 * num_workers - len(pending))
                }
            if not pending:
                return
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    except BrokenProcessPool as error:
        raise IncompleteRun(
            "A worker process died, perhaps because memory ran out: run the same command again, with fewer "
            "--num-workers, to continue."
        ) from error
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _holding_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back until the end.

    A process that starts meanwhile never sees it, not even while it imports. Without this, the pool may start
    a process and be interrupted before it has noted it; it would then wait for the others without end.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield  # Ctrl-C raises nothing here
        return
    held: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: held.append((number, frame)))
    try:
        with _blocked_interrupts():
            yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if held:
            handler(*held[0])


@contextlib.contextmanager
def _blocked_interrupts() -> Iterator[None]:
    """Have new processes inherit that Ctrl-C is blocked, where there is such a thing."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_worker: Worker


def _start(payload: bytes, stop: Event) -> None:
    """Prepare a worker process."""
    global _worker  # noqa: PLW0603 - a worker process has no other place for its state
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which stops the workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import torch  # here, because the environment is set now

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    job, out = pickle.loads(payload)  # noqa: S301 - from our own parent
    _worker = Worker(job, out, stop.is_set)


def _run(shard: Shard) -> ShardDone:
    return _worker.run(shard)


def _end_with_parent() -> None:
    """End this process when its parent has ended, so that a killed run leaves no workers behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for_sentinel([parent.sentinel])
        os._exit(1)
