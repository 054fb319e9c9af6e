"""Options that commands share which score runs and write what they found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from robseg.cli.completion import Names
from robseg.cli.output import console, write_text

if TYPE_CHECKING:
    from reports.formats.documents import Document

__all__ = ["answer", "confidence", "format_and_out", "protocol"]

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

confidence = click.option(
    "--confidence",
    type=click.FloatRange(0.5, 0.9999),
    default=0.95,
    show_default=True,
    help="Confidence level of the intervals.",
)


def protocol(default: str) -> Decorator:
    """Return the option that names a protocol; `default` says what holds without it."""
    text = f"Protocol to score under.  [default: {default}]"
    return click.option("--protocol", type=Names("protocols"), default=None, help=text)


def format_and_out(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how an answer is written, and where."""
    form = click.option(
        "--format",
        "form",
        type=click.Choice(["table", "markdown", "html", "csv", "json"]),
        default="table",
        show_default=True,
        help="Format of the answer. In a file, a table is written as Markdown.",
    )
    out = click.option(
        "--out",
        "-o",
        type=click.Path(path_type=Path, dir_okay=False),
        default=None,
        help="File to write.  [default: the terminal]",
    )
    return form(out(function))


def answer(
    form: str,
    out: Path | None,
    documents: Callable[[], list[Document]],
    csv: Callable[[], str],
    json: Callable[[], str],
) -> None:
    """Write an answer in a format, to a file or the terminal."""
    from reports.formats.documents import to_console, to_html, to_markdown

    if form == "table" and out is None:
        for document in documents():
            console().print(to_console(document))
    elif form in ("csv", "json"):
        write_text(csv() if form == "csv" else json(), out)
    else:
        write_text(to_html(*documents()) if form == "html" else "\n".join(map(to_markdown, documents())), out)
