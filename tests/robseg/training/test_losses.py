import dataclasses
from typing import Literal

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from robseg.training.class_weights import class_weights, pixel_counts
from robseg.training.losses import network_loss, ohem, pixel_loss
from robseg.training.recipe import Recipe

RECIPE = Recipe("enet", "streets")


def test_pixel_counts_leave_ignored_pixels_out() -> None:
    targets = [np.array([[0, 0, 255]], np.uint8), np.array([[2, 255, 255]], np.uint8)]
    assert pixel_counts(targets, 3).tolist() == [[2, 0, 0], [0, 0, 1]]


def example(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits, targets whose first row is ignored, and class weights."""
    logits = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(seed))
    targets = torch.randint(0, 3, (2, 4, 5), generator=torch.Generator().manual_seed(seed + 1))
    targets = targets.to(torch.uint8)
    targets[0, 0] = 255
    return logits, targets, torch.tensor([1.0, 2.0, 5.0])


@pytest.mark.parametrize(("loss", "gamma"), [("cross_entropy", 0), ("focal", 2), ("focal", 1.5)])
def test_the_loss_equals_the_definition(
    loss: Literal["cross_entropy", "focal", "ohem"], gamma: float
) -> None:
    logits, targets, weights = example()
    total, weight = 0.0, 0.0
    for n, y, x in np.argwhere(targets.numpy() != 255):
        label = int(targets[n, y, x])
        log_p = float(logits[n, :, y, x].log_softmax(0)[label])
        total -= float(weights[label]) * (1 - np.exp(log_p)) ** gamma * log_p
        weight += float(weights[label])
    recipe = dataclasses.replace(RECIPE, loss=loss, gamma=float(gamma))
    assert float(pixel_loss(logits, targets, weights, recipe)) == pytest.approx(total / weight, rel=1e-5)


def test_focal_loss_without_gamma_is_cross_entropy() -> None:
    focal = dataclasses.replace(RECIPE, loss="focal", gamma=0.0)
    assert torch.allclose(pixel_loss(*example(), focal), pixel_loss(*example(), RECIPE))


def test_focal_loss_has_a_gradient_where_a_pixel_is_perfectly_right() -> None:
    logits = torch.tensor([[[[200.0]], [[0.0]]]], requires_grad=True)
    recipe = dataclasses.replace(RECIPE, loss="focal", gamma=1.0)
    pixel_loss(logits, torch.zeros(1, 1, 1, dtype=torch.uint8), torch.ones(2), recipe).backward()
    assert logits.grad.isfinite().all()


def test_ohem_keeps_the_hard_pixels_and_at_least_a_share() -> None:
    surprise = -torch.tensor([0.9, 0.5, 0.8, 0.1]).log()
    hard = surprise[[1, 3]].mean()
    assert torch.allclose(ohem(surprise, torch.ones(4), threshold=0.7, share=0.25), hard)
    # At threshold 0.05 none is hard: the share decides.
    assert torch.allclose(ohem(surprise, torch.ones(4), threshold=0.05, share=0.25), surprise[3])
    assert torch.allclose(
        ohem(surprise, torch.ones(4), threshold=0.05, share=0.75), surprise[[1, 2, 3]].mean()
    )


def test_each_head_counts_by_its_weight() -> None:
    logits, targets, weights = example()
    other, third = example(seed=5)[0], example(seed=9)[0]
    main, aux, last = (pixel_loss(x, targets, weights, RECIPE) for x in (logits, other, third))
    assert torch.allclose(network_loss((logits, other), targets, weights, RECIPE), main + 0.4 * aux)
    recipe = dataclasses.replace(RECIPE, aux_weights=(0.1, 1.0))
    both = network_loss((logits, other, third), targets, weights, recipe)
    assert torch.allclose(both, main + 0.1 * aux + last)


@pytest.mark.parametrize("align_corners", [False, True])
def test_small_logits_are_resized_to_the_target_as_the_card_says(align_corners: bool) -> None:
    logits = torch.randn(1, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    targets = torch.zeros(1, 8, 9, dtype=torch.uint8)
    large = F.interpolate(logits, (8, 9), mode="bilinear", align_corners=align_corners)
    found = network_loss((logits,), targets, torch.ones(3), RECIPE, align_corners)
    assert torch.allclose(found, pixel_loss(large, targets, torch.ones(3), RECIPE))


@pytest.mark.parametrize("loss", ["cross_entropy", "focal", "ohem"])
def test_a_batch_without_labelled_pixels_has_loss_zero(
    loss: Literal["cross_entropy", "focal", "ohem"],
) -> None:
    logits = torch.randn(1, 2, 4, 4, requires_grad=True)
    recipe = dataclasses.replace(RECIPE, loss=loss)
    value = pixel_loss(logits, torch.full((1, 4, 4), 255, dtype=torch.uint8), torch.ones(2), recipe)
    value.backward()
    assert float(value.detach()) == 0
    assert float(logits.grad.abs().sum()) == 0


@pytest.mark.parametrize("kind", ["enet", "median"])
def test_rarer_classes_weigh_more(kind: Literal["enet", "median"]) -> None:
    weights = class_weights(kind, np.array([[70, 25, 5]])).tolist()
    assert weights == sorted(weights)
    assert weights[0] < weights[2]


def test_the_power_evens_class_weights_out() -> None:
    counts = np.array([[70, 25, 5]])
    assert torch.allclose(class_weights("enet", counts, power=0.5), class_weights("enet", counts).sqrt())
    assert torch.allclose(class_weights("median", counts, power=0.0), torch.ones(3))


@pytest.mark.parametrize("kind", ["enet", "median"])
def test_a_class_that_the_counted_targets_do_not_show_weighs_no_less_than_any(
    kind: Literal["enet", "median"],
) -> None:
    weights = class_weights(kind, np.array([[70, 30, 0]])).tolist()
    assert weights[2] == max(weights)
    assert class_weights(kind, np.zeros((1, 3), np.int64)).unique().numel() == 1
