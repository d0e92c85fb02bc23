"""Error analysis in a real browser: a lasso around points, a link to a view, and what is seen."""

from contextlib import suppress

import pytest
from serving import served


def test_lasso_shows_its_cases_and_a_link_opens_the_same_view(
    page, address, expect, settled, expect_no_error
):
    page.goto(f"{address}/error_analysis")
    page.get_by_text("Ensemble: 4 radiographs").wait_for()
    settled(page)
    selected = page.get_by_text("4 selected radiographs")
    for _ in range(5):  # a chart that is still being laid out drops the drag
        lasso(page, page.locator(".js-plotly-plot:visible").first)
        with suppress(AssertionError):
            expect(selected).to_be_visible(timeout=20_000)
            break
    expect(selected).to_be_visible()
    page.get_by_text("Download the selection").wait_for()

    page.get_by_text("Training", exact=True).click()
    page.get_by_text("The radiographs used for training").wait_for()
    page.get_by_text("Boys", exact=True).first.click()
    page.get_by_text("Ensemble: 2 radiographs").wait_for()

    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_text("Ensemble: 2 radiographs").wait_for()
    other.get_by_text("The radiographs used for training").wait_for()
    expect_no_error(other)


def test_a_link_is_followed_even_as_the_first_visit_to_a_server(
    page, tiny_artifacts, tmp_path, expect
):
    with served(tiny_artifacts, tmp_path / "server.log") as address:
        page.goto(f"{address}/error_analysis?split=Validation")
        page.get_by_text("Radiographs kept out of training").wait_for()
        # The app is around the page.
        expect(page.get_by_role("link", name="Predict")).to_have_count(1)


# Plotly draws a chart a second time where its margins are too small for its labels and legend.
MARGINS = """() => [...document.querySelectorAll(".js-plotly-plot")]
  .filter((chart) => chart.checkVisibility()).map((chart) => {
  const { l, b } = chart._fullLayout._size, least = chart.layout.margin;
  return [chart.layout.title.text, l - least.l, b - least.b];
})"""


@pytest.mark.parametrize(("section", "n"), [("Residuals", 3), ("Agreement", 4)])
def test_charts_are_laid_out_once_and_sections_by_the_keyboard(
    page, address, settled, section, n, expect
):
    page.goto(f"{address}/error_analysis")
    first = page.get_by_role("tab", name="Residuals")
    first.focus()
    if section == "Agreement":
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name=section)).to_have_attribute("aria-selected", "true")
    expect(page.locator(".js-plotly-plot:visible .main-svg:first-child")).to_have_count(n)
    settled(page)
    assert ("section=Agreement" in page.url) == (section == "Agreement")
    wider = [chart for chart in page.evaluate(MARGINS) if "Mean absolute" not in chart[0]]
    assert all(left <= 0 and bottom <= 0 for _, left, bottom in wider), wider


def lasso(page, chart):
    """Draw around everything in the chart."""
    chart.scroll_into_view_if_needed()
    area = chart.locator(".nsewdrag").first
    area.wait_for()
    box = area.bounding_box()
    left, top = box["x"] + 3, box["y"] + 3
    right, bottom = box["x"] + box["width"] - 3, box["y"] + box["height"] - 3
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=5)
    page.mouse.up()


# Contrast of the text of every caption and chart with the page, WCAG 2.1, as the browser blends it.
CONTRASTS = """() => {
  const channels = (color) => {
    const [numbers] = color.match(/[\\d.]+( *[,/ ] *[\\d.]+)+/);
    const [r, g, b, a = 1] = numbers.split(/[ ,/]+/).map(Number);
    return color.startsWith("color") ? [255 * r, 255 * g, 255 * b, a] : [r, g, b, a];
  };
  const luminance = (rgb) => rgb
    .map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, k) => sum + [0.2126, 0.7152, 0.0722][k] * c, 0);
  const page = channels(getComputedStyle(document.querySelector(".stApp")).backgroundColor);
  const texts = "[data-testid=stCaptionContainer] p, [data-testid=stPlotlyChart] text";
  return [...document.querySelectorAll(texts)].filter((text) => text.textContent).map((text) => {
    const style = getComputedStyle(text), svg = text instanceof SVGElement;
    let [r, g, b, opacity] = channels(svg ? style.fill : style.color);
    if (svg) opacity *= style.fillOpacity;
    for (let at = text; at; at = at.parentElement) opacity *= getComputedStyle(at).opacity;
    const seen = [r, g, b].map((c, k) => opacity * c + (1 - opacity) * page[k]);
    const [dark, light] = [luminance(seen), luminance(page.slice(0, 3))].sort((x, y) => x - y);
    return [text.textContent, (light + 0.05) / (dark + 0.05)];
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_captions_and_words_in_charts_have_contrast(page, address, scheme, settled):
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{address}/error_analysis")
    page.locator("[data-testid=stPlotlyChart]:visible .xtick text").first.wait_for()
    settled(page)  # what is computed anew is pale until then
    page.wait_for_function(f"({CONTRASTS})().length > 30")
    found = page.evaluate(CONTRASTS)
    assert not [one for one in found if one[1] < 4.5]


def test_on_a_telephone_no_bar_of_tools_lies_on_a_chart(page, address, expect):
    page.goto(f"{address}/error_analysis")
    chart = page.locator("[data-testid=stPlotlyChart]:visible").first
    tool = chart.locator(".modebar-btn").first
    tool.wait_for()
    page.set_viewport_size({"width": 390, "height": 800})
    tool.wait_for(state="hidden")
    chart.hover()
    expect(tool).to_be_hidden()
    expect(chart.locator(".gtitle")).to_be_visible()
