"""What keeps a GPU busy: batches from several threads, and copies that it need not wait for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["ONE_AT_A_TIME", "moved", "own_stream"]

# Networks of others may keep state in between. On a GPU, a call returns before the network has computed.
ONE_AT_A_TIME = threading.Lock()

_of_thread = threading.local()


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
