"""What is counted of predictions: the columns of a tally, how an image is counted, what the sums measure."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["IGNORE_INDEX", "PERCENT", "PRIMARY", "Columns", "Measure", "Prediction", "Row", "Tally", "Unit"]

IGNORE_INDEX = 255  # the label of pixels that do not count
PRIMARY = "confusion"  # the tally that every run counts, which the main tables are about

Floats = NDArray[np.float64]
Row = Mapping[str, NDArray[np.int64]]
Columns = Mapping[str, NDArray[np.int64]]


class Prediction(NamedTuple):
    """What a model answered for one image: `labels` uint8 (H, W) in the data set's classes.

    `confidence` float32 (H, W) is the probability of each label, None unless a tally of the run asks for it.
    """

    labels: NDArray[np.uint8]
    confidence: NDArray[np.float32] | None = None


class Unit(NamedTuple):
    """How people read a value: times `scale`, with so many `decimals`, followed by `symbol`."""

    symbol: str = ""
    scale: float = 1.0
    decimals: int = 3

    def text(self, value: float) -> str:
        """Return a value without its symbol, a dash where it is undefined.

        Examples
        --------
        >>> PERCENT.text(0.5331), PERCENT.text(float("nan"))
        ('53.3', '–')
        """
        return "–" if math.isnan(value) else f"{self.scale * value:.{self.decimals}f}"

    def fine(self, value: float) -> str:
        """Return a value with one more decimal, as limits have them.

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


PERCENT = Unit("%", 100.0, 1)  # of fractions


@dataclasses.dataclass(frozen=True)
class Measure:
    """One value that follows from summed counts.

    `value` maps columns (..., L, R), whose last axis are replicates, to (..., R), or with `by_class` to
    (..., C, R); undefined is NaN. `name` is its column in tables, `label` what people read. A measure without
    `interval` is reported as it is: it is not resampled, and neither compared nor gated.
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
        """Whether a gate may name it: it needs an interval, and a direction that is better."""
        return self.interval and self.better != "neither"


def _itself(target: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return target


@dataclasses.dataclass(frozen=True)
class Tally:
    """One kind of count, and all that the rest of the program needs to know of it.

    Attributes
    ----------
    name
        What a user asks for, such as `trimap-2`; also the folder of its counts.
    title, note
        The heading under which a report shows its measures, and a sentence on what they mean. Tallies that
        share a title share a section.
    columns
        The names of its counts and how many int64 numbers each has: a number, or "classes" for one of each
        class of the data set. Rows merge by addition.
    count
        Maps a Prediction, what `prepare` made of the image's target, and the number of classes to a row.
        Everything here must be picklable: workers are other processes.
    measures
        The values that follow. The first without `by_class` is the headline; so is the first with it.
    prepare
        What is made of a target uint8 (H, W) once, for the predictions of all models.
    needs_confidence
        Whether `count` reads `Prediction.confidence`.
    show
        Whether reports show its measures in a table, or leave them to the CSV files.
    table, keys
        The CSV table that its measures go to (its name if empty), and the columns that tell apart the tallies
        that share it, such as {"width": 2}.
    """

    name: str
    title: str
    note: str
    columns: Mapping[str, int | Literal["classes"]]
    count: Callable[[Prediction, Any, int], Row]
    measures: tuple[Measure, ...]
    prepare: Callable[[NDArray[np.uint8]], Any] = _itself
    needs_confidence: bool = False
    show: Literal["table", "none"] = "table"
    table: str = ""
    keys: Mapping[str, int | str] = dataclasses.field(default_factory=dict)

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
        """The measures that are a value for each class."""
        return tuple(measure for measure in self.measures if measure.interval and measure.by_class)

    @property
    def headline(self) -> Measure:
        """The measure that stands for the tally."""
        return self.whole[0]

    def prefix(self, measure: Measure) -> str:
        """Return what stands before the names of a measure's scores in rules and baselines.

        It is empty for the headlines of the tally that every run counts, `TALLY/` for those of another one,
        and `TALLY.MEASURE/` for further measures.
        """
        if measure in (*self.whole[:1], *self.by_class[:1]):
            return "" if self.always else f"{self.name}/"
        return f"{self.name}.{measure.name}/"
