"""The parts in which several calls, such as those of a job array, evaluate one run (`--part I/N`)."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["block_size", "part_of", "ranges"]


def block_size(images: int) -> int:
    """Return how many neighbouring images make a block, which is evaluated at once under each condition.

    A block is large enough that starting it costs little, and small enough that there are many.
    """
    return max(8, images // 32)


def part_of(condition: int, image: int, images: int, count: int) -> int:
    """Return which of `count` parts, from 1, evaluates an image under a condition.

    `condition` and `image` are places in the record of the run, and `images` is the number of its images.
    Every part gets some conditions of each block, so that all take about the same time.

    Examples
    --------
    >>> [part_of(condition, 0, 100, 3) for condition in range(6)]
    [1, 2, 3, 1, 2, 3]
    """
    return (condition + image // block_size(images)) % count + 1


def ranges(numbers: Iterable[int]) -> str:
    """Return numbers as the --array option of SLURM takes them.

    Examples
    --------
    >>> ranges([7, 1, 2, 3, 9])
    '1-3,7,9'
    """
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(f"{run[0]}" if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
