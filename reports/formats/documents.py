"""Documents for people as Markdown, as an HTML page, or on the terminal. All texts are escaped here.

Names of models, classes and files come from others: they may contain markup, newlines, or 10,000 characters.
"""

from __future__ import annotations

import dataclasses
import html
import re
import unicodedata

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

__all__ = ["LONGEST", "Document", "Table", "one_line", "to_console", "to_html", "to_markdown"]

LONGEST = 120
STYLE = """:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{padding:.2rem .8rem .2rem 0;border-bottom:1px solid #8884;text-align:right}
td{font-variant-numeric:tabular-nums}
th[scope=row],th:first-child{text-align:left;font-weight:400;overflow-wrap:anywhere}
.loud{border-left:4px solid #d55e00;padding-left:.8rem}"""


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of texts; the first column names the rows."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclasses.dataclass(frozen=True)
class Document:
    """A title, `warnings` that nobody should overlook, sentences, and tables. All texts are unescaped."""

    title: str
    warnings: tuple[str, ...]
    lines: tuple[str, ...]
    tables: tuple[Table, ...]


def one_line(text: str, longest: int = LONGEST) -> str:
    """Return a text without line breaks and control characters, cut to `longest` characters.

    Examples
    --------
    >>> one_line("a\\nb" + "c" * 200, 9)
    'a bccccc…'
    """
    kept = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in kept)


def to_markdown(document: Document) -> str:
    """Return a document as GitHub's Markdown."""
    parts = [f"## {_md(document.title)}"]
    parts += [f"> **Warning:** {_md(warning, 2000)}" for warning in document.warnings]
    parts += [_md(line, 2000) for line in document.lines]
    for table in document.tables:
        align = ["---", *["---:"] * (len(table.header) - 1)]
        lines = [table.header, align, *table.rows]
        escaped = [[_md(cell) for cell in line] if line is not align else align for line in lines]
        parts.append(
            "\n".join([f"**{_md(table.title)}**", "", *(f"| {' | '.join(line)} |" for line in escaped)])
        )
    return "\n\n".join(parts) + "\n"


def to_html(*documents: Document) -> str:
    """Return documents as one self-contained page."""
    title = _html(documents[0].title)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(map(_section, documents))
        + "\n</body></html>\n"
    )


def _section(document: Document) -> str:
    parts = [f"<h1>{_html(document.title)}</h1>"]
    parts += [f'<p class="loud"><strong>Warning:</strong> {_html(w, 2000)}</p>' for w in document.warnings]
    parts += [f"<p>{_html(line, 2000)}</p>" for line in document.lines]
    for table in document.tables:
        head = "".join(f'<th scope="col">{_html(cell)}</th>' for cell in table.header)
        body = "\n".join(
            f'<tr><th scope="row">{_html(row[0])}</th>'
            + "".join(f"<td>{_html(cell)}</td>" for cell in row[1:])
            + "</tr>"
            for row in table.rows
        )
        parts.append(
            f"<table><caption>{_html(table.title)}</caption>\n"
            f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>"
        )
    return "\n".join(parts)


def to_console(document: Document) -> Group:
    """Return a document for rich's console."""
    parts: list[Text | RichTable] = [Text(one_line(document.title, 400), style="bold")]
    parts += [Text(f"Warning: {one_line(w, 2000)}", style="bold red") for w in document.warnings]
    parts += [Text(one_line(line, 2000)) for line in document.lines]
    for table in document.tables:
        drawn = RichTable(
            title=Text(one_line(table.title)),
            title_justify="left",
            box=SIMPLE_HEAD,
            pad_edge=False,
            padding=(0, 1, 0, 0),
        )
        for place, name in enumerate(table.header):
            drawn.add_column(Text(one_line(name)), justify="right" if place else "left", overflow="fold")
        for row in table.rows:
            drawn.add_row(*(Text(one_line(cell)) for cell in row))
        parts += [Text(""), drawn]
    return Group(*parts)


def _md(text: str, longest: int = LONGEST) -> str:
    """Escape the characters that Markdown, or HTML inside it, would read as markup."""
    return re.sub(
        r"([\\`*_{}\[\]#|~!$])", r"\\\1", html.escape(one_line(text, longest), quote=False)
    ).replace(
        "@",
        "&#64;",  # otherwise GitHub would notify a user of that name
    )


def _html(text: str, longest: int = LONGEST) -> str:
    return html.escape(one_line(text, longest))
