"""Protocols: the corruptions and severities of published and recommended benchmarks."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

__all__ = ["CUSTOM", "MOVES_PIXELS", "PROTOCOLS", "Protocol", "conditions"]


class _Corruption(NamedTuple):
    """A row of corruptions.csv."""

    name: str
    set: str
    subsets: Collection[str]
    severities: tuple[int, ...]
    moves_pixels: bool


def _corruptions() -> tuple[_Corruption, ...]:
    """Read the table that `make generated` writes, because reports cannot import `corruptions`."""
    table = Path(__file__).with_name("corruptions.csv")
    with table.open(encoding="utf-8", newline="") as file:
        return tuple(
            _Corruption(
                row["corruption"],
                row["set"],
                row["subsets"].split(),
                tuple(range(1, int(row["severities"]) + 1)),
                row["moves_pixels"] == "yes",
            )
            for row in csv.DictReader(file)
        )


_ALL = _corruptions()
_COMMON = [corruption for corruption in _ALL if "common" in corruption.subsets]
_VALIDATION = [corruption for corruption in _ALL if "validation" in corruption.subsets]
_OTHERS = [corruption for corruption in _ALL if corruption not in _COMMON + _VALIDATION]

# the order in which Kamann & Rother list the corruptions of ImageNet-C
_ORDER = (
    "motion_blur", "defocus_blur", "glass_blur", "gaussian_blur",
    "gaussian_noise", "impulse_noise", "shot_noise", "speckle_noise",
    "brightness", "contrast", "saturate", "jpeg_compression",
    "snow", "spatter", "fog", "frost",
)  # fmt: skip
_KAMANN_19 = sorted(
    (corruption for corruption in _ALL if "kamann" in corruption.subsets),
    key=lambda corruption: _ORDER.index(corruption.name) if corruption.name in _ORDER else len(_ORDER),
)
_KAMANN_16 = [corruption for corruption in _KAMANN_19 if corruption.set == "imagenet-c"]

MOVES_PIXELS = frozenset(corruption.name for corruption in _ALL if corruption.moves_pixels)
"""The corruptions that move pixels; a protocol may leave their targets unmoved."""


@dataclasses.dataclass(frozen=True)
class Protocol:
    """A named set of conditions, and how scores are averaged over them.

    `severities` holds the severities of each corruption, in order. `move_targets` says whether the target
    moves with a corruption that moves pixels. Within a corruption, severities are averaged first. `mean_over`
    says whether mPC gives every condition or every corruption the same weight, which differs if corruptions
    have different numbers of severities. `ratio` says whether mCD and mrCD are the mean of the corruptions'
    ratios, as mCE is, or the ratio of sums over all corruptions.
    """

    name: str
    title: str
    severities: Mapping[str, tuple[int, ...]]
    source: str
    note: str = ""
    move_targets: bool = True
    mean_over: Literal["conditions", "corruptions"] = "conditions"
    ratio: Literal["mean of ratios", "ratio of sums"] = "mean of ratios"

    @property
    def corruptions(self) -> tuple[str, ...]:
        """The names of the corruptions, in order."""
        return tuple(self.severities)


def conditions(protocol: Protocol) -> tuple[tuple[str, int], ...]:
    """Return the protocol's corrupted conditions, (corruption, severity), in order.

    Examples
    --------
    >>> len(conditions(PROTOCOLS["segformer"]))
    72
    >>> conditions(PROTOCOLS["level5"])[0]
    ('motion_blur', 5)
    """
    return tuple((name, severity) for name, levels in protocol.severities.items() for severity in levels)


def _every_severity(corruptions: Iterable[_Corruption]) -> Mapping[str, tuple[int, ...]]:
    return MappingProxyType({corruption.name: corruption.severities for corruption in corruptions})


def _mild_noise(corruptions: Iterable[_Corruption]) -> Mapping[str, tuple[int, ...]]:
    """Return all severities, but only 1 to 3 of noise, which leaves hardly any signal above."""
    return MappingProxyType(
        {
            corruption.name: (1, 2, 3) if corruption.name.endswith("_noise") else corruption.severities
            for corruption in corruptions
        }
    )


_KAMANN = "Kamann & Rother, IJCV 2021, doi 10.1007/s11263-020-01383-2"

_PROTOCOLS = (
    Protocol(
        "kamann-rother",
        "Kamann & Rother's 19 corruptions, noise at severities 1-3",
        _mild_noise(_KAMANN_19),
        _KAMANN,
        "The parameters of the three camera corruptions were not published: ours are substitutes.",
    ),
    Protocol(
        "segformer",
        "Kamann & Rother's 16 corruptions from ImageNet-C, noise at severities 1-3",
        _mild_noise(_KAMANN_16),
        "Xie et al., SegFormer, NeurIPS 2021, appendix D, arXiv 2105.15203",
    ),
    Protocol(
        "imagenet-c",
        "ImageNet-C's 15 corruptions at five severities, averaged as in its corruption error",
        _every_severity(_COMMON),
        "Hendrycks & Dietterich, ICLR 2019, arXiv 1903.12261",
        "mCD against a reference model takes the place of mCE against AlexNet.",
        move_targets=False,
    ),
    Protocol(
        "mpc",
        "Mean performance under corruption: the 15 common corruptions at five severities",
        _every_severity(_COMMON),
        "Michaelis et al. 2019, arXiv 1907.07484",
        move_targets=False,
    ),
    Protocol(
        "level5",
        "Cityscapes-C level 5: 16 corruptions at severity 5",
        MappingProxyType({corruption.name: (5,) for corruption in _KAMANN_16}),
        "Ding et al., HGFormer, CVPR 2023, arXiv 2305.13031",
    ),
    Protocol(
        "full",
        f"All {len(_ALL)} corruptions at every severity",
        _every_severity(_COMMON + _VALIDATION + _OTHERS),
        "robseg",
    ),
)

PROTOCOLS: Mapping[str, Protocol] = MappingProxyType({protocol.name: protocol for protocol in _PROTOCOLS})

CUSTOM = Protocol("custom", "Corruptions of your own choice", MappingProxyType({}), "")
"""The protocol of a run whose conditions the user chose."""
