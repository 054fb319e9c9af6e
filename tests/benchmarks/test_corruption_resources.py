"""What else a corruption costs: memory beside its image, and whether a second thread helps."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import corruptions
from corruptions import verify

# Linux: writing 5 to clear_refs sets the highest resident size (VmHWM) back to the present one (VmRSS).
PEAK = """
import pathlib, sys
import corruptions
from corruptions import verify

def status(field):
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))

name = sys.argv[1]
image = verify.photograph(1024, 2048)
corruptions.corrupt(image[:64, :64], name, 5)  # compiled and loaded
pathlib.Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
corruptions.corrupt(image, name, 5)
print((status("VmHWM") - before) / image.nbytes)
"""


@pytest.mark.benchmark(timer=time.perf_counter)
@pytest.mark.parametrize("name", corruptions.names("all"))
def test_memory(benchmark: Any, name: str) -> None:
    """Peak memory of a 1024x2048 image at severity 5, in sizes of that image, in a process of its own."""

    def measured() -> float:
        ended = subprocess.run([sys.executable, "-c", PEAK, name], check=True, capture_output=True, text=True)
        return float(ended.stdout)

    benchmark.extra_info["memory"] = benchmark.pedantic(measured, rounds=1)


@pytest.mark.benchmark(timer=time.perf_counter)
@pytest.mark.parametrize("name", corruptions.names("all"))
def test_two_threads(benchmark: Any, name: str) -> None:
    """The throughput of two threads as a multiple of that of one, on 512x1024 at severity 3."""
    image = verify.photograph(512, 1024)

    def seconds(threads: int, calls: int) -> float:
        with ThreadPoolExecutor(threads) as pool:
            start = time.perf_counter()
            list(pool.map(lambda _: corruptions.corrupt(image, name, 3), range(calls)))
            return time.perf_counter() - start

    seconds(1, 2)
    calls = max(4, int(0.3 / (seconds(1, 4) / 4)))
    pairs = [(seconds(1, calls), seconds(2, calls)) for _ in range(5)]
    benchmark.extra_info["two_threads"] = sorted(one / two for one, two in pairs)[2]
    benchmark.pedantic(corruptions.corrupt, args=(image, name, 3), rounds=1)
