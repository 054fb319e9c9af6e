"""A tally: one kind of count, and the measures that are computed from its sums."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["IGNORE_INDEX", "PERCENT", "PRIMARY", "Columns", "Measure", "Prediction", "Row", "Tally", "Unit"]

IGNORE_INDEX = 255  # the label of pixels that do not count
PRIMARY = "confusion"  # the tally that every run counts and the main tables show

Floats = NDArray[np.float64]
Row = Mapping[str, NDArray[np.int64]]
Columns = Mapping[str, NDArray[np.int64]]


class Prediction(NamedTuple):
    """A model's prediction for one image: `labels` uint8 (H, W), in the classes of the data set.

    `confidence` float32 (H, W) is the probability of each label, None unless a tally of the run needs it.
    """

    labels: NDArray[np.uint8]
    confidence: NDArray[np.float32] | None = None


class Unit(NamedTuple):
    """How a value is shown: multiplied by `scale`, rounded to `decimals`, followed by `symbol`."""

    symbol: str = ""
    scale: float = 1.0
    decimals: int = 3

    def text(self, value: float) -> str:
        """Return a value without its symbol, or a dash if it is undefined.

        Examples
        --------
        >>> PERCENT.text(0.5331), PERCENT.text(float("nan"))
        ('53.3', '–')
        """
        return "–" if math.isnan(value) else f"{self.scale * value:.{self.decimals}f}"

    def fine(self, value: float) -> str:
        """Return a value with one more decimal, as limits are shown.

        Examples
        --------
        >>> PERCENT.fine(0.5331), PERCENT.fine(-0.00001)
        ('53.31', '0.00')
        """
        if math.isnan(value):
            return "–"
        decimals = self.decimals + 1
        return f"{round(self.scale * value, decimals) + 0:.{decimals}f}"  # + 0: no -0.00

    def difference(self, value: float) -> str:
        """Return a difference of two values with its sign and one more decimal.

        Examples
        --------
        >>> PERCENT.difference(-0.0123), PERCENT.difference(0.0), PERCENT.difference(float("nan"))
        ('-1.23', '0.00', '–')
        """
        if math.isnan(value):
            return "–"
        decimals = self.decimals + 1
        rounded = round(self.scale * value, decimals)
        return f"{rounded:+.{decimals}f}" if rounded else f"{0:.{decimals}f}"


PERCENT = Unit("%", 100.0, 1)  # for fractions


@dataclasses.dataclass(frozen=True)
class Measure:
    """One value that is computed from summed counts.

    `value` maps columns (..., L, R), whose last axis is replicates, to (..., R), or with `by_class` to
    (..., C, R); undefined is NaN. `name` is its column in tables, `label` its name in reports. A measure
    without `interval` is not resampled, compared or gated, and appears only in the CSV files.
    """

    name: str
    label: str
    value: Callable[[Columns], Floats]
    better: Literal["higher", "lower", "neither"] = "higher"
    unit: Unit = PERCENT
    by_class: bool = False
    interval: bool = True

    @property
    def gated(self) -> bool:
        """Whether a gate may limit it: this takes an interval, and a direction that is better."""
        return self.interval and self.better != "neither"


def _itself(target: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return target


@dataclasses.dataclass(frozen=True)
class Tally:
    """One kind of count, with everything that the rest of the program needs to know about it.

    Attributes
    ----------
    name
        The name that a user asks for, such as `trimap-2`; also the name of the folder of its counts.
    title, note
        The heading under which a report shows its measures, and a sentence on what they mean. Tallies that
        share a title share a section.
    columns
        The names of its counts, each with its length: how many int64 numbers it has, or "classes" for one
        number per class of the data set. Rows merge by addition.
    count
        A function from a Prediction, the target as `prepare` returned it, and the number of classes to a
        row. This and all other fields must be picklable, because workers are other processes.
    measures
        The values that are computed from the counts; at least one has an interval and is not `by_class`. The
        first such one, and the first with an interval and `by_class`, are headlines: their scores have the
        shortest names (see `prefix`).
    prepare
        A function of the target, uint8 (H, W), that is called once for the predictions of all models.
    of_target
        The columns whose sum depends on the target alone, so that it is the same under every condition that
        does not move the target.
    needs_confidence
        Whether `count` reads `Prediction.confidence`.
    show
        "table" if reports show its measures in a table, "none" if only the CSV files have them.
    table, keys
        The CSV table that its measures are written to (by default its name), and the columns that distinguish
        tallies in a shared table, such as {"width": 2}.
    """

    name: str
    title: str
    note: str
    columns: Mapping[str, int | Literal["classes"]]
    count: Callable[[Prediction, Any, int], Row]
    measures: tuple[Measure, ...]
    prepare: Callable[[NDArray[np.uint8]], Any] = _itself
    of_target: tuple[str, ...] = ()
    needs_confidence: bool = False
    show: Literal["table", "none"] = "table"
    table: str = ""
    keys: Mapping[str, int | str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.whole:
            raise ValueError(
                f"Expected the tally '{self.name}' to have a measure with an interval and not by class, but "
                "got none: add one, its headline."
            )

    def lengths(self, num_classes: int) -> dict[str, int]:
        """Return how many numbers each column has."""
        return {name: num_classes if length == "classes" else length for name, length in self.columns.items()}

    @property
    def always(self) -> bool:
        """Whether every run counts it."""
        return self.name == PRIMARY

    @property
    def whole(self) -> tuple[Measure, ...]:
        """The measures with intervals that are one value for all classes; the first is the headline."""
        return tuple(measure for measure in self.measures if measure.interval and not measure.by_class)

    @property
    def by_class(self) -> tuple[Measure, ...]:
        """The measures with intervals that have one value per class."""
        return tuple(measure for measure in self.measures if measure.interval and measure.by_class)

    @property
    def headline(self) -> Measure:
        """The measure that represents the tally."""
        return self.whole[0]

    def prefix(self, measure: Measure) -> str:
        """Return the prefix of the names that a measure's scores have in rules and baselines.

        It is empty for the headlines of the primary tally, `TALLY/` for the headlines of another tally, and
        `TALLY.MEASURE/` for all other measures.
        """
        if measure in (*self.whole[:1], *self.by_class[:1]):
            return "" if self.always else f"{self.name}/"
        return f"{self.name}.{measure.name}/"
