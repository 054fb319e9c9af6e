"""Networks of models that answer queries, each a class and a mask, as MaskFormer and its successors do."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from robseg.models.predict.resizing import resize
from robseg.models.predict.sizes import Size

__all__ = ["PaddedNetwork", "QueryNetwork", "SplitNetwork"]


class QueryNetwork(nn.Module):
    """A model of transformers as a network from images to class scores (N, C, h, w).

    Each query adds the probability of its class times the probability that its mask has the pixel (Cheng et
    al., Per-Pixel Classification is Not All You Need for Semantic Segmentation, NeurIPS 2021).

    `mask_size` is the size to which masks are resized before that, None for their own. `task` holds the
    tokens (1, length) of the task, for a model that asks for one.
    """

    task: Tensor | None

    def __init__(self, model: nn.Module, mask_size: Size | None = None, task: Tensor | None = None) -> None:
        super().__init__()
        self.model = model
        self.mask_size = mask_size
        self.register_buffer("task", task, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores, which are at least 0."""
        answer = self.model(**self._inputs(images))
        if hasattr(answer, "pred_masks"):  # DETR
            classes, masks = answer.logits, answer.pred_masks
        else:
            classes, masks = answer.class_queries_logits, answer.masks_queries_logits
        # In bfloat16, a sum over a hundred queries would lose small contributions.
        with torch.autocast(images.device.type, enabled=False):
            masks = masks.float() if self.mask_size is None else resize(masks.float(), self.mask_size)
            classes = classes.float().softmax(dim=-1)[..., :-1]  # the last is "no object"
            return torch.einsum("nqc,nqhw->nchw", classes, masks.sigmoid())

    def _inputs(self, images: Tensor) -> dict[str, Any]:
        if self.model.main_input_name == "pixel_values_videos":
            return {"pixel_values_videos": images[:, None]}  # each image is a clip of one frame
        task = {} if self.task is None else {"task_inputs": self.task.expand(len(images), -1)}
        return {"pixel_values": images, **task}


class SplitNetwork(nn.Module):
    """A network of square inputs, for images whose shorter side is that of the squares.

    The squares are spread evenly along the longer side, and scores are averaged where they overlap.
    """

    def __init__(self, network: nn.Module, side: int) -> None:
        super().__init__()
        self.network = network
        self.side = side

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores at the images' size."""
        height, width = images.shape[-2:]
        axis, length = (-2, height) if height > width else (-1, width)
        last = -(-length // self.side) - 1
        starts = [index * (length - self.side) // max(last, 1) for index in range(last + 1)]
        windows = torch.cat([images.narrow(axis, start, self.side) for start in starts])
        answers = torch.split(self.network(windows), len(images))
        total = answers[0].new_zeros((*answers[0].shape[:2], height, width))
        hits = total.new_zeros((height, width))
        for start, answer in zip(starts, answers, strict=True):
            total.narrow(axis, start, self.side).add_(answer)
            hits.narrow(axis, start, self.side).add_(1)
        return total / hits


class PaddedNetwork(nn.Module):
    """A network of one input size, for images that are padded to it at the bottom and on the right.

    `black` is a black pixel's value in each channel.
    """

    black: Tensor

    def __init__(self, network: nn.Module, size: Size, black: tuple[float, ...]) -> None:
        super().__init__()
        self.network = network
        self.size = size
        self.register_buffer("black", torch.tensor(black).view(1, -1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores of the images without their padding."""
        height, width = images.shape[-2:]
        sides = (0, self.size[1] - width, 0, self.size[0] - height)
        scores = self.network(F.pad(images - self.black, sides) + self.black)
        return resize(scores, self.size)[..., :height, :width]
