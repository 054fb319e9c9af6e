"""List models, data sets, corruptions, protocols or class maps."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable
from typing import Any

import click

from robseg.cli.options import Command
from robseg.cli.output import console
from robseg.cli.verbosity import notes
from robseg.errors import unknown_name
from robseg.printable import printable

GROUP = "Models and data"

Row = dict[str, Any]


def _models() -> list[Row]:
    from robseg.models.catalogue import list_cards
    from robseg.models.checkpoints.fetch import whereabouts

    return [
        {
            "name": card.id,
            "architecture": card.architecture,
            "backbone": card.backbone,
            "dataset": card.dataset,
            "classes": len(card.class_names),
            "published_miou": card.published_miou,
            "published_interval": card.published_interval,
            "published_protocol": card.published_protocol,
            "published_precision": card.published_precision,
            "weights": whereabouts(card),
            "weights_file": card.weights_file,
            "weights_urls": list(card.weights_urls),
            "layout": card.layout,
            "config": card.config,
            "licence": card.licence,
            "source": card.source,
            "trained_on": card.trained_on,
            "citation": card.citation,
            "seen_corruptions": list(card.seen_corruptions),
        }
        for card in list_cards()
    ]


def _datasets() -> list[Row]:
    from robseg.datasets import DATASETS

    return [
        {
            "name": card.name,
            "title": card.title,
            "classes": len(card.class_names) or None,
            "class_names": list(card.class_names),
            "palette": [list(colour) for colour in card.palette],
            "splits": list(card.splits),
            "needs_root": card.needs_root,
            "licence": card.licence,
        }
        for card in DATASETS.values()
    ]


def _corruptions() -> list[Row]:
    import corruptions

    records = [corruptions.get(name) for name in corruptions.names("all")]
    return [
        {
            "name": record.name,
            "group": record.group,
            "random": record.random,
            "moves_pixels": record.moves_pixels,
            "parameters": [dict(parameters) for parameters in record.parameters],
            "source": record.source,
        }
        for record in records
    ]


def _protocols() -> list[Row]:
    from reports.scoring.protocols import PROTOCOLS, conditions

    return [
        {
            "name": protocol.name,
            "title": protocol.title,
            "corruptions": len(protocol.corruptions),
            "conditions": len(conditions(protocol)),
            "source": protocol.source,
        }
        for protocol in PROTOCOLS.values()
    ]


def _class_maps() -> list[Row]:
    from robseg.evaluation.class_maps import read_class_map, shipped

    rows = []
    for name in shipped():
        found = read_class_map(name)
        outputs, targets = found.classes | found.outputs, found.classes | found.targets
        ignore = list(found.ignore)
        rows.append(
            {"name": name, "outputs": outputs, "targets": targets, "ignore": ignore, "source": found.source}
        )
    return rows


KINDS: dict[str, Callable[[], list[Row]]] = {
    "models": _models,
    "datasets": _datasets,
    "corruptions": _corruptions,
    "protocols": _protocols,
    "class-maps": _class_maps,
}
COLUMNS = 100  # of a terminal
HIDDEN = {
    "parameters",
    "class_names",
    "palette",
    "outputs",
    "targets",
    "ignore",
}  # too wide for a table; --json has them


def _kinds(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    return [kind for kind in KINDS if kind.startswith(incomplete)]


@click.command("list", cls=Command)
@click.argument("kind", metavar="|".join(KINDS), shell_complete=_kinds)
@click.argument("pattern", default="*", metavar="[GLOB]")
@click.option("--json", "as_json", is_flag=True, help="Write JSON with all that is known.")
def command(kind: str, pattern: str, as_json: bool) -> None:
    """List models, data sets, corruptions, protocols or class maps whose names match GLOB."""
    if kind not in KINDS:
        raise unknown_name("kind of thing", kind, KINDS)
    rows = [row for row in KINDS[kind]() if fnmatch.fnmatchcase(row["name"], pattern)]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    elif rows and kind == "models":
        _print_models(rows)
    elif rows:
        _print(rows)
    else:
        notes.info("No %s match %r.", kind, pattern)


def _print_models(rows: list[Row]) -> None:
    """Print models under a line for each architecture and data set, 100 columns wide at most.

    Intervals of scores are left out where they would not fit.
    """
    lines = _model_lines(rows, _miou_with_interval)
    if max(map(len, lines)) > COLUMNS:
        lines = _model_lines(rows, _miou)
    click.echo("\n".join(lines))


def _model_lines(rows: list[Row], score: Callable[[Row], str]) -> list[str]:
    groups: dict[tuple[str, str, int], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["architecture"], row["dataset"], row["classes"]), []).append(row)
    name = max(len(row["name"]) for row in rows)
    miou = max(len("mIoU"), *(len(score(row)) for row in rows))
    lines = [f"  {'name':<{name}} {'backbone':<18} {'mIoU':<{miou}}  weights"]
    for (architecture, dataset, classes), models in groups.items():
        lines.append(f"{architecture}, {dataset}, {classes} classes")
        lines += [
            f"  {row['name']:<{name}} {row['backbone'] or '-':<18} {score(row):<{miou}}  {row['weights']}"
            for row in models
        ]
    return lines


def _miou(row: Row) -> str:
    """Return a model's published mIoU in %."""
    return "-" if row["published_miou"] is None else f"{100 * row['published_miou']:.1f}"


def _miou_with_interval(row: Row) -> str:
    if row["published_interval"] is None:
        return _miou(row)
    low, high = (f"{100 * end:.1f}" for end in row["published_interval"])
    return f"{_miou(row)} ({low}–{high})"


def _print(rows: list[Row]) -> None:
    from rich.table import Table
    from rich.text import Text

    columns = [name for name in rows[0] if name not in HIDDEN]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(_text(row[name]))) for name in columns))
    console(width=160).print(table)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
