"""The sections of a report. Each is a module with a SECTION and a template of the same name beside it."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, NamedTuple

from reports.html.page import Page, Section

__all__ = ["Shown", "shown"]


class Shown(NamedTuple):
    """A section of a page: its name (which its template and anchor share), its link and its content."""

    name: str
    link: str
    content: Any


def shown(page: Page) -> list[Shown]:
    """Return the sections that have something to show on a page, in order."""
    found: dict[str, Section] = {
        module.name: importlib.import_module(f"{__name__}.{module.name}").SECTION
        for module in pkgutil.iter_modules(__path__)
    }
    described = [
        Shown(name, section.link, section.describe(page))
        for name, section in sorted(found.items(), key=lambda pair: pair[1].order)
    ]
    return [section for section in described if section.content is not None]
