"""Two callables have one digest only if they do the same."""

import functools
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from robseg.models import load_model
from robseg.models.foreign.code import code_digest

NAMES = ("red", "green", "blue")


def scaled(factor: Any) -> Any:
    return lambda x: x * factor


class Adds:
    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, x: Tensor) -> Tensor:
        return x + self.value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda x: x + 1, lambda x: x + 2),
        (lambda x: x.sin(), lambda x: x.cos()),
        (scaled(2), scaled(3)),
        (scaled(np.arange(3)), scaled(np.arange(1, 4))),
        (scaled(torch.ones(2)), scaled(torch.zeros(2))),
        (functools.partial(torch.add, alpha=1), functools.partial(torch.add, alpha=2)),
        (Adds(1), Adds(2)),
        (nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=2, dilation=2)),
        (lambda x, k=1: x + k, lambda x, k=2: x + k),
        (lambda x: scaled(2)(x) + 1, lambda x: Adds(2)(x) + 1),
    ],
)
def test_what_differs_has_another_digest(one: Any, other: Any) -> None:
    if isinstance(one, nn.Module):
        other.load_state_dict(one.state_dict())
    assert code_digest(one) == code_digest(one)
    assert code_digest(one) != code_digest(other)


def test_a_network_in_a_closure_counts() -> None:
    network = nn.Conv2d(3, 3, 1)

    def answer(x: Tensor) -> Tensor:
        return network(x)

    before = code_digest(answer)
    with torch.no_grad():
        network.weight[0, 0] += 1
    assert code_digest(answer) != before


def test_the_same_source_has_the_same_digest_wherever_it_is_loaded(tmp_path: Path) -> None:
    text = (
        "import torch\nSCALE = {}\nclass Net(torch.nn.Module):\n    def forward(self, x): return x * SCALE\n"
    )

    def digest(name: str, scale: int) -> str:
        path = tmp_path / f"{name}.py"
        path.write_text(text.format(scale))
        spec = importlib.util.spec_from_file_location("same_name", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return code_digest(module.Net())

    assert digest("a", 2) == digest("b", 2)
    assert digest("a", 2) != digest("c", 3)


def test_cycles_end() -> None:
    class Loop:
        def __init__(self) -> None:
            self.me = self

        def __call__(self, x: Tensor) -> Tensor:
            return x

    assert code_digest(Loop()) == code_digest(Loop())


def test_what_cannot_be_identified_is_never_the_same() -> None:
    lock = __import__("threading").Lock()
    answer = scaled(lock)
    assert code_digest(answer) != code_digest(answer)


def test_a_module_is_copied_when_it_is_loaded() -> None:
    network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
    images = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), dtype=np.uint8)
    model = load_model(network, class_names=NAMES)
    before = model.predict(images)
    assert network.training
    assert all(module.training for module in network)
    with torch.no_grad():
        network[0].weight.neg_()  # type: ignore[operator]
    np.testing.assert_array_equal(model.predict(images), before)
