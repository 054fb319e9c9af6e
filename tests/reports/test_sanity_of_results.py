"""The results of one or several runs carry their warnings."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from reports.formats.console import console_summary
from reports.html import write_page
from reports.run.record import CLEAN
from reports.sanity.table import table_of_scores
from reports.tables.merge import load_runs
from reports.tables.results import Results, load
from tests.reports.synthetic import Row, SyntheticRun

SEVEN = list("abcdefg")


def test_results_carry_the_warnings_of_their_run(pristine: SyntheticRun, run: SyntheticRun) -> None:
    assert load(pristine.folder).warnings == ()
    run.lose("jpeg_compression", 0.6)
    assert [warning.rule for warning in load(run.folder).warnings] == ["mild", "mild"]


def test_equal_models_of_two_runs_are_found(pristine: SyntheticRun, run: SyntheticRun) -> None:
    first, second = pristine.record.models

    def rename(row: Row) -> None:
        if row["model"] == second.name:
            row["model"] = "copy"

    run.change_rows(rename)
    run.rewrite(models=(first, dataclasses.replace(second, name="copy")))
    (found,) = load_runs([pristine.folder, run.folder]).results.warnings
    assert found.rule == "equal_models"
    assert {cell.model for cell in found.cells} == {second.name, "copy"}


@pytest.fixture
def suspicious(pristine: SyntheticRun) -> Results:
    """Results with seven warnings."""
    checked = table_of_scores(SEVEN, [(CLEAN, 0), ("brightness", 1)], np.array([[0.8, 0.3]] * 7))
    return dataclasses.replace(load(pristine.folder), checked=checked)


def test_the_console_shows_the_first_warnings(suspicious: Results) -> None:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(console_summary(suspicious))
    shown = capture.get()
    assert [name for name in SEVEN if f"Warning: {name} keeps 37.5 % of" in shown] == SEVEN[:5]
    assert "Warning: The report has 2 more." in shown


def test_a_page_folds_what_it_has_beyond_a_few_warnings(suspicious: Results, tmp_path: Path) -> None:
    path = write_page(suspicious, tmp_path / "report.html", suspicious.run)
    section = path.read_text().partition('<section id="sanity"')[2].partition("</section>")[0]
    first, fold, rest = section.partition("<summary>5 more</summary>")
    assert fold
    assert [name for name in SEVEN if f"<li>{name} keeps" in first] == SEVEN[:2]
    assert [name for name in SEVEN if f"<li>{name} keeps" in rest] == SEVEN[2:]
