"""A drop-in replacement for `imagecorruptions`: change the import and keep the code.

`from imagecorruptions import corrupt, get_corruption_names` becomes
`from corruptions.compat import corrupt, get_corruption_names`, and `imagecorruptions.corruptions` becomes
`corruptions.compat.corruptions`. The differences: images may be smaller than 32 x 32, wrong arguments raise
ValueError, and a `seed` may be given to `corrupt`.
"""

import numpy as np
from numpy.typing import NDArray

from corruptions import engine
from corruptions.compat import corruptions
from corruptions.compat.corruptions import *  # noqa: F403 (as imagecorruptions does)
from corruptions.compat.corruptions import Function, seed_from_numpy
from corruptions.registry import names

__all__ = ["corrupt", "corruption_dict", "corruption_tuple", "corruptions", "get_corruption_names"]
__all__ += corruptions.__all__

# imagecorruptions numbers its corruptions in this order, of which its subsets are slices
corruption_tuple: tuple[Function, ...] = tuple(
    getattr(corruptions, name) for name in (*names("common"), *names("validation"))
)
corruption_dict: dict[str, Function] = {function.__name__: function for function in corruption_tuple}
_ORDER = tuple(corruption_dict)
_SUBSETS = {
    "common": slice(0, 15),
    "validation": slice(15, 19),
    "all": slice(0, 19),
    "noise": slice(0, 3),
    "blur": slice(3, 7),
    "weather": slice(7, 11),
    "digital": slice(11, 15),
}


def corrupt(
    image: NDArray[np.uint8],
    severity: int = 1,
    corruption_name: str | None = None,
    corruption_number: int = -1,
    *,
    seed: int | None = None,
    key: str = "",
) -> NDArray[np.uint8]:
    """Return a corrupted (H, W, 3) copy of a uint8 image (H, W, 3), (H, W, 1) or (H, W).

    As in imagecorruptions, every call draws from numpy's global generator, which numpy.random.seed makes
    repeatable. With a `seed`, that generator is not used, and the pixels are those of `corruptions.corrupt`
    with the same seed and key. `corruption_number` is an index into get_corruption_names("all").

    Examples
    --------
    >>> image = np.full((32, 48), 100, np.uint8)
    >>> corrupt(image, severity=2, corruption_name="contrast").shape
    (32, 48, 3)
    >>> corrupt(image, 3, corruption_number=5, seed=1).dtype
    dtype('uint8')
    """
    name = corruption_name if corruption_name is not None else _name(corruption_number)
    seed = seed_from_numpy() if seed is None else seed
    return engine.corrupt(_as_rgb(image), name, severity, seed=seed, key=key)


def get_corruption_names(subset: str = "common") -> list[str]:
    """Return the corruptions of a subset, grouped as in imagecorruptions, where brightness is weather.

    Examples
    --------
    >>> get_corruption_names("noise")
    ['gaussian_noise', 'shot_noise', 'impulse_noise']
    """
    if subset not in _SUBSETS:
        raise ValueError(
            f"Expected `subset` to be one of {', '.join(_SUBSETS)}, but got {subset!r}: choose one."
        )
    return list(_ORDER[_SUBSETS[subset]])


def _name(number: int) -> str:
    if number == -1:
        raise ValueError(
            "Expected `corruption_name` or `corruption_number`, but got neither: name a corruption of "
            "get_corruption_names('all')."
        )
    if isinstance(number, bool) or number not in range(len(_ORDER)):
        raise ValueError(
            f"Expected `corruption_number` to be an int from 0 to {len(_ORDER) - 1}, but got {number!r}: "
            "use `corruption_name`."
        )
    return _ORDER[number]


def _as_rgb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a grey image with three channels, and anything else as it is: the engine checks it."""
    if isinstance(image, np.ndarray) and (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 1)):
        return np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    return image
