"""The report in Markdown: what it shows besides mIoU, and what it shows of many models."""

import dataclasses
from collections.abc import Sequence

import pandas as pd
import pytest

import reports
from reports.formats.documents import Table, to_markdown
from reports.formats.overview import FEW, overview
from reports.formats.text import score_with_interval
from reports.run.record import Condition
from reports.tables.results import TABLES, Results
from tests.reports.synthetic import SyntheticRun

DEGRADATIONS = {"cd": "CD in %, against enet@streets", "rcd": "rCD in %, against enet@streets"}


@pytest.fixture
def results(pristine: SyntheticRun) -> Results:
    return reports.load(pristine.folder)


def tables_of(results: Results) -> dict[str, Table]:
    return {table.title: table for table in overview(results).tables}


def with_costs(results: Results, *costs: Sequence[float]) -> Results:
    """Return results whose models have these parameters, GMACs and ms per image."""
    names = ("parameters", "gmacs", "ms_per_image")
    columns = dict(zip(names, map(list, zip(*costs, strict=True)), strict=True))
    return dataclasses.replace(results, summary=results.summary.assign(**columns))


def test_costs_are_shown_and_what_is_unknown_is_a_dash(results: Results) -> None:
    unknown = float("nan")
    table = tables_of(with_costs(results, (364_000, 3.8, 41.54), (unknown, unknown, 7)))[
        "Cost, with the median time of a single image on one thread of the CPU"
    ]
    assert table.header == ("", "million parameters", "GMACs per image", "ms per image")
    assert [row[1:] for row in table.rows] == [("0.36", "3.80", "41.5"), ("–", "–", "7.0")]
    nothing = with_costs(results, *[[unknown] * 3] * 2)
    assert not any(title.startswith("Cost") for title in tables_of(nothing))


def test_degradations_stand_by_corruption_against_the_reference(
    pristine: SyntheticRun, results: Results
) -> None:
    assert not set(DEGRADATIONS.values()) & set(tables_of(results))
    names = [model.name for model in pristine.record.models]
    against = reports.load(pristine.folder, reference=names[0])
    rows = against.corruptions.set_index(["corruption", "model"]).to_dict("index")
    for score, title in DEGRADATIONS.items():
        table = tables_of(against)[title]
        assert table.header == ("", *names)
        assert [row[0] for row in table.rows] == ["gaussian_noise", "fog", "snow", "jpeg_compression"]
        for name, *cells in table.rows:
            assert cells == [score_with_interval(rows[name, model], score) for model in names]
            assert cells[0] == "100.0 (100.0–100.0)"
            assert "(" in cells[1]


def test_models_that_were_trained_with_a_corruption_of_the_run_are_named(results: Results) -> None:
    assert not overview(results).warnings
    first, second = results.record.models
    seen = {"seen_corruptions": ["fog", "zoom_blur", "snow"]}
    first = dataclasses.replace(first, card=seen)
    record = dataclasses.replace(results.record, models=(first, second))
    text = to_markdown(overview(dataclasses.replace(results, record=record)))
    assert "**Warning:** enet&#64;streets: trained with fog, snow, so scores" in text
    assert "zoom" not in text
    third = dataclasses.replace(first, name="other")
    record = dataclasses.replace(record, models=(first, second, third))
    (warning,) = overview(dataclasses.replace(results, record=record)).warnings
    assert warning.startswith("enet@streets, other: trained with fog, snow,")
    clean = dataclasses.replace(record, conditions=(Condition("clean", 0, "clean"),))
    assert not overview(dataclasses.replace(results, record=clean)).warnings


def repeated(results: Results, number: int) -> Results:
    """Return results with the first model so many times."""
    first = results.record.models[0]
    models = tuple(dataclasses.replace(first, name=f"m{n}") for n in range(number))
    tables = {}
    for name in TABLES:
        table = getattr(results, name)
        own = table[table["model"] == first.name]
        tables[name] = pd.concat([own.assign(model=model.name) for model in models], ignore_index=True)
    record = dataclasses.replace(results.record, models=models)
    return dataclasses.replace(results, record=record, **tables)


def test_of_many_models_means_have_no_intervals_and_this_is_said(results: Results) -> None:
    few, many = (overview(repeated(results, number)) for number in (FEW, FEW + 1))
    assert any("only the CSV files have the intervals of means" in line for line in many.lines)
    assert len(many.lines) == len(few.lines) + 1
    for before, after in zip(few.tables, many.tables, strict=True):
        assert after.title == before.title
        intervals = not before.title.startswith("Cost")
        assert all(("(" in cell) == intervals for row in before.rows for cell in row[1:])
        # Those of the summary, with a row for each model, have room.
        kept = before.title.startswith("Summary")
        assert all(("(" in cell) == kept for row in after.rows for cell in row[1:])
