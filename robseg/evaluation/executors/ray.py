"""Do the shards on the nodes of a Ray cluster; this process hands them out and writes their counts."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Generator, Sequence
from pathlib import Path

from robseg.errors import InputError
from robseg.evaluation.job import Job
from robseg.evaluation.ray.cluster import connected
from robseg.evaluation.ray.pool import Pool
from robseg.evaluation.request import Request
from robseg.evaluation.shards import Shard
from robseg.evaluation.worker import News, stored

__all__ = ["EXECUTOR"]


def on_cluster(job: Job, out: Path, shards: Sequence[Shard], request: Request) -> Generator[News, None, None]:
    """Do the shards in `request.num_workers` actors; with 0, in as many as the cluster has room for.

    Raises
    ------
    InputError
        If there is no cluster, no room on any node, or a node has other data, weights or versions.
    IncompleteRun
        If too many workers died, or no node is left.
    """
    if request.device.startswith("cuda:"):
        raise InputError(
            f"Expected --device cuda with --executor ray, which gives each worker GPUs of its own, but got "
            f"{request.device}: leave out the number."
        )
    if not shards:
        return
    if request.prefetch_threads is None and request.device != "cpu":
        request = dataclasses.replace(request, prefetch_threads=request.cpus_per_worker)
    with (
        connected(request.ray_address) as ray,
        contextlib.closing(Pool(ray, job, request).run(shards)) as every,
    ):
        yield from stored(job, out, every)


EXECUTOR = on_cluster
