"""Label images with a model, and draw what it sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

import corruptions
from reports.run.folder import OutFolder
from robseg.cli.completion import Names
from robseg.cli.images import find_images, read_upright
from robseg.cli.loading import CARD, WEIGHTS, one_model
from robseg.cli.options import Command
from robseg.cli.overlay import Colour, Share, class_colours, indexed, overlay, percent
from robseg.cli.progress import showing
from robseg.errors import InputError
from robseg.evaluation.conditions import conditions_of
from robseg.evaluation.progress import Progress
from robseg.evaluation.request import Request
from robseg.models.predict.batch import Batch
from robseg.options import fields
from robseg.pictures import write_png

if TYPE_CHECKING:
    from robseg.models.model import Model
    from robseg.models.predict.inference import Precision

GROUP = "Measure"

DEFAULT_SEVERITY = 3
OPTIONS = fields(Request)


class _Condition(NamedTuple):
    corruption: str
    severity: int
    seed: int


class _Wanted(NamedTuple):
    """What to make of each image."""

    out: Path
    condition: _Condition | None
    overlays: bool
    labels: bool
    opacity: float

    def paths(self, key: str) -> dict[str, Path]:
        """Return the files to write for an image, by kind."""
        suffix = f"_{self.condition.corruption}_{self.condition.severity}" if self.condition else ""
        kinds = {"overlay": self.overlays, "labels": self.labels}
        return {kind: self.out / f"{key}{suffix}_{kind}.png" for kind, wanted in kinds.items() if wanted}


@click.command(
    "predict", cls=Command, fields=[OPTIONS[name] for name in ("arch", "seed", "device", "precision")]
)
@click.argument("sources", metavar="IMAGE|FOLDER|PATTERN...", nargs=-1, required=True)
@click.option(
    "--model",
    "-m",
    required=True,
    type=Names("models"),
    help="Model: a model id, an architecture, or a weights file.",
)
@WEIGHTS
@CARD
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    default=Path("predictions"),
    show_default=True,
    help="Folder for the pictures.",
)
@click.option(
    "--corruption",
    "-c",
    type=Names("corruptions"),
    default=None,
    help="Corrupt the images first, with this corruption, such as fog.",
)
@click.option(
    "--severity",
    "-s",
    type=click.IntRange(min=1),
    default=None,
    help=f"Severity of the corruption.  [default: {DEFAULT_SEVERITY}]",
)
@click.option(
    "--overlay/--no-overlay",
    "overlays",
    default=True,
    show_default=True,
    help="Write the classes as colours over the image.",
)
@click.option(
    "--labels/--no-labels", default=False, show_default=True, help="Write PNGs whose pixels are class ids."
)
@click.option(
    "--opacity",
    type=click.FloatRange(0, 1),
    default=0.6,
    show_default=True,
    help="Opacity of the colours: 0 shows only the image, 1 only the classes.",
)
def command(
    sources: tuple[str, ...],
    model: str,
    weights: Path | None,
    card: Path | None,
    arch: str | None,
    out: Path,
    corruption: str | None,
    severity: int | None,
    seed: int,
    overlays: bool,
    labels: bool,
    opacity: float,
    device: str,
    precision: Precision,
) -> None:
    """Label images with a model, and draw what it sees.

    \b
    OUT/street_overlay.png     the classes' colours over the image, with a legend
    OUT/street_labels.png      with --labels: one class id per pixel, with the data set's colours as palette
    OUT/street_fog_3_...       with --corruption fog --severity 3, the pixels that `robseg corrupt` makes

    Images are turned upright as their EXIF data say.
    """
    if not (overlays or labels):
        raise InputError("Expected something to write, but got --no-overlay without --labels: leave one out.")
    wanted = _Wanted(out, _condition(corruption, severity, seed), overlays, labels, opacity)
    files = find_images(sources, out)
    written = [path for key in files for path in wanted.paths(key).values()]
    _keep_inputs(files.values(), written)
    loaded = one_model(
        Request(model, weights=weights, card=card, arch=arch, device=device, precision=precision)
    )
    OutFolder(out).reserve(path.relative_to(out).as_posix() for path in written)
    palette = class_colours(loaded.card.class_names, loaded.card.dataset)
    counts = np.zeros(len(palette), np.int64)
    with _showing(len(files)) as progress:
        for done, (key, path) in enumerate(files.items(), start=1):
            counts += _predict(loaded, palette, key, path, wanted)
            progress(Progress(done, len(files)))
    click.echo("\n".join(map(str, written)))
    click.echo(_table(_shares(counts, loaded.card.class_names, palette), len(files)))


def _condition(corruption: str | None, severity: int | None, seed: int) -> _Condition | None:
    if corruption is None:
        if severity is not None:
            raise InputError("Expected --corruption with --severity, but got none: name one, such as fog.")
        return None
    asked = DEFAULT_SEVERITY if severity is None else severity
    _, condition = conditions_of([(corruption, asked)])
    return _Condition(condition.corruption, condition.severity, seed)


def _keep_inputs(inputs: Iterable[Path], outputs: Iterable[Path]) -> None:
    """Refuse to write over an image that is read."""
    read = {path.resolve() for path in inputs}
    for path in outputs:
        if path.resolve() in read:
            raise InputError(f"Expected not to write over the image {path}: choose another --out.")


def _showing(number: int) -> AbstractContextManager[Callable[[Progress], None]]:
    return showing() if number > 1 else nullcontext(lambda _done: None)


def _predict(
    model: Model, palette: Sequence[Colour], key: str, path: Path, wanted: _Wanted
) -> NDArray[np.int64]:
    """Write what is wanted of one image, and return how many pixels of each class were found."""
    image = read_upright(path)
    if wanted.condition is not None:
        name, severity, seed = wanted.condition
        image = corruptions.corrupt(image, name, severity, seed=seed, key=key)
    prediction = Batch(image[None], [key]).result(model).labels[0]
    counts = np.bincount(prediction.ravel(), minlength=len(palette))
    label_image = indexed(prediction, palette)
    paths = wanted.paths(key)
    if "labels" in paths:
        write_png(paths["labels"], label_image)
    if "overlay" in paths:
        shares = _shares(counts, model.card.class_names, palette)
        write_png(paths["overlay"], overlay(image, label_image, wanted.opacity, shares))
    return counts


def _shares(counts: NDArray[np.int64], class_names: Sequence[str], palette: Sequence[Colour]) -> list[Share]:
    """Return the classes that were found, the largest first."""
    found = [int(index) for index in np.argsort(-counts, kind="stable") if counts[index]]
    total = int(counts.sum())
    return [Share(class_names[index], palette[index], int(counts[index]) / total) for index in found]


def _table(shares: Sequence[Share], images: int) -> str:
    width = max(len(share.name) for share in shares)
    of = "the image" if images == 1 else f"the pixels of {images} images"
    return "\n".join(
        ["", f"Classes, of {of}:", *(f"  {each.name:{width}}  {percent(each.share):>7}" for each in shares)]
    )
