"""Published robustness tables, to show beside the scores of a run or to use as the reference of CD and rCD.

`published_cityscapes.csv` holds mIoU in % on the Cityscapes validation set, averaged for each corruption over
severities 1-5 (noise: 1-3). Its 12 models are those of Kamann & Rother (CVPR 2020; IJCV 2021, doi
10.1007/s11263-020-01383-2) as table 5 of the SegFormer paper reprints them (Xie et al., NeurIPS 2021, arXiv
2105.15203); SegFormer's own row comes from the same table. We saw only this copy and could not check it
against the original tables, which also have the three camera corruptions, CD and rCD. Various people trained
the models, so differences between rows are not those of a controlled experiment.
"""

from __future__ import annotations

import csv
import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from reports.run.record import CLEAN
from reports.scoring.protocols import PROTOCOLS

__all__ = ["Published", "published"]

TABLE = Path(__file__).with_name("published_cityscapes.csv")
KAMANN_ROTHER = "Kamann & Rother, IJCV 2021, as reprinted in Xie et al., SegFormer, NeurIPS 2021, table 5"
SEGFORMER = "Xie et al., SegFormer, NeurIPS 2021, table 5"


@dataclasses.dataclass(frozen=True)
class Published:
    """One row of a published table: `clean` mIoU, and by corruption the mean over the protocol's severities.

    Scores are fractions. `protocol` names the Protocol whose conditions were averaged, `dataset` and `split`
    name the data. Scores on other conditions or other data must not be compared with these.
    """

    name: str
    clean: float
    corrupted: Mapping[str, float]
    source: str
    dataset: str = "cityscapes"
    split: str = "val"
    protocol: str = "segformer"

    @property
    def conditions(self) -> frozenset[tuple[str, int]]:
        """The (corruption, severity) pairs that were averaged."""
        severities = PROTOCOLS[self.protocol].severities
        return frozenset((name, severity) for name in self.corrupted for severity in severities[name])


@functools.cache
def published() -> Mapping[str, Published]:
    """Return the published rows by name.

    Examples
    --------
    >>> published()["ICNet"].clean, published()["PSPNet"].corrupted["fog"]
    (0.659, 0.344)
    """
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = [_row(line) for line in csv.DictReader(file)]
    return MappingProxyType({row.name: row for row in rows})


def _row(line: dict[str, str]) -> Published:
    name = line.pop("model")
    # Rounded, because 34.4 / 100 is not the same float as 0.344.
    mious = {corruption: round(float(value) / 100, 4) for corruption, value in line.items()}
    clean = mious.pop(CLEAN)
    source = SEGFORMER if name.startswith("SegFormer") else KAMANN_ROTHER
    return Published(name, clean, MappingProxyType(mious), source)
