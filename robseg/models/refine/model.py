"""A model whose labels are refined is a model of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from robseg.models.card import Card
from robseg.models.predict.batch import Batch
from robseg.models.predict.prediction import Prediction, Predictor
from robseg.models.refine.gather import refined
from robseg.models.refine.names import METHOD, SCALE, refined_name
from robseg.models.refine.offsets import Offsets

__all__ = ["RefinedModel"]

Number = TypeVar("Number", int, float)


@dataclasses.dataclass(frozen=True)
class RefinedModel:
    """A model whose labels each move in from where an offset points; a unit of offset is `scale` pixels.

    In one batch the base predicts once, whether it is asked for itself or for its refined labels, and offsets
    are computed once for all models that share them. A pixel's confidence moves with its label. A refined
    model can be pickled if its base can.
    """

    base: Predictor
    offsets: Offsets
    scale: int = SCALE

    @property
    def name(self) -> str:
        """The base's name with the method behind it: `enet@streets+segfix`."""
        return refined_name(self.base.name)

    @property
    def parts(self) -> tuple[Predictor, Offsets]:
        """The base and the offsets."""
        return (self.base, self.offsets)

    @property
    def card(self) -> Card:
        """The base's card under the refined name; what was published of the base does not hold here."""
        return dataclasses.replace(
            self.base.card,
            id=self.name,
            published_miou=None,
            published_interval=None,
            published_protocol="",
            published_precision="",
        )

    @property
    def identity(self) -> str:
        """What labels depend on: the base, the network or the files of the offsets, and the scale."""
        return f"{self.base.identity}+{self.offsets.identity}x{self.scale}"

    @property
    def sha256(self) -> str:
        """The SHA-256 of the base's weights; that of the offsets is among the facts."""
        return self.base.sha256

    @property
    def parameters(self) -> int | None:
        """The number of trained values of both."""
        return _sum(self.base.parameters, self.offsets.parameters)

    @property
    def facts(self) -> Mapping[str, str]:
        """How labels are refined, for a run's record."""
        return {
            **self.base.facts,
            "Refines the labels of": self.base.name,
            "Refined by": f"{METHOD} with {self.offsets.source}, {self.scale} pixels per unit of offset",
            "Offsets": self.offsets.origin,
            "Offsets, SHA-256": self.offsets.sha256,
        }

    def gmacs(self, height: int, width: int) -> float | None:
        """Return the billions of multiply-accumulates of both for one image."""
        return _sum(self.base.gmacs(height, width), self.offsets.gmacs(height, width))

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the class of each pixel, uint8 (N, H, W), of uint8 RGB images (N, H, W, 3).

        Raises
        ------
        InputError
            If offsets are read from files, which are found by the images' ids.
        """
        return Batch(images).result(self).labels

    def compute(self, batch: Batch) -> Prediction:
        """Return the base's prediction for a batch, moved by the offsets."""
        labels, confidence = batch.result(self.base)
        offsets = batch.result(self.offsets)
        return Prediction(
            refined(labels, offsets, self.scale),
            None if confidence is None else refined(confidence, offsets, self.scale),
        )


def _sum(one: Number | None, other: Number | None) -> Number | None:
    """Return the sum, None where a number is unknown."""
    return None if one is None or other is None else one + other
