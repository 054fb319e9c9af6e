"""Compare a device with the CPU, and measure how busy an evaluation keeps it: see check.sh.

The networks have random weights, drawn from a fixed seed, so that nothing has to be downloaded.
"""

import argparse
import dataclasses
import functools
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

import corruptions
import corruptions.torch as on_device
import robseg
from robseg.datasets import streets
from robseg.evaluation.provenance import versions
from robseg.evaluation.timed import WAITING, WORKING
from robseg.models.base import architecture
from robseg.models.card import Card
from robseg.models.model import Model
from robseg.models.predict.inference import Precision

CLASSES = streets.CLASS_NAMES
NETWORKS: dict[str, dict[str, Any]] = {
    "enet": {},
    "pspnet": {"backbone": "resnet50v1c"},
    "deeplabv3plus": {"backbone": "mobilenet_v2"},
    "ocrnet": {},
    "icnet": {},
}
LEAST_EQUAL = 0.9999  # share of pixels with equal labels in fp32
MOST_WAITING = 0.05  # share of the time


class Finding(NamedTuple):
    """What was measured, its value, and whether it is as it must be; None where nothing is asked of it."""

    what: str
    value: float
    unit: str = ""
    good: bool | None = None


def main() -> None:
    """Run all checks and print each finding when it is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--size", type=int, nargs=2, default=(1024, 2048), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--images", type=int, default=64, help="of an evaluation that is timed")
    options = parser.parse_args()
    size = tuple(options.size)
    start = time.perf_counter()
    findings = []
    for finding in itertools.chain(
        labels(options.device, size),
        counts(options.device),
        pixels(options.device, size),
        sweeps(options.device, size, options.images),
    ):
        verdict = {None: "", True: "ok", False: "WRONG"}[finding.good]
        print(f"{finding.what:<72}{finding.value:>12.6g} {finding.unit:<10}{verdict}", flush=True)  # noqa: T201
        findings.append(finding)
    if options.json is not None:
        facts = {"machine": machine(options.device), "versions": versions(), "size": size}
        told = {
            **facts,
            "seconds": time.perf_counter() - start,
            "findings": [one._asdict() for one in findings],
        }
        options.json.write_text(json.dumps(told, indent=1))
    sys.exit(any(finding.good is False for finding in findings))


def machine(device: str) -> str:
    """Return the name of the device."""
    return torch.cuda.get_device_name(device) if torch.device(device).type == "cuda" else device


def model(name: str, device: str, precision: Precision = "fp32") -> Model:
    """Return a network of random weights with the statistics that batch normalisation has after training."""
    torch.manual_seed(0)
    network = architecture(name).build(len(CLASSES), **NETWORKS[name])
    with torch.no_grad():
        network.train()
        for _ in range(3):
            network(torch.randn(4, 3, 128, 128))
    network = network.eval().to(device).to(memory_format=torch.channels_last)
    card = Card(f"{name}", name, "", CLASSES, size_divisor=architecture(name).size_divisor)
    return Model(card, network, "", torch.device(device), precision)


def labels(device: str, size: tuple[int, ...]) -> Iterator[Finding]:
    """Compare the labels of both, clean and in noise, in batches of one and two."""
    images = np.stack([streets.render(0, "val", index, *size).image for index in range(2)])
    images[1] = corruptions.corrupt(images[1], "gaussian_noise", 2)
    for name in NETWORKS:
        ours, theirs = model(name, "cpu"), model(name, device)
        expected = ours.predict(images)
        got = theirs.predict(images)
        share = float((expected == got).mean())
        yield Finding(f"labels of {name}: share equal to the CPU's", share, "", share >= LEAST_EQUAL)
        single = np.concatenate([theirs.predict(image[None]) for image in images])
        share = float((single == got).mean())
        yield Finding(f"labels of {name}: share equal in batches of 1 and 2", share, "", share >= LEAST_EQUAL)


def counts(device: str) -> Iterator[Finding]:
    """Compare the scores of an evaluation, and count again on the device with other threads."""
    with tempfile.TemporaryDirectory() as folder:
        tables = [
            robseg.evaluate(
                model("enet", place),
                streets.dataset(number=12, size=(256, 512)),
                ["gaussian_noise", "fog"],
                (1, 3),
                device=place,
                prefetch_threads=threads,
                out=Path(folder) / str(number),
                examples=False,
            ).scores
            for number, (place, threads) in enumerate([("cpu", 0), (device, 1), (device, 8)])
        ]
    cpu, first, second = (table["miou"].to_numpy() for table in tables)
    difference = float(np.abs(cpu - first).max())
    yield Finding("mIoU of an evaluation: largest difference to the CPU's", difference, "", difference < 1e-3)
    difference = float(np.abs(second - first).max())
    yield Finding("mIoU of an evaluation: largest difference with 8 threads", difference, "", difference == 0)


def pixels(device: str, size: tuple[int, ...]) -> Iterator[Finding]:
    """Compare `corruptions.torch` with the engine, and time it."""
    image = streets.render(0, "val", 0, *size).image
    batch = torch.from_numpy(image).permute(2, 0, 1)[None].repeat(4, 1, 1, 1).to(device)
    keys = ["a", "b", "c", "d"]
    for name in on_device.native():
        corrupt = functools.partial(on_device.corrupt, batch, name, 3, keys=keys)
        got = corrupt()[0].permute(1, 2, 0).cpu().numpy()
        expected: NDArray[np.uint8] = corruptions.corrupt(image, name, 3, key="a")
        apart = np.abs(expected.astype(int) - got)
        share = float((apart > 0).mean())
        good = apart.max() <= 1 and share < 0.01
        yield Finding(f"{name} on the device: share of samples one grey level off", share, "", bool(good))
        yield Finding(f"{name} on the device", len(keys) / _seconds(corrupt, device), "images/s")


def sweeps(device: str, size: tuple[int, ...], images: int) -> Iterator[Finding]:
    """Evaluate two networks, and say how long the device waited."""
    # Rendering a scene takes longer than reading a photograph from a disk, so each is made only once.
    scenes = [streets.render(0, "val", index, *size) for index in range(4)]
    data = robseg.as_dataset([(scenes[n % 4].image, scenes[n % 4].target) for n in range(images)], CLASSES)
    conditions = ["gaussian_noise", "fog", "motion_blur", "jpeg_compression"]
    asked: list[tuple[str, Precision]] = [("enet", "fp32"), ("enet", "bf16"), ("pspnet", "bf16")]
    batch_size = 4
    for name, precision in asked:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            record = robseg.evaluate(
                model(name, device, precision),
                dataclasses.replace(data, threadsafe=True),
                conditions,
                (3,),
                device=device,
                precision=precision,
                batch_size=batch_size,
                out=Path(folder),
                examples=False,
            ).record
            seconds = time.perf_counter() - start
        share = record.seconds[WAITING] / (record.seconds[WAITING] + record.seconds[WORKING])
        good = share <= MOST_WAITING if device != "cpu" else None  # where one core does everything
        title = f"evaluation of {name}, {precision}, batches of {batch_size}"
        yield Finding(f"{title}: share of the time that the device waited", share, "", good)
        yield Finding(title, images * (1 + len(conditions)) / record.seconds["wall"], "images/s")
        yield Finding(f"{title}: with reading, scoring and report", seconds, "s")


def _seconds(work: Any, device: str) -> float:
    """Return the median time of a piece of work on the device."""
    times = []
    for _ in range(6):
        start = time.perf_counter()
        work()
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))


if __name__ == "__main__":
    main()
