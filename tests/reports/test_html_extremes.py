"""The report of runs of unusual size and with unusual names."""

import dataclasses
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reports
from reports.html.text import LONGEST
from reports.run.record import CLEAN, Condition, ModelRecord, RunRecord
from tests.reports.page import Page
from tests.reports.synthetic import SyntheticRun, row_of, write_shard

HOSTILE = (
    "<script>alert(1)</script>",
    "</style></title><img src=x onerror=alert(1)>",
    "\"'`{{ 7 * 7 }}{% raw %}",
    "two\nlines\r\nand\ttabs\x00\x1b[31m",
    "\u202egnp.exe",
    "",
    " ",
    "x" * 10_000,
    "x" * 10_000 + "y",
    "=SUM(A1)|`$\\",
)


def write_run(folder: Path, record: RunRecord, undefined: Sequence[Condition] = ()) -> Path:
    """Write random counts for a record; conditions in `undefined` have none of any class."""
    rng = np.random.default_rng(0)
    size = (3, len(record.dataset["class_names"]))
    for place, condition in enumerate(record.conditions):
        rows = []
        for model, image in itertools.product(record.models, record.images):
            counts = rng.integers(50, 1000, size) * (condition not in undefined)
            columns = dict(zip(("tp", "fp", "fn"), counts.tolist(), strict=True))
            rows.append(row_of(model.name, condition, image, columns))
        write_shard(folder, f"{place:03d}.parquet", rows)
    (folder / "run.json").write_text(record.to_json(), encoding="utf-8")
    return folder


def html_of(folder: Path, **options: Any) -> str:
    path = folder / "report.html"
    results = reports.load(folder, **options)
    return reports.html.write_page(results, path, folder).read_text(encoding="utf-8")


def undefined_in(html: str) -> list[str]:
    """Return what Python writes for undefined numbers, outside of style and script."""
    return re.findall(r"\b(?:nan|inf|None)\b", re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL))


@pytest.fixture
def record(pristine: SyntheticRun) -> RunRecord:
    return dataclasses.replace(pristine.record, examples=())


def with_names(
    record: RunRecord,
    models: Sequence[str],
    conditions: Sequence[Condition],
    images: Sequence[str],
    classes: Sequence[str],
) -> RunRecord:
    return dataclasses.replace(
        record,
        models=tuple(ModelRecord(name, {}, "ab" * 32, 10**6) for name in models),
        conditions=tuple(conditions),
        images=tuple(images),
        dataset=record.dataset | {"class_names": list(classes), "palette": [[9, 9, 9] for _ in classes]},
    )


CLEAN_CONDITION = Condition(CLEAN, 0, CLEAN)


def test_hostile_names_are_text_of_one_line_and_bounded_length(record: RunRecord, tmp_path: Path) -> None:
    conditions = [
        CLEAN_CONDITION,
        *(Condition(name, 1, HOSTILE[k % 3]) for k, name in enumerate(HOSTILE) if name != CLEAN),
    ]
    hostile = with_names(record, HOSTILE, conditions, HOSTILE, HOSTILE)
    plain_names = [str(k) for k in range(len(HOSTILE))]
    harmless = with_names(
        record,
        plain_names,
        [CLEAN_CONDITION, *(Condition(n, 1, str(k % 3)) for k, n in enumerate(plain_names))],
        plain_names,
        plain_names,
    )
    html = html_of(write_run(tmp_path / "hostile", hostile))
    page, plain = Page(html), Page(html_of(write_run(tmp_path / "plain", harmless)))
    assert page.tags == plain.tags
    assert page.handlers == []
    assert not set("\x00\x1b\u202e\r") & set(html)
    assert "{{ 7 * 7 }}" in page.text
    assert "x" * (LONGEST - 1) + "… #2" in html
    assert len(html) < 600_000


def test_one_model_one_condition_one_class_and_one_image(record: RunRecord, tmp_path: Path) -> None:
    one = with_names(record, ["m"], [CLEAN_CONDITION, Condition("fog", 3, "weather")], ["a"], ["road"])
    html = html_of(write_run(tmp_path / "run", one))
    text = Page(html).text
    assert "1 image (val), clean and under 1 corruption (1 condition)" in text
    assert "a single image has no intervals" in text
    assert not undefined_in(html)
    assert "Worst images" not in text


def test_a_clean_run_says_that_it_tells_nothing_of_robustness(record: RunRecord, tmp_path: Path) -> None:
    clean = with_names(record, ["m", "n"], [CLEAN_CONDITION], ["a", "b"], ["road", "sky"])
    html = html_of(write_run(tmp_path / "run", clean))
    assert "it says nothing about robustness" in html
    assert 'id="curves"' not in html


def test_corruptions_without_the_clean_images(record: RunRecord, tmp_path: Path) -> None:
    foggy = with_names(record, ["m"], [Condition("fog", 3, "weather")], ["a", "b"], ["road", "sky"])
    html = html_of(write_run(tmp_path / "run", foggy))
    assert "is undefined" in html
    assert "<polyline" in html


def test_scores_that_are_undefined_are_dashes(record: RunRecord, tmp_path: Path) -> None:
    conditions = [CLEAN_CONDITION, Condition("fog", 1, "weather"), Condition("fog", 2, "weather")]
    some = with_names(record, ["m", "n"], conditions, ["a", "b"], ["road", "sky"])
    html = html_of(write_run(tmp_path / "run", some, undefined=conditions[2:]))
    assert "are undefined" in html
    assert ">–</td>" in html
    assert not undefined_in(html)


def test_unknown_corruptions_have_no_measured_strength(record: RunRecord, tmp_path: Path) -> None:
    conditions = [CLEAN_CONDITION, Condition("rain", 1, "weather"), Condition("fog", 9, "weather")]
    html = html_of(write_run(tmp_path / "run", with_names(record, ["m"], conditions, ["a", "b"], ["road"])))
    assert html.count("strength not measured") == 2


@pytest.mark.slow
def test_200_models_under_111_conditions_make_less_than_5_mb(record: RunRecord, tmp_path: Path) -> None:
    corrupted = [Condition(f"c{k}", s, f"g{k % 5}") for k in range(22) for s in range(1, 6)]
    many = with_names(
        record,
        [f"deeplabv3plus_r101-d8_{k:03d}_cityscapes-512x1024" for k in range(200)],
        [CLEAN_CONDITION, *corrupted],
        ["a", "b"],
        [f"class {k}" for k in range(19)],
    )
    assert len(html_of(write_run(tmp_path / "run", many)).encode()) < 5e6
