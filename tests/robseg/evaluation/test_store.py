"""Counts on disk are whole, of one run, and written by one process."""

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from reports.run.context import Context
from reports.run.files import LEFTOVERS
from reports.run.record import Condition
from reports.run.shards import schema_of
from reports.tallies import find
from robseg.errors import InputError
from robseg.evaluation.shards import RowKey, Shard
from robseg.evaluation.store import Store, write_shard
from tests.reports.synthetic import RECORD

CONTEXT = Context("d", {"fog": "1"}, 0, True, "cpu", "fp32", {"a": "sha-a", "b": "sha-b"})
CONFUSION, NEAR = find("confusion"), find("trimap-2")
SHARD = Shard(Condition("fog", 2, "weather"), (0, 1), ("x", "y"), ("a",), ("confusion", "trimap-2"))
ONES = {name: np.ones(3, np.int64) for name in CONFUSION.columns}
ROWS = {RowKey(tally, "a", "fog", 2, image): ONES for tally in SHARD.tallies for image in SHARD.images}


def test_what_was_written_is_done(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        path = write_shard(tmp_path, CONFUSION, SHARD, CONTEXT, ROWS)
        assert store.done(CONTEXT, [CONFUSION]).rows == set(SHARD.rows("confusion"))
    table = pq.read_table(path)
    assert table.schema.equals(schema_of(CONFUSION))
    assert table["tp"].to_pylist() == [[1, 1, 1]] * 2


def test_the_same_shard_is_the_same_file_with_the_same_bytes(tmp_path: Path) -> None:
    with Store(tmp_path):
        first = write_shard(tmp_path, CONFUSION, SHARD, CONTEXT, ROWS)
        content = first.read_bytes()
        assert write_shard(tmp_path, CONFUSION, SHARD, CONTEXT, ROWS) == first
        assert first.read_bytes() == content
        assert list((tmp_path / "counts").iterdir()) == [first]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 1}, "seed"),
        ({"set_versions": {"fog": "2"}}, "set_version"),
        ({"dataset": "e"}, "dataset"),
        ({"move_targets": False}, "move_targets"),
        ({"precision": "bf16"}, "precision"),
        ({"models": {"a": "other weights"}}, "a is sha-a"),
        ({"versions": {"torch": "3.0"}}, "version of torch is None and 3.0"),
    ],
)
def test_counts_of_another_run_do_not_mix(tmp_path: Path, change: dict[str, object], named: str) -> None:
    with Store(tmp_path) as store:
        write_shard(tmp_path, CONFUSION, SHARD, CONTEXT, ROWS)
        with pytest.raises(InputError, match=named):
            store.done(dataclasses.replace(CONTEXT, **change), [CONFUSION])  # type: ignore[arg-type]


def test_counts_remain_where_more_labels_are_declared(tmp_path: Path) -> None:
    two = dataclasses.replace(CONTEXT, labels={"1": 0, "2": 255})
    three = dataclasses.replace(CONTEXT, labels={"1": 0, "2": 255, "3": 0})
    with Store(tmp_path) as store:
        write_shard(tmp_path, CONFUSION, SHARD, two, ROWS)
        assert store.done(three, [CONFUSION]).rows == set(SHARD.rows("confusion"))


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        ({"1": 0, "2": 1}, "class of label 2 is 255 and 1"),
        ({"1": 0, "3": 255}, "class of label 2 is 255 and None"),
        ({}, "class of label 1 is 0 and None"),
    ],
)
def test_counts_do_not_mix_where_a_label_means_something_else(
    tmp_path: Path, labels: dict[str, int], named: str
) -> None:
    with Store(tmp_path) as store:
        write_shard(tmp_path, CONFUSION, SHARD, dataclasses.replace(CONTEXT, labels={"1": 0, "2": 255}), ROWS)
        with pytest.raises(InputError, match=named):
            store.done(dataclasses.replace(CONTEXT, labels=labels), [CONFUSION])


def test_a_new_version_of_one_set_makes_no_counts_of_another_stale(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        write_shard(tmp_path, CONFUSION, SHARD, CONTEXT, ROWS)
        other = dataclasses.replace(CONTEXT, set_versions={"fog": "1", "psf_blur": "2"})
        assert store.done(other, [CONFUSION])
        assert store.done(dataclasses.replace(CONTEXT, set_versions={"psf_blur": "2"}), [CONFUSION])


def test_each_tally_has_a_folder_and_goes_with_the_same_run_only(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        write_shard(tmp_path, CONFUSION, SHARD, CONTEXT, ROWS)
        path = write_shard(tmp_path, NEAR, SHARD, CONTEXT, ROWS)
        assert path.parent == tmp_path / "counts" / "trimap-2"
        assert store.done(CONTEXT, [CONFUSION, NEAR]).rows == set(ROWS)
        with pytest.raises(InputError, match="seed"):
            store.done(dataclasses.replace(CONTEXT, seed=1), [NEAR])


def test_another_model_may_join(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        write_shard(tmp_path, CONFUSION, SHARD, CONTEXT, ROWS)
        other = dataclasses.replace(CONTEXT, models={"b": "sha-b"})
        assert store.done(other, [CONFUSION]).rows == set(SHARD.rows("confusion"))


def test_a_second_process_learns_that_the_folder_is_in_use(tmp_path: Path) -> None:
    with Store(tmp_path), pytest.raises(InputError, match="another robseg is at work"), Store(tmp_path):
        pass
    with Store(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file/out.*Choose another --out"), Store(tmp_path / "file" / "out"):
        pass


def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    with Store(tmp_path):
        pass
    counts = tmp_path / "counts"
    counts.mkdir()
    leftover, config = counts / LEFTOVERS.replace("*", "123"), counts / ".config.tmp"
    for path in (leftover, config):
        path.write_bytes(b"half")
    with Store(tmp_path):
        assert not leftover.exists()
        assert config.exists()


def test_a_damaged_shard_is_named_and_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Store(tmp_path) as store:
        path = write_shard(tmp_path, CONFUSION, SHARD, CONTEXT, ROWS)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        done = store.done(CONTEXT, [CONFUSION])
        assert (done.rows, list(done.unusable)) == (set(), [path])
        store.set_aside(done.unusable)
        assert path.name in caplog.text
        assert [file.name for file in path.parent.iterdir()] == [f"{path.name}.set-aside"]
        assert not store.done(CONTEXT, [CONFUSION]).unusable


def recorded(tmp_path: Path, context: Context) -> None:
    """Say in run.json that the run in the folder has a context."""
    record = dataclasses.replace(RECORD, context=context)
    (tmp_path / "run.json").write_text(record.to_json(), encoding="utf-8")


def test_a_shard_of_another_run_is_set_aside(tmp_path: Path) -> None:
    with Store(tmp_path):
        ours = write_shard(tmp_path, CONFUSION, SHARD, CONTEXT, ROWS)
        theirs = write_shard(tmp_path, CONFUSION, SHARD, dataclasses.replace(CONTEXT, seed=1), ROWS)
        recorded(tmp_path, CONTEXT)
    with Store(tmp_path) as store:
        done = store.done(CONTEXT, [CONFUSION])
        assert done.rows == set(SHARD.rows("confusion"))
        assert "seed is 1" in done.unusable[theirs]
        assert ours not in done.unusable


def test_a_copy_and_a_file_of_others_are_set_aside(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        path = write_shard(tmp_path, CONFUSION, SHARD, CONTEXT, ROWS)
        copy, other = path.with_name("0copy.parquet"), path.with_name("0other.parquet")
        copy.write_bytes(path.read_bytes())
        pq.write_table(pq.read_table(path).replace_schema_metadata(), other)
        (path.with_name(f"._{path.name}")).write_bytes(b"\0\5\x16\7")  # as macOS writes them
        done = store.done(CONTEXT, [CONFUSION])
        assert done.rows == set(SHARD.rows("confusion"))
        assert done.unusable.keys() == {copy, other}


def test_rows_that_two_shards_have_are_counted_once(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        write_shard(tmp_path, CONFUSION, SHARD, CONTEXT, ROWS)
        part = dataclasses.replace(SHARD, indices=(0,), images=("x",))
        write_shard(tmp_path, CONFUSION, part, CONTEXT, ROWS)
        [fault] = store.done(CONTEXT, [CONFUSION]).unusable.values()
        assert "occur twice" in fault


def test_a_full_disk_is_said_at_once(tmp_path: Path) -> None:
    huge = dataclasses.replace(SHARD, indices=tuple(range(10**6)))
    with Store(tmp_path) as store, pytest.raises(InputError, match="MB free"):
        store.refuse_shortage([huge] * 1000, [CONFUSION, NEAR], 10**6)
