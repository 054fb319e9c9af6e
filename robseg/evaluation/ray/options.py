"""What a user asks of a Ray cluster."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from robseg.options import NON_NEGATIVE, POSITIVE, Flag

__all__ = ["RayOptions"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RayOptions:
    """The options of an evaluation that say how a Ray cluster does it."""

    ray_address: Annotated[
        str | None,
        "HOST:PORT of the Ray cluster for --executor ray.",
        Flag(metavar="ADDRESS", unset="the cluster that this machine belongs to"),
    ] = None
    cpus_per_worker: Annotated[
        int, "Cores that Ray reserves for each worker. Each uses one, and --prefetch-threads more.", POSITIVE
    ] = 1
    gpus_per_worker: Annotated[
        float | None,
        "GPUs that Ray reserves for each worker, such as 1, or 0.5 for two workers on each.",
        NON_NEGATIVE,
        Flag(unset="1 with --device cuda, else 0"),
    ] = None

    def reserved_gpus(self, device: str) -> float:
        """Return the GPUs to reserve for each worker."""
        if self.gpus_per_worker is None:
            return float(device.startswith("cuda"))
        return self.gpus_per_worker
