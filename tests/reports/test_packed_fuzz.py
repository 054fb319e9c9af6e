"""A damaged baseline, which is a ZIP file of run.json and counts, is refused in a line."""

import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

import reports
from reports import tallies
from reports.run.errors import InvalidRun
from reports.run.packed import pack
from reports.run.record import RunRecord
from tests.mutations import NUMBERS, fuzz, mutated
from tests.reports.synthetic import SyntheticRun

PLACES = st.floats(0, 1, exclude_max=True, allow_subnormal=False)
CHANGES = st.lists(st.tuples(PLACES, st.integers(0, 255)), min_size=1, max_size=4)


@pytest.fixture
def packed(run: SyntheticRun) -> bytes:
    record = RunRecord.load(run.folder)
    return pack(run.folder, record, tallies.find)


@pytest.mark.parametrize("number", NUMBERS)
def test_changed_bytes_are_refused_or_change_nothing(number: int, packed: bytes, tmp_path: Path) -> None:
    file = tmp_path / "baseline.zip"
    file.write_bytes(packed)
    before = reports.load(file).scores

    def read(case: tuple[list[tuple[float, int]], float]) -> None:
        changes, end = case
        content = bytearray(packed)
        for place, byte in changes:
            content[int(place * len(content))] = byte
        file.write_bytes(content[: int(end * len(content))])
        assert reports.load(file).scores.equals(before)

    fuzz(number, st.tuples(CHANGES, st.just(1.0) | PLACES), read)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_damaged_record_inside_is_refused(number: int, packed: bytes, tmp_path: Path) -> None:
    file = tmp_path / "baseline.zip"
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        raw = json.loads(archive.read("run.json"))
        counts = archive.read("counts/all.parquet")

    def read(changed: Any) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("run.json", json.dumps(changed))
            archive.writestr("counts/all.parquet", counts)
        RunRecord.load(file)

    read(raw)
    fuzz(number, mutated(raw), read)


@pytest.mark.parametrize("compression", [12, 99])
def test_an_unknown_compression_is_refused(compression: int, packed: bytes, tmp_path: Path) -> None:
    method = zipfile.ZIP_LZMA.to_bytes(2, "little")
    file = tmp_path / "baseline.zip"
    file.write_bytes(packed.replace(method, compression.to_bytes(2, "little")))
    with pytest.raises(InvalidRun):
        reports.load(file)


def test_an_encrypted_file_is_refused(run: SyntheticRun, tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "run"), "zip", run.folder)
    content = bytearray((tmp_path / "run.zip").read_bytes())
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):  # the flags of each member
        start = content.find(mark)
        while start >= 0:
            content[start + place] |= 1
            start = content.find(mark, start + 1)
    (tmp_path / "run.zip").write_bytes(content)
    with pytest.raises(InvalidRun, match="encrypted"):
        reports.load(tmp_path / "run.zip")
