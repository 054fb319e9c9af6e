import dataclasses
import re
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reports
from reports.run.counts import schema_of
from reports.tallies import find

SCHEMA = schema_of(find("confusion"))

CHROMIUM = next(
    filter(
        None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))
    ),
    None,
)

HEADINGS = [
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
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        yield chromium
        chromium.close()


def renamed(corruption):
    """Return a name that is too long for a phone in place of one."""
    return corruption.replace("snow", "x" * 200)


@pytest.fixture(scope="module")
def report(pristine, tmp_path_factory):
    """The report of the synthetic run, its models joined by others that do as the first of them does."""
    folder = tmp_path_factory.mktemp("many") / "run"
    shutil.copytree(pristine.folder, folder)
    first, second = pristine.record.models
    others = [dataclasses.replace(first, name=f"icnet-v{k}") for k in range(2, MODELS)]
    for path in (folder / "counts").iterdir():
        rows = pq.ParquetFile(path).read().to_pylist()
        rows += [
            {**row, "model": other.name} for other in others for row in rows if row["model"] == first.name
        ]
        rows = [{**row, "corruption": renamed(row["corruption"])} for row in rows]
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
    conditions = tuple(
        dataclasses.replace(condition, corruption=renamed(condition.corruption))
        for condition in pristine.record.conditions
    )
    record = dataclasses.replace(pristine.record, models=(first, second, *others), conditions=conditions)
    (folder / "run.json").write_text(record.to_json(), encoding="utf-8")
    return reports.write_report(folder)


@pytest.fixture
def page(report, browser):
    """The report in a window of a desktop; a test fails if the browser complains."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    page, complaints = opened(context, report)
    yield page
    context.close()
    assert complaints == []


def opened(context, path):
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


def names_in(page, table="#models"):
    rows = page.query_selector_all(f"{table} tbody tr")
    return [row.query_selector("th").inner_text().strip() for row in rows if row.is_visible()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_report_fits_the_screen_without_errors(report, browser, width, scheme):
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


def test_the_first_screen_has_the_answer_and_the_scores(page):
    for selector in (".verdict", "#models tbody tr >> nth=0"):
        box = page.locator(selector).first.bounding_box()
        assert box["y"] + box["height"] < 800


def test_a_click_on_a_heading_sorts_by_it_and_another_turns_it_round(page):
    def shown():
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


def test_the_keyboard_sorts_too(page):
    page.focus("#models thead th >> nth=0 >> button")
    page.keyboard.press("Enter")
    names = [name for name in names_in(page) if name.isprintable() and name[0].isalpha()]
    assert names == ["enet@streets", *(f"icnet-v{k}" for k in range(2, MODELS))]
    page.keyboard.press("Enter")
    assert names_in(page)[0] == f"icnet-v{MODELS - 1}"


def test_the_filter_leaves_models_of_that_name_everywhere(page):
    page.fill("#find", "ICNET-v3")
    assert names_in(page) == ["icnet-v3"]
    assert names_in(page, ".matrix") == ["icnet-v3"]
    assert page.inner_text("#found") == f"1 of {MODELS}"
    assert page.locator(".scatter >> nth=0 >> g[data-m]:visible").count() == 1
    page.fill("#find", "")
    assert len(names_in(page)) == MODELS


def test_a_group_can_be_left_out(page):
    def headings():
        return page.locator(".matrix thead th:visible").count(), page.locator(".panel:visible").count()

    assert headings() == (5, 4)
    page.uncheck("#groups input[value=weather]")
    assert headings() == (3, 2)
    assert page.locator(".matrix tbody tr >> nth=0 >> td:visible").count() == 2
    assert not page.is_visible("figcaption:text-is('fog')")


def test_curves_of_other_models_are_drawn_when_ticked(page):
    drawn = page.locator(".panel >> nth=0 >> g[data-p]:visible")
    assert drawn.count() == 6
    page.check("#models input:not(:checked) >> nth=0")
    assert drawn.count() == 7
    assert page.locator("#legend li:visible").count() == 7


def test_measured_strength_moves_points_sideways_only_and_back(page):
    def points():
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


def test_a_curve_tells_its_scores_where_the_pointer_is(page):
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


def test_without_javascript_everything_can_be_read_and_nothing_is_dead(report, browser):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page, complaints = opened(context, report)
    assert [element.text_content() for element in page.query_selector_all("h2")] == HEADINGS
    assert len(names_in(page)) == MODELS
    assert page.locator("button, input:visible").count() == 0
    assert page.locator(".panel polyline:visible").count() == 4 * 6
    context.close()
    assert complaints == []


def test_paper_shows_what_is_folded_away_and_no_controls(page):
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("nav:visible, .tools:visible, th input:visible").count() == 0
