"""Error analysis in a real browser: a lasso around points, and a link to a view."""


def test_lasso_shows_its_cases_and_a_link_opens_the_same_view(page, address):
    page.goto(f"{address}/error_analysis")
    page.get_by_text("Mean of both models: 4 radiographs").wait_for()
    lasso(page, page.locator(".js-plotly-plot").first)
    page.get_by_text("4 selected radiographs").wait_for()
    page.get_by_text("Download the selection").wait_for()

    page.get_by_text("Training", exact=True).click()
    page.get_by_text("The radiographs the model was trained on").wait_for()
    page.get_by_text("Boys", exact=True).first.click()
    page.get_by_text("Mean of both models: 2 radiographs").wait_for()

    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_text("Mean of both models: 2 radiographs").wait_for()
    other.get_by_text("The radiographs the model was trained on").wait_for()
    assert other.locator("[data-testid=stException]").count() == 0


def test_a_link_is_followed_even_as_the_first_visit_to_a_server(page, address):
    page.goto(f"{address}/error_analysis?split=Validation")
    page.get_by_text("Radiographs kept out of training").wait_for()
    assert page.get_by_role("link", name="Predict").count() == 1  # the app is around the page


def lasso(page, chart):
    """Draw around everything in the chart."""
    chart.scroll_into_view_if_needed()
    area = chart.locator(".nsewdrag").first
    area.wait_for()
    page.wait_for_timeout(1000)  # a chart that is still being laid out drops the drag
    box = area.bounding_box()
    left, top = box["x"] + 3, box["y"] + 3
    right, bottom = box["x"] + box["width"] - 3, box["y"] + box["height"] - 3
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=5)
    page.mouse.up()
