"""Image corruptions: an image in, a corrupted image out, the same one for the same seed and key.

Examples
--------
>>> import numpy as np
>>> import corruptions
>>> image = np.full((48, 64, 3), 100, np.uint8)
>>> corruptions.corrupt(image, "fog", severity=3, seed=0, key="street.png").shape
(48, 64, 3)
"""

from corruptions import noise, blur, weather, digital, camera  # noqa: F401, I001 (they register, in this order)
from corruptions.engine import SET_VERSION, corrupt, corrupt_pair, sweep
from corruptions.reference import MissingDependency
from corruptions.registry import GROUPS, SUBSETS, Corruption, get, names

__part_of__ = "robseg"  # robseg.neighbours looks for this line

__all__ = [
    "GROUPS",
    "SET_VERSION",
    "SUBSETS",
    "Corruption",
    "MissingDependency",
    "corrupt",
    "corrupt_pair",
    "get",
    "names",
    "sweep",
]
