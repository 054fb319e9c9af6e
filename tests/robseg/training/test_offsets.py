import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from reports.scoring.scores import miou
from robseg.datasets.base import Dataset, Sample
from robseg.models.architectures.segfix import ARCHITECTURE
from robseg.models.base import Network
from robseg.models.model import load_model
from robseg.models.refine.predict import predict_offsets
from robseg.models.refine.targets import offset_targets
from robseg.training.build import blank_card
from robseg.training.losses import balanced_cross_entropy, offset_loss
from robseg.training.objective import Offsets
from robseg.training.recipe import Recipe
from robseg.training.setup import Setup
from robseg.training.trainer import train

RECIPE = Recipe(
    "segfix", "halves", task="offsets", options={"backbone": "mobilenet_v2", "channels": 8}, epochs=1,
    batch_size=2, crop=(64, 64), optimizer="adamw",
)  # fmt: skip


def read_halves(index: int) -> Sample:
    """Two plain halves, with their border in another column in each image."""
    target = np.zeros((64, 64), np.uint8)
    target[:, 24 + 4 * index :] = 1
    return Sample(str(index), np.repeat((target * 200)[..., None], 3, 2), target)


def halves() -> Setup:
    ids = tuple(map(str, range(4)))
    data = Dataset("halves", "train", ("left", "right"), ((0, 0, 0),) * 2, ids, read_halves, "c" * 64)
    return Setup(ARCHITECTURE, data, dataclasses.replace(data, split="val").spread(2))


class Perfect(Network):
    """Answers with the targets of one image."""

    def __init__(self, target: NDArray[np.uint8], mask_only: bool = False) -> None:
        super().__init__()
        wanted = offset_targets(target)
        directions = np.where(wanted.directions == 255, 0, wanted.directions)
        self.directions = (
            50 * F.one_hot(torch.from_numpy(directions).long(), 8).permute(2, 0, 1)[None].float()
        )
        self.mask = 50 * F.one_hot(torch.from_numpy(wanted.mask).long(), 2).permute(2, 0, 1)[None].float()
        if mask_only:
            self.directions = self.directions.roll(1, dims=1)

    def heads(self, _images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.directions, self.mask


def test_the_weighted_loss_equals_its_definition() -> None:
    logits = torch.randn(1, 3, 1, 4, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([[[0, 0, 2, 255]]], dtype=torch.uint8)
    log_p = logits.log_softmax(dim=1)[0, :, 0]
    # Class 0 has 2/3 of the labelled pixels, class 2 has 1/3.
    expected = -(log_p[0, 0] / 3 + log_p[0, 1] / 3 + log_p[2, 2] * 2 / 3) / (4 / 3)
    assert torch.allclose(balanced_cross_entropy(logits, targets), expected)


def test_directions_count_only_where_the_boundary_is_predicted() -> None:
    directions = torch.randn(1, 8, 2, 2, requires_grad=True)
    mask = torch.tensor([[[[0.0, 9.0], [0.0, 9.0]], [[5.0, 0.0], [5.0, 0.0]]]])
    offset_loss(
        directions,
        mask,
        torch.tensor([[[1, 2], [3, 4]]], dtype=torch.uint8),
        torch.ones(1, 2, 2, dtype=torch.uint8),
    ).backward()
    assert (directions.grad[..., 0].abs().sum(dim=1) > 0).all()
    assert (directions.grad[..., 1] == 0).all()


def test_without_any_boundary_the_loss_is_zero() -> None:
    nothing = torch.full((1, 2, 2), 255, dtype=torch.uint8)
    heads = torch.randn(1, 8, 2, 2, requires_grad=True), torch.randn(1, 2, 2, 2, requires_grad=True)
    assert float(offset_loss(*heads, nothing, nothing).detach()) == 0


def test_the_score_is_one_for_the_targets_themselves_and_less_with_turned_directions() -> None:
    samples: Any = [read_halves(1)[1:]]
    network = Perfect(samples[0][1])
    card_of = blank_card(RECIPE, ARCHITECTURE, halves().train_set)
    assert miou(*Offsets(RECIPE, card_of).counts(network, samples)[0]) == 1
    # Only the inside is right: one of nine classes, of those that occur.
    turned = miou(*Offsets(RECIPE, card_of).counts(Perfect(samples[0][1], mask_only=True), samples)[0])
    assert 0 < turned < 0.5


def test_segfix_trains_and_what_it_leaves_predicts_offsets(tmp_path: Path) -> None:
    trained = train(RECIPE, halves(), tmp_path)
    assert np.isfinite(trained.rows[-1].loss)
    model = load_model("segfix", trained.weights["last"])
    assert model.card.class_names[0] == "left"
    assert predict_offsets(model, np.zeros((1, 40, 48, 3), np.uint8)).shape == (1, 40, 48, 2)
