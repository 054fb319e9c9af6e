"""Corruptions without a kernel of their own yet: the reference's, drawing from a state made of the stream."""

import numpy as np
from numpy.typing import NDArray

from corruptions import reference
from corruptions.random import Stream
from corruptions.registry import Apply, Parameters, get

__all__ = ["by_reference", "random_state"]


def random_state(stream: Stream) -> np.random.RandomState:
    """Return a random state that depends on nothing but the stream."""
    return np.random.RandomState(np.random.MT19937([int(word) for word in stream]))


def by_reference(name: str) -> Apply:
    """Return the reference's version of a corruption, to be called as a kernel."""

    def apply(image: NDArray[np.uint8], parameters: Parameters, stream: Stream) -> NDArray[np.uint8]:
        severity = 1 + [row is parameters for row in get(name).parameters].index(True)
        return reference.corrupt(image, name, severity, random_state(stream))

    return apply
