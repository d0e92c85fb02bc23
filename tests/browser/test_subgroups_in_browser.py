"""Subgroups on Error analysis in a real browser: a click on a cell, rows, and the keyboard."""

from contextlib import suppress

from boneage.figures.clickable import CLICKABLE


def test_a_cell_narrows_the_page_its_link_too_and_the_keyboard_clears_it(
    page, address, expect, settled
):
    page.goto(f"{address}/error_analysis")
    page.get_by_text("Ensemble: 4 radiographs").wait_for()
    settled(page)
    cells = page.locator(".js-plotly-plot:visible").nth(2).locator(".nsewdrag").first
    chip = page.get_by_role("button", name="Subgroup: girls, 10-15 years")
    for _ in range(5):  # a chart that is still being laid out drops the click
        cells.scroll_into_view_if_needed()
        box = cells.bounding_box()
        # Far from the middle of the cell at the top left, but in it.
        page.mouse.click(box["x"] + 0.05 * box["width"], box["y"] + 0.3 * box["height"])
        with suppress(AssertionError):
            expect(chip).to_be_visible(timeout=20_000)
            break
    expect(page.get_by_text("Ensemble: 1 radiograph", exact=True)).to_be_visible()

    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_text("Ensemble: 1 radiograph", exact=True)).to_be_visible()
    other.close()

    chip.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ensemble: 4 radiographs")).to_be_visible()
    assert "subgroup" not in page.url


ROWS = '<table><tr><th><button type="button" value="sex:{}">{}</button></th><td>5</td></tr></table>'
SHOW = """async ([js, html]) => {
  const { default: show } = await import("data:text/javascript;base64," + btoa(js));
  window.clicked = [];
  const setTriggerValue = (name, value) => clicked.push([name, value]);
  window.shown = (html) => show({ data: { html }, parentElement: document.body, setTriggerValue });
  shown(html);
}"""


def test_rows_are_clicked_by_mouse_and_keyboard(page):
    page.set_content(CLICKABLE["html"])
    rows = ROWS.format("female", "Girls")
    page.evaluate(SHOW, [CLICKABLE["js"], rows])
    page.get_by_text("5").click()  # no button
    page.get_by_text("Girls").click()
    page.evaluate("shown", rows)  # the same rows, of a page that ran again, keep the focus
    page.keyboard.press("Enter")
    page.evaluate("shown", ROWS.format("male", "Boys"))
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.evaluate("clicked") == [
        ["clicked", "sex:female"],
        ["clicked", "sex:female"],
        ["clicked", "sex:male"],
    ]
