"""Random states that depend on what is being corrupted and on nothing else."""

import json
from hashlib import blake2b

import numpy as np

__all__ = ["keyed_random_state"]


def keyed_random_state(version: str, seed: int, name: str, severity: int, key: str) -> np.random.RandomState:
    """Return the random state of one corrupted image; numpy's global one is neither read nor set.

    The five are hashed as a JSON list, which keeps ("a", "bc") and ("ab", "c") apart.

    Examples
    --------
    >>> state = keyed_random_state("0.1", 0, "fog", 3, "street.png")
    >>> state.uniform() == keyed_random_state("0.1", 0, "fog", 3, "street.png").uniform()
    True
    """
    words = json.dumps([version, seed, name, severity, key])
    digest = blake2b(words.encode("ascii"), digest_size=32).digest()
    return np.random.RandomState(np.random.MT19937(int.from_bytes(digest, "little")))
