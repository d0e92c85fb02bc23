"""Learn in a real browser, by the keyboard alone."""

import pytest
from PIL import Image

from boneage.datasets.phantoms import draw_phantom


@pytest.fixture
def hands(tmp_path):
    """Ten drawings of girls of 60 to 69 months, and a table of their ages."""
    image = Image.fromarray(draw_phantom(60, "female", seed=1, height=200))
    paths = [tmp_path / f"h{number}.png" for number in range(10)]
    for path in paths:
        image.save(path)
    table = tmp_path / "labels.csv"
    rows = "".join(f"{path.stem},{60 + number},False\n" for number, path in enumerate(paths))
    table.write_text(f"id,boneage,male\n{rows}")
    return [*paths, table]


def test_keys_alone_run_a_quiz_and_a_presentation(page, address, hands, expect, expect_no_error):
    page.goto(f"{address}/learn?read=Your+own+radiographs")
    page.locator("input[type=file]").set_input_files(hands)
    years = page.get_by_label("Bone age: years")
    years.wait_for()
    for number in ("1", "2"):
        if number == "1":
            for _ in range(40):
                page.keyboard.press("Tab")
                if years.evaluate("field => field === document.activeElement"):
                    break
        expect(years).to_be_focused()  # from the second hand on without any key
        page.keyboard.type("5")
        page.keyboard.press("Tab")
        page.keyboard.type("3")
        page.keyboard.press("Enter")
        page.get_by_text("Your estimate: 5 years 3 months").wait_for()
        page.keyboard.press("Enter")
        page.get_by_text(f"Hand {int(number) + 1} of 10").wait_for()
    expect_no_error(page)

    page.get_by_role("button", name="Present").press("Enter")
    page.get_by_text("What is the bone age?").wait_for()
    expect(page.get_by_text("1 of 10", exact=True)).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("2 of 10", exact=True)).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", name="Girls, 5 years")).to_be_visible()
    page.keyboard.press("Escape")
    expect(years).to_be_visible()
    expect(page.get_by_text("Hand 3 of 10")).to_be_visible()  # the quiz goes on
    expect_no_error(page)
