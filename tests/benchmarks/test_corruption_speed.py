"""Every corruption against imagecorruptions, in one process, on one thread.

CPU time, because other programs' share of the machine must not count. ROBSEG_BENCH_SIZES=360x480 takes fewer
sizes; a whole run takes some ten minutes, most of them the reference's glass blur.
"""

import os
import statistics
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import corruptions
from corruptions import reference, verify

SIZES = os.environ.get("ROBSEG_BENCH_SIZES", "360x480,512x1024,1024x2048").split(",")
ROUNDS = 7
PATIENCE = 1.0  # seconds of CPU time after which one more measurement of the reference is enough


@cache
def photo(size: str) -> NDArray[np.uint8]:
    height, width = map(int, size.split("x"))
    return verify.photograph(height, width)


def reference_seconds(function: Callable[[], object]) -> float:
    """Return the median CPU time of up to ROUNDS calls; long ones are called once."""
    times: list[float] = []
    while len(times) < ROUNDS and sum(times) < PATIENCE:
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return statistics.median(times)


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    cv2 = pytest.importorskip("cv2")
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("severity", [1, 3, 5])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", corruptions.names("imagenet-c"))
def test_corruption(benchmark: Any, name: str, size: str, severity: int) -> None:
    image = photo(size)
    rng = np.random.RandomState(0)
    benchmark.extra_info["reference"] = reference_seconds(
        lambda: reference.corrupt(image, name, severity, rng)
    )
    benchmark.pedantic(
        corruptions.corrupt, args=(image, name, severity), rounds=ROUNDS, warmup_rounds=1, iterations=1
    )


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("severity", [1, 3, 5])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", corruptions.names("camera"))
def test_camera(benchmark: Any, name: str, size: str, severity: int) -> None:
    """Kamann and Rother's three, which have no reference."""
    benchmark.pedantic(
        corruptions.corrupt, args=(photo(size), name, severity), rounds=ROUNDS, warmup_rounds=1, iterations=1
    )
