"""The results of one or several runs carry their warnings."""

import dataclasses

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
