"""The executors, which do the shards of a run. Each is a module with EXECUTOR and is found by its name.

An executor takes a job, the folder of the run, shards, and the request, which says how many workers there
are. It yields the number of predictions after each batch, and each shard when it is on disk, in any order.
The counts do not depend on the workers, which no other part of a run knows. The caller closes the generator,
which ends all workers.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from robseg.evaluation.job import Job
from robseg.evaluation.request import Request
from robseg.evaluation.shards import Shard
from robseg.evaluation.worker import News
from robseg.registry import Registry

__all__ = ["EXECUTORS", "Executor"]

Executor = Callable[[Job, Path, Sequence[Shard], Request], Generator[News, None, None]]
EXECUTORS: Registry[Executor] = Registry("executor", __name__, "EXECUTOR", first="local")
