import dataclasses
import io
import re
from base64 import b64decode
from pathlib import Path

import pytest
from PIL import Image

import reports
from reports.run.errors import InvalidRun
from reports.run.record import Example
from tests.reports.synthetic import SyntheticRun


def html_of(run: SyntheticRun) -> str:
    return reports.write_report(run.folder).read_text(encoding="utf-8")


def pictures_of(run: SyntheticRun, kind: str) -> list[Image.Image]:
    """Return the pictures of a page in its order, decoded."""
    data = re.findall(rf'<img[^>]*src="data:image/{kind};base64,([^"]+)"', html_of(run))
    return [Image.open(io.BytesIO(b64decode(text))).convert("RGB") for text in data]


def test_class_ids_are_shown_in_the_colours_of_the_data_set(run: SyntheticRun) -> None:
    colours = [{colour for _, colour in picture.getcolors()} for picture in pictures_of(run, "png")]
    assert len(colours) == 6
    assert colours.count({(70, 130, 180), (128, 64, 128), (220, 20, 60)}) == 4


def test_errors_are_where_the_prediction_differs_from_the_target(run: SyntheticRun) -> None:
    example = run.record.examples[0]
    target = Image.new("L", (30, 20), 1)
    target.paste(255, (0, 0, 30, 5))
    prediction = Image.new("L", (30, 20), 1)
    prediction.paste(2, (10, 0, 14, 20))
    target.save(run.folder / example.target)
    prediction.save(run.folder / example.prediction)
    run.rewrite(examples=(example,))
    errors = pictures_of(run, "png")[2]
    counts = {colour: number for number, colour in errors.getcolors()}
    assert counts == {(213, 94, 0): 4 * 15, (120, 126, 132): 30 * 5, (222, 226, 230): 30 * 15 - 4 * 15}


def test_coloured_class_maps_are_shown_as_they_are(run: SyntheticRun) -> None:
    target = run.folder / run.record.examples[0].target
    colours = {(1, 2, 3), (1, 2, 4), (250, 0, 7)}
    coloured = Image.new("RGB", (30, 20), (1, 2, 3))
    coloured.paste((1, 2, 4), (0, 0, 3, 3))
    coloured.putpixel((29, 19), (250, 0, 7))
    coloured.save(target)
    shown = pictures_of(run, "png")
    assert colours in [{c for _, c in image.getcolors()} for image in shown if image.size == (30, 20)]


def test_models_share_the_picture_that_they_all_saw(run: SyntheticRun) -> None:
    first = run.record.examples[0]
    other = dataclasses.replace(first, model=run.record.models[0].name)
    run.rewrite(examples=(first, other))
    assert html_of(run).count("<img ") == 6  # image, target, two predictions with their errors


def test_large_examples_are_made_small(run: SyntheticRun) -> None:
    example = run.record.examples[0]
    Image.effect_noise((1200, 600), 50).convert("RGB").save(run.folder / example.image)
    assert pictures_of(run, "jpeg")[0].size == (480, 240)


def test_examples_whose_files_were_deleted_are_counted(run: SyntheticRun) -> None:
    (run.folder / run.record.examples[0].image).unlink()
    assert "1 examples are left out" in html_of(run)


def test_a_damaged_example_is_named(run: SyntheticRun) -> None:
    path = run.folder / run.record.examples[0].image
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InvalidRun, match=path.name):
        reports.write_report(run.folder)


def test_an_example_outside_of_the_run_is_refused(run: SyntheticRun, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"")
    example = run.record.examples[0]
    outside = Example(**{**vars(example), "image": "../secret.png"})
    run.rewrite(examples=(outside,))
    with pytest.raises(InvalidRun, match=r"got \.\./secret\.png"):
        reports.write_report(run.folder)
