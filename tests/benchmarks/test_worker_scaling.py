"""How much faster two worker processes make a run than one, once they have started."""

import time
from pathlib import Path
from typing import Any

import pytest

import robseg
from robseg.evaluation.progress import Progress


def rate(out: Path, num_workers: int) -> float:
    """Return predictions per second from the first third, in which workers start, to the last tenth."""
    seen: list[tuple[float, int]] = []

    def progress(now: Progress) -> None:
        if now.total / 3 < now.done < 0.9 * now.total:
            seen.append((time.perf_counter(), now.done))

    robseg.evaluate(
        "enet@streets",
        corruptions="common",
        severities=(3,),
        limit=40,
        num_workers=num_workers,
        out=out,
        examples=False,
        progress=progress,
    )
    (start, first), (end, last) = seen[0], seen[-1]
    return (last - first) / (end - start)


@pytest.mark.parametrize("turn", range(3))
def test_two_workers(benchmark: Any, tmp_path: Path, turn: int) -> None:
    """Both in turn, so that other work on the machine meets both."""
    rates: dict[int, float] = {}

    def both() -> None:
        for number in (1, 2) if turn % 2 else (2, 1):
            rates[number] = rate(tmp_path / str(number), number)

    rate(tmp_path / "warm", 1)
    benchmark.pedantic(both, rounds=1)
    benchmark.extra_info["two_workers"] = rates[2] / rates[1]
