import dataclasses
import io
import re
from base64 import b64decode
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from PIL import Image

import reports
from reports.plots import degradation_curves
from reports.schema import Example, InvalidRun


class Page(HTMLParser):
    """Collects what a test asks of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.text.append(data)

    def values(self, name):
        return [value for _, attribute, value in self.attributes if attribute == name]


@pytest.fixture
def html(run):
    return reports.write_report(run.folder).read_text(encoding="utf-8")


def rewrite(run, **changes):
    record = dataclasses.replace(run.record, **changes)
    (run.folder / "run.json").write_text(record.to_json(), encoding="utf-8")


def test_the_report_lies_in_the_runs_folder(run):
    assert reports.write_report(str(run.folder)) == run.folder / "report.html"


def test_names_are_escaped(html):
    page = Page(html)
    assert "script" not in page.tags
    assert "b" not in page.tags
    assert "i" not in page.tags
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert '<script>alert("1")</script>' in "".join(page.text)
    assert "x" not in page.values("src")


def test_the_page_refers_to_nothing_outside_of_itself(html):
    page = Page(html)
    for name in ("src", "href", "xlink:href"):
        assert all(value.startswith(("#", "data:")) for value in page.values(name))
    assert not re.search(r"url\((?!['\"]?#)|@import", html)


def test_ids_are_unique_and_links_within_the_page_lead_somewhere(html):
    page = Page(html)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    links = page.values("href") + page.values("xlink:href")
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)


def test_images_have_a_description_and_tables_a_caption_and_scopes(html):
    page = Page(html)
    assert page.tags.count("img") == len([alt for alt in page.values("alt") if alt]) == 6
    assert page.tags.count("table") == page.tags.count("caption")
    assert page.tags.count("th") == len(page.values("scope"))


def test_the_report_shows_every_condition_with_one_decimal(run, html):
    text = "".join(Page(html).text)
    for miou in reports.load(run.folder).scores["miou"]:
        assert f"{100 * miou:.1f}" in text


def test_the_report_says_how_to_repeat_the_run(html):
    text = "".join(Page(html).text)
    for fact in ("--corruptions all -o 'runs/<a>'", "ab" * 32, "f00d", "float32", "torch 2.9", "corrupt 3.2"):
        assert fact in text


def test_the_same_run_makes_the_same_report(run, html):
    assert reports.write_report(run.folder).read_text(encoding="utf-8") == html


def test_an_incomplete_run_is_marked_as_such(run):
    next((run.folder / "counts").iterdir()).unlink()
    page = reports.write_report(run.folder, partial=True).read_text(encoding="utf-8")
    assert "12 predictions are missing" in page


def test_class_ids_are_shown_in_the_colours_of_the_data_set(run, html):
    maps = [v for tag, name, v in Page(html).attributes if tag == "img" and v.startswith("data:image/png")]
    assert len(maps) == 4
    image = Image.open(io.BytesIO(b64decode(maps[0].split(",")[1]))).convert("RGB")
    assert {colour for _, colour in image.getcolors()} == {(70, 130, 180), (128, 64, 128), (220, 20, 60)}


def test_coloured_class_maps_are_shown_as_they_are(run):
    target = run.folder / run.record.examples[0].target
    colours = {(1, 2, 3), (1, 2, 4), (250, 0, 7)}
    coloured = Image.new("RGB", (30, 20), (1, 2, 3))
    coloured.paste((1, 2, 4), (0, 0, 3, 3))
    coloured.putpixel((29, 19), (250, 0, 7))
    coloured.save(target)
    page = Page(reports.write_report(run.folder).read_text(encoding="utf-8"))
    shown = [
        Image.open(io.BytesIO(b64decode(v.split(",")[1])))
        for v in page.values("src")
        if v.startswith("data:image/png")
    ]
    assert colours in [
        {c for _, c in image.convert("RGB").getcolors()} for image in shown if image.size == (30, 20)
    ]


def test_models_share_the_picture_that_they_all_saw(run):
    first = run.record.examples[0]
    other = dataclasses.replace(first, model=run.record.models[0].name)
    rewrite(run, examples=(first, other))
    page = Page(reports.write_report(run.folder).read_text(encoding="utf-8"))
    assert page.tags.count("img") == 4  # image, two predictions, target


def test_large_examples_are_made_small(run):
    example = run.record.examples[0]
    Image.effect_noise((1200, 600), 50).convert("RGB").save(run.folder / example.image)
    page = Page(reports.write_report(run.folder).read_text(encoding="utf-8"))
    jpeg = next(v for v in page.values("src") if v.startswith("data:image/jpeg"))
    assert Image.open(io.BytesIO(b64decode(jpeg.split(",")[1]))).size == (480, 240)


def test_examples_whose_files_were_deleted_are_counted(run):
    (run.folder / run.record.examples[0].image).unlink()
    assert "1 examples are left out" in reports.write_report(run.folder).read_text(encoding="utf-8")


def test_a_damaged_example_is_named(run):
    path = run.folder / run.record.examples[0].image
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InvalidRun, match=path.name):
        reports.write_report(run.folder)


def test_an_example_outside_of_the_run_is_refused(run, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"")
    example = run.record.examples[0]
    outside = Example(**{**vars(example), "image": "../secret.png"})
    rewrite(run, examples=(outside,))
    with pytest.raises(InvalidRun, match=r"got \.\./secret\.png"):
        reports.write_report(run.folder)


def test_curves_are_svg_that_take_the_pages_text_colour(run):
    curves = degradation_curves(reports.load(run.folder).scores)
    assert list(curves) == ["gaussian_noise", "fog", "snow", "jpeg_compression"]
    for svg in curves.values():
        assert ElementTree.fromstring(svg).tag.endswith("svg")  # noqa: S314 - our own text
        assert "currentColor" in svg
        assert "ffffff" not in svg
