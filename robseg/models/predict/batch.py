"""A batch of images, and the results of models for it: each is computed once, whoever asks for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from robseg.models.predict.failures import reported

__all__ = ["Batch", "Part"]

Result = TypeVar("Result", covariant=True)


class Part(Protocol[Result]):
    """Something that computes a result for a batch: a model, or a part of one.

    `parts` are the parts whose results it starts from; they are computed first.
    """

    @property
    def name(self) -> str:
        """What its computing time is listed under."""

    @property
    def parts(self) -> tuple[Part[Any], ...]:
        """The parts that it builds on."""

    def compute(self, batch: Batch) -> Result:
        """Return the result for a batch."""


class Batch:
    """Images of one size, uint8 RGB (N, H, W, 3), their ids, and the results of parts, each computed once.

    Parameters
    ----------
    images
        The images.
    ids
        The images' ids, if they come from a data set.
    confidence
        Whether predictions must say how confident they are.
    timed
        Called with a part's name; the part computes in the context that it returns, without the parts that it
        builds on.

    Examples
    --------
    >>> from robseg.models import load_model
    >>> model = load_model(lambda images: images, class_names=["red", "green", "blue"])
    >>> batch = Batch(np.zeros((1, 2, 3, 3), np.uint8))
    >>> batch.result(model).labels.shape, batch.result(model) is batch.result(model)
    ((1, 2, 3), True)
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        ids: Sequence[str] = (),
        *,
        confidence: bool = False,
        timed: Callable[[str], AbstractContextManager[object]] = contextlib.nullcontext,
    ) -> None:
        _check(images)
        self.images = images
        self.ids = tuple(ids)
        self.confidence = confidence
        self._timed = timed
        # By identity, because parts need not be hashable. Each is kept, so that its id() is not used again.
        self._results: dict[int, tuple[Part[Any], Any]] = {}

    def result(self, part: Part[Result]) -> Result:
        """Return a part's result for these images.

        Raises
        ------
        InputError
            If the part computes no numbers, or runs out of memory.
        """
        if id(part) not in self._results:
            for each in part.parts:
                self.result(each)
            with self._timed(part.name), reported(part.name, len(self.images), self.ids):
                self._results[id(part)] = part, part.compute(self)
        found: Result = self._results[id(part)][1]
        return found


def _check(images: object) -> None:
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        kind = images.dtype if isinstance(images, np.ndarray) else type(images).__name__
        raise ValueError(f"Expected `images` to be a uint8 array, but got {kind}: give values of 0..255.")
    if images.ndim != 4 or images.shape[3] != 3 or 0 in images.shape:
        raise ValueError(
            f"Expected `images` of shape (N, H, W, 3), but got {images.shape}: "
            "stack RGB images of one size (image[None] for a single one)."
        )
