"""Who does the shards of a run: each executor is a module with EXECUTOR, found by its name.

An executor takes a job, the run's folder, shards and a number of workers. It yields each shard once it is on
disk, in any order. The counts do not depend on the number of workers, and nothing else in a run knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from robseg.evaluation.job import Job
from robseg.evaluation.shards import Shard
from robseg.evaluation.worker import ShardDone
from robseg.registry import Registry

__all__ = ["EXECUTORS", "Executor"]

Executor = Callable[[Job, Path, Sequence[Shard], int], Iterator[ShardDone]]
EXECUTORS: Registry[Executor] = Registry("executor", __name__, "EXECUTOR", first="local")
