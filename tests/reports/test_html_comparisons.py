"""A report compares models with each other, with their costs, and with published models."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

import reports
from reports.html.beside import beside_of
from reports.html.models import FEW, ModelView, models_of
from reports.html.sections.plots import accuracy_plot, cost_plots
from reports.html.sections.summary import verdict
from reports.html.text import Score
from reports.run.record import CLEAN, Condition
from reports.scoring.protocols import PROTOCOLS, conditions
from reports.scoring.published import published
from reports.tables.results import Results
from tests.reports.synthetic import SyntheticRun, row_of, write_shard


@pytest.fixture
def results(run: SyntheticRun) -> Results:
    return reports.load(run.folder)


@pytest.fixture
def models(results: Results) -> list[ModelView]:
    """Six models of known clean mIoU, mPC and parameters."""
    first = models_of(results)[0]
    scores = ((0.8, 0.5, 4e6), (0.7, 0.6, 8e6), (0.6, 0.3, 1e6), (0.7, 0.4, 2e6), (0.5, 0.45, 6e6))
    return [
        first._replace(
            place=k,
            label=f"m{k}",
            clean=Score(clean),
            mpc=Score(mpc),
            rpc=Score(mpc / clean),
            parameters=cost,
        )
        for k, (clean, mpc, cost) in enumerate(scores)
    ]


def sentence(models: list[ModelView]) -> str:
    return "".join(phrase.text for phrase in verdict(models, 20)).replace("\u00a0", " ")


def test_the_front_passes_through_the_models_that_none_beats_in_both(models: list[ModelView]) -> None:
    plot = cost_plots(models)[0]
    corners = plot.front.split()
    on_front = {mark.model.place for mark in plot.marks if f"{mark.x:g},{mark.y:g}" in corners}
    assert on_front == {2, 3, 0, 1}


def test_higher_and_further_right_is_more(models: list[ModelView]) -> None:
    marks = accuracy_plot(models).marks
    for one in marks:
        for other in marks:
            assert (one.y < other.y) == (one.model.mpc.value > other.model.mpc.value)
            assert (one.x > other.x) == (one.model.clean.value > other.model.clean.value)


def test_names_beside_points_stand_within_the_plot_and_apart(models: list[ModelView]) -> None:
    plot = accuracy_plot(models)
    places = {(mark.name_x, mark.name_y) for mark in plot.marks}
    assert len(places) == len(models)
    assert all(0 < x < plot.width and 0 < y < plot.height for x, y in places)


def test_long_names_of_a_model_and_its_refined_form_neither_touch_nor_are_cut_off(
    models: list[ModelView],
) -> None:
    width, height = 6.6, 9  # of a character of a wide font, in units of the viewBox
    known = (
        ("enet@camvid", 0.615, 0.056, 0.35e6),
        ("enet@camvid+segfix", 0.611, 0.056, 2.3e6),
        ("pspnet@camvid", 0.617, 0.154, 3e6),
        ("pspnet@camvid+segfix", 0.6155, 0.155, 4.95e6),
    )
    four = [
        models[0]._replace(label=label, clean=Score(clean), mpc=Score(mpc), parameters=cost)
        for label, clean, mpc, cost in known
    ]
    for plot in (accuracy_plot(four), cost_plots(four)[0]):
        boxes = []
        for mark in plot.marks:
            left = mark.name_x - (len(mark.name) * width if mark.anchor == "end" else 0)
            boxes.append((left, left + len(mark.name) * width, mark.name_y))
            assert plot.left <= boxes[-1][0] < boxes[-1][1] <= plot.width
        for (a_left, a_right, a_y), (b_left, b_right, b_y) in itertools.combinations(boxes, 2):
            assert a_right <= b_left or b_right <= a_left or abs(a_y - b_y) >= height


def test_only_the_plot_of_clean_miou_has_whiskers_across(models: list[ModelView]) -> None:
    alike = [
        model._replace(clean=Score(0.5, 0.4, 0.6), mpc=Score(0.3, 0.2, 0.4), gmacs=0.5) for model in models
    ]
    assert all(len(mark.whiskers) == 2 for mark in accuracy_plot(alike).marks)
    assert all(len(mark.whiskers) == 1 for plot in cost_plots(alike) for mark in plot.marks)


def test_no_plot_is_drawn_of_a_cost_that_fewer_than_two_models_state(models: list[ModelView]) -> None:
    unknown = [
        model._replace(parameters=float("nan"), gmacs=float("nan"), ms_per_image=0.0) for model in models
    ]
    assert cost_plots(unknown) == []
    assert accuracy_plot(unknown[:1]) is None


def test_the_sentence_tells_the_best_under_corruption_from_the_one_that_keeps_most(
    models: list[ModelView],
) -> None:
    text = sentence(models)
    assert text.startswith("m1 has the highest mIoU under corruption on these images, 60.0 %. ")
    assert "m4 keeps the largest share of its clean mIoU on these images, 90.0 %." in text


def test_no_model_is_called_best_while_intervals_overlap(models: list[ModelView]) -> None:
    sure = [models[1]._replace(mpc=Score(0.6, 0.55, 0.65)), models[0]._replace(mpc=Score(0.5, 0.45, 0.54))]
    assert "overlap" not in sentence(sure)
    near = [sure[0], sure[1]._replace(mpc=Score(0.5, 0.45, 0.56))]
    text = sentence(near)
    assert text.startswith(
        "m1 and m0 have the highest mIoU under corruption, up to 60.0 % (intervals overlap"
    )
    assert "none is best" in text


def test_of_many_models_the_best_are_drawn_and_each_differently(results: Results) -> None:
    record = results.record
    names = [f"n{k}" for k in range(9)]
    rows = [results.summary.iloc[0].to_dict() | {"model": n, "mpc": k / 10} for k, n in enumerate(names)]
    many = dataclasses.replace(
        results,
        record=dataclasses.replace(
            record, models=tuple(dataclasses.replace(record.models[0], name=name) for name in names)
        ),
        summary=type(results.summary)(rows),
    )
    drawn = [model for model in models_of(many) if model.plotted]
    assert [model.name for model in drawn] == names[-FEW:]
    assert len({model.colour for model in drawn}) == FEW


@pytest.fixture(scope="module")
def cityscapes(pristine: SyntheticRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on Cityscapes under the published protocol and one condition more."""
    folder = tmp_path_factory.mktemp("cityscapes") / "run"
    pairs = [*conditions(PROTOCOLS["segformer"]), ("zoom_blur", 1)]
    record = dataclasses.replace(
        pristine.record,
        dataset=pristine.record.dataset | {"name": "cityscapes", "split": "val"},
        conditions=(Condition(CLEAN, 0, CLEAN), *(Condition(name, level, "g") for name, level in pairs)),
        examples=(),
    )
    rng = np.random.default_rng(0)
    rows = [
        row_of(*each, {name: rng.integers(1, 1000, 3).tolist() for name in ("tp", "fp", "fn")})
        for each in itertools.product(
            [model.name for model in record.models], record.conditions, record.images
        )
    ]
    write_shard(folder, "all.parquet", rows)
    (folder / "run.json").write_text(record.to_json(), encoding="utf-8")
    return folder


def test_published_models_stand_beside_those_of_the_same_data_and_conditions(cityscapes: Path) -> None:
    results = reports.load(cityscapes, protocol="segformer")
    beside = beside_of(results, models_of(results))
    assert {row.name for row in beside.rows if not row.ours} == set(published())
    assert len([row for row in beside.rows if row.ours]) == 2
    means = [float(row.mean) for row in beside.rows]
    assert means == sorted(means, reverse=True)
    icnet = next(row for row in beside.rows if row.name == "ICNet")
    assert (icnet.clean, icnet.cells[beside.columns.index("fog")]) == ("65.9", "27.3")
    own = next(row for row in beside.rows if row.name == "enet@streets")
    scores = results.corruptions.set_index(["model", "corruption"])["miou"]["enet@streets"]
    assert own.mean == f"{100 * scores.mean():.1f}"
    assert own.cells[beside.columns.index("fog")] == f"{100 * scores['fog']:.1f}"


def test_other_conditions_are_a_reason_to_leave_published_models_out(cityscapes: Path) -> None:
    results = reports.load(cityscapes)
    beside = beside_of(results, models_of(results))
    assert beside.rows == []
    assert "robseg report RUN --protocol segformer shows them" in beside.text
