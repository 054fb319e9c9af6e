import dataclasses
import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reports
from reports.run.counts import schema_of, total
from reports.run.errors import InvalidRun
from reports.run.record import RunRecord
from reports.tallies import find

SCHEMA = schema_of(find("confusion"))


def shard(run):
    return sorted((run.folder / "counts").glob("*.parquet"))[0]


def rewrite(path, change):
    rows = pq.read_table(path).to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)


def test_totals_are_the_sums_over_images(run):
    totals = total(run.folder, run.record, find("confusion"))
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


def test_only_what_the_record_asks_for_is_counted(run):
    whole = run.record
    record = dataclasses.replace(
        whole, images=whole.images[:2], conditions=whole.conditions[:3], models=whole.models[:1]
    )
    totals = total(run.folder, record, find("confusion"))
    assert totals.columns["tp"].shape == (1, 3, 3)
    assert (totals.images == 2).all()
    name, clean = record.models[0].name, record.conditions[0]
    labelled = sum((run.pixels[name, clean, image][0] != 255).sum() for image in record.images)
    assert (totals.columns["tp"] + totals.columns["fn"])[0, 0].sum() == labelled


def test_files_that_are_being_written_are_not_read(run):
    (run.folder / "counts" / ".part.parquet").write_bytes(b"PAR1 half")
    (run.folder / "counts" / "part.parquet.tmp").write_bytes(b"PAR1 half")
    total(run.folder, run.record, find("confusion"))


def test_a_missing_prediction_is_named(run):
    rewrite(shard(run), lambda rows: rows.pop(0))
    with pytest.raises(
        InvalidRun, match=r"252 predictions .* 1 are missing, .* enet@streets on 0001 \(clean"
    ):
        reports.load(run.folder)


def test_a_partial_run_is_scored_when_asked_for_and_says_on_how_many_images(run):
    shard(run).unlink()
    rewrite(shard(run), lambda rows: rows.pop(0))
    scores = reports.load(run.folder, partial=True).scores
    assert list(scores["images"][:3]) == [0, 5, 6]
    assert np.isnan(scores["miou"][0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.append(rows[0]), "there twice"),
        (lambda rows: rows[0].update(tp=[1, 2]), "Expected 3 numbers in every `tp`"),
        (lambda rows: rows[0].update(fn=[1, None, 2]), "Expected 3 numbers in every `fn`"),
        (lambda rows: rows[0].update(fp=[1, -1, 2]), "negative"),
    ],
)
def test_damaged_counts_are_refused(run, change, message):
    rewrite(shard(run), change)
    with pytest.raises(InvalidRun, match=message):
        reports.load(run.folder)


def test_a_truncated_file_is_named(run):
    path = shard(run)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InvalidRun, match=re.escape(str(path))):
        reports.load(run.folder)


def test_a_file_without_a_column_is_named(run):
    path = shard(run)
    pq.write_table(pq.read_table(path).drop_columns(["fn"]), path)
    with pytest.raises(InvalidRun, match=re.escape(str(path))):
        reports.load(run.folder)


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InvalidRun, match=r"run\.json does not exist"):
        reports.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw.pop("seed"), "damaged"),
        (lambda raw: raw.update(schema_version=99), "Expected schema version 2"),
        (lambda raw: raw["images"].append("0001"), "`images` .* distinct"),
        (lambda raw: raw["dataset"].pop("palette"), "palette"),
        (lambda raw: raw.update(models=[]), "`models` .* not empty"),
    ],
)
def test_a_damaged_record_is_refused(run, change, message):
    path = run.folder / "run.json"
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw))
    with pytest.raises(InvalidRun, match=message):
        reports.load(run.folder)


def test_a_record_survives_being_written_and_read(run):
    assert RunRecord.load(run.folder) == run.record


def test_files_may_divide_the_predictions_in_any_way(run):
    before = total(run.folder, run.record, find("confusion"))
    paths = sorted((run.folder / "counts").iterdir())
    rows = [row for path in paths for row in pq.read_table(path).to_pylist()]
    for path in paths:
        path.unlink()
    for part in range(4):
        table = pa.Table.from_pylist(rows[part::4], schema=SCHEMA)
        pq.write_table(table, run.folder / "counts" / f"{part}.parquet", row_group_size=17)
    after = total(run.folder, run.record, find("confusion"))
    np.testing.assert_array_equal(after.images, before.images)
    for name in ("tp", "fp", "fn"):
        np.testing.assert_array_equal(after.columns[name], before.columns[name])


@pytest.mark.parametrize("length", [500, 50_000])
def test_a_corruption_with_a_long_name_is_found(run, length):
    name = "x" * length
    condition = dataclasses.replace(run.record.conditions[4], corruption=name)
    path = sorted((run.folder / "counts").iterdir())[4]
    rewrite(path, lambda rows: [row.update(corruption=name) for row in rows])
    record = dataclasses.replace(run.record, conditions=(condition,))
    assert (total(run.folder, record, find("confusion")).images == 6).all()
