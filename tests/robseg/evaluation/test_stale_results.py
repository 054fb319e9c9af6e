"""What changed since a run began is noticed: data, counts and software. Nothing stale is scored."""

import dataclasses
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torch import Tensor

import robseg
from reports.run.errors import InvalidRun
from reports.run.record import RunRecord
from reports.run.shards import METADATA, shard_name
from robseg.datasets import open_dataset
from robseg.datasets.base import Dataset
from robseg.errors import InputError
from robseg.evaluation import provenance
from robseg.evaluation.progress import Progress
from robseg.models.model import Model
from robseg.training.batches import SampleCache
from tests.robseg.evaluation.files import counts, tables


@pytest.fixture
def data(tree: Path, tmp_path: Path) -> Path:
    """A copy of the data set that a test may change."""
    return shutil.copytree(tree, tmp_path / "data")


def evaluated(model: Model, data: Path, out: Path, **options: Any) -> Path:
    robseg.evaluate(model, open_dataset("folder", data), "fog", (1,), out=out, examples=False, **options)
    return out


def turned_over(picture: Path) -> None:
    """Change the pixels of a picture, but neither its size nor its time."""
    before = picture.stat()
    content = picture.read_bytes()
    pixels = np.asarray(Image.open(picture))
    Image.fromarray(pixels[::-1]).save(picture)
    changed = picture.read_bytes()
    picture.write_bytes(changed + content[: max(0, len(content) - len(changed))])
    os.utime(picture, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("changed", ["images/1.png", "masks/1.png"])
def test_changed_pixels_do_not_continue_a_run(model: Model, data: Path, tmp_path: Path, changed: str) -> None:
    out = evaluated(model, data, tmp_path / "run")
    turned_over(data / changed)
    with pytest.raises(InputError, match=r"dataset is tiny.*choose another --out"):
        evaluated(model, data, out)


def test_an_image_that_changes_during_a_run_is_named_and_not_counted(
    model: Model, data: Path, tmp_path: Path
) -> None:
    def change(progress: Progress) -> None:
        if progress.done == 0:
            turned_over(data / "images" / "1.png")

    with pytest.raises(InputError, match="tiny to stay as they are while they are read, but 1 changed"):
        evaluated(model, data, tmp_path / "run", progress=change)
    assert not counts(tmp_path / "run")


def test_a_training_reads_no_stale_samples(data: Path, tmp_path: Path) -> None:
    before = SampleCache(open_dataset("folder", data), tmp_path / "cache")[1]
    turned_over(data / "images" / "1.png")
    after = SampleCache(open_dataset("folder", data), tmp_path / "cache")[1]
    np.testing.assert_array_equal(after[0], before[0][::-1])


def test_counts_that_disagree_on_a_target_are_refused(model: Model, data: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    out = evaluated(model, data, tmp_path / "run")
    path = sorted((out / "counts").iterdir())[0]
    table = pq.read_table(path)
    raised = [[value + 1000 for value in row] for row in table["tp"].to_pylist()]
    pq.write_table(table.set_column(4, table.schema.field(4), [raised]), path)
    content = path.read_bytes()
    path.unlink()
    (path.with_name(shard_name("0" * 32, content))).write_bytes(content)
    assert METADATA in table.schema.metadata
    with pytest.raises(InvalidRun, match="Expected the same target for 0 in all counts"):
        robseg.load(out)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "damaged"),
        (lambda path: path.write_bytes(bytes(path.stat().st_size)), "damaged"),
        (lambda path: shutil.copy(path, path.with_name("copy.parquet")), "not"),
    ],
)
def test_spoiled_counts_are_refused_by_a_report_and_computed_again(
    model: Model, data: Path, tmp_path: Path, spoil: Callable[[Path], object], named: str
) -> None:
    out = evaluated(model, data, tmp_path / "run")
    before = counts(out), tables(out)
    spoil(sorted((out / "counts").iterdir())[0])
    with pytest.raises(InvalidRun, match=named):
        robseg.load(out)
    evaluated(model, data, out)
    assert (counts(out), tables(out)) == before
    assert len(list((out / "counts").glob("*.set-aside"))) == 1


def test_counts_of_another_torch_do_not_mix(
    model: Model, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = evaluated(model, data, tmp_path / "run")
    monkeypatch.setattr(provenance, "version", lambda package: "9" if package == "torch" else "1")
    with pytest.raises(InputError, match="version of"):
        evaluated(model, data, out)


def test_other_software_is_named_and_all_calls_are_recorded(
    model: Model, data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = evaluated(model, data, tmp_path / "run")
    record = RunRecord.load(out)
    older = dataclasses.replace(record, versions={**record.versions, "numpy": "1.0"})
    (out / "run.json").write_text(older.to_json(), encoding="utf-8")
    evaluated(model, data, out, batch_size=2)
    numpy = record.versions["numpy"]
    assert f"other software than before: numpy 1.0 (now {numpy}), batch size 1 (now 2)." in caplog.text
    assert [call.batch_size for call in RunRecord.load(out).history] == [1, 2]


def test_a_model_that_cannot_be_told_is_named_before_its_run_and_after(
    dataset: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (tmp_path / "log").open("w") as file:

        def answer(images: Tensor) -> Tensor:
            file.write("an image")
            return images

        def evaluate() -> None:
            robseg.evaluate(answer, dataset, "none", out=tmp_path / "run", examples=False)

        evaluate()
        assert "cannot be continued or extended, because answer holds a value (TextIOWrapper)" in caplog.text
        with pytest.raises(InputError, match=r"cannot be continued: answer holds a value \(TextIOWrapper\)"):
            evaluate()
