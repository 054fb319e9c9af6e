"""A report says where the scores on cards were measured in another precision than those of the run."""

import dataclasses
import io
from typing import Any

from rich.console import Console

import reports
from reports.formats.documents import to_markdown
from reports.formats.overview import overview
from tests.reports.page import Page
from tests.reports.synthetic import SyntheticRun

SENTENCE = "the mIoU on the card was measured in bf16, but this run is in fp32."


def texts_of(run: SyntheticRun, precision: str, **card: Any) -> list[str]:
    """Return the report of a run as HTML, as Markdown and in the terminal; `card` is the first model's."""
    first, second = run.record.models
    run.rewrite(precision=precision, models=(dataclasses.replace(first, card=card), second))
    results = reports.load(run.folder)
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(reports.console_summary(results))
    page = Page(reports.write_report(run.folder).read_text(encoding="utf-8"))
    return [page.text, to_markdown(overview(results)), console.export_text()]


def test_a_run_in_another_precision_than_the_card_says_so(run: SyntheticRun) -> None:
    for text in texts_of(run, "fp32", published_miou=0.65, published_precision="bf16"):
        assert SENTENCE in text


def test_a_run_in_the_precision_of_the_card_says_nothing(run: SyntheticRun) -> None:
    for text in texts_of(run, "bf16", published_miou=0.65, published_precision="bf16"):
        assert "the mIoU on the card" not in text


def test_a_card_without_a_score_or_its_precision_says_nothing(run: SyntheticRun) -> None:
    for card in ({"published_precision": "bf16"}, {"published_miou": 0.65}, {}):
        for text in texts_of(run, "fp32", **card):
            assert "the mIoU on the card" not in text
