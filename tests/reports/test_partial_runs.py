"""A run on a part of its data set says so first, and a gate repeats the warnings of the run."""

import dataclasses

import pytest
from rich.console import Console

import reports
from reports.formats.overview import overview
from reports.formats.text import partial_sentence, scoring_sentence
from reports.gate.document import gate_document
from reports.gate.gate import run_gate
from reports.gate.rules import Rules
from reports.html.page import describe
from reports.scoring.jackknife import COVERAGE
from tests.reports.synthetic import RECORD, SyntheticRun

SENTENCE = "Partial: 8 of 60 images, 2 clusters."


@pytest.fixture
def partial(run: SyntheticRun) -> SyntheticRun:
    run.rewrite(dataset={**RECORD.dataset, "total": 60}, clusters=tuple("aaaabbbb"))
    return run


def test_console_markdown_page_and_gate_say_it_first(partial: SyntheticRun) -> None:
    results = reports.load(partial.folder)
    console = Console(width=100)
    with console.capture() as shown:
        console.print(reports.console_summary(results))
    lines = [line for line in shown.get().splitlines() if line]
    assert lines[1] == SENTENCE
    assert overview(results).lines[0] == SENTENCE
    assert describe(results, partial.folder).warnings[0] == SENTENCE
    gate = run_gate(partial.folder, partial.folder, Rules())
    assert gate.notes[0] == SENTENCE
    assert SENTENCE in gate_document(gate).lines


def test_a_whole_run_and_one_of_an_earlier_version_say_nothing() -> None:
    for total in (0, 8):
        assert partial_sentence(dataclasses.replace(RECORD, dataset={**RECORD.dataset, "total": total})) == ""
    assert partial_sentence(RECORD) == ""


def test_a_gate_repeats_the_warnings_of_the_run(run: SyntheticRun) -> None:
    clean: dict[tuple[str, str], dict[str, object]] = {}
    names = ("tp", "fp", "fn")
    run.change_rows(
        lambda row: (
            clean.update({(row["model"], row["image"]): {name: row[name] for name in names}})
            if row["corruption"] == "clean"
            else row.update(clean[row["model"], row["image"]] if row["corruption"] == "fog" else {})
        )
    )
    (warning,) = reports.load(run.folder).warnings
    assert str(warning) in run_gate(run.folder, run.folder, Rules()).notes


def test_intervals_say_how_often_they_cover_at_the_simulated_level_only(run: SyntheticRun) -> None:
    covers = f"they cover {100 * COVERAGE[0][1]:.0f} % or more in simulations"
    assert covers in scoring_sentence(reports.load(run.folder))
    assert "simulations" not in scoring_sentence(reports.load(run.folder, confidence=0.9))
    run.rewrite(clusters=tuple("aaaabbbb"))
    assert "simulations" not in scoring_sentence(reports.load(run.folder))
