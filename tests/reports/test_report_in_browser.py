import dataclasses
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

import reports
from tests.reports.synthetic import Row, SyntheticRun, change_shard

CHROMIUM = next(
    filter(
        None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))
    ),
    None,
)

HEADINGS = [
    "Check these results",  # because some models do the same
    "Summary",
    "By corruption and severity",
    "Degradation curves",
    "By class",
    "Accuracy, robustness and cost",
    "Images",
    "Provenance",
]
MODELS = 8

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def report(pristine: SyntheticRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the synthetic run, its models joined by others that do as the first of them does."""
    run = pristine.copy_to(tmp_path_factory.mktemp("many") / "run")
    first, second = run.record.models
    others = [dataclasses.replace(first, name=f"icnet-v{k}") for k in range(2, MODELS)]
    long = {"snow": "x" * 200}  # too long for a phone

    def change(rows: list[Row]) -> None:
        mine = [row for row in rows if row["model"] == first.name]
        rows += [row | {"model": other.name} for other in others for row in mine]
        for row in rows:
            row["corruption"] = long.get(row["corruption"], row["corruption"])

    for path in run.shards():
        change_shard(path, change)
    conditions = tuple(
        dataclasses.replace(condition, corruption=long.get(condition.corruption, condition.corruption))
        for condition in run.record.conditions
    )
    run.rewrite(models=(first, second, *others), conditions=conditions)
    return reports.write_report(run.folder)


@pytest.fixture
def page(report: Path, browser: Browser) -> Iterator[Page]:
    """The report in a window of a desktop; a test fails if the browser complains."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    page, complaints = opened(context, report)
    yield page
    context.close()
    assert complaints == []


def opened(context: BrowserContext, path: Path) -> tuple[Page, list[str]]:
    page = context.new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith(("file:", "data:")) else complaints.append(request.url)
        ),
    )
    page.goto(path.as_uri())
    return page, complaints


def names_in(page: Page, table: str = "#models") -> list[str]:
    rows = page.query_selector_all(f"{table} tbody tr")
    return [row.query_selector("th").inner_text().strip() for row in rows if row.is_visible()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_report_fits_the_screen_without_errors(
    report: Path, browser: Browser, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
    page, complaints = opened(context, report)
    headings = [element.text_content() for element in page.query_selector_all("h2")]
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    broken = page.evaluate("[...document.images].filter(image => !image.naturalWidth).length")
    context.close()
    assert headings == HEADINGS
    assert overflow <= 0
    assert broken == 0
    assert complaints == []


def test_the_first_screen_has_the_answer_and_the_scores(page: Page) -> None:
    for selector in (".verdict", "#models tbody tr >> nth=0"):
        box = page.locator(selector).first.bounding_box()
        assert box["y"] + box["height"] < 800


def test_a_click_on_a_heading_sorts_by_it_and_another_turns_it_round(page: Page) -> None:
    def shown() -> tuple[list[float], str | None]:
        column = page.eval_on_selector_all(
            "#models tbody tr", "rows => rows.map(row => parseFloat(row.cells[1].textContent))"
        )
        return column, page.get_attribute("#models thead th >> nth=1", "aria-sort")

    assert page.get_attribute("#models thead th >> nth=2", "aria-sort") == "descending"
    page.click("#models thead th >> nth=1 >> button")
    values, order = shown()
    assert values == sorted(values, reverse=True)
    assert order == "descending"
    assert page.get_attribute("#models thead th >> nth=2", "aria-sort") is None
    page.click("#models thead th >> nth=1 >> button")
    values, order = shown()
    assert values == sorted(values)
    assert order == "ascending"
    assert page.inner_text("#status") == "Sorted by Clean, ascending"


def test_the_keyboard_sorts_too(page: Page) -> None:
    page.focus("#models thead th >> nth=0 >> button")
    page.keyboard.press("Enter")
    names = [name for name in names_in(page) if name.isprintable() and name[0].isalpha()]
    assert names == ["enet@streets", *(f"icnet-v{k}" for k in range(2, MODELS))]
    page.keyboard.press("Enter")
    assert names_in(page)[0] == f"icnet-v{MODELS - 1}"


def test_the_filter_leaves_models_of_that_name_everywhere(page: Page) -> None:
    page.fill("#find", "ICNET-v3")
    assert names_in(page) == ["icnet-v3"]
    assert names_in(page, ".matrix") == ["icnet-v3"]
    assert page.inner_text("#found") == f"1 of {MODELS}"
    assert page.locator(".scatter >> nth=0 >> g[data-m]:visible").count() == 1
    page.fill("#find", "")
    assert len(names_in(page)) == MODELS


def test_a_group_can_be_left_out(page: Page) -> None:
    def headings() -> tuple[int, int]:
        return page.locator(".matrix thead th:visible").count(), page.locator(".panel:visible").count()

    assert headings() == (5, 4)
    page.uncheck("#groups input[value=weather]")
    assert headings() == (3, 2)
    assert page.locator(".matrix tbody tr >> nth=0 >> td:visible").count() == 2
    assert not page.is_visible("figcaption:text-is('fog')")


def test_curves_of_other_models_are_drawn_when_ticked(page: Page) -> None:
    drawn = page.locator(".panel >> nth=0 >> g[data-p]:visible")
    assert drawn.count() == 6
    page.check("#models input:not(:checked) >> nth=0")
    assert drawn.count() == 7
    assert page.locator("#legend li:visible").count() == 7


def test_measured_strength_moves_points_sideways_only_and_back(page: Page) -> None:
    def points() -> list[tuple[float, ...]]:
        text = page.get_attribute("figure:has(figcaption:text-is('fog')) polyline >> nth=0", "points")
        return [tuple(map(float, pair.split(","))) for pair in text.split()]

    before = points()
    page.check("#axis input[value=psnr]")
    after = points()
    assert sorted(y for _, y in after) == sorted(y for _, y in before)
    assert [x for x, _ in after] == sorted(x for x, _ in after) != [x for x, _ in before]
    dots = page.get_attribute("figure:has(figcaption:text-is('fog')) g[data-p] path >> nth=0", "d")
    assert [tuple(map(float, dot.split(","))) for dot in re.findall(r"M([\d.]+,[\d.]+)h0", dots)] == after
    assert page.is_visible("figure:has(figcaption:text-is('fog')) .by-psnr")
    page.check("#axis input[value=severity]")
    assert points() == before


def test_a_curve_tells_its_scores_where_the_pointer_is(page: Page) -> None:
    panel = page.locator("figure:has(figcaption:text-is('fog')) svg.panel")
    panel.scroll_into_view_if_needed()
    box = panel.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2)
    text = page.inner_text("#tip")
    assert text.startswith("fog, severity 5, PSNR 12.2 dB\n")
    row = page.locator("table.grid", has_text="enet@streets").locator("tr", has_text="fog")
    score = row.locator("td").nth(4)
    assert f"enet@streets {score.inner_text()} {score.get_attribute('data-i')}" in re.sub(" +", " ", text)
    page.keyboard.press("Escape")
    assert not page.is_visible("#tip")


def test_without_javascript_everything_can_be_read_and_nothing_is_dead(
    report: Path, browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    page, complaints = opened(context, report)
    assert [element.text_content() for element in page.query_selector_all("h2")] == HEADINGS
    assert len(names_in(page)) == MODELS
    assert page.locator("button, input:visible").count() == 0
    assert page.locator(".panel polyline:visible").count() == 4 * 6
    context.close()
    assert complaints == []


def test_paper_shows_what_is_folded_away_and_no_controls(page: Page) -> None:
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("nav:visible, .tools:visible, th input:visible").count() == 0
