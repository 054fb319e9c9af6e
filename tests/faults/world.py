"""A small world to run commands in: a data set, two networks, two finished runs, and a user's own files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from robseg.models.architectures.enet import ENet
from tests.faults.processes import run

__all__ = ["ALONE", "COMMANDS", "OWN", "WORKERS", "build", "spread"]

CLASSES = ("sky", "road", "car")
MODEL = "--model enet --model-card card.json --weights"
EVALUATE = f"evaluate {MODEL} first.safetensors --dataset folder --data-root data --quiet"

GRID = "-c brightness,contrast -s 3"
TRAIN = "train -m enet -d folder --data-root data --train-split all --val-split all --quiet"

# Every command that writes.
COMMANDS = {
    "evaluate": f"{EVALUATE} {GRID} -j 0 -o new",
    "evaluate further": f"{EVALUATE} -c brightness,contrast -s 2,3 -j 0 -o run",
    "evaluate --part": f"{EVALUATE} {GRID} -j 0 --part 1/1 -o new",
    "evaluate -j 2": f"{EVALUATE} {GRID} -j 2 -o new",
    "train": f"{TRAIN} --epochs 2 --batch-size 2 --crop 32 32 --val-every 1 -o trained",
    "report": "report run --format html,csv,markdown,latex --confidence 0.9 --quiet",
    "report figures": "report run --format png,svg -o figures --quiet",
    "corrupt": "corrupt data/images -c brightness,contrast -s 3 -o corrupted --quiet",
    "corrupt --sheet": "corrupt data/images/0.png -c brightness -s 3 --sheet -o sheets --quiet",
    "predict": f"predict data/images {MODEL} first.safetensors --labels -o predicted --quiet",
    "baseline save": "baseline save run -o baseline.zip --quiet",
    "gate": "gate run -b other --max-drop 100 --max-rise off -o verdict --quiet",
    "compare": "compare run other --format html -o compare.html --quiet",
    "ranks": "ranks run other --format json --resamples 100 -o ranks.json --quiet",
}

WORKERS = "evaluate -j 2"  # takes half a minute
ALONE = [name for name in COMMANDS if name != WORKERS]

# Files that robseg did not write and must neither change nor remove, though they look like its own.
OWN = {
    "run/notes.txt": b"mine",
    "run/.draft.tmp": b"mine",
    "run/examples/thesis.py": b"mine",
    "notes.md": b"mine",
}


def build(folder: Path) -> Path:
    """Write the world into a new folder and return it."""
    folder.mkdir()
    _write_data(folder / "data")
    (folder / "card.json").write_text(json.dumps({"class_names": CLASSES}))
    for seed, name in enumerate(("first", "second")):
        torch.manual_seed(seed)
        weights = {key: tensor.contiguous() for key, tensor in ENet(3).state_dict().items()}
        save_file(weights, folder / f"{name}.safetensors")
    for name, out in (("first", "run"), ("second", "other")):
        words = f"{EVALUATE} {GRID} -j 0 -o {out}".replace("first", name)
        ended = run(words.split(), folder)
        assert ended.code == 0, ended.stderr
    for name, content in OWN.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def spread(number: int, commands: Sequence[str]) -> Iterator[tuple[str, int, float]]:
    """Yield a command, its turn and a place from 0 to 1, the same ones every time.

    The places of a command are spread evenly, however many there are.
    """
    golden = (5**0.5 - 1) / 2
    for index in range(number):
        turn, which = divmod(index, len(commands))
        yield commands[which], turn, (0.3 + turn * golden + which / len(commands)) % 1


def _write_data(root: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    for index in range(2):
        target = rng.integers(0, 3, (5, 7), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
        image = target[..., None] * 80 + rng.integers(0, 60, (40, 56, 3), np.uint8)
        Image.fromarray(image.astype(np.uint8)).save(root / "images" / f"{index}.png")
        Image.fromarray(target).save(root / "masks" / f"{index}.png")
    names = ", ".join(f'{{name = "{name}", id = {index}}}' for index, name in enumerate(CLASSES))
    (root / "dataset.toml").write_text(
        f'name = "tiny"\nimages = "images"\ntargets = "masks"\nclasses = [{names}]\n'
    )
