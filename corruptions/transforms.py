"""Corruptions as a transform for torchvision's pipelines (`torchvision.transforms.v2`); needs torchvision."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

from corruptions import engine
from corruptions.arguments import checked_ignore_index, checked_seed, checked_severity
from corruptions.registry import get

__all__ = ["Corrupt"]

# Pillow's modes of 8 bits, and what each is corrupted as. Palettes are left out: most are masks.
_AS_MODE = {
    **dict.fromkeys(("L", "LA"), "L"),
    **dict.fromkeys(("RGB", "RGBA", "RGBX", "CMYK", "YCbCr"), "RGB"),
}
# Places in an image; torchvision has had points since 0.23.
_PLACES = tuple(
    getattr(tv_tensors, name) for name in ("BoundingBoxes", "KeyPoints") if hasattr(tv_tensors, name)
)


class Corrupt(v2.Transform):  # type: ignore[misc]  # torchvision has no types
    """Corrupt the images of a sample, and move its masks with them if the corruption moves pixels.

    A sample is what torchvision's transforms take: PIL images, uint8 tensors (..., C, H, W) with one or three
    channels, and nested structures of these with `tv_tensors.Mask` (..., H, W). A PIL image becomes grey or
    RGB, without its alpha. A mask has class ids from 0 to 255, or is bool; where nothing moves to, it becomes
    `ignore_index` or False. Boxes and points stay as they are, and a corruption that moves pixels refuses
    them. Anything else is passed through. Unless `seed` is given, each call draws a new seed from torch's
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
        record = get(name)
        self.name = record.name
        self.severity = checked_severity(severity, record)
        self.seed = None if seed is None else checked_seed(seed)
        self.ignore_index = checked_ignore_index(ignore_index)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:  # noqa: ARG002 (torchvision's hook)
        """Draw the seed that the images and masks of one sample share."""
        seed = self.seed if self.seed is not None else int(torch.randint(2**62, ()))
        return {"seed": seed}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Corrupt one image or move one mask."""
        seed = params["seed"]
        if isinstance(inpt, Image.Image):
            return Image.fromarray(self._corrupted(np.asarray(_of_8_bits(inpt)), seed))
        if isinstance(inpt, tv_tensors.Mask):
            moved = _each(inpt, 2, lambda target: self._moved(target, seed))
            return tv_tensors.wrap(moved, like=inpt)
        if isinstance(inpt, (tv_tensors.Image, tv_tensors.Video)):
            return tv_tensors.wrap(self._tensor(inpt, seed), like=inpt)
        if isinstance(inpt, _PLACES) and get(self.name).moves_pixels:
            raise ValueError(
                f"Expected no {type(inpt).__name__} with {self.name}, which moves pixels, but got some: make "
                "them from the moved masks (torchvision.ops.masks_to_boxes), or leave them out."
            )
        plain = isinstance(inpt, torch.Tensor) and not isinstance(inpt, tv_tensors.TVTensor)
        return self._tensor(inpt, seed) if plain else inpt

    def extra_repr(self) -> str:
        """Return the arguments for the transform's repr."""
        return f"{self.name!r}, severity={self.severity}, seed={self.seed}"

    def _tensor(self, images: torch.Tensor, seed: int) -> torch.Tensor:
        if images.dtype != torch.uint8 or images.ndim < 3 or images.shape[-3] not in (1, 3):
            raise ValueError(
                "Expected images as uint8 tensors (..., C, H, W) of one or three channels, but got "
                f"{images.dtype} of shape {tuple(images.shape)}: put Corrupt before ToDtype and Normalize."
            )
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
        uncovered = 0 if target.dtype == np.bool_ else self.ignore_index
        moved = engine.corrupt_target(ids, self.name, self.severity, seed=seed, ignore_index=uncovered)
        return moved.astype(target.dtype)


def _of_8_bits(image: Image.Image) -> Image.Image:
    """Return a PIL image as grey or RGB."""
    if image.mode not in _AS_MODE:
        raise ValueError(
            f"Expected PIL images of 8 bits per channel ({', '.join(_AS_MODE)}), but got mode "
            f"'{image.mode}': wrap a mask as tv_tensors.Mask, and convert an image to one of these."
        )
    return image.convert(_AS_MODE[image.mode])


def _each(tensor: torch.Tensor, dimensions: int, function: Any) -> torch.Tensor:
    """Apply a function to every array of the last `dimensions` of a tensor; keep the device."""
    flat = tensor.as_subclass(torch.Tensor).reshape(-1, *tensor.shape[-dimensions:])
    arrays = [torch.from_numpy(np.ascontiguousarray(function(part))) for part in flat.cpu().numpy()]
    if not arrays:  # as many masks as an image without objects has
        return tensor
    return torch.stack(arrays).reshape(tensor.shape).to(tensor.device)
