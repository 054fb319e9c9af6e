"""Parts of a run, such as those of a job array, make the run of one call: in any order, twice, at once."""

import contextlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import robseg
from reports.run.files import HOST, LEFTOVERS
from reports.run.parts import part_of, ranges
from reports.run.record import RunRecord
from robseg.datasets.base import Dataset
from robseg.errors import InputError, PartDone
from robseg.evaluation.locks import RunLock
from robseg.evaluation.parts import Part, part_in
from robseg.models.model import Model
from tests.invoke import invoke
from tests.robseg.evaluation.files import counts, tables

GRID = ("fog,pixelate", (1, 4))

Evaluate = Callable[..., Any]


@pytest.fixture
def evaluate(model: Model, dataset: Dataset, tmp_path: Path) -> Evaluate:
    """Evaluate GRID, or another one, into the folder `run`; return None for a part while others are left."""

    def evaluate(part: str | None = None, *grid: Any, **options: Any) -> Any:
        with contextlib.suppress(PartDone):
            return robseg.evaluate(
                *(model, dataset, *(grid or GRID)),
                **{"out": tmp_path / "run", "part": part, "examples": False, **options},
            )
        return None

    return evaluate


@pytest.mark.parametrize(("conditions", "images"), [(111, 500), (23, 5), (6, 233), (1, 12)])
@pytest.mark.parametrize("total", [1, 2, 7, 16, 22])
def test_parts_are_alike(conditions: int, images: int, total: int) -> None:
    sizes = Counter(
        part_of(condition, image, images, total) for condition in range(conditions) for image in range(images)
    )
    assert set(sizes) <= set(range(1, total + 1))
    assert sizes.total() == conditions * images
    if conditions >= 3 * total:
        assert max(sizes.values()) < 1.4 * min(sizes[part] for part in range(1, total + 1))


def test_four_parts_in_any_order_make_the_bytes_of_one_call(evaluate: Evaluate, tmp_path: Path) -> None:
    evaluate(out=tmp_path / "whole")
    for part in ("3/4", "1/4", "4/4"):
        assert evaluate(part) is None
    results = evaluate("2/4")
    assert len(results.scores) == 5
    assert counts(tmp_path / "run") == counts(tmp_path / "whole")
    assert tables(tmp_path / "run") == tables(tmp_path / "whole")
    record = RunRecord.load(tmp_path / "run")
    assert len(record.history) == 4
    once = RunRecord.load(tmp_path / "whole")
    assert record.seconds.keys() == once.seconds.keys()
    assert record.models[0].ms_per_image is not None


def test_a_part_says_which_others_are_left_and_so_does_a_report(
    model: Model, dataset: Dataset, evaluate: Evaluate, tmp_path: Path
) -> None:
    evaluate("1/5")
    with pytest.raises(PartDone, match=r"^Part 3 of 5 is done\. These have work left: 2,4-5\.$"):
        robseg.evaluate(model, dataset, *GRID, out=tmp_path / "run", part="3/5")
    report = invoke("report", str(tmp_path / "run"))
    assert report.exit_code == 3
    assert "again to complete them for these of the 5 parts: 2,4-5." in report.stderr
    evaluate()  # all that is left
    assert invoke("report", str(tmp_path / "run")).exit_code == 0


def test_the_command_line_says_what_is_left(tree: Path, weights: Path, tmp_path: Path) -> None:
    words = (
        f"evaluate -m enet -w {weights} -d folder --data-root {tree} -c pixelate -s 1 -j 0 -o {tmp_path}/run"
    )
    done = invoke(*words.split(), "--part", "2/2")
    assert done.exit_code == 0
    assert done.stdout == "Part 2 of 2 is done. These have work left: 1.\n"
    whole = invoke(*words.split(), "--part", "1/2")
    assert whole.exit_code == 0
    assert "report.html" in whole.stdout


def test_a_part_again_does_what_it_lacks(evaluate: Evaluate, tmp_path: Path) -> None:
    evaluate("1/2")
    before = counts(tmp_path / "run")
    (tmp_path / "run" / next(iter(before))).unlink()
    done: list[int] = []
    evaluate("1/2", progress=lambda news: done.append(news.total))
    assert done[0] == 5
    assert counts(tmp_path / "run") == before
    evaluate("2/2")
    assert evaluate("1/2", progress=lambda news: done.append(news.total)) is not None
    assert done[-1] == 0


def test_a_part_of_more_parts_than_there_is_work_has_none(evaluate: Evaluate, tmp_path: Path) -> None:
    assert evaluate("900/1000") is None
    assert not counts(tmp_path / "run")


@pytest.mark.parametrize("part", [None, "1/2"])
def test_the_same_work_twice_at_once_is_refused(evaluate: Evaluate, tmp_path: Path, part: str | None) -> None:
    evaluate("1/2")
    with RunLock(tmp_path / "run", Part(1, 2)), pytest.raises(InputError, match="another robseg is at work"):
        evaluate(part)
    assert evaluate(part) is None or part is None


def test_a_part_is_refused_while_the_whole_is_at_work(evaluate: Evaluate, tmp_path: Path) -> None:
    evaluate("1/2")
    with RunLock(tmp_path / "run", None), pytest.raises(InputError, match="part 2 or the whole of it"):
        evaluate("2/2")
    with RunLock(tmp_path / "run", Part(1, 2)):
        assert evaluate("2/2") is not None


def test_parts_of_another_request_are_refused_until_all_are_done(evaluate: Evaluate, tmp_path: Path) -> None:
    evaluate("1/2")
    before = counts(tmp_path / "run")
    with pytest.raises(InputError, match="this one has other conditions than those before"):
        evaluate("2/2", "fog,pixelate,brightness", (1, 4))
    with pytest.raises(InputError, match="this one has other images than those before"):
        evaluate("2/2", limit=2)
    assert counts(tmp_path / "run") == before
    evaluate("2/2")
    assert evaluate("1/2", "fog,pixelate,brightness", (1, 4)) is None
    assert evaluate("2/2", "fog,pixelate,brightness", (1, 4)) is not None


@pytest.mark.parametrize(
    "text", ["0/4", "5/4", "1/0", "a/b", "/", "3", "", "-1/4", "1/4/2", "1.0/4", "1/9999999"]
)
def test_what_is_no_part_is_refused(evaluate: Evaluate, tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"Expected --part I/N, such as 3/16, with I from 1 to N, but got"):
        evaluate(text)
    assert not (tmp_path / "run").exists()


def test_blanks_in_a_part_do_no_harm() -> None:
    assert part_in(" 2 / 4\n") == Part(2, 4)


def test_ranges_of_nothing_are_empty() -> None:
    assert ranges([]) == ""


def test_a_part_removes_what_a_killed_one_left_but_not_what_others_write(
    evaluate: Evaluate, tmp_path: Path
) -> None:
    evaluate("1/2")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    counts_folder = tmp_path / "run" / "counts"
    left, writing = (
        counts_folder / LEFTOVERS.replace("*", f"{HOST}-{process}-0") for process in (dead.pid, os.getpid())
    )
    for file in (left, writing):
        file.touch()
    evaluate("1/2")
    assert not left.exists()
    assert writing.exists()
    evaluate()
    assert not writing.exists()


@pytest.mark.slow
def test_four_parts_at_once_and_one_killed_make_the_bytes_of_one_call(
    evaluate: Evaluate, tree: Path, weights: Path, tmp_path: Path
) -> None:
    words = f"-m enet -w {weights} -d folder --data-root {tree} -c fog,pixelate -j 0".split()

    def start(out: str, *more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "robseg", "evaluate", *words, "-o", str(tmp_path / out), *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    start("whole").communicate(timeout=100)
    parts = [start("run", "--part", f"{number}/4") for number in (1, 2, 3, 4)]
    while not counts(tmp_path / "run") and any(part.poll() is None for part in parts):
        pass
    parts[2].kill()
    ended = [part.communicate(timeout=100) for part in parts]
    assert [part.returncode for part in parts] == [0, 0, -9, 0], ended
    last = start("run", "--part", "3/4")
    out, text = last.communicate(timeout=100)
    assert last.returncode == 0, text
    assert "report.html" in out
    assert counts(tmp_path / "run") == counts(tmp_path / "whole")
    assert tables(tmp_path / "run") == tables(tmp_path / "whole")
