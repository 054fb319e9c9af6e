"""Files of counts are damaged in many ways; no other score comes out without a word.

`report` refuses a damaged file and names it. `evaluate` names it and computes it again. Files that are none
of robseg's, such as the ._ files of macOS, are passed over.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import reports
from reports.run.errors import InputError
from reports.tables.results import Results
from tests.faults.processes import HOME, run
from tests.faults.results import Problem, summary
from tests.faults.world import COMMANDS
from tests.invoke import invoke

EVALUATE = COMMANDS["evaluate"].replace("-o new", "-o run --no-examples").replace("--quiet", "").split()
APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" + bytes(100)


def flip_a_bit(shard: Path, other: Path, rng: Random) -> Path:
    content = bytearray(shard.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    shard.write_bytes(content)
    return shard


def zero_a_block(shard: Path, other: Path, rng: Random) -> Path:
    content = bytearray(shard.read_bytes())
    start = rng.randrange(0, len(content), 512)
    content[start : start + 512] = bytes(len(content[start : start + 512]))
    shard.write_bytes(content)
    return shard


def cut(shard: Path, other: Path, rng: Random) -> Path:
    shard.write_bytes(shard.read_bytes()[: rng.randrange(shard.stat().st_size)])
    return shard


def replace_by_a_foreign_one(shard: Path, other: Path, rng: Random) -> Path:
    """Put the counts of the same condition of other data in place of a shard."""
    shutil.copy(_same_condition(shard, other), shard)
    return shard


def add_a_foreign_one(shard: Path, other: Path, rng: Random) -> Path:
    """Put the counts of the same condition of other data beside a shard."""
    foreign = _same_condition(shard, other)
    return Path(shutil.copy(foreign, shard.parent))


def duplicate(shard: Path, other: Path, rng: Random) -> Path:
    return Path(shutil.copy(shard, shard.with_name("copy of " + shard.name)))


def raise_a_count(shard: Path, other: Path, rng: Random) -> Path:
    return _count_more(shard, 1000, rng)


def raise_a_count_beyond_reason(shard: Path, other: Path, rng: Random) -> Path:
    return _count_more(shard, 2**62, rng)


def add_what_macos_adds(shard: Path, other: Path, rng: Random) -> Path:
    path = shard.with_name(f"._{shard.name}")
    path.write_bytes(APPLE_DOUBLE)
    return path


def _same_condition(shard: Path, other: Path) -> Path:
    def condition(path: Path) -> str:
        return str(pq.read_table(path, columns=["corruption"])["corruption"][0])

    [found] = [path for path in (other / "counts").glob("*.parquet") if condition(path) == condition(shard)]
    return found


def _count_more(shard: Path, number: int, rng: Random) -> Path:
    table = pq.read_table(shard)
    counts = table["tp"].to_pylist()
    counts[rng.randrange(len(counts))][0] += number
    place = table.schema.get_field_index("tp")
    table = table.set_column(
        place, table.schema.field(place), pa.array(counts, table.schema.field(place).type)
    )
    pq.write_table(table, shard, compression="zstd")
    return shard


Damage = Callable[[Path, Path, Random], Path]
OTHER_DAMAGES: tuple[Damage, ...] = (
    zero_a_block,
    cut,
    replace_by_a_foreign_one,
    add_a_foreign_one,
    duplicate,
    raise_a_count,
    raise_a_count_beyond_reason,
    add_what_macos_adds,
)


def same(one: Results, two: Results) -> bool:
    return one.scores.equals(two.scores) and one.classes.equals(two.classes)


def report(folder: Path, file: Path, truth: Results) -> str:
    try:
        found = reports.load(folder)
    except InputError as error:
        return "refused" if file.name in str(error) else "refused without its name"
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        return f"{type(error).__name__}: {error}"
    return "same scores" if same(found, truth) else "SILENT: other scores"


def evaluate(folder: Path, file: Path, truth: Results) -> str:
    done = invoke(*EVALUATE)
    named = file.name in done.stderr.replace("\n", "")
    if done.exit_code != 0:
        refused = done.exit_code in (2, 3) and isinstance(done.exception, SystemExit)
        return f"{'refused' if refused else repr(done.exception)}{'' if named else ' without its name'}"
    try:
        good = same(reports.load(folder), truth)
    except InputError as error:
        return f"left a run that cannot be read: {error}"
    return ("recomputed" if named else "same scores") if good else "SILENT: other scores"


def problems(damage: Damage, reported: str, evaluated: str) -> Iterator[Problem]:
    """Yield what is wrong with the outcomes for a damaged file."""
    kind = damage.__name__
    passed_over = damage is add_what_macos_adds
    if reported not in (["same scores"] if passed_over else ["refused", "same scores"]):
        yield Problem(f"{kind}: report: {reported.split(':')[0]}", reported)
    allowed = {"same scores"} if passed_over else {"recomputed"}
    if damage is duplicate:
        allowed.add("refused")
    if reported == "same scores":
        allowed.add("same scores")
    if evaluated not in allowed:
        without = " without its name" if evaluated == "same scores" else ""
        yield Problem(f"{kind}: evaluate: {evaluated.split(':')[0]}{without}", evaluated)


@pytest.fixture(scope="module")
def truth(world: Path) -> Results:
    return reports.load(world / "run")


@pytest.fixture(scope="module")
def other(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the same model and conditions on other data with the same names."""
    folder = shutil.copytree(world, tmp_path_factory.mktemp("other") / "world")
    for mask in (folder / "data" / "masks").glob("*.png"):
        with Image.open(mask) as image:
            image.transpose(Image.Transpose.ROTATE_180).save(mask, compress_level=0)
    ended = run(COMMANDS["evaluate"].split(), folder)
    assert ended.code == 0, ended.stderr
    return folder / "new"


@pytest.mark.parametrize("number", [40, pytest.param(400, marks=pytest.mark.slow)])
def test_no_damage_of_counts_gives_other_scores_without_a_word(
    number: int, world: Path, truth: Results, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    rng = Random(number)  # noqa: S311 - no secret
    found: dict[str, list[Problem]] = {}
    for index in range(number):
        folder = shutil.copytree(world, tmp_path / str(index))
        monkeypatch.chdir(folder)
        monkeypatch.setenv("ROBSEG_HOME", str(folder / HOME))
        shard = rng.choice(sorted((folder / "run" / "counts").glob("*.parquet")))
        damage = flip_a_bit if index % 2 else OTHER_DAMAGES[index // 2 % len(OTHER_DAMAGES)]
        file = damage(shard, other, rng)
        reported = report(folder / "run", file, truth)
        evaluated = evaluate(folder / "run", file, truth)
        if wrong := list(problems(damage, reported, evaluated)):
            found[f"{damage.__name__} ({index})"] = wrong
        shutil.rmtree(folder)
    monkeypatch.chdir(world)
    said = summary("Damaged counts", number, found)
    click.echo(said)
    assert not found, said
