"""Result tables in; summaries, plots, HTML and CSV out.

>>> import reports
>>> results = reports.write_tables("runs/enet")  # doctest: +SKIP
>>> results.summary[["model", "clean_miou", "mpc"]]  # doctest: +SKIP
>>> reports.write_report("runs/enet")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.formats.console import console_summary
    from reports.html import write_report
    from reports.tables.results import Results, load, write_tables

__all__ = ["Results", "console_summary", "load", "write_report", "write_tables"]

# Evaluation imports reports.run.record only: pandas, matplotlib and jinja2 wait until they are asked for.
_HOMES = {
    "Results": "reports.tables.results",
    "console_summary": "reports.formats.console",
    "load": "reports.tables.results",
    "write_report": "reports.html",
    "write_tables": "reports.tables.results",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'reports' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
