import base64
import dataclasses
import hashlib
import math
import re
from typing import Any

import pytest

import reports
from reports.html.strength import psnr
from reports.run.errors import InvalidRun
from tests.reports.page import Page
from tests.reports.synthetic import SyntheticRun


@pytest.fixture(scope="module")
def html(pristine: SyntheticRun, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    results = reports.load(pristine.folder)
    return reports.html.write_page(results, path, pristine.folder).read_text(encoding="utf-8")


def page_of(run: SyntheticRun, **options: Any) -> Page:
    return Page(reports.write_report(run.folder, **options).read_text(encoding="utf-8"))


def test_the_report_lies_in_the_runs_folder(run: SyntheticRun) -> None:
    assert reports.write_report(str(run.folder)) == run.folder / "report.html"


def test_names_are_escaped(html: str) -> None:
    page = Page(html)
    assert page.tags.count("script") == 1
    assert "b" not in page.tags
    assert not page.handlers
    assert '<script>alert("1")</script>' in page.text
    assert "x" not in page.values("src")


def test_the_page_refers_to_nothing_outside_of_itself(html: str) -> None:
    page = Page(html)
    for name in ("src", "href", "xlink:href"):
        assert all(value.startswith(("#", "data:")) for value in page.values(name))
    assert not re.search(r"url\((?!['\"]?#)|@import", html)


def test_the_policy_allows_the_pages_own_style_and_script_and_no_other(html: str) -> None:
    page = Page(html)
    policy = next(value for tag, name, value in page.attributes if tag == "meta" and "default-src" in value)
    for kind, text in page.own.items():
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert set(page.own) == {"style", "script"}
    assert "unsafe" not in policy
    assert not page.values("style")


def test_ids_are_unique_and_links_within_the_page_lead_somewhere(html: str) -> None:
    page = Page(html)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    links = page.values("href") + page.values("xlink:href")
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)


def test_images_have_a_description_and_tables_a_caption_and_scopes(html: str) -> None:
    page = Page(html)
    assert page.tags.count("img") == len([alt for alt in page.values("alt") if alt]) == 8
    assert page.tags.count("table") == page.tags.count("caption")
    assert page.tags.count("th") == len(page.values("scope"))


def test_every_plot_has_a_description_and_every_other_drawing_is_hidden(html: str) -> None:
    drawings = re.findall(r"<svg[^>]*>", html)
    assert len(drawings) > 10
    for drawing in drawings:
        assert "aria-label=" in drawing or "aria-hidden" in drawing or "preserveAspectRatio" in drawing


def test_the_report_shows_every_condition_with_one_decimal(run: SyntheticRun, html: str) -> None:
    text = Page(html).text
    for miou in reports.load(run.folder).scores["miou"]:
        assert f"{100 * miou:.1f}" in text


def test_scores_stand_with_their_intervals(run: SyntheticRun, html: str) -> None:
    text = Page(html).text
    results = reports.load(run.folder)
    for row in results.summary.to_dict("records"):
        for name in ("clean_miou", "mpc", "rpc"):
            low, high = row[f"{name}_low"], row[f"{name}_high"]
            assert f"{100 * row[name]:.1f} [{100 * low:.1f}, {100 * high:.1f}]" in text
    for row in results.corruptions.to_dict("records"):
        assert f"[{100 * row['miou_low']:.1f}, {100 * row['miou_high']:.1f}]" in text


def test_the_first_sentence_names_the_best_model_and_where_models_break(html: str) -> None:
    assert re.search(r"enet@streets has the highest mIoU under corruption, \d\d\.\d %", Page(html).text)
    assert "weakest in" in Page(html).text


def test_the_report_of_one_model_says_what_it_keeps_and_where_it_breaks(run: SyntheticRun) -> None:
    run.rewrite(models=run.record.models[:1], examples=())
    summary = reports.load(run.folder).summary.iloc[0]
    kept = f"enet@streets keeps {100 * summary['rpc']:.1f} % of its mIoU"
    text = page_of(run).text
    assert kept in text
    assert re.search(
        r"It is weakest in \w+ \(\d\d\.\d %\), and worst of all under [\w ]+ \(\d\d\.\d %\)", text
    )


def test_the_best_model_stands_first(run: SyntheticRun) -> None:
    results = reports.load(run.folder)
    run.rewrite(models=run.record.models[::-1])
    table = re.search(
        r'id="models".*?<tbody>(.*?)</tbody>', reports.write_report(run.folder).read_text(), re.S
    )
    assert results.summary["mpc"].iloc[0] > results.summary["mpc"].iloc[1]
    assert table[1].index("enet@streets") < table[1].index("&lt;script")


def test_a_reference_adds_its_scores(run: SyntheticRun) -> None:
    text = page_of(run, reference="enet@streets").text
    assert "mCD and mrCD are relative to enet@streets (a model of this run)" in text
    assert "100.0 [100.0, 100.0]" in text


def test_published_models_on_other_data_are_left_out_with_a_reason(html: str) -> None:
    assert "13 published models (cityscapes, val) are left out: scores on other data" in Page(html).text
    assert "SegFormer/MiT-B5" not in html


def test_the_report_says_how_to_repeat_the_run(html: str) -> None:
    text = Page(html).text
    for fact in ("--corruptions all -o 'runs/<a>'", "ab" * 32, "f00d", "float32", "torch 2.9", "corrupt 3.2"):
        assert fact in text
    assert "95 % intervals by the jackknife over 8 images" in text


def test_corruptions_seen_in_training_are_reported(run: SyntheticRun) -> None:
    first, second = run.record.models
    trained = dataclasses.replace(first, card={"seen_corruptions": ["fog", "zoom_blur"]})
    run.rewrite(models=(trained, second))
    text = page_of(run).text
    assert "enet@streets was trained with fog, so its scores there are too favourable" in text
    assert "fog and zoom blur" in text


def test_the_same_run_makes_the_same_report(run: SyntheticRun, html: str) -> None:
    assert reports.write_report(run.folder).read_text(encoding="utf-8") == html


def test_an_incomplete_run_is_marked_as_such(run: SyntheticRun) -> None:
    next((run.folder / "counts").iterdir()).unlink()
    assert "16 predictions are missing" in page_of(run, partial=True).text


@pytest.mark.parametrize(
    "palette", [[[1, 2, 3]], [[1, 2, 3]] * 2 + [[1, 2]], [[1, 2, 3]] * 2 + ["red"], [[0, 0, 256]] * 3]
)
def test_a_palette_that_was_edited_by_hand_is_named(run: SyntheticRun, palette: list[object]) -> None:
    run.rewrite(dataset=run.record.dataset | {"palette": palette})
    with pytest.raises(InvalidRun, match=r"palette.* in run\.json|run\.json.*palette"):
        reports.write_report(run.folder)


def test_what_was_left_out_of_several_runs_is_reported(run: SyntheticRun) -> None:
    results = reports.load(run.folder)
    path = reports.html.write_page(results, run.folder / "r.html", run.folder, ["runs/b: it differs in seed"])
    text = Page(path.read_text(encoding="utf-8")).text
    assert "Left out: 1 run or model" in text
    assert "runs/b: it differs in seed" in text


def test_the_images_with_the_lowest_miou_are_listed_lowest_first(run: SyntheticRun, html: str) -> None:
    listed = re.search(r"Worst images.*?<tbody>(.*?)</tbody>", html, re.S)[1]
    names = re.findall(r'<th scope="row">(.*?)</th>', listed)
    assert len(names) == 4
    scores = {}
    for image in run.record.images:
        ious = []
        for model in run.record.models:
            pairs = [
                run.pixels[model.name, condition, image]
                for condition in run.record.conditions
                if condition.severity
            ]
            by_class = []
            for c in range(3):
                hit = sum(int(((t == c) & (p == c)).sum()) for t, p in pairs)
                miss = sum(int(((t != 255) & ((t == c) != (p == c))).sum()) for t, p in pairs)
                by_class.append(hit / (hit + miss))
            ious.append(sum(by_class) / 3)
        scores[image] = sum(ious) / 2
    lowest = sorted(scores, key=scores.get)[:4]
    assert [name.replace("&#34;", '"').replace("&gt;", ">").replace("&lt;", "<") for name in names] == lowest


def test_another_version_of_the_corruptions_has_no_measured_strengths() -> None:
    assert psnr({"imagenet-c": "another"}) == {}


def test_curves_lie_where_their_scores_are(run: SyntheticRun, html: str) -> None:
    panel = re.search(r"<figcaption>fog</figcaption>\s*<svg.*?</svg>", html, re.S)[0]
    rows = [float(y) for y in re.findall(r'class="rule" d="M[\d.]+ ([\d.]+)H', panel)]
    texts = [int(value) for value in re.findall(r'text-anchor="end">(\d+)<', panel)]
    points = re.search(r'data-p="0".*?<polyline points="([^"]+)"', panel, re.S)[1].split()
    scores = reports.load(run.folder).scores
    fog = scores[(scores["model"] == "enet@streets") & scores["corruption"].isin(["clean", "fog"])]
    unit = (rows[0] - rows[-1]) / (texts[-1] - texts[0])
    for point, miou in zip(points, fog["miou"], strict=True):
        drawn = (rows[0] - float(point.split(",")[1])) / unit
        assert math.isclose(drawn, 100 * miou, abs_tol=0.1)
