"""`--refine` judges every model twice, by the same predictions, and says by what it refined."""

import dataclasses
import json
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

import robseg
from robseg.datasets.base import Dataset
from robseg.errors import InputError
from robseg.evaluation.job import prepare
from robseg.evaluation.request import Request
from robseg.evaluation.speed import TIMED, WARM_UP
from robseg.models.architectures.segfix import SegFix
from robseg.models.model import Model
from robseg.models.predict.batch import Batch
from robseg.models.refine.files import write_offsets
from robseg.models.refine.names import METHOD, refined_name
from robseg.models.refine.options import RefineOptions, check
from robseg.models.refine.predict import predict_offsets


@pytest.fixture(scope="module")
def segfix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a small SegFix with seeded weights."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("segfix") / "tiny.safetensors"
    save_file(SegFix(backbone="mobilenet_v2", channels=8).state_dict(), path)
    return path


@pytest.fixture
def offsets(dataset: Dataset, tmp_path: Path) -> Path:
    """A folder of offsets, to the right everywhere."""
    folder = tmp_path / "offsets"
    folder.mkdir()
    for index, image in enumerate(dataset.ids):
        shape = dataset.read(index).target.shape
        write_offsets(folder / f"{image}.mat", np.broadcast_to(np.array([0, 1], np.int8), (*shape, 2)))
    return folder


def test_refined_rows_stand_beside_plain_ones(
    model: Model, dataset: Dataset, segfix: Path, tmp_path: Path
) -> None:
    results = robseg.evaluate(
        model, dataset, "fog", [1], refine="segfix", refine_weights=segfix, out=tmp_path, examples=False
    )
    assert set(results.scores.model) == {model.name, f"{model.name}+segfix"}
    record = json.loads((tmp_path / "run.json").read_text())
    plain, both = record["models"]
    assert plain["facts"] == {}
    assert both["facts"]["Refines the labels of"] == model.name
    assert both["facts"]["Refined by"].startswith("segfix with segfix:tiny, 2 pixels")
    assert "as the models saw it" in both["facts"]["Offsets"]
    assert len(both["facts"]["Offsets, SHA-256"]) == 64
    assert both["parameters"] > plain["parameters"]
    assert both["gmacs"] > plain["gmacs"]
    assert both["ms_per_image"] > plain["ms_per_image"] > 0


def test_refined_counts_are_those_of_moved_labels(
    model: Model, dataset: Dataset, offsets: Path, tmp_path: Path
) -> None:
    results = robseg.evaluate(model, dataset, "none", refine="segfix", offsets=offsets, out=tmp_path / "run")
    right, total = 0, 0
    for index in range(len(dataset)):
        sample = dataset.read(index)
        labels = model.predict(sample.image[None])[0]
        moved = np.concatenate([labels[:, 2:], labels[:, -1:], labels[:, -1:]], axis=1)
        labelled = sample.target != 255
        right += int((moved == sample.target)[labelled].sum())
        total += int(labelled.sum())
    score = results.scores.set_index("model").pixel_accuracy[f"{model.name}+segfix"]
    assert score == pytest.approx(right / total)


def test_precomputed_offsets_are_reported_to_leak(
    model: Model, dataset: Dataset, offsets: Path, tmp_path: Path
) -> None:
    robseg.evaluate(model, dataset, "none", refine="segfix", offsets=offsets, out=tmp_path / "run")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert "leak" in record["models"][1]["facts"]["Offsets"]
    assert str(offsets) in record["models"][1]["facts"]["Refined by"]
    assert "leak" in (tmp_path / "run" / "report.html").read_text()


def test_images_are_predicted_once_and_their_offsets_computed_once(
    model: Model, dataset: Dataset, segfix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def counted(network: Model, images: NDArray[np.uint8]) -> NDArray[np.int8]:
        seen.append(len(images))
        return predict_offsets(network, images)

    monkeypatch.setattr("robseg.models.refine.offsets.predict_offsets", counted)
    twin = dataclasses.replace(model, card=dataclasses.replace(model.card, id="twin"))
    robseg.evaluate(
        [model, twin], dataset, "none", refine="segfix", refine_weights=segfix, out=tmp_path, examples=False
    )
    timed = 2 * (WARM_UP + TIMED)  # each of the two refined models alone
    assert sum(seen) == len(dataset) + timed


def test_a_plain_run_is_continued_with_refinement(
    model: Model, dataset: Dataset, offsets: Path, tmp_path: Path
) -> None:
    plain = robseg.evaluate(model, dataset, "none", out=tmp_path / "run", examples=False)
    files = sorted((tmp_path / "run" / "counts").iterdir())
    both = robseg.evaluate(
        model, dataset, "none", refine="segfix", offsets=offsets, out=tmp_path / "run", examples=False
    )
    assert set(files) < set((tmp_path / "run" / "counts").iterdir())
    assert both.scores.set_index("model").miou[model.name] == plain.scores.miou[0]


def test_refinements_of_other_weights_or_scale_do_not_mix(
    model: Model, dataset: Dataset, offsets: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"

    def evaluate(scale: int) -> None:
        robseg.evaluate(
            model,
            dataset,
            "none",
            refine="segfix",
            offsets=offsets,
            refine_scale=scale,
            out=run,
            examples=False,
        )

    evaluate(2)
    with pytest.raises(InputError, match="choose another --out"):
        evaluate(3)
    write_offsets(offsets / f"{dataset.ids[0]}.mat", np.zeros((*dataset.read(0).target.shape, 2), np.int8))
    with pytest.raises(InputError, match="choose another --out"):
        evaluate(2)


def test_a_job_that_refines_can_be_sent_to_a_worker(model: Model, dataset: Dataset, segfix: Path) -> None:
    here = prepare(request(dataset, [model], RefineOptions(refine="segfix", refine_weights=segfix)))
    there = pickle.loads(pickle.dumps(here))  # noqa: S301
    plain, refined = there.models.values()
    assert refined.base is plain
    images = dataset.read(0).image[None]
    np.testing.assert_array_equal(refined.predict(images), here.models[refined.name].predict(images))


def request(dataset: Dataset, models: Sequence[Model], options: RefineOptions) -> Request:
    return Request(models, dataset, "none", **dataclasses.asdict(options))


def test_missing_offsets_are_reported_before_anything_runs(
    model: Model, dataset: Dataset, offsets: Path
) -> None:
    (offsets / f"{dataset.ids[3]}.mat").unlink()
    with pytest.raises(InputError, match=rf"1 of 5 have none: put {dataset.ids[3]}\.mat"):
        prepare(request(dataset, [model], RefineOptions(refine="segfix", offsets=offsets)))


def test_offsets_of_another_size_are_reported_by_file(
    model: Model, dataset: Dataset, offsets: Path, tmp_path: Path
) -> None:
    write_offsets(offsets / f"{dataset.ids[0]}.mat", np.zeros((4, 4, 2), np.int8))
    with pytest.raises(InputError, match=rf"{dataset.ids[0]}\.mat, but got 4x4"):
        robseg.evaluate(model, dataset, "none", refine="segfix", offsets=offsets, out=tmp_path / "run")


def test_published_names_of_files_are_found(model: Model, dataset: Dataset, offsets: Path) -> None:
    ids = tuple(f"frankfurt/frankfurt_{image}" for image in dataset.ids)
    for image in dataset.ids:
        (offsets / f"{image}.mat").rename(offsets / f"frankfurt_{image}_leftImg8bit.mat")
    job = prepare(
        request(
            dataclasses.replace(dataset, ids=ids), [model], RefineOptions(refine="segfix", offsets=offsets)
        )
    )
    batch = Batch(dataset.read(0).image[None], ids[:1])
    plain, moved = (batch.result(each).labels for each in job.models.values())
    np.testing.assert_array_equal(moved[..., :-2], plain[..., 2:])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (RefineOptions(refine="segfux"), "segfix"),
        (RefineOptions(refine="enet"), "'segfix' or the id of a SegFix"),
        (RefineOptions(refine="segfix", refine_weights="a", offsets="b"), "got both"),
        (RefineOptions(offsets="b"), "but got none: add --refine segfix"),
    ],
)
def test_wrong_requests_are_told_before_anything_is_loaded(options: RefineOptions, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(options)


def test_without_weights_of_its_own_the_error_says_what_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    from robseg.models import catalogue

    monkeypatch.setattr(catalogue, "shipped", lambda _: False)
    with pytest.raises(InputError, match=r"--refine-weights FILE or --offsets DIR, or name a published one"):
        check(RefineOptions(refine="segfix"))


def test_weights_without_a_refinement_are_refused(model: Model, dataset: Dataset, segfix: Path) -> None:
    with pytest.raises(InputError, match="add --refine segfix"):
        robseg.evaluate(model, dataset, "none", refine_weights=segfix)


def test_refined_names_end_in_the_method() -> None:
    assert refined_name("enet@streets") == f"enet@streets+{METHOD}"
