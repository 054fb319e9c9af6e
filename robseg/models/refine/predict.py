"""Predict offsets from images with SegFix's network."""

from __future__ import annotations

import functools
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from robseg.models.base import Network
from robseg.models.layers import resize
from robseg.models.model import Model
from robseg.models.predict.finite import finite
from robseg.models.predict.inference import autocast, preprocess
from robseg.models.predict.sizes import resized_size
from robseg.models.predict.sliding import slide
from robseg.models.predict.threads import ONE_AT_A_TIME, prepare_thread
from robseg.models.refine.directions import DIRECTIONS

__all__ = ["predict_offsets"]

BOUNDARY = 0.5  # a pixel of a higher probability is near a boundary


@torch.inference_mode()
def predict_offsets(model: Model, images: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Return offsets (dy, dx), int8 (N, H, W, 2), of uint8 RGB images (N, H, W, 3).

    `model` is a SegFix; its card says how it is fed. Where windows overlap, the probability of a boundary and
    the logits of directions are averaged. A pixel that is not near a boundary has the offset (0, 0).
    """
    prepare_thread()
    card = model.card
    x = preprocess(images, card, model.device)
    score = functools.partial(_scores, model)
    scores = slide(score, x, card) if card.test_mode == "slide" else score(x)
    height, width = images.shape[1:3]
    rows, columns = resized_size((height, width), card)
    scores = resize(scores[..., :rows, :columns], (height, width), align_corners=True)
    boundary = (scores[:, 0] > BOUNDARY).cpu().numpy()
    directions = scores[:, 1:].argmax(dim=1).cpu().numpy()
    offsets: NDArray[np.int8] = DIRECTIONS[directions]
    offsets[~boundary] = 0
    return offsets


def _scores(model: Model, x: Tensor) -> Tensor:
    """Return the probability of a boundary and the logits of directions, (N, 1 + 8, h, w), for x."""
    with ONE_AT_A_TIME, autocast(x.device, model.precision):
        directions, mask = cast(Network, model.network).heads(x)
    boundary = finite(mask.float()).softmax(dim=1)[:, 1:]
    together = torch.cat((boundary, finite(directions.float())), dim=1)
    return resize(together, x.shape[-2:], align_corners=True)
