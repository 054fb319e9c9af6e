"""Two runs rank alike or not, by hand, and as far as their images can tell."""

import dataclasses
import io
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

import reports
from reports.formats.documents import to_console, to_html, to_markdown
from reports.ranks.counterparts import Pair, pair_models
from reports.ranks.document import ranks_csv, ranks_document, ranks_json
from reports.ranks.ranks import Ranks, rank_runs
from reports.run.errors import InvalidRun
from reports.run.record import CLEAN, Condition, ModelRecord
from reports.scoring.protocols import PROTOCOLS
from robseg.cli import cli
from tests.reports.synthetic import RECORD, SyntheticRun, row_of, write_shard

PIXELS = 10_000
CLEANS = {"enet": 0.5, "icnet": 0.6, "pspnet": 0.7, "ocrnet": 0.8}
KEPT = {"fog": 0.9, "snow": 0.7, "gaussian_noise": 0.4, "jpeg_compression": 0.6}


def write_run(
    folder: Path,
    data: str,
    cleans: dict[str, float] = CLEANS,
    kept: dict[str, float] = KEPT,
    *,
    images: int = 8,
    spread: float = 0.0,
    severities: tuple[int, ...] = (1, 2),
    **changes: Any,
) -> Path:
    """Write a run of one class; mIoU is clean x kept / severity, and differs by image by up to `spread`."""
    conditions = (
        Condition(CLEAN, 0, CLEAN),
        *(Condition(name, level, "group") for name in kept for level in severities),
    )
    names = tuple(f"{data}_{number:03d}" for number in range(images))
    record = dataclasses.replace(
        RECORD,
        dataset={
            "name": data, "split": "val", "fingerprint": data, "citation": "",
            "class_names": ["road"], "palette": [[0, 0, 0]],
        },
        images=names,
        conditions=conditions,
        models=tuple(ModelRecord(f"{name}@{data}", {}, "0", 1) for name in cleans),
        examples=(),
        **{"protocol": "custom", **changes},
    )  # fmt: skip
    rng = np.random.default_rng(len(data))
    rows = []
    for (model, clean), condition, image in itertools.product(cleans.items(), conditions, names):
        iou = clean * kept.get(condition.corruption, 1.0) / max(1, condition.severity)
        hits = round(PIXELS * np.clip(iou + rng.uniform(-spread, spread), 0, 1))
        counts = {"tp": [hits], "fp": [0], "fn": [PIXELS - hits]}
        rows.append(row_of(f"{model}@{data}", condition, image, counts))
    write_shard(folder, "0.parquet", rows)
    (folder / "run.json").write_text(record.to_json(), encoding="utf-8")
    return folder


def reversed_values(numbers: dict[str, float]) -> dict[str, float]:
    return dict(zip(numbers, reversed(numbers.values()), strict=True))


def by_name(ranks: Ranks) -> pd.DataFrame:
    return ranks.table.set_index(["kind", "name"])


@pytest.fixture
def camvid(tmp_path: Path) -> Path:
    return write_run(tmp_path / "camvid", "camvid")


def test_a_run_ranks_as_it_does_itself(pristine: SyntheticRun) -> None:
    table = rank_runs(pristine.folder, pristine.folder, resamples=200).table
    assert set(table["kind"]) == {"mean", "corruptions", "conditions"}
    assert (table[["rho", "low", "high"]] == 1).all(axis=None)


def test_the_same_images_in_another_order_are_resampled_alike(
    run: SyntheticRun, pristine: SyntheticRun
) -> None:
    record = dataclasses.replace(run.record, images=run.record.images[::-1])
    (run.folder / "run.json").write_text(record.to_json(), encoding="utf-8")
    assert (rank_runs(pristine.folder, run.folder, resamples=200).table["low"] == 1).all()


def test_what_is_reversed_has_minus_one_and_what_is_not_has_one(camvid: Path, tmp_path: Path) -> None:
    streets = write_run(tmp_path / "streets", "streets", reversed_values(CLEANS))
    rows = by_name(rank_runs(camvid, streets, resamples=200))
    assert [rows[column]["models", "clean"] for column in ("rho", "low", "high")] == [-1, -1, -1]
    assert (rows["rho"]["models"].drop("rpc") == -1).all()
    assert (rows["rho"]["corruptions"] == 1).all()
    assert rows["rho"]["mean"].to_dict() == {"models": -1, "corruptions": 1, "conditions": 1}
    assert rows["items"]["mean"].to_dict() == {"models": 4, "corruptions": 4, "conditions": 8}
    assert rows["p"]["mean", "corruptions"] == pytest.approx(1 / 24)
    assert rows["p"]["models", "clean"] == 1
    assert rows["p"]["conditions"].isna().all()


def test_corruptions_that_swap_places_are_counted_by_hand(camvid: Path, tmp_path: Path) -> None:
    swapped = {"fog": 0.7, "snow": 0.9, "gaussian_noise": 0.4, "jpeg_compression": 0.6}
    streets = write_run(tmp_path / "streets", "streets", CLEANS, swapped)
    rho = by_name(rank_runs(camvid, streets, resamples=200))["rho"]
    assert rho["corruptions", "enet"] == pytest.approx(1 - 6 * 2 / (4 * 15))  # two places differ by one
    # .9 .45, .7 .35, .4 .2, .6 .3 have the ranks 8 5, 7 3, 4 1, 6 2; fog and snow swap theirs.
    assert rho["conditions", "enet"] == pytest.approx(1 - 6 * (1 + 1 + 4 + 4) / (8 * 63))


def test_what_was_ranked_are_the_scores_of_both_reports(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / data, data, spread=0.2) for data in ("camvid", "streets")]
    ranks = rank_runs(*folders, resamples=200)
    for folder, side in zip(folders, ("first", "second"), strict=True):
        results = reports.load(folder)
        for name, column in (("clean", "clean_miou"), ("mpc", "mpc"), ("rpc", "rpc")):
            assert ranks.models[f"{name}_{side}"].tolist() == results.summary[column].tolist()
        kept = results.corruptions.groupby("corruption", sort=False)["retention"].mean()
        assert ranks.corruptions[side].tolist() == pytest.approx(kept.tolist())


def test_a_mean_of_rank_correlations_is_that_of_its_rows(camvid: Path, tmp_path: Path) -> None:
    streets = write_run(tmp_path / "streets", "streets", spread=0.3)
    rows = by_name(rank_runs(camvid, streets, resamples=200))
    assert rows["rho"]["mean", "corruptions"] == pytest.approx(rows["rho"]["corruptions"].mean())
    assert rows["rho"]["mean", "models"] == pytest.approx(rows["rho"]["models"][list(KEPT)].mean())


def test_intervals_widen_with_fewer_images(tmp_path: Path) -> None:
    widths = []
    for images in (10, 200):
        folders = [
            write_run(tmp_path / f"{data}{images}", data, images=images, spread=0.4)
            for data in ("camvid", "streets")
        ]
        row = by_name(rank_runs(*folders, resamples=400)).to_dict("index")["mean", "conditions"]
        assert -1 <= row["low"] < row["high"] <= 1
        widths.append(row["high"] - row["low"])
    assert widths[0] > 2 * widths[1]


def test_a_single_image_has_no_interval(camvid: Path, tmp_path: Path) -> None:
    streets = write_run(tmp_path / "streets", "streets", images=1)
    table = rank_runs(camvid, streets, resamples=200).table
    assert table["rho"].notna().any()
    assert table[["low", "high"]].isna().all(axis=None)


def test_models_are_paired_by_name_and_then_by_what_stands_before_the_at() -> None:
    ours = ["enet@camvid", "enet@camvid+segfix", "icnet", "hf:a/b", "pspnet@camvid", "pspnet@voc"]
    theirs = ["icnet", "enet@streets+segfix", "enet@streets", "hf:a/c", "pspnet@streets", "pspnet@voc"]
    assert pair_models(ours, theirs) == (
        Pair("icnet", "icnet", "icnet"),
        Pair("pspnet@voc", "pspnet@voc", "pspnet@voc"),
        Pair("enet", "enet@camvid", "enet@streets"),
        Pair("enet+segfix", "enet@camvid+segfix", "enet@streets+segfix"),
        Pair("pspnet", "pspnet@camvid", "pspnet@streets"),
    )


def test_a_model_with_several_counterparts_is_left_out() -> None:
    pairs = pair_models(["enet@a", "icnet@a"], ["enet@b", "enet@c", "icnet@b"])
    assert [pair.name for pair in pairs] == ["icnet"]
    assert pair_models(["enet@a"], ["pspnet@b"]) == (Pair("enet@a / pspnet@b", "enet@a", "pspnet@b"),)
    with pytest.raises(InvalidRun, match="RUN:MODEL"):
        pair_models(["enet@a"], ["enet@b", "enet@c"])


def test_what_only_one_run_has_is_left_out_and_said(tmp_path: Path) -> None:
    fewer = {name: CLEANS[name] for name in ("enet", "icnet", "pspnet")}
    camvid = write_run(tmp_path / "camvid", "camvid", protocol="mpc")
    streets = write_run(tmp_path / "streets", "streets", fewer, severities=(2, 3), protocol="mpc")
    ranks = rank_runs(camvid, streets, resamples=200)
    assert ranks.protocol == "custom"
    assert (ranks.table.set_index("kind")["items"]["conditions"] == 4).all()
    assert ranks.left_out == (
        f"models of {camvid}: ocrnet@camvid",
        f"conditions of {camvid}: fog 1, gaussian_noise 1, jpeg_compression 1, snow 1",
        f"conditions of {streets}: fog 3, gaussian_noise 3, jpeg_compression 3, snow 3",
    )
    assert "ocrnet&#64;camvid" in to_markdown(ranks_document(ranks))


def test_two_models_are_not_ranked(camvid: Path, tmp_path: Path) -> None:
    streets = write_run(tmp_path / "streets", "streets", {"enet": 0.5, "icnet": 0.6})
    ranks = rank_runs(camvid, streets, resamples=200)
    assert "models" not in set(ranks.table["kind"]) | set(ranks.table["name"])
    assert "Models are not ranked" in to_markdown(ranks_document(ranks))


def test_a_protocol_chooses_the_conditions(camvid: Path, tmp_path: Path) -> None:
    kept = {name: 0.9 - place / 20 for place, name in enumerate(PROTOCOLS["level5"].corruptions)}
    runs = [write_run(tmp_path / data, data, kept=kept, severities=(4, 5)) for data in ("voc", "streets")]
    ranks = rank_runs(*runs, protocol="level5", resamples=200)
    assert ranks.protocol == "level5"
    assert ranks.left_out == ()
    assert (ranks.table.set_index("kind")["items"]["conditions"] == 16).all()
    with pytest.raises(InvalidRun, match="conditions of protocol 'level5'"):
        rank_runs(camvid, runs[0], protocol="level5")


def test_runs_without_anything_in_common_are_refused(camvid: Path, tmp_path: Path) -> None:
    other = write_run(tmp_path / "other", "other", severities=(4, 5))
    with pytest.raises(
        InvalidRun, match=r"got clean, fog 1 2, .* and clean, fog 4 5.*evaluate both with the same options"
    ):
        rank_runs(camvid, other)
    with pytest.raises(InvalidRun, match="no run"):
        rank_runs(camvid, tmp_path / "nowhere")


def test_other_corruptions_of_the_same_names_are_warned_of(camvid: Path, tmp_path: Path) -> None:
    streets = write_run(tmp_path / "streets", "streets", set_versions={"imagenet-c": "2"}, move_targets=False)
    document = ranks_document(rank_runs(camvid, streets, resamples=200))
    assert document.warnings == (
        "the runs differ in corruption set imagenet-c (1 and 2).",
        "the runs differ in targets (move and stay).",
    )
    assert ranks_document(rank_runs(camvid, camvid, resamples=200)).warnings == ()


def test_documents_show_the_numbers_with_their_ranks(camvid: Path, tmp_path: Path) -> None:
    cleans = {"enet": 0.5, "icnet": 0.7, "pspnet": 0.7, "ocrnet": 0.8}
    streets = write_run(tmp_path / "streets", "streets", cleans)
    ranks = rank_runs(camvid, streets, resamples=200)
    document = ranks_document(ranks)
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(to_console(document))
    for text in (to_markdown(document), to_html(document), console.export_text()):
        for part in (
            "70.0 (2)",
            "70.0 (2.5)",
            "0.95",
            "4 models in the same order have p = 0.042",
            "camvid",
        ):
            assert part in text
    table = pd.read_csv(io.StringIO(ranks_csv(ranks)))
    assert len(table) == len(ranks.table)
    read = json.loads(ranks_json(ranks))
    assert read["pairs"][0] == {"name": "enet", "first": "enet@camvid", "second": "enet@streets"}
    assert read["table"][2] | {"p": 0} == {
        "kind": "mean", "name": "conditions", "items": 8, "rho": 1.0, "low": 1.0, "high": 1.0, "p": 0,
    }  # fmt: skip
    assert read["table"][2]["p"] is None
    assert read["first"]["images"] == 8


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["ranks", *map(str, arguments), "--resamples", "200"])


def test_the_command_prints_and_writes_what_is_asked_for(camvid: Path, tmp_path: Path) -> None:
    streets = write_run(tmp_path / "streets", "streets")
    assert "ranks of corruptions, mean over models" in invoke(camvid, streets).output
    for form, start in {"markdown": "## ", "html": "<!doctype", "csv": "kind,", "json": "{"}.items():
        out = tmp_path / "new" / f"it.{form}"
        result = invoke(camvid, streets, "--format", form, "--out", out)
        assert result.exit_code == 0, result.output
        assert out.read_text(encoding="utf-8").startswith(start)
    one = json.loads(invoke(f"{camvid}:enet@camvid", streets, "--format", "json").stdout)
    assert [pair["name"] for pair in one["pairs"]] == ["enet"]


def test_the_command_refuses_in_a_line_what_cannot_be_ranked(camvid: Path, tmp_path: Path) -> None:
    other = write_run(tmp_path / "other", "other", {"segformer": 0.5, "unet": 0.4})
    result = invoke(camvid, other)
    assert (result.exit_code, "RUN:MODEL" in result.output) == (2, True)
    assert "Traceback" not in result.output
