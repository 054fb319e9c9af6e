"""The report of a run: one HTML file that opens offline, on a laptop, a phone or paper."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.files import write_atomically
from reports.html.content import describe
from reports.html.images import gallery
from reports.plots import degradation_curves
from reports.results import Results, load
from reports.tables import percent

__all__ = ["write_page", "write_report"]

HERE = Path(__file__).parent


def write_report(
    run: Path | str, *, protocol: str | None = None, reference: str | None = None, partial: bool = False
) -> Path:
    """Write RUN/report.html and return its path.

    The options are those of `reports.load`.
    """
    run = Path(run)
    results = load(run, protocol=protocol, reference=reference, partial=partial)
    return write_page(results, run / "report.html", run)


def write_page(results: Results, path: Path, run: Path) -> Path:
    """Write the report of some results to a file; its examples lie in the folder of `run`."""
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            content=describe(results),
            record=results.record,
            curves={name: Markup(svg) for name, svg in degradation_curves(results.scores).items()},  # noqa: S704
            gallery=gallery(run, results),
            style=Markup((HERE / "style.css").read_text(encoding="utf-8")),  # noqa: S704
        )
    )
    write_atomically(path, page)
    return path


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    environment.filters["words"] = lambda name: name.replace("_", " ")
    return environment
