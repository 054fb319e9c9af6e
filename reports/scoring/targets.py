"""Whether an image's target is the same under all conditions, as far as its counts can tell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reports.run.counts import ConditionCounts
from reports.run.errors import InvalidRun
from reports.run.record import RunRecord
from reports.run.tally import Tally
from reports.scoring.protocols import MOVES_PIXELS

__all__ = ["SameTargets"]


class SameTargets:
    """Compare what a tally counts of the targets alone (`Tally.of_target`) between conditions and models."""

    def __init__(self, record: RunRecord, tally: Tally) -> None:
        self._record = record
        self._columns = tally.of_target
        self._known: NDArray[np.int64] | None = None  # (N, L); -1 for an image that was not seen yet

    def check(self, counts: ConditionCounts) -> None:
        """Compare the counts of a condition with those of the conditions before it.

        Records without a context are passed over, since it is not known how their counts were made.

        Raises
        ------
        InvalidRun
            If an image has another target than before; the message names the first one.
        """
        record = self._record
        condition = record.conditions[counts.place]
        moved = record.move_targets and condition.corruption in MOVES_PIXELS
        if moved or not self._columns or record.context is None:
            return
        targets = np.sum([counts.columns[name] for name in self._columns], axis=0)
        if self._known is None:
            self._known = np.full(targets.shape[1:], -1)
        for model, seen, rows in zip(record.models, counts.seen, targets, strict=True):
            new = seen & (self._known[:, 0] < 0)
            self._known[new] = rows[new]
            other = seen & (rows != self._known).any(axis=-1)
            if other.any():
                raise InvalidRun(
                    f"Expected the same target for {record.images[other.argmax()]} in all counts, but under "
                    f"{condition.corruption} (severity {condition.severity}) those of {model.name} are of "
                    "another: evaluate again, into an empty folder."
                )
