"""The report of a run: one HTML file that opens offline, on a laptop, a phone or paper."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.html.page import describe
from reports.html.sections import shown
from reports.run.files import write_atomically
from reports.run.folder import OutFolder
from reports.tables.results import Results, claim, load

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
    claim(results, OutFolder(run), ["report.html"])
    return write_page(results, run / "report.html", run)


def write_page(results: Results, path: Path, run: Path, left_out: Sequence[str] = ()) -> Path:
    """Write the report of results to a file; examples and the counts of images come from the folder `run`.

    `left_out` says what was left out of several runs (see `reports.tables.merge`).
    """
    style, script = (_own(name) for name in ("style.css", "report.js"))
    page = describe(results, run, left_out)
    text = (
        _environment()
        .get_template("page.html.j2")
        .render(
            page=page,
            sections=shown(page),
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            policy=_policy(style, script),
        )
    )
    write_atomically(path, text)
    return path


def _own(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return a content security policy that allows only this style, this script, and embedded images."""
    style_hash, script_hash = (
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)
    )
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{style_hash}'; "
        f"script-src 'sha256-{script_hash}'; base-uri 'none'; form-action 'none'"
    )


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader([HERE, HERE / "sections"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
