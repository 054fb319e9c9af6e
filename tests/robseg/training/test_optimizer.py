import copy
import dataclasses
from typing import Literal

import pytest
import torch
from torch import nn

from robseg.models.architectures.pspnet import PSPNet
from robseg.training.optimizer import average, build_optimizer, learning_rate, set_learning_rate
from robseg.training.recipe import Recipe

RECIPE = Recipe("pspnet", "streets", encoder_factor=0.1, decay_all=False, learning_rate=0.5, weight_decay=0.3)


def psp() -> PSPNet:
    with torch.device("meta"):
        return PSPNet(3, backbone="resnet18", channels=8, aux_channels=8)


def test_the_encoder_learns_more_slowly_and_norms_and_biases_do_not_decay() -> None:
    network = psp()
    optimizer = build_optimizer(network, RECIPE)
    set_learning_rate(optimizer, 2.0)
    rates = {id(p): (g["lr"], g["weight_decay"]) for g in optimizer.param_groups for p in g["params"]}
    assert len(rates) == len(list(network.parameters()))
    for name, parameter in network.named_parameters():
        rate = 0.2 if name.startswith("backbone.") else 2.0
        decay = 0.3 if parameter.ndim > 1 else 0.0
        assert rates[id(parameter)] == (pytest.approx(rate), decay), name


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)]
)
def test_the_optimizer_is_the_named_one(
    name: Literal["adam", "adamw", "sgd"], kind: type[torch.optim.Optimizer]
) -> None:
    assert type(build_optimizer(psp(), dataclasses.replace(RECIPE, optimizer=name))) is kind


def test_warm_up_rises_to_the_schedule_and_both_decay_to_zero() -> None:
    halves: dict[Literal["poly", "cosine"], float] = {"poly": 0.5**0.9, "cosine": 0.5}
    for schedule, half in halves.items():
        recipe = dataclasses.replace(RECIPE, schedule=schedule, warmup_steps=10)
        rates = [learning_rate(recipe, step, 100) for step in range(101)]
        assert rates[:10] == sorted(rates[:10])
        assert rates[9:] == sorted(rates[9:], reverse=True)
        assert rates[50] == pytest.approx(0.5 * half)
        assert rates[100] == pytest.approx(0, abs=1e-12)
    assert rates[0] == pytest.approx(0.05)


def test_the_average_equals_its_definition() -> None:
    network = nn.BatchNorm2d(2)
    averaged = copy.deepcopy(network)
    with torch.no_grad():
        network.weight.fill_(3.0)
        network.running_mean.fill_(1.0)
        network.num_batches_tracked.fill_(7)
    average(averaged, network, decay=0.9, step=1000)
    assert torch.allclose(averaged.weight, torch.full((2,), 0.9 * 1 + 0.1 * 3))
    assert torch.allclose(averaged.running_mean, torch.full((2,), 0.1))
    assert averaged.num_batches_tracked == 7
    assert torch.equal(network.weight, torch.full((2,), 3.0))


def test_the_first_steps_are_not_remembered_for_long() -> None:
    network, averaged = nn.BatchNorm2d(2), nn.BatchNorm2d(2)
    with torch.no_grad():
        network.weight.fill_(3.0)
    average(averaged, network, decay=0.999, step=10)
    assert torch.allclose(averaged.weight, torch.full((2,), 2.0))
