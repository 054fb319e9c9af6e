"""Results that look like a fault of the evaluation rather than a property of the models."""

from __future__ import annotations

from reports.formats.documents import one_line
from reports.html.page import Page, Section

__all__ = ["SECTION"]

LONGEST = 2000  # characters of a sentence, which may name models of any length


def describe(page: Page) -> list[str] | None:
    """Return a sentence for each warning of the run."""
    return [one_line(str(warning), LONGEST) for warning in page.results.warnings] or None


SECTION = Section(5, "Warnings", describe)
