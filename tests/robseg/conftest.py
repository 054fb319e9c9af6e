"""A small real run for many tests: five images of a described folder, and an ENet with seeded weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from robseg.datasets import open_dataset
from robseg.datasets.base import Dataset
from robseg.models.architectures.enet import ENet
from robseg.models.model import Model, load_model

CLASSES = ("sky", "road", "car")


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set `folder` of five 40x56 images, two of them of another size."""
    root = tmp_path_factory.mktemp("folder")
    (root / "images").mkdir()
    (root / "masks").mkdir()
    rng = np.random.default_rng(0)
    for index in range(5):
        height, width = (40, 56) if index < 3 else (48, 64)
        target = np.repeat(rng.integers(0, 3, (height // 8, width // 8), np.uint8), 8, axis=0).repeat(
            8, axis=1
        )
        target[0] = 255
        image = np.clip(target[..., None] * 80 + rng.integers(0, 60, (height, width, 3)), 0, 255)
        Image.fromarray(image.astype(np.uint8)).save(root / "images" / f"{index}.png")
        Image.fromarray(target).save(root / "masks" / f"{index}.png")
    names = ", ".join(f'{{name = "{name}", id = {index}}}' for index, name in enumerate(CLASSES))
    (root / "dataset.toml").write_text(
        f'name = "tiny"\nimages = "images"\ntargets = "masks"\nclasses = [{names}]\nignore = [255]\n'
    )
    return root


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of an ENet for three classes."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_file({key: tensor.contiguous() for key, tensor in ENet(3).state_dict().items()}, path)
    return path


@pytest.fixture(scope="session")
def dataset(tree: Path) -> Dataset:
    return open_dataset("folder", tree)


@pytest.fixture(scope="session")
def model(weights: Path) -> Model:
    return load_model("enet", weights, class_names=CLASSES)
