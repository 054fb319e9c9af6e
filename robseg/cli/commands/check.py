"""Find all faults of a data set before a run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from robseg.cli.options import Command
from robseg.errors import InputError
from robseg.evaluation.request import Request
from robseg.machine import cores
from robseg.options import fields, read_toml

if TYPE_CHECKING:
    from robseg.check import Report

GROUP = "Models and data"

OPTIONS = fields(Request)
NUM_WORKERS = OPTIONS["num_workers"]
FIELDS = (
    dataclasses.replace(OPTIONS["dataset"], text="Data set to check, in place of DATA.", default=None),
    OPTIONS["data_root"],
    OPTIONS["split"],
    dataclasses.replace(
        NUM_WORKERS,
        text="Images to read at a time.",
        flag=dataclasses.replace(NUM_WORKERS.flag, unset="one per core"),
    ),
)


def _run_file(argument: str) -> Path | None:
    """Return the run file that an argument names; the description of a data set is none."""
    path = Path(argument)
    is_description = path.suffix == ".toml" and path.is_file() and "images" in read_toml(path)
    return path if path.suffix == ".toml" and not is_description else None


@click.command("check", cls=Command, fields=FIELDS, run_file=_run_file)
@click.argument("data", metavar="[DATA]", required=False)
@click.option("--init", is_flag=True, help="Write a first dataset.toml for the folder DATA, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(
    data: str | None,
    init: bool,
    as_json: bool,
    dataset: str | None,
    data_root: Path | None,
    split: str | None,
    num_workers: int | None,
) -> None:
    """Find all faults of a data set before a run: every image and target is read.

    DATA is the name of a data set (see `robseg list datasets`), or a folder with a dataset.toml. Faults would
    stop an evaluation or make its scores wrong; they make the exit code 2. Warnings would not.

    \b
    robseg check camvid --data-root DIR --split val
    robseg check --init FOLDER      write a first dataset.toml from what the folder holds
    robseg check FOLDER
    """
    if init:
        _init(data)
        return
    from robseg.check import check
    from robseg.cli.progress import showing
    from robseg.datasets.folder import splits_in
    from robseg.evaluation.progress import Progress

    name, root = _asked(data, dataset, data_root)
    splits: list[str | None] = [split] if split or name != "folder" else [*splits_in(root)] or [None]
    workers = cores() if num_workers is None else num_workers
    reports = []
    for each in splits:
        with showing("images") as show:
            reports.append(check(name, root, each, workers, lambda *done, show=show: show(Progress(*done))))
    if as_json:
        click.echo(json.dumps([_as_json(report) for report in reports], indent=2))
    else:
        text = "\n\n".join("\n".join(_lines(report)) for report in reports)
        click.echo(text.encode(errors="backslashreplace").decode())  # names of files may not be Unicode
    if faults := sum(len(report.faults) for report in reports):
        raise InputError(f"Expected data without faults, but found {faults} in {reports[0].name}: see above.")


def _asked(data: str | None, dataset: str | None, data_root: Path | None) -> tuple[str, Path | None]:
    """Return the name and the root of the data set that was asked for."""
    from robseg.datasets import DATASETS

    if (data is None) == (dataset is None):
        raise InputError(
            f"Expected one data set, but got {'none' if data is None else 'both DATA and --dataset'}: "
            "name one, or a folder with a dataset.toml."
        )
    name = dataset or data or ""
    root = None if data_root is None else Path(data_root)
    if dataset is None and name not in DATASETS:
        if not Path(name).exists():
            raise InputError(
                f"Expected a data set or a folder with a dataset.toml, but got '{name}': correct the path, "
                "or see `robseg list datasets`."
            )
        if root is not None:
            raise InputError(f"Expected no --data-root beside the folder '{name}': leave one of them out.")
        return "folder", Path(name)
    return name, root


def _init(data: str | None) -> None:
    from robseg.check.init import describe_folder

    if data is None:
        raise InputError("Expected the folder to describe, but got none: write `robseg check --init FOLDER`.")
    for line in describe_folder(Path(data)):
        click.echo(line)


def _lines(report: Report) -> Iterator[str]:
    yield f"{report.name}, {report.split}: {report.images} images"
    yield ""
    wide = max([len("Height x width"), *(len(each.name) for each in report.classes)])
    yield f"  {'Height x width':<{wide}}{'images':>10}"
    for (height, width), number in report.sizes.items():
        yield f"  {f'{height}x{width}':<{wide}}{number:>10}"
    yield f"  {'Class':<{wide}}{'images':>10}{'pixels':>10}"
    for each in report.classes:
        yield f"  {each.name:<{wide}}{each.images:>10}{each.share:>10.2%}"
    scored = sum(each.pixels for each in report.classes)
    undeclared = sum(each.pixels for each in report.undeclared)
    everything = max(1, scored + report.unscored + undeclared)
    yield f"  Ignored: {report.unscored / everything:.2%} of all pixels"
    for title, findings in (("Faults", report.faults), ("Warnings", report.warnings)):
        yield f"{title}: {len(findings) or 'none'}"
        for finding in findings:
            yield f"  - {finding.text}"
    if report.toml:
        yield f"\n{report.toml.rstrip()}"


def _as_json(report: Report) -> dict[str, object]:
    return {
        "name": report.name,
        "split": report.split,
        "images": report.images,
        "sizes": [
            {"height": height, "width": width, "images": number}
            for (height, width), number in report.sizes.items()
        ],
        "classes": [each._asdict() for each in report.classes],
        "ignored_pixels": report.unscored,
        "undeclared": [each._asdict() for each in report.undeclared],
        "faults": [each._asdict() for each in report.faults],
        "warnings": [each._asdict() for each in report.warnings],
        "toml": report.toml,
    }
