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
    from reports.html import write_report
    from reports.results import Results, load, write_tables
    from reports.tables import console_summary

__all__ = ["Results", "console_summary", "load", "write_report", "write_tables"]

# Evaluation imports reports.schema only: pandas, matplotlib and jinja2 wait until one of these is asked for.
_HOMES = {
    "Results": "reports.results",
    "console_summary": "reports.tables",
    "load": "reports.results",
    "write_report": "reports.html",
    "write_tables": "reports.results",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'reports' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
