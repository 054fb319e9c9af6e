"""Compute things in threads, ahead of whoever needs them, and group what comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["ahead", "grouped"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int, room: int
) -> Iterator[Result]:
    """Yield function(item) for each item, in order.

    Threads have up to `room` results ready or in the making. Without threads, a result is computed when it is
    asked for. The items are taken by the thread that asks for results, and so is an exception of `function`.

    Examples
    --------
    >>> list(ahead(abs, [-2, 3, -1], threads=2, room=2))
    [2, 3, 1]
    """
    if threads == 0:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= room:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def grouped(
    items: Iterable[Item], key: Callable[[Item], Hashable], size: int, held: int
) -> Iterator[list[Item]]:
    """Yield the items in groups of one key and up to `size` items.

    A group is smaller only at the end, or if more than `held` items wait for others of their key.

    Examples
    --------
    >>> list(grouped("aBcdEf", str.isupper, size=2, held=9))
    [['a', 'c'], ['B', 'E'], ['d', 'f']]
    """
    groups: dict[Hashable, list[Item]] = {}
    waiting = 0
    for item in items:
        of = key(item)
        group = groups.setdefault(of, [])
        group.append(item)
        waiting += 1
        if len(group) < size and waiting <= held:
            continue
        full = of if len(group) == size else next(iter(groups))  # else the one that has waited longest
        ready = groups.pop(full)
        waiting -= len(ready)
        yield ready
    yield from groups.values()
