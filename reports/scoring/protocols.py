"""Protocols: which corruptions at which severities make a published or a recommended benchmark."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

__all__ = ["CUSTOM", "MOVES_PIXELS", "PROTOCOLS", "Protocol", "conditions"]

ALL_SEVERITIES = (1, 2, 3, 4, 5)

# The 16 of ImageNet-C that Kamann & Rother use, in their four groups. Zoom blur, elastic transform and
# pixelate are not among them.
KAMANN_16 = (
    "motion_blur", "defocus_blur", "glass_blur", "gaussian_blur",
    "gaussian_noise", "impulse_noise", "shot_noise", "speckle_noise",
    "brightness", "contrast", "saturate", "jpeg_compression",
    "snow", "spatter", "fog", "frost",
)  # fmt: skip
CAMERA_3 = ("psf_blur", "intensity_dependent_noise", "geometric_distortion")
IMAGENET_C_15 = (
    "gaussian_noise", "shot_noise", "impulse_noise",
    "defocus_blur", "glass_blur", "motion_blur", "zoom_blur",
    "snow", "frost", "fog", "brightness",
    "contrast", "elastic_transform", "pixelate", "jpeg_compression",
)  # fmt: skip
MOVES_PIXELS = frozenset({"elastic_transform", "geometric_distortion"})  # so their targets may move as well
IMAGENET_C_VALIDATION_4 = ("speckle_noise", "gaussian_blur", "spatter", "saturate")


@dataclasses.dataclass(frozen=True)
class Protocol:
    """A named set of conditions, and how scores are averaged over them.

    `severities` says for each corruption, in order, at which severities it counts; `move_targets` whether the
    target moves with a corruption that moves pixels. Within a corruption, severities are averaged first.
    `mean_over` says whether mPC weighs every condition or every corruption alike, which differ where the
    corruptions have different numbers of severities. `ratio` says whether mCD and mrCD are the mean of the
    corruptions' ratios, as mCE is, or the ratio of sums over all corruptions.
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


def _uniform(names: tuple[str, ...], severities: tuple[int, ...]) -> Mapping[str, tuple[int, ...]]:
    return MappingProxyType(dict.fromkeys(names, severities))


def _mild_noise(names: tuple[str, ...]) -> Mapping[str, tuple[int, ...]]:
    """Noise counts at severities 1 to 3 only: above, hardly a signal is left."""
    return MappingProxyType(
        {name: (1, 2, 3) if name.endswith("_noise") else ALL_SEVERITIES for name in names}
    )


_KAMANN = "Kamann & Rother, IJCV 2021, doi 10.1007/s11263-020-01383-2"

_PROTOCOLS = (
    Protocol(
        "kamann-rother",
        "Kamann & Rother's 19 corruptions, noise at severities 1-3",
        _mild_noise(KAMANN_16 + CAMERA_3),
        _KAMANN,
        "The parameters of the three camera corruptions were not published: ours are substitutes.",
    ),
    Protocol(
        "segformer",
        "The 16 of Kamann & Rother that are in ImageNet-C, noise at severities 1-3",
        _mild_noise(KAMANN_16),
        "Xie et al., SegFormer, NeurIPS 2021, appendix D, arXiv 2105.15203",
    ),
    Protocol(
        "imagenet-c",
        "ImageNet-C's 15 corruptions at five severities, in the manner of its corruption error",
        _uniform(IMAGENET_C_15, ALL_SEVERITIES),
        "Hendrycks & Dietterich, ICLR 2019, arXiv 1903.12261",
        "mCD against a reference model takes the place of mCE against AlexNet.",
        move_targets=False,
    ),
    Protocol(
        "mpc",
        "Mean performance under corruption: the 15 common corruptions at five severities",
        _uniform(IMAGENET_C_15, ALL_SEVERITIES),
        "Michaelis et al. 2019, arXiv 1907.07484",
        move_targets=False,
    ),
    Protocol(
        "level5",
        "Cityscapes-C level 5: 16 corruptions at severity 5",
        _uniform(KAMANN_16, (5,)),
        "Ding et al., HGFormer, CVPR 2023, arXiv 2305.13031",
    ),
    Protocol(
        "full",
        "All 22 corruptions at five severities",
        _uniform(IMAGENET_C_15 + IMAGENET_C_VALIDATION_4 + CAMERA_3, ALL_SEVERITIES),
        "robseg",
    ),
)

PROTOCOLS: Mapping[str, Protocol] = MappingProxyType({protocol.name: protocol for protocol in _PROTOCOLS})

# What holds for conditions that somebody put together: all that the run has.
CUSTOM = Protocol("custom", "Corruptions of one's own choice", MappingProxyType({}), "")
