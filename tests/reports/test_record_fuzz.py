"""A damaged run.json is refused, with the place of what is wrong; what is accepted can be scored."""

import dataclasses
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import reports
from reports.formats.documents import to_markdown
from reports.formats.overview import overview
from reports.run.errors import InputError, InvalidRun
from reports.run.record import RunRecord
from tests.mutations import DEPTHS, NUMBERS, fuzz, mutated, nested
from tests.reports.synthetic import CONDITIONS, EXAMPLES, IMAGES, RECORD, row_of, write_shard

CARD = {"architecture": "enet", "class_names": ["sky"], "published_miou": 0.5, "options": {"a": [1, None]}}
RUN = dataclasses.replace(
    RECORD,
    dataset={**RECORD.dataset, "total": 8},
    images=IMAGES[:2],
    clusters=("a", "b"),
    conditions=CONDITIONS[:3],
    examples=EXAMPLES[:1],
    models=tuple(
        dataclasses.replace(model, card=CARD, ms_range=(40.0, 43.0), facts={"refined": "no"})
        for model in RECORD.models
    ),
)
RAW = json.loads(RUN.to_json())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a small run whose run.json is yet to be written."""
    rows = [
        row_of(model.name, condition, image, {name: [3, 2, 1] for name in ("tp", "fp", "fn")})
        for model in RUN.models
        for condition in RUN.conditions
        for image in RUN.images
    ]
    write_shard(tmp_path, "0.parquet", rows)
    return tmp_path


@pytest.mark.parametrize("number", NUMBERS)
def test_a_damaged_record_is_refused_or_can_be_scored(number: int, folder: Path) -> None:
    def read(raw: Any) -> None:
        (folder / "run.json").write_text(json.dumps(raw))
        with warnings.catch_warnings(action="ignore"):  # scores of so few images have no intervals
            to_markdown(overview(reports.load(folder)))

    read(RAW)
    fuzz(number, mutated(RAW), read)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: raw["models"][0].update(parameters="x"), "`models[0].parameters` to be a whole number"),
        (lambda raw: raw["models"][1].update(ms_range=[1]), "`models[1].ms_range` to be 2 numbers"),
        (lambda raw: raw["models"][1].update(ms_range=[1, True]), "`models[1].ms_range[1]` to be a number"),
        (lambda raw: raw["models"][0]["card"].update(licence=3), "`models[0].card.licence` to be text"),
        (lambda raw: raw["models"][0].update(speed=3), "Unknown field of models[0] 'speed'"),
        (lambda raw: raw["conditions"][2].pop("group"), "`conditions[2]` to have group"),
        (lambda raw: raw["conditions"][1].update(severity=300), "`conditions[1].severity` to be a whole"),
        (lambda raw: raw["dataset"].update(palette=[[0, 0, 256]]), "`dataset.palette[0][2]` to be a whole"),
        (lambda raw: raw["images"].__setitem__(1, ["a"]), "`images[1]` to be text, but got ['a']"),
        (lambda raw: raw["images"].__setitem__(1, "\ud800"), "`images[1]` to be text that UTF-8 can hold"),
        (lambda raw: raw["seconds"].update(wall=float("nan")), "`seconds.wall` to be a number, but got nan"),
        (lambda raw: raw.update(seed=2**64), "`seed` to be a whole number that fits in 64 bits"),
        (lambda raw: raw.update(move_targets=1), "`move_targets` to be true or false, but got 1"),
        (lambda raw: raw.update(comand=""), "Unknown field 'comand': did you mean 'command'?"),
    ],
)
def test_what_is_wrong_is_named(
    change: Callable[[dict[str, Any]], object], said: str, tmp_path: Path
) -> None:
    raw = json.loads(RUN.to_json())
    change(raw)
    (tmp_path / "run.json").write_text(json.dumps(raw))
    with pytest.raises(InvalidRun) as caught:
        RunRecord.load(tmp_path)
    assert str(caught.value).startswith(f"In {tmp_path / 'run.json'}: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [*map(nested, DEPTHS), *(f'{{"schema_version": 2, "dataset": {nested(depth)}}}' for depth in DEPTHS)],
    ids=str.__len__,
)
def test_a_nested_record_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InvalidRun, match=r"run\.json"):
        RunRecord.load(tmp_path)


@pytest.mark.parametrize("content", [b"\xff", b"", b"[]", b'{"seed": 1' + b"0" * 5000 + b"}"])
def test_what_is_no_record_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(InvalidRun, match=r"run\.json"):
        RunRecord.load(tmp_path)


@pytest.mark.parametrize("change", [{"images": ("a\udcff.png", "b")}, {"command": "\ud800"}])
def test_what_utf_8_cannot_hold_is_not_written(change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="Expected names that UTF-8 can hold"):
        dataclasses.replace(RUN, **change).to_json()


def test_records_of_earlier_versions_are_read(tmp_path: Path) -> None:
    raw = json.loads(RUN.to_json())
    del raw["dataset"]["total"], raw["seconds"]
    for model in raw["models"]:
        del model["facts"], model["ms_range"]
        model["ms_per_image"] = 41  # JSON has one kind of number
        model["card"]["of_later_versions"] = [1, {"a": 2}]
    (tmp_path / "run.json").write_text(json.dumps(raw))
    record = RunRecord.load(tmp_path)
    assert (record.models[0].facts, record.models[0].ms_per_image) == ({}, 41.0)
