import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reports
from reports.run.counts import Totals, merge_images, read_conditions
from reports.run.errors import InvalidRun
from reports.run.record import RunRecord
from reports.run.shards import schema_of
from reports.tallies import find
from tests.reports.synthetic import Row, SyntheticRun, change_shard


def total(run: Path, record: RunRecord) -> Totals:
    return merge_images(read_conditions(run, record, find("confusion")))


def test_totals_are_the_sums_over_images(run: SyntheticRun) -> None:
    totals = total(run.folder, run.record)
    for m, model in enumerate(run.record.models):
        for k, condition in enumerate(run.record.conditions):
            target, prediction = (
                np.stack(each)
                for each in zip(
                    *(run.pixels[model.name, condition, i] for i in run.record.images), strict=True
                )
            )
            for c in range(3):
                assert totals.columns["tp"][m, k, c] == ((target == c) & (prediction == c)).sum()
                assert totals.columns["fn"][m, k, c] == ((target == c) & (prediction != c)).sum()
    assert (totals.images == len(run.record.images)).all()


def test_only_what_the_record_asks_for_is_counted(run: SyntheticRun) -> None:
    whole = run.record
    record = dataclasses.replace(
        whole, images=whole.images[:2], conditions=whole.conditions[:3], models=whole.models[:1]
    )
    totals = total(run.folder, record)
    assert totals.columns["tp"].shape == (1, 3, 3)
    assert (totals.images == 2).all()
    name, clean = record.models[0].name, record.conditions[0]
    labelled = sum((run.pixels[name, clean, image][0] != 255).sum() for image in record.images)
    assert (totals.columns["tp"] + totals.columns["fn"])[0, 0].sum() == labelled


def test_files_that_are_being_written_are_not_read(run: SyntheticRun) -> None:
    (run.folder / "counts" / ".part.parquet").write_bytes(b"PAR1 half")
    (run.folder / "counts" / "part.parquet.tmp").write_bytes(b"PAR1 half")
    total(run.folder, run.record)


def test_a_missing_prediction_is_named(run: SyntheticRun) -> None:
    change_shard(run.shards()[0], lambda rows: rows.pop(0))
    with pytest.raises(
        InvalidRun, match=r"336 predictions .* 1 are missing; .* enet@streets on 0001 \(clean"
    ):
        reports.load(run.folder)


def test_a_partial_run_is_scored_when_asked_for_and_says_on_how_many_images(run: SyntheticRun) -> None:
    run.shards()[0].unlink()
    change_shard(run.shards()[0], lambda rows: rows.pop(0))
    scores = reports.load(run.folder, partial=True).scores
    assert list(scores["images"][:3]) == [0, 7, 8]
    assert np.isnan(scores["miou"][0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.append(rows[0]), "occur twice"),
        (lambda rows: rows[0].update(tp=[1, 2]), "Expected 3 numbers in every `tp`"),
        (lambda rows: rows[0].update(fn=[1, None, 2]), "Expected 3 numbers in every `fn`"),
        (lambda rows: rows[0].update(fp=[1, -1, 2]), "negative"),
    ],
)
def test_damaged_counts_are_refused(
    run: SyntheticRun, change: Callable[[list[Row]], object], message: str
) -> None:
    change_shard(run.shards()[0], change)
    with pytest.raises(InvalidRun, match=message):
        reports.load(run.folder)


def test_a_truncated_file_is_named(run: SyntheticRun) -> None:
    path = run.shards()[0]
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InvalidRun, match=re.escape(str(path))):
        reports.load(run.folder)


def test_a_file_without_a_column_is_named(run: SyntheticRun) -> None:
    path = run.shards()[0]
    pq.write_table(pq.read_table(path).drop_columns(["fn"]), path)
    with pytest.raises(InvalidRun, match=re.escape(str(path))):
        reports.load(run.folder)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRun, match=r"run\.json does not exist"):
        reports.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw.pop("seed"), "to have seed, which it lacks"),
        (lambda raw: raw.update(tallies=["trimap-2", "confusion"]), "to start with confusion"),
        (lambda raw: raw.update(schema_version=99), "Expected schema version 2"),
        (lambda raw: raw["images"].append("0001"), "distinct `images` .* repeated"),
        (lambda raw: raw["dataset"].pop("palette"), "palette"),
        (lambda raw: raw.update(models=[]), "distinct `models` .* got none"),
    ],
)
def test_a_damaged_record_is_refused(
    run: SyntheticRun, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    path = run.folder / "run.json"
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw))
    with pytest.raises(InvalidRun, match=message):
        reports.load(run.folder)


def test_a_record_survives_being_written_and_read(run: SyntheticRun) -> None:
    assert RunRecord.load(run.folder) == run.record


def test_files_may_divide_the_predictions_in_any_way(run: SyntheticRun) -> None:
    before = total(run.folder, run.record)
    paths = run.shards()
    rows = [row for path in paths for row in pq.read_table(path).to_pylist()]
    for path in paths:
        path.unlink()
    for part in range(4):
        table = pa.Table.from_pylist(rows[part::4], schema=schema_of(find("confusion")))
        pq.write_table(table, run.folder / "counts" / f"{part}.parquet", row_group_size=17)
    after = total(run.folder, run.record)
    np.testing.assert_array_equal(after.images, before.images)
    for name in ("tp", "fp", "fn"):
        np.testing.assert_array_equal(after.columns[name], before.columns[name])


@pytest.mark.parametrize("length", [500, 50_000])
def test_a_corruption_with_a_long_name_is_found(run: SyntheticRun, length: int) -> None:
    name = "x" * length
    condition = dataclasses.replace(run.record.conditions[4], corruption=name)
    path = run.shards()[4]
    change_shard(path, lambda rows: [row.update(corruption=name) for row in rows])
    record = dataclasses.replace(run.record, conditions=(condition,))
    assert (total(run.folder, record).images == 8).all()
