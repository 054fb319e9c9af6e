"""Corruptions as a transform for torchvision's pipelines (`torchvision.transforms.v2`); needs torchvision."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

from corruptions import engine
from corruptions.registry import get

__all__ = ["Corrupt"]


class Corrupt(v2.Transform):  # type: ignore[misc]  # torchvision has no types
    """Corrupt the images of a sample, and move its masks with them if the corruption moves pixels.

    A sample is what torchvision's transforms take: PIL images, uint8 tensors (..., C, H, W) with one or three
    channels, and nested structures of these with `tv_tensors.Mask` (..., H, W) of uint8 or int64 class ids.
    Anything else is passed through. Unless `seed` is given, each call draws a new seed from torch's
    generator, as other transforms do; all images of a sample share it.

    Examples
    --------
    >>> transform = v2.Compose([Corrupt("fog", severity=2), v2.ToDtype(torch.float32, scale=True)])
    >>> transform(torch.zeros(3, 40, 50, dtype=torch.uint8)).shape
    torch.Size([3, 40, 50])
    """

    def __init__(
        self, name: str, severity: int = 3, *, seed: int | None = None, ignore_index: int = 255
    ) -> None:
        super().__init__()
        self.name = get(name).name
        self.severity = severity
        self.seed = seed
        self.ignore_index = ignore_index

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:  # noqa: ARG002 (torchvision's hook)
        """Draw the seed that the images and masks of one sample share."""
        seed = self.seed if self.seed is not None else int(torch.randint(2**62, ()))
        return {"seed": seed}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Corrupt one image or move one mask."""
        if isinstance(inpt, Image.Image):
            return Image.fromarray(self._corrupted(np.asarray(inpt), params["seed"]))
        if isinstance(inpt, tv_tensors.Mask):
            moved = _each(inpt, 2, lambda target: self._moved(target, params["seed"]))
            return tv_tensors.wrap(moved, like=inpt)
        if isinstance(inpt, tv_tensors.Image):
            return tv_tensors.wrap(self._tensor(inpt, params["seed"]), like=inpt)
        return self._tensor(inpt, params["seed"]) if isinstance(inpt, torch.Tensor) else inpt

    def extra_repr(self) -> str:
        """Return the arguments for the transform's repr."""
        return f"{self.name!r}, severity={self.severity}, seed={self.seed}"

    def _tensor(self, images: torch.Tensor, seed: int) -> torch.Tensor:
        return _each(
            images,
            3,
            lambda planes: np.moveaxis(self._corrupted(np.moveaxis(planes, 0, 2), seed), 2, 0),
        )

    def _corrupted(self, image: NDArray[Any], seed: int) -> NDArray[np.uint8]:
        return engine.corrupt(image, self.name, self.severity, seed=seed)

    def _moved(self, target: NDArray[Any], seed: int) -> NDArray[Any]:
        ids = target.astype(np.uint8)
        if (ids != target).any():
            raise ValueError(
                f"Expected masks of class ids from 0 to 255, but got {target.min()} to {target.max()}: map "
                f"pixels to ignore to {self.ignore_index}."
            )
        moved = engine.corrupt_target(
            ids, self.name, self.severity, seed=seed, ignore_index=self.ignore_index
        )
        return moved.astype(target.dtype)


def _each(tensor: torch.Tensor, dimensions: int, function: Any) -> torch.Tensor:
    """Apply a function to every array of the last `dimensions` of a tensor; keep the device."""
    flat = tensor.as_subclass(torch.Tensor).reshape(-1, *tensor.shape[-dimensions:])
    arrays = [torch.from_numpy(np.ascontiguousarray(function(part))) for part in flat.cpu().numpy()]
    return torch.stack(arrays).reshape(tensor.shape).to(tensor.device)
