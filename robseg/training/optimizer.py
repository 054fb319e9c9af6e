"""The optimizer with its parameter groups, its learning rate, and the moving average of weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from robseg.training.encoder import find_encoder
from robseg.training.recipe import Recipe

__all__ = ["average", "build_optimizer", "learning_rate", "set_learning_rate"]


def build_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the recipe's optimizer; each parameter group has a `factor` for its learning rate."""
    groups = parameter_groups(network, recipe)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, recipe.learning_rate, momentum=recipe.momentum)
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, recipe.learning_rate)


def parameter_groups(network: nn.Module, recipe: Recipe) -> list[dict[str, object]]:
    """Group the parameters by learning rate (encoder or not) and by decay (weights, or norms and biases)."""
    encoder = find_encoder(network)
    inside = set() if encoder is None else {id(parameter) for parameter in encoder.parameters()}
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for parameter in network.parameters():
        factor = recipe.encoder_factor if id(parameter) in inside else 1.0
        # The scale and shift of a norm, biases and the slopes of PReLU are vectors.
        decay = recipe.weight_decay if recipe.decay_all or parameter.ndim > 1 else 0.0
        groups.setdefault((factor, decay), []).append(parameter)
    return [
        {"params": parameters, "factor": factor, "weight_decay": decay}
        for (factor, decay), parameters in groups.items()
    ]


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Return the learning rate of `step`, counted from 0, of `steps`: it decays to 0 after a linear warm-up.

    Examples
    --------
    >>> recipe = Recipe("enet", "streets", learning_rate=0.1, power=1.0)
    >>> learning_rate(recipe, 0, 10), learning_rate(recipe, 5, 10)
    (0.1, 0.05)
    """
    done = step / steps
    decay = (1 - done) ** recipe.power if recipe.schedule == "poly" else (1 + math.cos(math.pi * done)) / 2
    warm = min(1.0, (step + 1) / recipe.warmup_steps) if recipe.warmup_steps else 1.0
    return float(recipe.learning_rate * decay * warm)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of each group to `rate` times the group's factor."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]


@torch.no_grad()
def average(averaged: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Move `averaged` towards `network`, which has the same architecture, after `step` steps.

    Early in a training the decay is smaller, step / (step + 10), so that the first weights are soon
    forgotten. Running statistics of norms are averaged too; integers are copied.
    """
    decay = min(decay, step / (step + 10))
    pairs = list(zip(averaged.state_dict().values(), network.state_dict().values(), strict=True))
    floats = [pair for pair in pairs if pair[0].is_floating_point()]
    torch._foreach_lerp_([mean for mean, _ in floats], [now for _, now in floats], 1 - decay)
    for mean, now in pairs:
        if not mean.is_floating_point():
            mean.copy_(now)
