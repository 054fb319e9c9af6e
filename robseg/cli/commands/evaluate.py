"""`robseg evaluate`: models over the grid of corruptions."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from robseg.cli.severities import parse_severities
from robseg.cli.widths import parse_widths

if TYPE_CHECKING:
    from robseg.models.predict.inference import Precision
    from robseg.pipeline import Plan

__all__ = ["evaluate"]


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@click.command("evaluate")
@click.option(
    "--model",
    "-m",
    "models",
    multiple=True,
    required=True,
    help="A card's id, an architecture, a weights' file, all, or a glob; anybody's model as "
    "py:MODULE:FACTORY, torchvision:NAME, hf:NAME, smp:NAME, onnx:FILE, pt2:FILE, ts:FILE. Repeatable.",
)
@click.option(
    "--weights",
    "-w",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A checkpoint for the --model, in place of its own.",
)
@click.option(
    "--model-card",
    "cards",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A JSON file of card fields for the --model, in place of its own: class_names, mean, test_size, ...",
)
@click.option(
    "--arch",
    default=None,
    help="The architecture of a weights' file given as --model, where no card beside it says.",
)
@click.option(
    "--corruptions",
    "-c",
    default="all",
    show_default=True,
    help="Names, groups (noise, ...), subsets (all, common, ...), comma-separated; none: clean only.",
)
@click.option("--severities", "-s", default=None, help="Such as 3, 1,3,5 or 1-3.  [default: 1-5]")
@click.option("--protocol", default=None, help="A named protocol in place of --corruptions and --severities.")
@click.option("--dataset", "-d", default="streets", show_default=True, help="See `robseg list datasets`.")
@click.option(
    "--data-root",
    type=click.Path(path_type=Path),
    default=None,
    help="Where the data set lies.  [default: $ROBSEG_DATA_ROOT/DATASET]",
)
@click.option(
    "--split", default=None, help="The data set's split.  [default: the one that is usually scored]"
)
@click.option("--limit", type=click.IntRange(min=1), default=None, help="Only the first so many images.")
@click.option(
    "--every",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Only every so many-th image: in videos, neighbours say much the same.",
)
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    default=None,
    help="The run's folder; a run found there is continued.  [default: runs/MODEL-DATASET]",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the corruptions' randomness."
)
@click.option(
    "--move-targets/--keep-targets",
    default=None,
    help="Whether targets move with corruptions that move pixels.  [default: as the protocol says, else yes]",
)
@click.option("--refine", default=None, help="segfix, or the id of a SegFix: judges each model refined too.")
@click.option(
    "--refine-weights",
    type=click.Path(path_type=Path),
    default=None,
    help="A checkpoint for --refine, in place of its own.",
)
@click.option(
    "--offsets",
    type=click.Path(path_type=Path),
    default=None,
    help="A folder of offsets for --refine, one .mat for each image, in place of a network.",
)
@click.option(
    "--refine-scale",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Pixels per unit of offset.",
)
@click.option(
    "--boundaries",
    default=None,
    metavar="WIDTHS",
    help="Also score near class boundaries, at these widths in pixels, such as 2,5.  [default: not]",
)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option("--precision", type=click.Choice(["fp32", "bf16", "fp16"]), default="fp32", show_default=True)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Images that go through a network together.",
)
@click.option(
    "--num-workers",
    "-j",
    type=click.IntRange(min=0),
    default=None,
    help="Worker processes; 0 works in this one.  [default: one for each core; 1 on a GPU]",
)
@click.option(
    "--examples/--no-examples", default=True, show_default=True, help="Whether the report shows images."
)
@click.option("--dry-run", is_flag=True, help="Show the grid, its cost and its disk space, and stop.")
def evaluate(
    models: tuple[str, ...],
    weights: tuple[Path, ...],
    cards: tuple[Path, ...],
    arch: str | None,
    corruptions: str,
    severities: str | None,
    protocol: str | None,
    dataset: str,
    data_root: Path | None,
    split: str | None,
    limit: int | None,
    every: int,
    out: Path | None,
    seed: int,
    move_targets: bool | None,
    refine: str | None,
    refine_weights: Path | None,
    offsets: Path | None,
    refine_scale: int,
    boundaries: str | None,
    device: str,
    precision: Precision,
    batch_size: int,
    num_workers: int | None,
    examples: bool,
    dry_run: bool,
) -> None:
    """Evaluate models on clean and corrupted images, and write tables and a report.

    The same command again continues a run that was stopped; asking for more computes only what is missing.

    \b
    robseg evaluate --model enet --corruptions all
    robseg evaluate --model enet --weights my.pth --dataset camvid --data-root DIR --corruptions fog,blur
    """
    from robseg.api import cells_of, protocol_of, refine_source, targets_move
    from robseg.evaluation.request import Request, model_sources, with_cards
    from robseg.models.adapters.fields import fields_in
    from robseg.pipeline import make_plan

    cells = cells_of(corruptions, parse_severities(severities), protocol)
    request = Request(
        models=with_cards(model_sources(models, weights, arch, dataset), [fields_in(path) for path in cards]),
        dataset=dataset,
        cells=cells,
        data_root=data_root,
        split=split,
        limit=limit,
        every=every,
        seed=seed,
        move_targets=targets_move(move_targets, protocol),
        device=device,
        precision=precision,
        batch_size=batch_size,
        protocol=protocol_of(cells, protocol),
        refine=refine_source(refine, refine_weights, offsets, refine_scale),
        boundaries=parse_widths(boundaries),
    )
    workers = num_workers if num_workers is not None else (cores() if device == "cpu" else 1)
    plan = make_plan(request, out)
    if dry_run:
        from robseg.cli.dry_run import show

        show(plan, workers)
        return
    _run(plan, workers, examples)


def _run(plan: Plan, workers: int, examples: bool) -> None:
    from rich.console import Console

    from reports import console_summary
    from robseg.cli.progress import showing
    from robseg.pipeline import execute

    with showing() as progress:
        results = execute(
            plan, workers, examples=examples, progress=progress, command=shlex.join(["robseg", *sys.argv[1:]])
        )
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    console.print(console_summary(results))
    click.echo(f"Report: {plan.store.out / 'report.html'}")
