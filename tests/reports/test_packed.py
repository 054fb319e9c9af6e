"""A run in one file is the run: it has the same scores, and every command takes it."""

import dataclasses
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import reports
from reports.compare.compare import compare_runs
from reports.run.errors import InvalidRun, MissingCounts
from reports.run.packed import pack
from reports.run.record import CLEAN, Condition, RunRecord
from reports.tallies import find
from robseg.cli import cli
from tests.leftovers import leave_behind
from tests.reports.simulation import rare_classes
from tests.reports.synthetic import RECORD, SyntheticRun, row_of, write_shard


def packed(run: SyntheticRun, path: Path) -> Path:
    path.write_bytes(pack(run.folder, RunRecord.load(run.folder), find))
    return path


def test_a_packed_run_has_the_tables_of_its_folder(run: SyntheticRun, tmp_path: Path) -> None:
    file = packed(run, tmp_path / "run.zip")
    folder, alone = reports.load(run.folder), reports.load(file)
    for name in ("scores", "classes", "summary", "corruptions"):
        pd.testing.assert_frame_equal(getattr(folder, name), getattr(alone, name))
    assert RunRecord.load(file) == dataclasses.replace(run.record, examples=())


def test_every_tally_is_packed(run: SyntheticRun, tmp_path: Path) -> None:
    rows = [
        row_of(model.name, condition, image, {name: [1, 2, 3] for name in ("tp", "fp", "fn")})
        for model in run.record.models
        for condition in run.record.conditions
        for image in run.record.images
    ]
    write_shard(run.folder, "0.parquet", rows, "trimap-2")
    run.rewrite(tallies=("confusion", "trimap-2"))
    file = packed(run, tmp_path / "run.zip")
    (comparison,) = compare_runs(
        f"{run.folder}:{run.record.models[0].name}", f"{file}:{run.record.models[0].name}", tally="trimap-2"
    )
    assert (comparison.table["difference"] == 0).all()


def test_the_same_run_packs_to_the_same_bytes_whatever_its_files(run: SyntheticRun) -> None:
    before = pack(run.folder, run.record, find)
    for number, path in enumerate(run.shards()):
        path.rename(path.with_name(f"{99 - number:02}.parquet"))
    assert pack(run.folder, run.record, find) == before


def test_one_model_of_a_run_can_be_packed(run: SyntheticRun, tmp_path: Path) -> None:
    name = run.record.models[0].name
    out = tmp_path / "one.zip"
    saved = CliRunner().invoke(cli, ["baseline", "save", f"{run.folder}:{name}", "-o", str(out)])
    assert saved.exit_code == 0, saved.output
    assert [model.name for model in RunRecord.load(out).models] == [name]
    gated = CliRunner().invoke(cli, ["gate", f"{run.folder}:{name}", "-b", str(out)])
    assert gated.exit_code == 0, gated.output


def test_what_a_killed_command_left_beside_its_file_is_deleted(run: SyntheticRun, tmp_path: Path) -> None:
    leftover = leave_behind(tmp_path)
    saved = CliRunner().invoke(cli, ["baseline", "save", str(run.folder), "-o", str(tmp_path / "b.zip")])
    assert saved.exit_code == 0, saved.output
    assert not leftover.exists()


def test_an_incomplete_run_is_not_packed(run: SyntheticRun) -> None:
    run.shards()[0].unlink()
    with pytest.raises(MissingCounts):
        pack(run.folder, run.record, find)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.99])
def test_a_cut_file_is_refused(run: SyntheticRun, tmp_path: Path, part: float) -> None:
    file = packed(run, tmp_path / "run.zip")
    content = file.read_bytes()
    file.write_bytes(content[: int(part * len(content))])
    with pytest.raises(InvalidRun, match=r"run\.zip"):
        reports.load(file)


@pytest.mark.parametrize("place", [0.3, 0.5, 0.7])
def test_changed_bytes_are_noticed(run: SyntheticRun, tmp_path: Path, place: float) -> None:
    file = packed(run, tmp_path / "run.zip")
    content = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as archive:
        member = archive.getinfo("counts/all.parquet")
    content[member.header_offset + 50 + int(place * member.compress_size)] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(InvalidRun, match="damaged"):
        reports.load(file)


def test_60_images_of_96_conditions_and_19_classes_take_less_than_a_megabyte(tmp_path: Path) -> None:
    counts = rare_classes(19)[0, :, 0]
    clean = Condition(CLEAN, 0, CLEAN)
    conditions = (clean, *(Condition(f"c{c:02}", s, "noise") for c in range(19) for s in range(1, 6)))
    names = [f"class{number}" for number in range(19)]
    record = dataclasses.replace(
        RECORD,
        dataset={**RECORD.dataset, "class_names": names, "palette": [[0, 0, 0]] * 19},
        images=tuple(f"frankfurt/frankfurt_000000_{number:06}" for number in range(60)),
        conditions=conditions,
        models=RECORD.models[:1],
        examples=(),
    )
    (tmp_path / "counts").mkdir()
    (tmp_path / "run.json").write_text(record.to_json())
    for k, condition in enumerate(conditions):
        rows = [
            row_of(
                record.models[0].name,
                condition,
                image,
                dict(zip(("tp", "fp", "fn"), counts[(60 * k + n) % len(counts)].tolist(), strict=True)),
            )
            for n, image in enumerate(record.images)
        ]
        write_shard(tmp_path, f"{k}.parquet", rows)
    assert 100_000 < len(pack(tmp_path, record, find)) < 1_000_000
