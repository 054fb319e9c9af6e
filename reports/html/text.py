"""Names and scores as a page shows them.

Names of models, classes, images and corruptions come from others, so a page shortens them to one line. Markup
in them is harmless, because the templates escape everything.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from reports.formats.documents import one_line
from reports.run.tally import PERCENT, Unit

__all__ = ["UNDEFINED", "Phrase", "Score", "distinct", "label", "listing", "plural", "score_of", "words"]

LONGEST = 60  # characters of a name that a table has room for


class Score(NamedTuple):
    """A score and the ends of its interval, which is shown in its unit; undefined values are NaN.

    Examples
    --------
    >>> str(Score(0.414, 0.3991, 0.428)), str(Score(0.414)), str(UNDEFINED)
    ('41.4 [39.9, 42.8]', '41.4', '–')
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    unit: Unit = PERCENT

    @property
    def number(self) -> str:
        """The score without its interval."""
        return self.unit.text(self.value)

    @property
    def interval(self) -> str:
        """The interval in brackets, or "" if there is none."""
        return "" if math.isnan(self.low) else f"[{self.unit.text(self.low)}, {self.unit.text(self.high)}]"

    @property
    def defined(self) -> bool:
        """Whether the score is not NaN."""
        return not math.isnan(self.value)

    def __str__(self) -> str:
        return f"{self.number} {self.interval}".rstrip()


UNDEFINED = Score(math.nan)


class Phrase(NamedTuple):
    """A part of a sentence, and whether it is emphasised."""

    text: str
    strong: bool = False


def score_of(row: Mapping[Any, Any], column: str, unit: Unit = PERCENT) -> Score:
    """Return a score with its interval from a row of a table of `Results`."""
    return Score(float(row[column]), float(row[f"{column}_low"]), float(row[f"{column}_high"]), unit)


def label(name: object) -> str:
    """Return a name as a page shows it: on one line, shortened, and never empty.

    Examples
    --------
    >>> label("a\\nb"), len(label("x" * 10_000)), label("")
    ('a b', 60, '(no name)')
    """
    return one_line(str(name), LONGEST).strip() or "(no name)"


def words(name: object) -> str:
    """Return the name of a corruption as words."""
    return label(str(name).replace("_", " "))


def distinct(names: Iterable[object]) -> list[str]:
    """Return distinct labels, even if names differ only in characters that a label does not show.

    Examples
    --------
    >>> distinct(["a", "x" * 90 + "1", "x" * 90 + "2"])[2][-4:]
    '… #2'
    """
    seen: Counter[str] = Counter()
    found = []
    for name in map(label, names):
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return found


def plural(number: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> plural(1, "image"), plural(20, "class")
    ('1 image', '20 classes')
    """
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{ending}"


def listing(names: Iterable[str]) -> str:
    """Return names as a list in words.

    Examples
    --------
    >>> listing(["fog", "snow", "frost"])
    'fog, snow and frost'
    """
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
