"""`robseg check`: all faults of a data set at once."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from robseg.datasets import open_dataset
from robseg.errors import InputError
from tests.invoke import invoke as run

Save = Callable[..., Path]


def checked(*words: object, exit_code: int) -> dict[str, Any]:
    """Return the only report of a check, as JSON."""
    result = run("check", *words, "--json", "-q")
    assert result.exit_code == exit_code, result.output
    [report] = json.loads(result.stdout)
    return report


def kinds(report: dict[str, Any], level: str) -> list[str]:
    return [finding["kind"] for finding in report[level]]


def test_a_data_set_without_faults_is_described(yard: Path) -> None:
    report = checked(yard, exit_code=0)
    assert (report["faults"], report["warnings"], report["toml"]) == ([], [], "")
    assert report["sizes"] == [{"height": 8, "width": 12, "images": 7}]
    assert report["classes"] == [
        {"name": "grass", "pixels": 7 * 94, "share": pytest.approx(94 / 95), "images": 7},
        {"name": "road", "pixels": 7, "share": pytest.approx(1 / 95), "images": 7},
    ]
    assert report["ignored_pixels"] == 7


def test_the_summary_can_be_read_by_people(yard: Path) -> None:
    text = " ".join(run("check", yard, "-q").stdout.split())
    assert "yard, all: 7 images" in text
    assert "8x12 7" in text
    assert "grass 7 98.95%" in text
    assert "Faults: none Warnings: none" in text


@pytest.mark.parametrize("words", [["-d", "folder", "--data-root"], []])
def test_the_folder_may_be_named_as_for_an_evaluation(yard: Path, words: list[str]) -> None:
    assert checked(*words, yard, exit_code=0)["images"] == 7
    assert checked(*words, yard / "dataset.toml", exit_code=0)["images"] == 7


def test_all_faults_are_found_at_once(yard: Path, photo: Save, mask: Save) -> None:
    (yard / "images/a.png").write_bytes(b"no image")
    (yard / "masks/a.png").write_bytes(b"")
    photo(yard / "images/b.png", (5, 5))
    for file in ("images/f.png", "masks/g.png"):
        (yard / file).write_bytes((yard / file).read_bytes()[:50])
    (yard / "images/link.png").symlink_to("nowhere.png")
    mask(yard / "masks/link.png", 0)
    mask(yard / "masks/c.png", 0, 7, 7, 9)
    mask(yard / "masks/d.png", 7)
    photo(yard / "images/alone.png")
    mask(yard / "masks/lost.png", 0)
    photo(yard / "images/e.jpg")
    report = checked(yard, exit_code=2)
    assert sorted(kinds(report, "faults")) == [
        "file that cannot be opened",
        "file that cannot be read",
        "image and target of different sizes",
        "image that cannot be read",
        "image without target",
        "target that cannot be read",
        "target without image",
        "two files of one id",
        "undeclared label",
        "undeclared label",
    ]
    seven, nine = report["undeclared"]
    assert (seven["value"], seven["pixels"], len(seven["files"])) == (7, 2 + 8 * 12, 2)
    assert (nine["value"], nine["pixels"]) == (9, 1)
    files = {finding["kind"]: finding["files"] for finding in report["faults"]}
    assert files["image without target"] == [str(yard / "images/alone.png")]
    assert files["target without image"] == [str(yard / "masks/lost.png")]


def test_a_fault_of_many_files_is_one_line_with_three_names(yard: Path) -> None:
    for file in (yard / "masks").iterdir():
        file.unlink() if file.stem < "f" else file.write_bytes(file.read_bytes()[:50])
    unpaired, unreadable = (
        line
        for line in run("check", yard, "-q").stdout.splitlines()
        if line.startswith(("  - Expected", "  - 2 times"))
    )
    assert "c.png' and 2 more have none: add" in unpaired
    assert "2 times target that cannot be read (" in unreadable


def test_the_toml_that_is_shown_declares_what_is_missing(yard: Path, mask: Save) -> None:
    mask(yard / "masks/a.png", 0, 1, 7, 9)
    toml = checked(yard, exit_code=2)["toml"]
    as_classes, as_ignored = toml.split("# Or ")
    file = yard / "dataset.toml"
    before = file.read_text()
    file.write_text(before + as_classes)
    assert [each["name"] for each in checked(yard, exit_code=0)["classes"]][2:] == ["class-7", "class-9"]
    [line] = [line for line in as_ignored.splitlines() if line.startswith("ignore")]
    assert line == "ignore = [255, 7, 9]"
    file.write_text(before.replace("ignore = [255]", line))
    assert checked(yard, exit_code=0)["ignored_pixels"] == 6 + 2


def test_undeclared_colours_are_declared_as_colours(yard: Path, mask: Save) -> None:
    for name in "abcdefg":
        mask(yard / f"masks/{name}.png", (0, 0, 9), (1, 2, 3))
    (yard / "dataset.toml").write_text(
        'name = "yard"\nimages = "images"\ntargets = "masks"\nclasses = [{name = "a", color = [0, 0, 9]}]\n'
    )
    report = checked(yard, exit_code=2)
    assert [each["value"] for each in report["undeclared"]] == [[1, 2, 3]]
    assert 'name = "class-010203"\ncolor = [1, 2, 3]' in report["toml"]
    assert "ignore = [[1, 2, 3]]" in report["toml"]


def test_thousands_of_colours_are_one_line_that_names_the_reason(yard: Path, photo: Save) -> None:
    photo(yard / "masks/a.png")
    (yard / "dataset.toml").write_text(
        'name = "yard"\nimages = "images"\ntargets = "masks"\nclasses = [{name = "a", color = [0, 0, 9]}]\n'
    )
    for name in "bcdefg":
        photo(yard / f"masks/{name}.png")
    report = checked(yard, exit_code=2)
    assert len(report["faults"]) == 21
    assert "76 more values in 7 targets" in report["faults"][-1]["text"]
    assert "JPEG" in report["faults"][-1]["text"]


def test_what_does_no_harm_is_a_warning(yard: Path, photo: Save, mask: Save) -> None:
    for name in "abcdefg":
        mask(yard / f"masks/{name}.png", 0)
    mask(yard / "masks/b.png", 255)
    photo(yard / "images/c.png", (4, 4))
    mask(yard / "masks/c.png", 0, size=(4, 4))
    (yard / "images/notes.txt").touch()
    for name in "fg":
        (yard / f"images/{name}.png").unlink()
        (yard / f"masks/{name}.png").unlink()
    report = checked(yard, exit_code=0)
    assert kinds(report, "warnings") == ["note", "absent class", "several sizes", "void target", "few images"]
    texts = " ".join(finding["text"] for finding in report["warnings"])
    assert "leaves out 1 files" in texts
    assert "class 'road'" in texts
    assert "4 of 5 have 8x12" in texts
    assert "Targets without a pixel that is scored: 1 ('b')" in texts


def test_palettes_that_differ_are_a_warning_and_not_a_line_on_stderr(yard: Path) -> None:
    for name, red in (("a", 9), ("b", 8)):
        image = Image.fromarray(np.zeros((8, 12), np.uint8)).convert("P")
        image.putpalette([red, 0, 0] * 2)
        image.save(yard / f"masks/{name}.png")
    result = run("check", yard, "-q")
    assert result.exit_code == 0
    assert "palettes" in result.stdout
    assert "palettes" not in result.stderr


def test_a_file_name_that_is_not_unicode_is_a_fault_that_can_be_printed(yard: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(yard) + b"/images/\xff.png")).touch()
    except OSError:
        pytest.skip("this file system takes Unicode only")
    result = run("check", yard)
    assert result.exit_code == 2
    assert r"file names in UTF-8, but got" in result.stdout
    assert kinds(checked(yard, exit_code=2), "faults") == ["name that is not UTF-8"]


def test_every_split_is_checked_unless_one_is_named(yard: Path) -> None:
    for split in ("train", "val"):
        (yard / split).mkdir()
        (yard / split / "images").symlink_to(yard / "images")
        (yard / split / "masks").symlink_to(yard / "masks")
    file = yard / "dataset.toml"
    file.write_text(
        file.read_text().replace('"images"', '"{split}/images"').replace('"masks"', '"{split}/masks"')
    )
    result = run("check", yard, "--json", "-q")
    assert [report["split"] for report in json.loads(result.stdout)] == ["train", "val"]
    assert checked(yard, "--split", "val", exit_code=0)["split"] == "val"


def test_data_sets_without_files_and_of_any_number_of_workers_are_checked(yard: Path) -> None:
    one, four = (run("check", yard, "-q", "-j", workers).stdout for workers in (0, 4))
    assert one == four


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Expected one data set, but got none"),
        (["camvid", "-d", "camvid"], "but got both DATA and --dataset"),
        (["nowhere"], "Expected a data set or a folder with a dataset.toml, but got 'nowhere'"),
        ([".", "--data-root", "."], "Expected no --data-root beside the folder '.'"),
        (["camvid", "--data-root", "nowhere"], "'nowhere' does not exist"),
        (["."], "to describe the data set, but there is no such file"),
        (["--init"], "Expected the folder to describe, but got none"),
    ],
)
def test_a_wrong_call_is_explained(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("check", *words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_an_evaluation_stops_at_the_first_kind_of_fault_and_counts_its_files(yard: Path) -> None:
    for name in "abcde":
        (yard / f"masks/{name}.png").unlink()
    with pytest.raises(InputError, match=r"c.png' and 2 more have none: add '.*/masks/a.png' or remove"):
        open_dataset("folder", yard)


def test_an_evaluation_notices_sizes_that_differ_and_files_that_are_no_images_before_it_starts(
    yard: Path, photo: Save
) -> None:
    for name in "abcd":
        photo(yard / f"images/{name}.png", (5, 6))
    with pytest.raises(
        InputError, match=r"of one size, but '.*a.png' has 5x6 and '.*a.png' has 8x12 .*3 more pairs differ"
    ):
        open_dataset("folder", yard)
    (yard / "masks/e.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"readable image file '.*masks/e.png'"):
        open_dataset("folder", yard)


def test_an_image_that_was_too_large_is_read_once_it_is_allowed(
    yard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in yard.rglob("*.png"):
        os.utime(file, (1, 1))  # old enough for what its header says to be kept
    monkeypatch.setenv("ROBSEG_MAX_PIXELS", "95")
    with pytest.raises(InputError, match=r"at most 95 pixels, but '.*a.png' has 8x12"):
        open_dataset("folder", yard)
    monkeypatch.delenv("ROBSEG_MAX_PIXELS")
    assert len(open_dataset("folder", yard)) == 7
