"""The real `imagecorruptions` 1.1.2 on current libraries, seeded, without changing any global state.

The package was written for the libraries of 2020. Its file of corruptions is executed here as a private
module, apart from any `imagecorruptions` that the user has imported. Its imports get stand-ins where today's
libraries differ:

- numpy has no `float_`, and `numpy.random` is the caller's random state, one per thread;
- scikit-image calls the `multichannel` of its Gaussian filter `channel_axis`, and its salt-and-pepper noise
  draws from its own generator unless it is given one;
- `scipy.ndimage.interpolation` is deprecated, and `pkg_resources` no longer exists;
- OpenCV is imported at its first use, so that without it only the corruptions that need it fail.

The number of OpenCV's threads is left alone, as no pixel depends on it. A program with several workers sets
the variable OPENCV_FOR_THREADS_NUM before it starts them.
"""

import builtins
import importlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from corruptions.kernels.published import MissingDependency, published_folder
from corruptions.registry import get

__all__ = ["MissingDependency", "corrupt", "needs_opencv"]


def corrupt(
    image: NDArray[np.uint8], name: str, severity: int, rng: np.random.RandomState
) -> NDArray[np.uint8]:
    """Return exactly the result of `imagecorruptions` for a (H, W, 3) RGB image of at least 32 x 32 pixels.

    `rng` takes the place of numpy's global generator: `RandomState(0)` gives the pixels that the package
    gives after `numpy.random.seed(0)`. The package's impulse_noise ignores that seed; here it draws from
    `rng` too. Where the package's spatter divides by zero, on small images, the image is left unchanged.

    Examples
    --------
    >>> grey = np.full((32, 48, 3), 128, np.uint8)
    >>> int(corrupt(grey, "pixelate", 3, np.random.RandomState(0)).mean())
    128
    """
    _require_opencv(name)
    function = _package()[get(name).short_name]
    with _draws.using(rng), np.errstate(invalid="ignore"):
        corrupted = np.asarray(function(Image.fromarray(image), severity))
    if corrupted.dtype != np.uint8:
        # without a single drop, the package divides the water by its maximum, 0
        corrupted = np.where(np.isnan(corrupted), image, corrupted)
    return np.array(corrupted, dtype=np.uint8, order="C")


def needs_opencv(name: str) -> bool:
    """Return whether a corruption calls OpenCV, by following its calls through the package's source.

    Examples
    --------
    >>> needs_opencv("frost"), needs_opencv("fog")
    (True, False)
    """
    return "cv2" in _names_used_by(get(name).short_name, frozenset())


def _require_opencv(name: str) -> None:
    if needs_opencv(name) and isinstance(cause := _opencv(), ImportError):
        reason = " ".join(str(cause).split())
        raise MissingDependency(
            f"The corruption '{name}' needs OpenCV, whose import failed ({reason}): install what is "
            f"missing, e.g. `apt-get install libgl1 libglib2.0-0`, or leave out '{name}'."
        )


def _names_used_by(name: str, seen: frozenset[str]) -> frozenset[str]:
    function = _package().get(name)
    if name in seen or not isinstance(function, FunctionType):
        return seen | {name}
    seen |= {name}
    for used in _names_in(function.__code__):
        seen |= _names_used_by(used, seen)
    return seen


def _names_in(code: CodeType) -> set[str]:
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return set(code.co_names).union(*map(_names_in, inner))


class _Draws(threading.local):
    """Stands in for `numpy.random`: draws come from the random state of this thread."""

    def __init__(self) -> None:
        self._state: np.random.RandomState | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)

    @contextmanager
    def using(self, state: np.random.RandomState) -> Iterator[None]:
        self._state = state
        try:
            yield
        finally:
            self._state = None

    def generator(self) -> np.random.Generator:
        """Return a generator that draws from the bits of the random state."""
        return np.random.Generator(self._bit_generator)


_draws = _Draws()


class _Numpy:
    """Stands in for numpy, with the names that it had in 2020."""

    float_ = np.float64
    random = _draws

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


class _OpenCV:
    """Stands in for cv2, which is imported at the first use."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_opencv(), name)


@cache
def _opencv() -> ModuleType | ImportError:
    # cached, because a second attempt would fail with a recursion error that hides the cause
    try:
        return importlib.import_module("cv2")
    except ImportError as error:
        return error


@cache
def _package() -> Mapping[str, Any]:
    """Execute the package's file of corruptions and return its namespace."""
    folder = published_folder()
    source = folder / "corruptions.py"
    stand_ins = _stand_ins(folder)

    def import_(
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 (the names are those of __import__)
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> Any:
        return stand_ins.get(name) or builtins.__import__(name, globals, locals, fromlist, level)

    own_builtins = {**vars(builtins), "__import__": import_}
    namespace = {"__name__": "corruptions._imagecorruptions", "__builtins__": own_builtins}
    exec(compile(source.read_bytes(), str(source), "exec"), namespace)  # noqa: S102
    return namespace


def _stand_ins(folder: Path) -> dict[str, Any]:
    color = importlib.import_module("skimage.color")
    ndimage = importlib.import_module("scipy.ndimage")
    return {
        "cv2": _OpenCV(),
        "numpy": _Numpy(),
        "pkg_resources": SimpleNamespace(resource_filename=lambda _, name: str(folder / name)),
        "scipy.ndimage.interpolation": ndimage,
        "skimage": SimpleNamespace(util=SimpleNamespace(random_noise=_random_noise()), color=color),
        "skimage.filters": SimpleNamespace(gaussian=_gaussian()),
    }


def _gaussian() -> Callable[..., NDArray[np.float64]]:
    filters = importlib.import_module("skimage.filters")

    def gaussian(
        image: NDArray[Any],
        sigma: float | NDArray[np.float64] = 1,
        multichannel: bool = False,
        mode: str = "nearest",
        truncate: float = 4.0,
    ) -> NDArray[np.float64]:
        axis = -1 if multichannel else None
        blurred: NDArray[np.float64] = filters.gaussian(
            image, sigma=sigma, mode=mode, truncate=truncate, channel_axis=axis
        )
        return blurred

    return gaussian


def _random_noise() -> Callable[..., NDArray[np.float64]]:
    util = importlib.import_module("skimage.util")

    def random_noise(image: NDArray[np.float64], mode: str, amount: float) -> NDArray[np.float64]:
        noisy: NDArray[np.float64] = util.random_noise(
            image, mode=mode, amount=amount, rng=_draws.generator()
        )
        return noisy

    return random_noise
