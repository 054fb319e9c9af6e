"""What two runs on different data have in common: models by their names, and conditions."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from reports.run.errors import InvalidRun
from reports.run.identity import conditions_of
from reports.run.record import CLEAN, Condition, RunRecord
from reports.scoring.protocols import CUSTOM

__all__ = ["Pair", "counterparts", "in_words", "pair_models"]


class Pair(NamedTuple):
    """A model of the first run and its counterpart in the second: a name for both, and the name of each."""

    name: str
    first: str
    second: str


def pair_models(ours: Sequence[str], theirs: Sequence[str]) -> tuple[Pair, ...]:
    """Pair models of the same name, then models whose names differ only in the training data after an @.

    A model with several counterparts of the second kind is not paired. Two single models always are a pair.

    Raises
    ------
    InvalidRun
        If there is no pair.

    Examples
    --------
    >>> pair_models(["icnet", "enet@camvid+segfix"], ["icnet", "enet@streets", "enet@streets+segfix"])[1]
    Pair(name='enet+segfix', first='enet@camvid+segfix', second='enet@streets+segfix')
    """
    same = [Pair(name, name, name) for name in ours if name in theirs]
    a = _by_key(name for name in ours if name not in theirs)
    b = _by_key(name for name in theirs if name not in ours)
    alike = [Pair(key, a[key][0], b[key][0]) for key in a if len(a[key]) == len(b.get(key, ())) == 1]
    if same or alike:
        return (*same, *alike)
    if len(ours) == len(theirs) == 1:
        return (Pair(f"{ours[0]} / {theirs[0]}", ours[0], theirs[0]),)
    raise InvalidRun(
        "Expected runs with models of the same names, apart from training data after an @, but got "
        f"{', '.join(ours)} and {', '.join(theirs)}: name one of each as RUN:MODEL."
    )


def counterparts(first: RunRecord, second: RunRecord) -> tuple[tuple[Pair, ...], tuple[RunRecord, RunRecord]]:
    """Return the pairs of models, and both records reduced to these models and the common conditions.

    Both records have models and conditions in the same order, and images too if the data are the same.

    Raises
    ------
    InvalidRun
        If there is no pair of models, or no corruption that both runs have at the same severity.
    """
    pairs = pair_models([model.name for model in first.models], [model.name for model in second.models])
    there = conditions_of(second)
    conditions = tuple(c for c in first.conditions if (c.corruption, c.severity) in there)
    if all(condition.corruption == CLEAN for condition in conditions):
        raise InvalidRun(
            "Expected runs with common corruptions at the same severities, but got "
            f"{in_words(conditions_of(first))} and {in_words(there)}: evaluate both with the same options."
        )
    if second.dataset == first.dataset and set(second.images) == set(first.images):
        # The order of images is the first run's, so that the resamples are the same.
        second = dataclasses.replace(second, images=first.images, clusters=first.clusters)
    whole = len(conditions) == len(first.conditions) == len(second.conditions)
    protocol = first.protocol if whole and first.protocol == second.protocol else CUSTOM.name
    return pairs, (
        _narrowed(first, [pair.first for pair in pairs], conditions, protocol),
        _narrowed(second, [pair.second for pair in pairs], conditions, protocol),
    )


def _narrowed(
    record: RunRecord, names: Sequence[str], conditions: tuple[Condition, ...], protocol: str
) -> RunRecord:
    """Return a record with only the named models, in this order, and the given conditions."""
    models = {model.name: model for model in record.models}
    chosen = tuple(models[name] for name in names)
    return dataclasses.replace(record, models=chosen, conditions=conditions, protocol=protocol)


def _by_key(names: Iterable[str]) -> dict[str, list[str]]:
    """Group names by the name without training data, such as enet+segfix for enet@camvid+segfix."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(re.sub(r"@[^+]*", "", name), []).append(name)
    return found


def in_words(conditions: Iterable[tuple[str, int]]) -> str:
    """Return conditions in words, by corruption.

    Examples
    --------
    >>> in_words({("snow", 5), ("fog", 2), ("fog", 1), ("clean", 0)})
    'clean, fog 1 2, snow 5'
    """
    found: dict[str, str] = {}
    for name, severity in sorted(conditions):
        found[name] = name if name == CLEAN else f"{found.get(name, name)} {severity}"
    return ", ".join(found.values())
