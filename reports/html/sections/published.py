"""The published table beside the models of a run, if there is one for its data and conditions."""

from __future__ import annotations

from reports.html.beside import Beside, beside_of
from reports.html.page import Page, Section

__all__ = ["SECTION"]


def describe(page: Page) -> Beside | None:
    """Return the published table of a page, or None if there is none for its data and conditions."""
    beside = beside_of(page.results, page.models)
    return beside if beside.rows else None


SECTION = Section(70, "Published", describe)
