"""The rules, a function each: a table in, warnings out. docs/sanity.md gives reasons for the thresholds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from reports.run.record import CLEAN
from reports.run.tally import PERCENT
from reports.sanity.table import ScoreTable
from reports.scoring.scores import ratio

__all__ = ["Cell", "RunWarning", "check"]

UNCHANGED = 0.5  # share of the images
SAME = 0.5  # share of the conditions
MILD = (("brightness", 1), ("jpeg_compression", 1))
KEPT = 0.5  # share of the clean score
BRIGHT = (("brightness", 1), ("brightness", 2), ("brightness", 3))
OTHERS = 8  # models; fewer do not tell how far models usually differ
BELOW = 0.1  # share of the clean score
SPREADS = 10  # median absolute deviations
RARE = 0.01  # pixels predicted, as a share of those in the targets
OCCURS = 0.001  # share of the labelled pixels
ABSENT = 0.25  # share of the classes that are scored
LISTED = 4  # names in a sentence

Bools = NDArray[np.bool_]


class Cell(NamedTuple):
    """A model under a condition."""

    model: str
    corruption: str
    severity: int


class RunWarning(NamedTuple):
    """What a rule found: the rule's name, the cells that it is about, and a sentence for people."""

    rule: str
    cells: tuple[Cell, ...]
    sentence: str

    def __str__(self) -> str:
        return self.sentence


Rule = Callable[[ScoreTable], list[RunWarning]]

_RULES: list[Rule] = []


def check(table: ScoreTable) -> tuple[RunWarning, ...]:
    """Return the warnings of all rules."""
    return tuple(warning for rule in _RULES for warning in rule(table))


def _rule(function: Rule) -> Rule:
    _RULES.append(function)
    return function


@_rule
def unchanged(table: ScoreTable) -> list[RunWarning]:
    """Find conditions in which half of the images or more have their clean counts, for every model."""
    places = np.flatnonzero(_unchanged(table))
    if not len(places):
        return []
    sentence = (
        f"Under {_conditions(table, places)}, half of the images or more have the same counts as on clean "
        "images, for every model: they seem not to change."
    )
    return [_warning("unchanged", table, range(len(table.models)), places, sentence)]


@_rule
def equal_conditions(table: ScoreTable) -> list[RunWarning]:
    """Find models that have the same result under several conditions."""
    models: dict[tuple[int, ...], list[int]] = {}
    telling = _telling(table) & ~_unchanged(table)
    for m in range(len(table.models)):
        for mark in np.unique(table.marks[m, telling[m]]):
            equal = np.flatnonzero((table.marks[m] == mark) & telling[m])
            if len(equal) - 1 > table.coincidences:
                models.setdefault(tuple(map(int, equal)), []).append(m)
    found = []
    for places, same in models.items():
        names = _listed([table.models[m] for m in same])
        sentence = f"{names}: the results under {_conditions(table, places)} are one and the same."
        found.append(_warning("equal_conditions", table, same, places, sentence))
    return found


@_rule
def equal_models(table: ScoreTable) -> list[RunWarning]:
    """Find models that have the results of an earlier one, under at least half of the conditions."""
    found = []
    telling = _telling(table)
    for second in range(len(table.models)):
        for first in range(second):
            both = telling[first] & telling[second]
            places = np.flatnonzero((table.marks[first] == table.marks[second]) & both)
            if len(places) > table.coincidences and len(places) >= SAME * both.sum():
                sentence = (
                    f"{table.models[first]} and {table.models[second]} have the same results under "
                    f"{_conditions(table, places)}: are they one model under two names?"
                )
                found.append(_warning("equal_models", table, (first, second), places, sentence))
                break
    return found


@_rule
def mild(table: ScoreTable) -> list[RunWarning]:
    """Find models that lose more than half of their clean score under a mild corruption."""
    found = []
    lost = (table.kept < KEPT) & _any_of(table, MILD)
    for m, k in np.argwhere(lost):
        sentence = (
            f"{table.models[m]} keeps {_percent(table.kept[m, k])} of its clean score under "
            f"{_conditions(table, [k])}, though so mild a corruption rarely costs more than half."
        )
        found.append(_warning("mild", table, [m], [k], sentence))
    return found


@_rule
def below_others(table: ScoreTable) -> list[RunWarning]:
    """Find models that keep much less of their clean score in bright images than the others do."""
    found = []
    for k in map(int, np.flatnonzero(_any_of(table, BRIGHT))):
        kept = table.kept[:, k]
        defined = kept[~np.isnan(kept)]
        if len(defined) < OTHERS:
            continue
        median = float(np.median(defined))
        spread = float(np.median(np.abs(defined - median)))
        for m in np.flatnonzero(median - kept > max(BELOW, SPREADS * spread)):
            sentence = (
                f"{table.models[m]} keeps {_percent(kept[m])} of its clean score under "
                f"{_conditions(table, [k])}; the median of {len(defined)} models is {_percent(median)}. "
                "Were its weights and its test size the same as on clean images?"
            )
            found.append(_warning("below_others", table, [m], [k], sentence))
    return found


@_rule
def constant(table: ScoreTable) -> list[RunWarning]:
    """Find models that predict one class nearly everywhere."""
    counts = table.counts
    if counts is None:
        return []
    found = []
    single = _constant(table)
    top = counts.predicted.argmax(axis=-1)
    for m in np.flatnonzero(single.any(axis=1)):
        for c in dict.fromkeys(top[m, single[m]]):
            places = np.flatnonzero(single[m] & (top[m] == c))
            sentence = (
                f"{table.models[m]} predicts {counts.classes[c]} nearly everywhere under "
                f"{_conditions(table, places)}: one class for all pixels would score about the same."
            )
            found.append(_warning("constant", table, [m], places, sentence))
    return found


@_rule
def never_predicted(table: ScoreTable) -> list[RunWarning]:
    """Find classes that occur in the targets and that a model never predicts, on clean images."""
    counts = table.counts
    if counts is None:
        return []
    found = []
    share = ratio(counts.target, counts.target.sum(axis=-1, keepdims=True))
    never = (counts.predicted == 0) & (share > OCCURS) & ~_constant(table)[..., None]
    never &= _clean(table)[:, None]
    for m, k in np.argwhere(never.any(axis=-1)):
        lost = never[m, k]
        names = _listed([counts.classes[c] for c in np.flatnonzero(lost)])
        sentence = (
            f"{table.models[m]} never predicts {names} on clean images, though they are "
            f"{_percent(share[m, k, lost].sum())} of the labelled pixels. Do the classes of the model and of "
            "the data set match?"
        )
        found.append(_warning("never_predicted", table, [m], [k], sentence))
    return found


@_rule
def absent_classes(table: ScoreTable) -> list[RunWarning]:
    """Find models whose score on clean images rests on classes that no target has: their IoU is 0 anyway."""
    if table.counts is None:
        return []
    found = []
    absent = (table.counts.target == 0) & (table.counts.predicted > 0)
    scored = (table.counts.target > 0) | (table.counts.predicted > 0)
    many = absent.sum(axis=-1) > ABSENT * scored.sum(axis=-1)
    many &= _clean(table)
    for m, k in np.argwhere(many):
        sentence = (
            f"{absent[m, k].sum()} of {scored[m, k].sum()} classes in the mIoU of {table.models[m]} are in "
            "no target, so their IoU is 0 however good the model is. The mIoU of so few images is too low, "
            "and so is its interval: evaluate more images."
        )
        found.append(_warning("absent_classes", table, [m], [k], sentence))
    return found


def _clean(table: ScoreTable) -> Bools:
    """Return which conditions of a table are clean, (K,)."""
    return np.array([name == CLEAN for name, _ in table.conditions])


def _any_of(table: ScoreTable, conditions: Sequence[tuple[str, int]]) -> Bools:
    """Return which conditions of a table are among some, (K,)."""
    return np.array([condition in conditions for condition in table.conditions])


def _unchanged(table: ScoreTable) -> Bools:
    """Return the corrupted conditions, (K,), that leave UNCHANGED of the images as they are, or more."""
    corrupted = ~_clean(table)
    if table.counts is None:
        return np.zeros_like(corrupted)
    comparable, same = table.counts.comparable, table.counts.unchanged
    result: Bools = corrupted & comparable.any(axis=0) & (same >= UNCHANGED * comparable).all(axis=0)
    return result


def _constant(table: ScoreTable) -> Bools:
    """Return the cells, (M, K), whose prediction has one class, with at most RARE of the others' pixels."""
    if table.counts is None:
        return np.zeros(table.scores.shape, bool)
    predicted, target = table.counts.predicted, table.counts.target
    top = predicted.argmax(axis=-1)[..., None]
    others, missed = (
        pixels.sum(axis=-1) - np.take_along_axis(pixels, top, axis=-1)[..., 0]
        for pixels in (predicted, target)
    )
    result: Bools = (missed > 0) & (others <= RARE * missed)
    return result


def _telling(table: ScoreTable) -> Bools:
    """Return the cells, (M, K), whose result two of them share only by a fault; a constant one is shared."""
    return ~np.isnan(table.scores) & ~_constant(table)


def _warning(
    rule: str,
    table: ScoreTable,
    models: Iterable[SupportsIndex],
    places: Iterable[SupportsIndex],
    sentence: str,
) -> RunWarning:
    places = list(places)
    cells = tuple(Cell(table.models[m], *table.conditions[k]) for m in models for k in places)
    return RunWarning(rule, cells, sentence)


def _conditions(table: ScoreTable, places: Iterable[int]) -> str:
    """Return the names of conditions, such as "clean, fog (1, 2), snow (3)"."""
    severities: dict[str, list[str]] = {}
    for name, severity in (table.conditions[k] for k in places):
        severities.setdefault(name, []).append(str(severity))
    return _listed(
        [name if name == CLEAN else f"{name} ({', '.join(levels)})" for name, levels in severities.items()]
    )


def _listed(names: Sequence[str]) -> str:
    """Return names separated by commas; of many, the first ones and the number of the others."""
    more = len(names) - LISTED
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:LISTED])} and {more} more"


def _percent(share: float) -> str:
    return f"{PERCENT.text(share)} %"
