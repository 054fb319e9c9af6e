"""Image corruptions: an image in, a corrupted image out, the same for the same seed and key.

Examples
--------
>>> import numpy as np
>>> import corruptions
>>> image = np.full((48, 64, 3), 100, np.uint8)
>>> corruptions.corrupt(image, "fog", severity=3, seed=0, key="street.png").shape
(48, 64, 3)
"""

from corruptions import registry
from corruptions.engine import corrupt, corrupt_pair, sweep
from corruptions.kernels.published import MissingDependency
from corruptions.registry import GROUPS, SETS, Corruption, CorruptionSet, get, names
from corruptions.sets import register_all

__part_of__ = "robseg"  # robseg.neighbours looks for this line

__all__ = [
    "GROUPS",
    "SETS",
    "SET_VERSION",
    "SUBSETS",
    "Corruption",
    "CorruptionSet",
    "MissingDependency",
    "corrupt",
    "corrupt_pair",
    "get",
    "names",
    "sweep",
]

register_all()

SUBSETS = (*registry.subsets(), *SETS, "all")
"""Selections of corruptions other than groups; see `names`."""

SET_VERSION = registry.set_version()
"""Changes whenever any pixel of any corruption changes."""
