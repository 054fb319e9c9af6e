"""How long the stages of an evaluation take, and how long the device of the models waits."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

__all__ = ["PREDICT", "WAITING", "WORKING", "Device", "Span", "add_up", "timed"]

PREDICT = "predict:"  # the stages at which a device works begin with it
WORKING, WAITING = "device working", "device waiting"


class Span(NamedTuple):
    """When a stage began and ended, in seconds of time.perf_counter()."""

    stage: str
    start: float
    end: float


@contextmanager
def timed(spans: list[Span], stage: str) -> Iterator[None]:
    """Note when a block began and ended, unless it raises."""
    start = time.perf_counter()
    yield
    spans.append(Span(stage, start, time.perf_counter()))


def add_up(spans: Iterable[Span]) -> dict[str, float]:
    """Return the seconds of each stage.

    Examples
    --------
    >>> add_up([Span("read", 1.0, 2.0), Span("corrupt", 2.0, 2.5), Span("read", 4.0, 6.0)])
    {'read': 3.0, 'corrupt': 0.5}
    """
    seconds: dict[str, float] = defaultdict(float)
    for span in spans:
        seconds[span.stage] += span.end - span.start
    return dict(seconds)


class Device:
    """Tells how long the device of a worker was at work and how long it waited.

    It is at work while at least one batch is with a model.

    Examples
    --------
    >>> device = Device(since=10.0)
    >>> add_up(device.spans([Span("predict:a", 11.0, 14.0), Span("count", 14.0, 14.5)]))
    {'device waiting': 1.0, 'device working': 3.0}
    >>> add_up(device.spans([Span("predict:a", 13.0, 15.0), Span("predict:a", 17.0, 18.0)]))
    {'device working': 2.0, 'device waiting': 2.0}
    """

    def __init__(self, since: float) -> None:
        self._until = since

    def spans(self, spans: Iterable[Span]) -> Iterator[Span]:
        """Yield when the device waited and worked, from the spans of each batch in turn."""
        for stage, start, end in spans:
            if stage.startswith(PREDICT):
                if start > self._until:
                    yield Span(WAITING, self._until, start)
                if end > self._until:
                    yield Span(WORKING, max(start, self._until), end)
                    self._until = end
