"""Confidence intervals by the jackknife over images, or over blocks of images that belong together.

Counts are added before they are scored, so a score without one unit is the score of the sums less that unit's
counts. From these scores come an estimate of the bias, which for mIoU is negative and large while classes are
rare, and a standard error. Shares, such as mIoU, are treated on the logit scale, where their distribution is
closer to a normal one. The quantiles are those of Student's t, with fewer degrees of freedom the fewer units
the spread rests on. docs/scores.md has the simulations, and what else was tried.

Replicates are the last axis of an array: first the score itself, then the score without each unit.

Tukey, Annals of Mathematical Statistics 1958 (the jackknife); Miller, Biometrika 1974 (transformed scales);
Satterthwaite, Biometrics Bulletin 1946 (degrees of freedom of an estimated variance).
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit

from reports.run.errors import InputError
from reports.run.typed import shown
from reports.scoring.scores import ratio

__all__ = [
    "CONFIDENCE",
    "COVERAGE",
    "FEWEST",
    "Estimate",
    "Interval",
    "behind",
    "check_confidence",
    "interval",
    "left_out",
    "overlap",
    "standard_error",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CONFIDENCE = 0.95
FEWEST = 6  # units; with fewer, no method that we tried covers nearly as often as it claims
# The share of 95 % intervals that cover the truth in the worst of our simulations, from a number of units on
# (tests/reports/test_coverage.py).
COVERAGE = ((6, 0.92), (60, 0.93))


class Ends(Protocol):
    """Anything that has an interval."""

    @property
    def low(self) -> float:
        """The low end."""

    @property
    def high(self) -> float:
        """The high end."""


class Estimate(NamedTuple):
    """A score and the ends of its interval; undefined ones are NaN."""

    value: float
    low: float
    high: float


class Interval(NamedTuple):
    """The ends of intervals, (...); NaN where undefined."""

    low: Floats
    high: Floats


def check_confidence(confidence: float) -> None:
    """Refuse what is no confidence level.

    Raises
    ------
    InputError
        If it is no number between 0 and 1.
    """
    if not (isinstance(confidence, (int, float)) and 0 < confidence < 1):
        raise InputError(
            f"Expected a confidence level between 0 and 1, but got {shown(confidence)}: write 95 % as 0.95."
        )


def overlap(first: Ends, second: Ends) -> bool:
    """Return whether two intervals overlap; one that is undefined overlaps with none.

    Examples
    --------
    >>> overlap(Estimate(0.4, 0.3, 0.5), Estimate(0.6, 0.45, 0.7))
    True
    """
    return first.low <= second.high and first.high >= second.low


def left_out(units: Ints) -> Ints:
    """Return the sums over all units, and without each of them, of counts (..., U, L): (..., 1 + U, L).

    Examples
    --------
    >>> left_out(np.array([[1], [2], [4]])).ravel()
    array([7, 6, 5, 3])
    """
    total = units.sum(axis=-2, keepdims=True)
    return np.concatenate([total, total - units], axis=-2)


def interval(
    values: Floats, confidence: float = CONFIDENCE, *, share: bool = False, units: Ints | int | None = None
) -> Interval:
    """Return the intervals of scores with replicates (..., R). They contain the scores.

    An interval is undefined where the score is, and where fewer than FEWEST units are behind it.

    Parameters
    ----------
    share
        Whether the scores are shares, 0..1, so that the ends of their intervals are too.
    units
        The number of units behind each score, (...), by default as `behind` finds it.
    """
    score = values[..., 0]
    number = behind(values) if units is None else np.broadcast_to(units, score.shape)
    ends = _ends(values, confidence)
    if share:
        inside = ((values > 0) & (values < 1)).all(axis=-1)
        ends = np.clip(ends, 0, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = np.where(inside, expit(_ends(logit(values), confidence)), ends)
    low, high = np.minimum(ends[0], score), np.maximum(ends[1], score)
    constant = (values == score[..., None]).all(axis=-1) & (values.shape[-1] > FEWEST)
    undefined = np.isnan(score) | ((number < FEWEST) & ~constant)
    return Interval(
        *(np.where(undefined, np.nan, np.where(constant, score, end)) for end in (low, high)),
    )


def behind(values: Floats) -> Ints:
    """Return the number of units behind scores with replicates (..., R): those without which they change.

    A class that occurs in three of a thousand images has three.

    Examples
    --------
    >>> int(behind(np.array([0.5, 0.4, 0.5, np.nan])))
    2
    """
    number: Ints = (values[..., 1:] != values[..., :1]).sum(axis=-1)
    return number


def standard_error(values: Floats) -> Floats:
    """Return the standard errors of scores with replicates (..., R); NaN for fewer than two units."""
    without = values[..., 1:]
    number = without.shape[-1]
    if number < 2:
        return np.full(values.shape[:-1], np.nan)
    error: Floats = np.sqrt(number - 1) * np.std(without, axis=-1)
    return error


def _ends(values: Floats, confidence: float) -> Floats:
    """Return both ends of intervals around estimates that are corrected for bias, (2, ...)."""
    number = values.shape[-1] - 1
    if number < 2:
        return np.full((2, *values.shape[:-1]), np.nan)
    centre = number * values[..., 0] - (number - 1) * values[..., 1:].mean(axis=-1)
    reach = stdtrit(_freedom(values), 0.5 + confidence / 2) * standard_error(values)
    ends: Floats = np.stack([centre - reach, centre + reach])
    return ends


def _freedom(values: Floats) -> Floats:
    """Return the degrees of freedom of standard errors, (...).

    A variance that rests on m of the units has about 2 m by Satterthwaite's approximation. Because m is
    estimated too, and too large from few units, we take 1.5 m - 1, the factor with the best coverage in our
    simulations.
    """
    squares = (values[..., 1:] - values[..., 1:].mean(axis=-1, keepdims=True)) ** 2
    resting = ratio(squares.sum(axis=-1) ** 2, (squares**2).sum(axis=-1))
    freedom: Floats = np.clip(1.5 * resting - 1, 2, max(2, values.shape[-1] - 2))
    return freedom
