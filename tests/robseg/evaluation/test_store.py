"""Counts on disk are whole, of one run, and written by one process."""

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from reports.run.counts import schema_of
from reports.run.files import LEFTOVERS
from reports.run.record import Condition
from reports.tallies import find
from robseg.errors import InputError
from robseg.evaluation.shards import RowKey, Shard
from robseg.evaluation.store import Context, Store, write_shard

CONTEXT = Context("d", {"fog": "1"}, 0, True, "cpu", "fp32", {"a": "sha-a", "b": "sha-b"})
CONFUSION, NEAR = find("confusion"), find("trimap-2")
SHARD = Shard(Condition("fog", 2, "weather"), (0, 1), ("x", "y"), ("a",), ("confusion", "trimap-2"))
ONES = {name: np.ones(3, np.int64) for name in CONFUSION.columns}
ROWS = {RowKey(tally, "a", "fog", 2, image): ONES for tally in SHARD.tallies for image in SHARD.images}


def test_what_was_written_is_done(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        path = write_shard(tmp_path, CONFUSION, SHARD, CONTEXT, ROWS)
        assert store.done(CONTEXT, [CONFUSION]) == set(SHARD.rows("confusion"))
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
    ],
)
def test_counts_of_another_run_do_not_mix(tmp_path: Path, change: dict[str, object], named: str) -> None:
    with Store(tmp_path) as store:
        write_shard(tmp_path, CONFUSION, SHARD, CONTEXT, ROWS)
        with pytest.raises(InputError, match=named):
            store.done(dataclasses.replace(CONTEXT, **change), [CONFUSION])  # type: ignore[arg-type]


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
        assert store.done(CONTEXT, [CONFUSION, NEAR]) == set(ROWS)
        with pytest.raises(InputError, match="seed"):
            store.done(dataclasses.replace(CONTEXT, seed=1), [NEAR])


def test_another_model_may_join(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        write_shard(tmp_path, CONFUSION, SHARD, CONTEXT, ROWS)
        other = dataclasses.replace(CONTEXT, models={"b": "sha-b"})
        assert store.done(other, [CONFUSION]) == set(SHARD.rows("confusion"))


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


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        path = write_shard(tmp_path, CONFUSION, SHARD, CONTEXT, ROWS)
        path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(InputError, match=f"{path.name}.*damaged"):
            store.done(CONTEXT, [CONFUSION])


def test_a_full_disk_is_said_at_once(tmp_path: Path) -> None:
    huge = dataclasses.replace(SHARD, indices=tuple(range(10**6)))
    with Store(tmp_path) as store, pytest.raises(InputError, match="MB free"):
        store.refuse_shortage([huge] * 1000, [CONFUSION, NEAR], 10**6)
