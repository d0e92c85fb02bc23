"""The atlas in a real browser: the hand follows the slider, the keyboard and the play button."""

import shutil

import pandas as pd
import pytest
from made_up_atlas import write_atlas
from serving import served

# The image painted last: its age in months, and a number that tells its pixels from others.
PAINTED = """
    canvas => {
        const { width, height } = canvas;
        const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
        let sum = 0;
        for (let i = 0; i < data.length; i += 4) sum = (31 * sum + data[i]) % 1000003;
        return { age: Number(canvas.dataset.age), sum };
    }
"""
# Pauses past 45 months; plays again where a slow machine's frame was late and all is over.
PAUSED_PAST_45 = """
    ([canvas, button]) => {
        const age = Number(canvas.dataset.age);
        const playing = button.ariaLabel === "Pause";
        const paused = playing && age > 45 && age < 140;
        if (paused || !playing) button.click();
        return paused;
    }
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(_tiny_artifacts_folder, tmp_path_factory):
    """An atlas within a copy of the artifacts."""
    root = tmp_path_factory.mktemp("browser") / "artifacts"
    shutil.copytree(_tiny_artifacts_folder, root)
    return write_atlas(root / "atlas", ages=(36, 72, 108, 144))


@pytest.fixture(scope="module")
def address(program, folder, tmp_path_factory):
    """The app with that atlas."""
    with served(folder.parent, tmp_path_factory.mktemp("server") / "log") as address:
        yield address


@pytest.fixture
def atlas(folder):
    """The atlas, whose table may be changed."""
    table = (folder / "standards.csv").read_bytes()
    yield folder
    (folder / "standards.csv").write_bytes(table)


def test_the_hand_follows_slider_keyboard_and_play(page, atlas, address, expect, expect_no_error):
    page.goto(f"{address}/atlas")
    slider = page.get_by_role("slider", name="Bone age", exact=True)
    girls = page.get_by_role("img", name="Average left hand of girls")
    boys = page.get_by_role("img", name="Average left hand of boys")
    reached(page, girls, 96)  # where the page opens
    at_8 = girls.evaluate(PAINTED)
    expect(slider).to_have_attribute("aria-valuetext", "8 years")
    reached(page, boys, 96)
    assert boys.evaluate(PAINTED)["sum"] != at_8["sum"]

    box = slider.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + box["height"] / 2, steps=6)
    page.mouse.up()
    page.wait_for_function("slider => Number(slider.value) < 72", arg=slider.element_handle())
    dragged = int(slider.input_value())
    reached(page, girls, dragged)
    assert girls.evaluate(PAINTED)["sum"] != at_8["sum"]

    slider.press("ArrowRight")
    reached(page, girls, dragged + 1)
    slider.press("End")
    reached(page, girls, 145)
    oldest = girls.evaluate(PAINTED)
    page.wait_for_url("**/atlas?*age=145*")  # the address gives the same view to others
    page.get_by_role("button", name="Boys, 12 years 1 month").wait_for()  # the download follows

    slider.press("Home")
    reached(page, girls, 37)
    play = page.get_by_role("button", name="Play", exact=True)
    button = play.element_handle()
    play.press("Enter")
    # Paused from within the browser: it plays on while a slow machine hands over a key.
    page.wait_for_function(PAUSED_PAST_45, arg=[girls.element_handle(), button])
    play.wait_for()
    paused = int(slider.input_value())
    assert 45 <= paused <= 140
    reached(page, girls, paused)
    assert girls.evaluate(PAINTED)["sum"] != oldest["sum"]

    other = page.context.new_page()
    other.goto(f"{address}/atlas?age=60&hands=Girls")
    reached(other, other.get_by_role("img", name="Average left hand of girls"), 60)
    expect_no_error(other)
    expect(other.get_by_role("img", name="Average left hand of boys")).to_have_count(0)


def test_past_the_oldest_standard_of_girls_theirs_stays_and_says_its_age(
    page, atlas, address, expect
):
    table = pd.read_csv(atlas / "standards.csv", dtype={"build": str})
    table = table[(table["sex"] == "male") | (table["months"] <= 108)]
    table.to_csv(atlas / "standards.csv", index=False)
    page.goto(f"{address}/atlas?age=999")
    girls = page.get_by_role("img", name="Average left hand of girls at a bone age of 9 years")
    reached(page, girls, 109)
    reached(page, page.get_by_role("img", name="Average left hand of boys"), 145)
    page.get_by_role("heading", name="Girls, 9 years 1 month (oldest standard)").wait_for()
    page.get_by_role("heading", name="Boys, 12 years 1 month", exact=True).wait_for()
    page.wait_for_url("**/atlas?*age=145*")
    with page.expect_download() as download:
        page.get_by_role("button", name="Girls, 9 years 1 month").click()
    assert download.value.suggested_filename == "average_hand_girls_109_months.png"

    # Girls alone: the slider ends with their standards, and the address follows.
    page.get_by_text("Girls", exact=True).first.click()
    page.wait_for_url("**/atlas?*age=109*")
    slider = page.get_by_role("slider", name="Bone age", exact=True)
    expect(slider).to_have_attribute("max", "109")
    expect(slider).to_have_value("109")
    page.get_by_role("heading", name="Girls, 9 years 1 month", exact=True).wait_for()

    # Opened again, the page shows the same age in the image, on the button and in the address.
    page.get_by_role("link", name="Learn").click()
    page.get_by_role("heading", name="How well do you read bone age?").wait_for()
    page.get_by_role("link", name="Atlas").click()
    reached(page, girls, 109)
    page.get_by_role("button", name="Girls, 9 years 1 month").wait_for()
    page.wait_for_url("**/atlas?*age=109*")


def test_a_presentation_steps_through_the_ages(page, atlas, address, expect, expect_no_error):
    page.goto(f"{address}/atlas?age=60")
    girls = page.get_by_role("img", name="Average left hand of girls")
    reached(page, girls, 60)
    page.get_by_role("button", name="Present").press("Enter")
    title = page.get_by_role("heading", name="Girls")
    expect(title).to_have_text("Girls")  # the age is hidden
    slider = page.get_by_role("slider", name="Bone age", exact=True)
    expect(slider).to_be_hidden()
    page.keyboard.press("ArrowRight")
    reached(page, girls, 66)
    expect(title).to_have_text("Girls")
    page.keyboard.press("Space")
    expect(title).to_have_text("Girls, 5 years 6 months")
    page.keyboard.press("ArrowRight")
    expect(title).to_have_text("Girls, 6 years")
    # A key on the slider moves it, and the next step goes on from there.
    slider.press("ArrowLeft")
    page.wait_for_url("**age=71*")
    slider.blur()
    page.keyboard.press("ArrowLeft")
    expect(title).to_have_text("Girls, 5 years 6 months")
    expect_no_error(page)
    page.keyboard.press("Escape")
    page.get_by_text("Show variability").wait_for()
    reached(page, girls, 66)
    assert "present" not in page.url


def reached(page, canvas, months: int) -> None:
    """Wait until the hand of that age is painted, however slow the machine is."""
    canvas.wait_for()
    page.wait_for_function(
        "([canvas, months]) => Number(canvas.dataset.age) === months",
        arg=[canvas.element_handle(), months],
    )
