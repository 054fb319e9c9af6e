"""What a thread needs that predicts: settings of torch, and on a GPU a queue of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["ONE_AT_A_TIME", "moved", "own_stream", "prepare_thread"]

# Networks of others may keep state in between. On a GPU, a call returns before the network has computed.
ONE_AT_A_TIME = threading.Lock()

_of_thread = threading.local()


def prepare_thread() -> None:
    """Have torch compute in this thread as in all others, and float32 as float32 on a GPU too."""
    # Activations of published ENets reach denormal numbers, on which some CPUs are 20 times slower; flushing
    # them changes no label. Each thread has its own setting; threads that torch starts later inherit it.
    torch.set_flush_denormal(True)
    # Convolutions would otherwise round their inputs to the 10 bits of TF32, and choose sums that vary.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True


@contextmanager
def own_stream(device: torch.device | str) -> Iterator[None]:
    """Let what this thread computes on a GPU not wait for what other threads have asked of it since.

    On other devices this changes nothing.
    """
    if torch.device(device).type != "cuda":
        yield
        return
    streams = vars(_of_thread).setdefault("streams", {})  # kept, because each has memory of its own
    if device not in streams:
        streams[device] = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    with torch.cuda.stream(streams[device]):
        yield


def moved(values: NDArray[np.uint8], device: torch.device | str) -> Tensor:
    """Return a copy of the values on a device. A GPU copies them while this thread goes on."""
    copy = torch.tensor(np.ascontiguousarray(values))
    if torch.device(device).type == "cuda":
        return copy.pin_memory().to(device, non_blocking=True)
    return copy.to(device)
