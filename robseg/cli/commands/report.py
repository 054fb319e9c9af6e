"""Score finished runs again, and rewrite their tables and reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from robseg.cli import scoring
from robseg.cli.options import Command
from robseg.cli.output import console
from robseg.cli.verbosity import notes
from robseg.errors import InputError

if TYPE_CHECKING:
    from reports.tables.merge import Merged
    from reports.tables.results import Results

GROUP = "Understand"


class Format(NamedTuple):
    """A format of a report: the names of its files, and what writes them into a folder."""

    files: Callable[[Results], Iterable[str]]
    write: Callable[[Merged, Path], object]


def _csv(merged: Merged, folder: Path) -> None:
    from reports.tables.results import save_tables

    save_tables(merged.results, folder)


def _csv_files(results: Results) -> Iterable[str]:
    from reports.tables.results import table_files

    return table_files(results)


def _html(merged: Merged, folder: Path) -> None:
    from reports.html import write_page

    write_page(merged.results, folder / "report.html", merged.results.run, merged.left_out)


def _markdown(merged: Merged, folder: Path) -> None:
    from reports.formats.documents import to_markdown
    from reports.formats.overview import overview
    from reports.run.files import write_atomically

    write_atomically(folder / "report.md", to_markdown(overview(merged.results, merged.left_out)))


def _latex(merged: Merged, folder: Path) -> None:
    from reports.formats.latex import latex_table
    from reports.run.files import write_atomically

    write_atomically(folder / "report.tex", latex_table(merged.results))


def _figures(form: str) -> Format:
    def write(merged: Merged, folder: Path) -> None:
        from reports.formats.figures import save_figures

        save_figures(merged.results, folder, form)

    def files(_: Results) -> Iterable[str]:
        from reports.formats.figures import FIGURES

        return [f"{name}.{form}" for name in FIGURES]

    return Format(files, write)


FORMATS = {
    "html": Format(lambda _: ["report.html"], _html),
    "csv": Format(_csv_files, _csv),
    "markdown": Format(lambda _: ["report.md"], _markdown),
    "latex": Format(lambda _: ["report.tex"], _latex),
    "png": _figures("png"),
    "svg": _figures("svg"),
}


@click.command("report", cls=Command)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@scoring.protocol("the run's own")
@click.option(
    "--reference",
    default=None,
    help="What CD and rCD are relative to: a model, RUN:MODEL, or a published row.",
)
@click.option(
    "--format",
    "formats",
    default="html,csv",
    show_default=True,
    metavar="FORMAT,...",
    help=f"Formats to write, separated by commas: {', '.join(FORMATS)}.",
)
@click.option(
    "--out", "-o", type=click.Path(path_type=Path, file_okay=False), default=None,
    help="Folder to write to.  [default: RUN; for several or a file, report]",
)  # fmt: skip
@scoring.confidence
def command(
    runs: tuple[Path, ...],
    protocol: str | None,
    reference: str | None,
    formats: str,
    out: Path | None,
    confidence: float,
) -> None:
    """Score RUNS again from their counts, and write tables, pages and plots.

    Several runs become one report of the models that share data and protocol. A note says what is left out.
    All files of reports in a folder show the same scores: those that show others are deleted.

    \b
    robseg report runs/cityscapes --protocol segformer --reference ICNet
    robseg report runs/a runs/b --out both --format csv,latex,svg
    """
    import reports
    from reports.run.folder import OutFolder
    from reports.tables.merge import load_runs
    from reports.tables.results import claim

    asked = _formats(formats)
    merged = load_runs(runs, protocol=protocol, reference=reference, confidence=confidence)
    folder = out or (runs[0] if len(runs) == 1 and runs[0].is_dir() else Path("report"))
    files = [name for form in asked for name in FORMATS[form].files(merged.results)]
    claim(merged.results, OutFolder(folder), files)
    for form in asked:
        FORMATS[form].write(merged, folder)
    console().print(reports.console_summary(merged.results))
    for reason in merged.left_out:
        notes.info("Left out: %s.", reason)
    click.echo(f"Report: {folder / 'report.html' if 'html' in asked else folder}")


def _formats(text: str) -> list[str]:
    asked = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [name for name in asked if name not in FORMATS]
    if unknown or not asked:
        raise InputError(f"Expected --format to name some of {', '.join(FORMATS)}, but got '{text}'.")
    return asked
