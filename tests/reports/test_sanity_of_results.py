"""The results of one or several runs carry their warnings."""

import dataclasses

import numpy as np
from rich.console import Console

from reports.formats.console import console_summary
from reports.run.record import CLEAN
from reports.sanity.table import table_of_scores
from reports.tables.merge import load_runs
from reports.tables.results import load
from tests.reports.synthetic import Row, SyntheticRun


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


def test_the_console_shows_the_first_warnings(pristine: SyntheticRun) -> None:
    conditions = [(CLEAN, 0), ("brightness", 1)]
    checked = table_of_scores(list("abcdefg"), conditions, np.array([[0.8, 0.3]] * 7))
    console = Console(width=200)
    with console.capture() as capture:
        console.print(console_summary(dataclasses.replace(load(pristine.folder), checked=checked)))
    shown = capture.get()
    assert [
        name for name in "abcdefg" if f"Warning: {name} keeps 37.5 % of its clean score" in shown
    ] == list("abcde")
    assert "Warning: The report has 2 more." in shown
