"""`robseg predict`: pictures of what a model sees."""

import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image

import corruptions
from reports.run.files import LEFTOVERS
from robseg.cli.images import read_upright
from robseg.datasets.streets import PALETTE, render
from robseg.models.model import Model, load_model
from tests.invoke import invoke


@pytest.fixture(scope="session")
def streets_model() -> Model:
    return load_model("enet@streets")


@pytest.fixture(scope="session")
def rendered() -> NDArray[np.uint8]:
    return render(0, "test", 3, 64, 96).image


@pytest.fixture
def scene(rendered: NDArray[np.uint8], tmp_path: Path) -> NDArray[np.uint8]:
    """A rendered scene, also in the file in/a.png."""
    (tmp_path / "in").mkdir()
    Image.fromarray(rendered).save(tmp_path / "in" / "a.png")
    return rendered


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


run = partial(invoke, "predict")


def written(folder: str = "out") -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*.png"))


def pixels(path: str) -> Any:
    with Image.open(path) as image:
        return np.asarray(image)


def test_labels_are_the_models_in_the_data_sets_colours(
    scene: NDArray[np.uint8], streets_model: Model
) -> None:
    result = run("in/a.png", "-m", "enet@streets", "--labels", "-o", "out")
    assert result.exit_code == 0, result.output
    assert written() == ["a_labels.png", "a_overlay.png"]
    np.testing.assert_array_equal(pixels("out/a_labels.png"), streets_model.predict(scene[None])[0])
    with Image.open("out/a_labels.png") as image:
        assert image.mode == "P"
        palette = np.reshape(image.getpalette(), (-1, 3))[:11]
    np.testing.assert_array_equal(palette, PALETTE)


def test_files_and_shares_are_listed(scene: NDArray[np.uint8], streets_model: Model) -> None:
    result = run("in", "-m", "enet", "--labels", "-o", "out")
    lines = result.stdout.splitlines()
    assert lines[:2] == [f"out{os.sep}a_overlay.png", f"out{os.sep}a_labels.png"]
    counts = np.bincount(streets_model.predict(scene[None]).ravel(), minlength=11)
    rows = [line.split() for line in lines if line.endswith("%")]
    assert len(rows) == (counts > 0).sum()
    largest = int(counts.argmax())
    assert rows[0] == [
        streets_model.card.class_names[largest],
        f"{counts[largest] / counts.sum():.1%}"[:-1],
        "%",
    ]


@pytest.mark.parametrize(("opacity", "colours"), [(0, 0.0), (1, 1.0), (0.25, 0.25)])
def test_the_overlay_mixes_image_and_colours(
    scene: NDArray[np.uint8], streets_model: Model, opacity: float, colours: float
) -> None:
    assert run("in/a.png", "-m", "enet", "-o", "out", "--opacity", opacity).exit_code == 0
    drawn = np.array(PALETTE)[streets_model.predict(scene[None])[0]]
    mixed = (1 - colours) * scene + colours * drawn
    assert np.abs(pixels("out/a_overlay.png")[:64, :96] - mixed).max() <= 1


def test_corrupted_images_are_those_of_robseg_corrupt(scene: NDArray[np.uint8], streets_model: Model) -> None:
    (Path("in") / "sub").mkdir()
    Path("in/a.png").rename("in/sub/a.png")
    result = run(
        "in", "-m", "enet", "-o", "out", "--labels", "--no-overlay", "-c", "fog", "-s", 4, "--seed", 7
    )
    assert result.exit_code == 0, result.output
    assert written() == ["sub/a_fog_4_labels.png"]
    foggy = corruptions.corrupt(scene, "fog", 4, seed=7, key="sub/a")
    expected = streets_model.predict(foggy[None])[0]
    np.testing.assert_array_equal(pixels("out/sub/a_fog_4_labels.png"), expected)


@pytest.mark.parametrize("source", ["in", "in/*.png", "in/**/*", "."])
def test_what_was_written_is_not_taken_for_images(scene: NDArray[np.uint8], source: str) -> None:
    for _ in range(2):
        result = run(source, "-m", "enet", "-o", "in/out")
        assert result.exit_code == 0, result.output
        assert len(written("in/out")) == 1
        assert result.stdout.count(".png") == 1


def test_a_folder_of_the_users_is_not_written_to(scene: NDArray[np.uint8]) -> None:
    before = sorted(Path().rglob("*"))
    result = run("in", "-m", "enet", "-o", ".")
    assert result.exit_code == 2
    assert "choose another --out" in result.stderr
    assert sorted(Path().rglob("*")) == before


def test_progress_of_many_images_is_shown_apart_from_the_results(scene: NDArray[np.uint8]) -> None:
    Image.fromarray(scene).save("in/b.bmp")
    result = run("in", "-m", "enet", "-o", "out")
    assert "2/2" in result.stderr
    assert "2/2" not in result.stdout
    assert "2 images" in result.stdout
    assert not list(Path("out").glob(LEFTOVERS))


def test_a_card_renames_the_classes(scene: NDArray[np.uint8], weights: Path) -> None:
    Path("card.json").write_text('{"class_names": ["up", "down", "else"]}')
    result = run("in/a.png", "-m", "enet", "-w", weights, "-o", "out", "--model-card", "card.json")
    assert result.exit_code == 0, result.output
    assert {"up", "down", "else"} & set(result.stdout.split())


def test_a_checkpoint_of_ones_own_is_drawn_in_made_colours(scene: NDArray[np.uint8], weights: Path) -> None:
    result = run("in/a.png", "-m", "enet", "-w", weights, "-o", "out", "--labels")
    assert result.exit_code == 0, result.output
    assert "class " in result.stdout
    by_file = run("in/a.png", "-m", weights, "--arch", "enet", "-o", "again", "--labels")
    assert by_file.exit_code == 0, by_file.output
    np.testing.assert_array_equal(pixels("out/a_labels.png"), pixels("again/a_labels.png"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["in/a.png", "-m", "ennet"], "did you mean 'enet'"),
        (["in/a.png", "-m", "enet", "-c", "fogg"], "did you mean 'fog'"),
        (["in/a.png", "-m", "enet", "-c", "noise"], "Unknown corruption 'noise'"),
        (["in/a.png", "-m", "enet", "-s", "3"], "Expected --corruption with --severity"),
        (["in/a.png", "-m", "enet", "--no-overlay"], "Expected something to write"),
        (["in/a.png", "-m", "enet*,x"], "enet*,x"),
        (["in/a.png", "-m", "enet*"], "Expected one model, but --model means"),
        (["in/a.png", "-m", "enet", "--arch", "icnet"], "Expected --arch with a weights file as the model"),
        (["in/a.png", "-m", "a.pth", "--arch", "ennet"], "Unknown architecture 'ennet'"),
        (["nowhere.png", "-m", "enet"], "'nowhere.png' does not exist"),
        (["in/*.jpg", "-m", "enet"], "Expected images in 'in/*.jpg', but there are none"),
        (["empty", "-m", "enet"], "Expected images in 'empty', but there are none"),
        (["in/text.txt", "-m", "enet"], "Expected a readable image file 'in"),
        (["in/a.png", "twin/a.png", "-m", "enet"], "images of different names"),
        (["in", "-m", "enet", "-o", "in"], "Expected --out to be another folder"),
        (["in/a.png", "in/a_overlay.png", "-m", "enet", "-o", "in"], "not to write over the image"),
        (["in/a.png", "-m", "enet", "-o", "in/text.txt"], "Expected to be able to write"),
        (["in/a.png", "-m", "enet", "--device", "toaster"], "Expected `device`"),
    ],
)
def test_mistakes_are_reported_in_a_line_or_two(
    scene: NDArray[np.uint8], arguments: list[str], message: str
) -> None:
    Path("empty").mkdir()
    Path("twin").mkdir()
    Path("in/text.txt").write_text("no image")
    Image.fromarray(scene).save("twin/a.png")
    before = Image.fromarray(scene[:32])
    if "in/a_overlay.png" in arguments:
        before.save("in/a_overlay.png")
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) <= 4  # click may wrap usage around it
    assert result.stdout == ""
    if "in/a_overlay.png" in arguments:
        assert pixels("in/a_overlay.png").shape == (32, 96, 3)


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
def test_images_are_turned_upright(ending: str) -> None:
    stored = np.zeros((16, 32, 3), np.uint8)
    stored[:, :16] = 255
    image = Image.fromarray(stored)
    exif = image.getexif()
    exif[ExifTags.Base.Orientation] = 6  # turn clockwise
    image.save(f"a.{ending}", exif=exif)
    upright = read_upright(Path(f"a.{ending}"))
    assert upright.shape == (32, 16, 3)
    assert upright[:12].min() > 240
    assert upright[20:].max() < 15


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_any_mode_is_read_as_rgb(mode: str, scene: NDArray[np.uint8]) -> None:
    Image.fromarray(scene).convert(mode).save("a.tif" if mode == "CMYK" else "a.png")
    image = read_upright(Path("a.tif" if mode == "CMYK" else "a.png"))
    assert image.shape == scene.shape
    assert image.dtype == np.uint8
    expected = np.asarray(Image.fromarray(scene).convert(mode).convert("RGB")).astype(int)
    np.testing.assert_array_equal(image, expected)
