"""Outputs of other implementations for weights that are generated from tensor names: see `Upstream`."""

import dataclasses
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

PARITY = Path(__file__).parents[2] / "data" / "parity"


@dataclasses.dataclass(frozen=True)
class Upstream:
    """A fixture: another implementation's keys, facts, and float32 outputs for one seeded input."""

    name: str
    keys: dict[str, tuple[list[int], str]]
    parameters: int
    align_corners: bool | None
    arrays: dict[str, NDArray[Any]]

    @property
    def image(self) -> Tensor:
        """The input: three scales of seeded blocks, normalised, (1, 3, H, W)."""
        height, width = map(int, self.arrays["input_hw"])
        rng = np.random.RandomState(7)
        image = np.zeros((3, height, width))
        for scale in (32, 8, 1):
            blocks = rng.standard_normal((3, -(-height // scale), -(-width // scale)))
            image += np.kron(blocks, np.ones((1, scale, scale)))[:, :height, :width]
        return torch.from_numpy((image / np.sqrt(3)).astype(np.float32))[None]

    def state_dict(self) -> dict[str, Tensor]:
        """Return weights that depend only on each tensor's key and shape (fill crc32-mt19937-v1)."""
        return {key: filled(key, *kind, self.keys) for key, kind in self.keys.items()}

    @property
    def folded_biases(self) -> int:
        """The number of values of biases just before a batch norm, which become a part of its mean."""
        count = 0
        for key, (shape, _) in self.keys.items():
            layer, _, parameter = key.rpartition(".")
            before, _, index = layer.rpartition(".")
            if parameter == "bias" and index.isdigit() and f"{layer}.running_var" not in self.keys:
                norms = (f"{before}.{int(index) + 1}.{part}running_var" for part in ("", "0."))
                count += shape[0] * any(norm in self.keys for norm in norms)
        return count

    def difference(self, logits: Tensor, output: str = "logits") -> float:
        """Return max |ours - theirs| / max |theirs| of logits at the network's own size."""
        stride = int(self.arrays["logits_stride"])
        # Fixtures with strides were resized to the input's size before every n-th pixel was stored.
        if stride > 1 and logits.shape[-2:] != self.image.shape[-2:]:
            logits = F.interpolate(logits, self.image.shape[-2:], mode="bilinear", align_corners=False)
        return relative_difference(logits[:, :, ::stride, ::stride], self.arrays[output])

    def difference_at_full_size(self, logits: Tensor, align_corners: bool) -> float:
        """Return the same of logits resized to the input's size."""
        full = F.interpolate(logits, self.image.shape[-2:], mode="bilinear", align_corners=align_corners)
        return relative_difference(full[:, :, ::4, ::4], self.arrays["logits_full_every4"])


def filled(key: str, shape: list[int], dtype: str, keys: dict[str, Any]) -> Tensor:
    """Return the tensor of one key; all `keys` are needed to distinguish batch norms from PReLUs."""
    if dtype != "float32":
        return torch.zeros(shape, dtype=torch.long)
    rng = np.random.RandomState(zlib.crc32(key.encode()))
    size = int(np.prod(shape))
    if key.endswith("running_var"):
        values = rng.uniform(0.5, 1.5, size)
    elif key.endswith(("running_mean", "bias")):
        values = rng.standard_normal(size) * 0.1
    elif len(shape) == 1 and key.rpartition(".")[0] + ".running_var" in keys:
        values = rng.uniform(0.4, 1.0, size)
    elif len(shape) == 1:
        values = rng.uniform(0.05, 0.4, size)
    else:
        values = rng.standard_normal(size) * np.sqrt(2 / np.prod(shape[1:])) * 0.8
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def relative_difference(ours: Tensor, theirs: NDArray[Any]) -> float:
    """Return max |ours - theirs| / max |theirs|, or infinity where their shapes differ."""
    if tuple(ours.shape) != theirs.shape:
        return float("inf")
    return float(np.abs(ours.numpy() - theirs).max() / np.abs(theirs).max())


def read_upstream(name: str) -> Upstream:
    """Return the fixture of that name."""
    facts = json.loads((PARITY / f"{name}.json").read_text())
    return Upstream(
        name=name,
        keys=facts["keys"],
        parameters=facts["params"],
        align_corners=facts["align_corners"],
        arrays=dict(np.load(PARITY / f"{name}.npz")),
    )


@pytest.fixture(scope="session")
def upstream() -> Callable[[str], Upstream]:
    """Return the reader of fixtures by name."""
    return read_upstream
