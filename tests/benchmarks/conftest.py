"""Benchmarks run when they are asked for (`--benchmark-only`), and end with a table of ratios."""

import math
import platform
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numba
import numpy as np
import pytest

import corruptions

Ratios = dict[tuple[str, str], list[tuple[float, float]]]  # (name, size) -> (reference, ours) in seconds


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--benchmark-only", default=False):
        mine = [item for item in items if "benchmarks" in item.path.parts]
        config.hook.pytest_deselected(items=mine)
        items[:] = [item for item in items if item not in mine]


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    session = getattr(config, "_benchmarksession", None)
    ratios: Ratios = defaultdict(list)
    for result in session.benchmarks if session else []:
        if "reference" in result.extra_info:
            cell = (result.params["name"], result.params["size"])
            ratios[cell].append((result.extra_info["reference"], result.stats.median))
    for line in resources(session.benchmarks if session else []):
        terminalreporter.write_line(line)
    if ratios:
        terminalreporter.section("corruptions: how many times as fast as imagecorruptions")
        for line in table(ratios):
            terminalreporter.write_line(line)


def resources(results: Iterable[Any]) -> list[str]:
    """Return one line per measured gain or cost: memory in image sizes, a second thread, quicker layers."""
    kinds = ("memory", "two_threads", "two_workers", "quick", "fused")
    return [
        f"{label:<28}{kind.replace('_', ' '):<12} x{result.extra_info[kind]:.2f}"
        for result in results
        if not result.extra_info.keys().isdisjoint(kinds)
        for label in [f"{result.params.get('name', result.name)} {result.params.get('precision', '')}"]
        for kind in kinds
        if kind in result.extra_info
    ]


def table(ratios: Ratios) -> list[str]:
    """Return one line per corruption, with milliseconds (means) and ratios (geometric means) by size."""
    sizes = list(dict.fromkeys(size for _, size in ratios))
    names = [name for name in corruptions.names() if any((name, size) in ratios for size in sizes)]
    lines = [f"{'':<18}" + "".join(f"{size + ' ms':>20}{'ratio':>9}" for size in sizes)]
    for name in names:
        cells = [ratios.get((name, size), []) for size in sizes]
        lines.append(f"{name:<18}" + "".join(_cell(cell) for cell in cells))
    every = [reference / ours for cell in ratios.values() for reference, ours in cell]
    seconds = [
        sum(column) for column in zip(*(pair for cell in ratios.values() for pair in cell), strict=True)
    ]
    lines.append(
        f"geometric mean x{geometric_mean(every):.1f}, least x{min(every):.1f}, "
        f"time of the whole set x{seconds[0] / seconds[1]:.0f}"
    )
    versions = f"numpy {np.__version__}, numba {numba.__version__}, Python {platform.python_version()}"
    lines.append(f"{platform.machine()}, one thread, CPU time, medians; {versions}")
    return lines


def geometric_mean(numbers: Iterable[float]) -> float:
    logarithms = [math.log(number) for number in numbers]
    return math.exp(sum(logarithms) / len(logarithms))


def _cell(pairs: list[tuple[float, float]]) -> str:
    if not pairs:
        return f"{'-':>20}{'-':>9}"
    reference, ours = (sum(column) / len(column) * 1000 for column in zip(*pairs, strict=True))
    ratio = geometric_mean(pair[0] / pair[1] for pair in pairs)
    return f"{reference:>11.1f} /{ours:>7.2f}{ratio:>9.1f}"
