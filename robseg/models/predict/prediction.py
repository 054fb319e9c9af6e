"""What a model answers, and what every model can be asked, whatever it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from robseg.models.card import Card
from robseg.models.predict.batch import Part

__all__ = ["Prediction", "Predictor"]


class Prediction(NamedTuple):
    """The class of each pixel, uint8 (N, H, W), and the model's confidence in it, float32 (N, H, W) in 0..1.

    The confidence is None unless the batch asked for it. It is the class's probability: the softmax of the
    logits at the image's size, averaged over windows and the mirrored image first, or the averaged
    probabilities, where the card says that these are averaged.
    """

    labels: NDArray[np.uint8]
    confidence: NDArray[np.float32] | None = None


class Predictor(Part[Prediction], Protocol):
    """A model that labels images: a network, or another model that is refined or otherwise changed."""

    @property
    def card(self) -> Card:
        """Facts about the model; its id is the model's name."""

    @property
    def identity(self) -> str:
        """What labels depend on; counts of one name and different identities are never mixed."""

    @property
    def sha256(self) -> str:
        """The SHA-256 of the weights, "" for a callable without any."""

    @property
    def parameters(self) -> int | None:
        """The number of trained values, None where it is unknown."""

    @property
    def facts(self) -> Mapping[str, str]:
        """What else a record of provenance says, by key: how a changed model was changed."""

    def gmacs(self, height: int, width: int) -> float | None:
        """Return the billions of multiply-accumulates for one image, None where they cannot be counted."""

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the class of each pixel, uint8 (N, H, W), of uint8 RGB images (N, H, W, 3)."""
