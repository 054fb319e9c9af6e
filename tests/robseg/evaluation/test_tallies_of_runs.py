"""Further tallies in a whole evaluation: right by their definition, the same bytes however it was done."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from click.testing import CliRunner
from scipy import ndimage

import corruptions
import reports
import robseg
from reports.run.errors import MissingCounts
from reports.tables.merge import load_runs
from reports.tables.results import Results
from reports.tables.tallies import csv_tables
from robseg.cli import cli
from robseg.datasets.base import Dataset, Sample
from robseg.evaluation import worker
from robseg.evaluation.request import Request
from robseg.models.model import Model
from robseg.models.refine.files import write_offsets
from tests.robseg.evaluation.files import counts, tables

COLUMNS = [
    *("model", "dataset", "corruption", "severity", "width"),
    *("trimap_miou", "trimap_miou_low", "trimap_miou_high"),
    *("boundary_iou", "boundary_iou_low", "boundary_iou_high"),
]
SQUARE = np.ones((3, 3))


def rows(out: Path) -> int:
    """Return the number of rows of the tallies besides the primary one."""
    return sum(pq.read_metadata(path).num_rows for path in (out / "counts").glob("*/*.parquet"))


def boundaries(results: Results) -> pd.DataFrame:
    return csv_tables(results.tallies)["boundaries"]


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    """Tables are all that is asked of these runs: pages take longer, and so do threads on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reports, "write_report", lambda run: run)
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def whole(model: Model, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run under fog and a corruption that moves targets, with boundaries at two widths."""
    out = tmp_path_factory.mktemp("edges") / "run"
    robseg.evaluate(
        model, dataset, "fog,geometric_distortion", (4,), out=out, boundaries=(1, 3), examples=False
    )
    return out


def scores_by_definition(pairs: list[tuple[np.ndarray, np.ndarray]], width: int) -> tuple[float, float]:
    """Return trimap mIoU and boundary IoU of predictions and targets, by morphology class by class."""
    trimap, bands = np.zeros((3, 2)), np.zeros((3, 2))
    for prediction, target in pairs:
        labelled = target != 255
        masks = [target == c for c in range(3)]
        reached = [ndimage.binary_dilation(mask, SQUARE, iterations=width) for mask in masks]
        near = labelled & (np.sum(reached, axis=0) > 1)
        for c, mask in enumerate(masks):
            guess = (prediction == c) & labelled
            trimap[c] += np.sum(mask & guess & near), np.sum((mask | guess) & near)
            inner = [
                m & ~ndimage.binary_erosion(m | ~labelled, SQUARE, iterations=width) for m in (mask, guess)
            ]
            bands[c] += np.sum(inner[0] & inner[1]), np.sum(inner[0] | inner[1])
    first, second = (float(np.nanmean(table[:, 0] / table[:, 1])) for table in (trimap, bands))
    return first, second


def test_scores_near_boundaries_equal_their_definitions(whole: Path, model: Model, dataset: Dataset) -> None:
    table = pd.read_csv(whole / "boundaries.csv")
    assert list(table.columns) == COLUMNS
    assert table["width"].tolist() == [1, 3] * 3
    pairs = {}
    for corruption in ("clean", "fog", "geometric_distortion"):
        samples = [dataset.read(index) for index in range(len(dataset))]
        if corruption != "clean":
            samples = [
                Sample(s.id, *corruptions.corrupt_pair(s.image, s.target, corruption, 4, key=s.id))
                for s in samples
            ]
        pairs[corruption] = [(model.predict(s.image[None])[0], s.target) for s in samples]
    for row in table.to_dict("records"):
        expected = scores_by_definition(pairs[row["corruption"]], row["width"])
        for score, value in zip(("trimap_miou", "boundary_iou"), expected, strict=True):
            assert row[score] == pytest.approx(value, abs=1e-12)
            assert np.isnan(row[f"{score}_low"]), "five images are too few for an interval"


def test_loaded_results_have_the_table_that_was_written(whole: Path) -> None:
    pd.testing.assert_frame_equal(boundaries(robseg.load(whole)), pd.read_csv(whole / "boundaries.csv"))


def test_asking_for_widths_later_counts_only_these_and_ends_with_the_same_bytes(
    whole: Path, model: Model, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    asked = (model, dataset, "fog,geometric_distortion", (4,))
    robseg.evaluate(*asked, out=out, examples=False)
    assert not (out / "boundaries.csv").exists()
    before = counts(out)
    robseg.evaluate(*asked, out=out, boundaries=(1,), examples=False)
    assert rows(out) == 2 * 3 * len(dataset)
    robseg.evaluate(*asked, out=out, boundaries=(1, 3), examples=False)
    assert rows(out) == 4 * 3 * len(dataset)
    assert before.items() <= counts(out).items()
    assert tables(out) == tables(whole)

    def fail(*_: object) -> None:
        pytest.fail("a prediction was made again")

    monkeypatch.setattr(worker.Worker, "run", fail)
    robseg.evaluate(*asked, out=out, boundaries=(1, 3), examples=False)
    assert tables(out) == tables(whole)
    assert robseg.evaluate(*asked, out=out, examples=False).tallies == ()
    assert not (out / "boundaries.csv").exists()


def test_a_lost_shard_near_boundaries_is_missed_and_counted_again(
    whole: Path, model: Model, dataset: Dataset, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    asked = (model, dataset, "fog,geometric_distortion", (4,))
    robseg.evaluate(*asked, out=out, boundaries=(1, 3), examples=False, batch_size=2)
    before = counts(out)
    lost = out / "counts" / "boundary-3" / min((out / "counts" / "boundary-3").iterdir()).name
    lost.unlink()
    with pytest.raises(MissingCounts, match=r"boundary-3, but 5 are missing"):
        reports.load(out)
    robseg.evaluate(*asked, out=out, boundaries=(1, 3), examples=False)
    found = counts(out)
    assert found == before | {lost.relative_to(out): found[lost.relative_to(out)]}
    assert tables(out) == tables(whole)


def test_refined_labels_have_scores_near_boundaries_too(
    whole: Path, model: Model, dataset: Dataset, tmp_path: Path
) -> None:
    for index, image in enumerate(dataset.ids):
        shape = dataset.read(index).target.shape
        write_offsets(tmp_path / f"{image}.mat", np.broadcast_to(np.array([0, 1], np.int8), (*shape, 2)))
    results = robseg.evaluate(
        model,
        dataset,
        "none",
        out=tmp_path / "run",
        boundaries=(1, 3),
        examples=False,
        refine="segfix",
        offsets=tmp_path,
    )
    plain, moved = (part for _, part in boundaries(results).groupby("model"))
    assert (plain["model"].iloc[0], moved["model"].iloc[0]) == (model.name, f"{model.name}+segfix")
    alone = boundaries(robseg.load(whole))[:2]
    np.testing.assert_array_equal(plain["trimap_miou"], alone["trimap_miou"])
    assert (moved["trimap_miou"].to_numpy() != plain["trimap_miou"].to_numpy()).all()


def test_a_perfect_model_scores_one(dataset: Dataset, tmp_path: Path) -> None:
    """Its labels are the targets themselves, painted into the images."""

    def painted(index: int) -> Sample:
        sample = dataset.read(index)
        return sample._replace(image=np.repeat(sample.target[..., None], 3, axis=2))

    def perfect(images: torch.Tensor) -> torch.Tensor:
        return (images[:, 0] * 255).round().long().clamp(max=2)

    results = robseg.evaluate(
        perfect,
        dataclasses.replace(dataset, read=painted, fingerprint="painted"),
        "none",
        out=tmp_path,
        boundaries=(2,),
        examples=False,
    )
    assert boundaries(results)[["trimap_miou", "boundary_iou"]].to_numpy().tolist() == [[1.0, 1.0]]


def test_merged_runs_keep_the_boundaries_that_each_has(
    whole: Path, model: Model, dataset: Dataset, tmp_path: Path
) -> None:
    other = dataclasses.replace(model, card=dataclasses.replace(model.card, id="other"))
    robseg.evaluate(other, dataset, "fog,geometric_distortion", (4,), out=tmp_path, examples=False)
    merged = load_runs([tmp_path, whole]).results
    for name, table in csv_tables(robseg.load(whole).tallies).items():
        pd.testing.assert_frame_equal(csv_tables(merged.tallies)[name], table)


@pytest.mark.parametrize("name", ["trimap-x", "trimap-0", "edge-2", "trimap"])
def test_a_wrong_tally_is_refused_before_anything_is_loaded(name: str, tmp_path: Path) -> None:
    with pytest.raises(robseg.InputError, match=name):
        robseg.evaluate("enet", out=tmp_path / "o", tallies=(name,))
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("widths", ["2,x", "0", "-1", ""])
def test_a_wrong_width_is_refused(widths: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli, ["evaluate", "-m", "enet", "-o", str(tmp_path / "o"), "--boundaries", widths]
    )
    assert result.exit_code == 2, result.output
    assert result.output.startswith("Error: Expected `--boundaries` to be whole numbers above 0")
    assert Request("enet", boundaries=(2, 2)).tally_names == ("trimap-2", "boundary-2")
