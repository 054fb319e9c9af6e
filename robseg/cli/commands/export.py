"""Write a model to a file that another engine runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from robseg.cli.completion import Names
from robseg.cli.loading import CARD, WEIGHTS, one_model
from robseg.cli.options import Command
from robseg.errors import InputError
from robseg.evaluation.request import Request
from robseg.options import fields

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from robseg.models.export.targets import Precision

GROUP = "Models and data"

CALIBRATION_IMAGES = 40
OPTIONS = fields(Request)


@click.command("export", cls=Command, fields=[OPTIONS[name] for name in ("arch", "data_root", "split")])
@click.argument("model", type=Names("models"))
@click.option(
    "--to", "target", required=True, type=Names("targets"), help="Kind of file: onnx, openvino or pt2."
)
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="File to write.  [default: MODEL with the ending of the kind]",
)
@WEIGHTS
@CARD
@click.option(
    "--size",
    type=click.IntRange(min=1),
    nargs=2,
    metavar="HEIGHT WIDTH",
    default=None,
    help="Size of the images that the file is for.  [default: that on the model's card]",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "int8"]),
    default="fp32",
    show_default=True,
    help="Precision in which the file computes; bf16 and int8 with --to openvino.",
)
@click.option(
    "--calibrate",
    type=Names("datasets"),
    default=None,
    help=f"Data set whose images show int8 which values are usual; {CALIBRATION_IMAGES} are taken.",
)
def command(
    model: str,
    target: str,
    out: Path | None,
    weights: Path | None,
    card: Path | None,
    arch: str | None,
    size: tuple[int, int] | None,
    precision: Precision,
    calibrate: str | None,
    data_root: Path | None,
    split: str | None,
) -> None:
    """Write a model to a file for ONNX Runtime, OpenVINO or PyTorch, with its card inside.

    The file is evaluated like any model. It is for images of one size, one at a time.

    \b
    robseg export pspnet@camvid --to openvino --precision bf16 --out pspnet.xml
    robseg evaluate --model openvino:pspnet.xml --dataset camvid --data-root DIR
    robseg export enet@camvid --to openvino --size 360 480 --precision int8 --calibrate camvid --data-root DIR
    """
    from robseg.models.export.export import check_target, export
    from robseg.models.export.targets import TARGETS

    check_target(target, precision)
    if (precision == "int8") != (calibrate is not None):
        raise InputError(
            "Expected --calibrate DATA with --precision int8 and with no other, but got "
            f"{'none' if calibrate is None else f'it with {precision}'}: give both or neither."
        )
    loaded = one_model(Request(model, weights=weights, card=card, arch=arch))
    suffix = TARGETS[target].suffix
    path = out or Path(f"{loaded.name.replace(':', '-')}{suffix}")
    if path.suffix != suffix:
        raise InputError(f"Expected a file whose name ends with {suffix}, but got {path}: change --out.")
    images, calibration = _images(calibrate, data_root, split) if calibrate else ([], "")
    export(loaded, target, path, size=size, precision=precision, images=images, calibration=calibration)
    click.echo(f"{path}: evaluate it with --model {target}:{path}")


def _images(name: str, root: Path | None, split: str | None) -> tuple[list[NDArray[np.uint8]], str]:
    """Return images that are spread over a data set, and a text that says which they are."""
    from robseg.datasets import open_dataset

    data = open_dataset(name, root, split)
    count = min(CALIBRATION_IMAGES, len(data))
    images = [data.read(index * len(data) // count).image for index in range(count)]
    return images, f"{count} images of {data.name}, {data.split} ({data.identity})"
