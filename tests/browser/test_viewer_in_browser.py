"""The image viewer in a real browser: zoom, window and a box, by mouse, touch and keyboard."""

import cv2
import numpy as np
import pytest
from PIL import Image

from boneage.datasets.phantoms import draw_phantom
from boneage.figures import viewer
from boneage.figures.viewer import Framing, viewer_data

# As Streamlit mounts a component: a shadow root, and a function that takes the data.
MOUNT = """
    async ([html, css, js, data]) => {
        const host = document.body.appendChild(document.createElement("div"));
        const parentElement = host.attachShadow({ mode: "open" });
        parentElement.innerHTML = `<style>${css}</style>${html}`;
        const url = URL.createObjectURL(new Blob([js], { type: "text/javascript" }));
        const { default: show } = await import(url);
        window.sent = [];
        const setTriggerValue = (name, value) => window.sent.push([name, value]);
        window.show = (data) => show({ data, parentElement, setTriggerValue });
        window.show(data);
        await parentElement.querySelector("img").decode();
    }
"""
FILM = np.full((400, 300), 60, np.uint8)
FILM[100:300, 100:200] = 120


@pytest.fixture
def shown(page):
    """Shows data in the viewer, on a page without Streamlit."""

    def show(data: dict):
        page.set_content("<body style='margin: 0; height: 3000px'>")
        page.evaluate(MOUNT, [*(viewer.VIEWER[kind] for kind in ("html", "css", "js")), data])
        return page.get_by_role("group", name=data["alt"])

    return show


def data_of(image: np.ndarray = FILM, scene: str = "film", **more) -> dict:
    return viewer_data(viewer.picture(image), "A film", scene, **more)


def transform(stage) -> tuple[float, float, float]:
    """Zoom, and where the upper left of the image lies, in pixels of the page."""
    content = stage.locator(".content")
    a, _, _, _, x, y = content.evaluate(
        "e => { const { a, b, c, d, e: x, f: y } = new DOMMatrix(getComputedStyle(e).transform);"
        "return [a, b, c, d, x, y]; }"
    )
    return a, x, y


def painted(page, stage) -> tuple[int, int]:
    """The gray level beside the hand and in it, as the browser paints them."""
    image = cv2.imdecode(np.frombuffer(stage.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    return int(image[len(image) // 8, image.shape[1] // 2]), int(
        image[len(image) // 2, image.shape[1] // 2]
    )


def test_keys_wheel_and_double_click_zoom(page, shown):
    stage = shown(data_of())
    page.evaluate("() => { window.keys = []; document.onkeydown = e => window.keys.push(e.key); }")
    page.mouse.move(100, 100)
    page.mouse.wheel(0, -200)  # scrolls, as nobody has clicked the image
    assert transform(stage)[0] == 1
    stage.focus()
    stage.press("+")
    assert transform(stage)[0] == pytest.approx(1.25)
    stage.press("-")
    assert transform(stage) == (1, 0, 0)
    box = stage.bounding_box()
    x, y = box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"]
    page.mouse.move(x, y)
    page.mouse.wheel(0, -300)
    zoom, left, top = transform(stage)
    assert zoom > 1.5
    # What lies under the pointer stays there.
    assert left == pytest.approx(0.25 * box["width"] * (1 - zoom), abs=0.5)
    assert top == pytest.approx(0.5 * box["height"] * (1 - zoom), abs=0.5)
    stage.press("ArrowRight")
    assert transform(stage)[1] < left
    assert page.evaluate("window.keys") == []  # they are no shortcuts of the page
    page.mouse.dblclick(x, y)
    assert transform(stage) == (1, 0, 0)
    page.mouse.dblclick(x, y)
    assert transform(stage)[0] == 2.5
    page.mouse.down()
    page.mouse.move(x + 40, y)
    page.mouse.up()
    assert transform(stage)[1] == pytest.approx(0.25 * box["width"] * -1.5 + 40, abs=0.5)
    stage.press("0")
    assert transform(stage) == (1, 0, 0)
    stage.press("ArrowRight")  # there is nothing to pan
    assert page.evaluate("window.keys") == ["ArrowRight"]


def test_two_fingers_zoom(page, shown):
    stage = shown(data_of())
    stage.evaluate("""stage => {
        const send = (type, pointerId, clientX) => stage.dispatchEvent(new PointerEvent(type, {
            pointerId, clientX, clientY: 200, pointerType: "touch", buttons: 1, bubbles: true }));
        stage.setPointerCapture = () => {};
        send("pointerdown", 11, 100), send("pointerdown", 12, 200);
        send("pointermove", 11, 50), send("pointermove", 12, 250);
        send("pointerup", 11, 50), send("pointerup", 12, 250);
    }""")
    assert transform(stage)[0] == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize(
    ("window", "keys", "expected"),
    [
        ((0, 1), [], (60, 120)),
        ((60 / 255, 120 / 255), [], (0, 255)),
        ((40 / 255, 140 / 255), [], (51, 204)),
        ((0, 1), ["i"], (195, 135)),
        # 10 presses: +50 is twice the contrast around the middle, +50 of brightness a quarter more.
        ((0, 1), ["Shift+ArrowRight"] * 10, (0, 112)),
        ((0, 1), ["Shift+ArrowUp"] * 10, (124, 184)),
        ((0, 1), ["Shift+ArrowLeft"] * 10 + ["Shift+ArrowUp"] * 10, (126, 156)),
        ((0, 1), ["Shift+ArrowUp"] * 10 + ["0"], (60, 120)),
    ],
)
def test_the_window_is_what_is_painted(page, shown, window, keys, expected):
    stage = shown(data_of() | {"window": window})
    stage.focus()
    for key in keys:
        stage.press(key)
    assert painted(page, stage) == pytest.approx(expected, abs=3)


def test_sliders_and_the_right_button_change_the_window(page, shown, expect):
    stage = shown(data_of())
    page.get_by_role("button", name="Brightness and contrast").click()
    contrast = page.get_by_role("slider", name="Contrast")
    contrast.fill("50")
    assert painted(page, stage) == pytest.approx((0, 112), abs=3)
    page.mouse.move(100, 200)
    page.mouse.down(button="right")
    page.mouse.move(100, 150)
    page.mouse.up(button="right")
    assert int(page.get_by_role("slider", name="Brightness").input_value()) > 0
    expect(contrast).to_have_value("50")


def test_another_image_of_the_scene_keeps_the_view_and_another_scene_does_not(page, shown):
    stage = shown(data_of())
    stage.focus()
    stage.press("+")
    page.evaluate("data => window.show(data)", data_of(FILM + 40))
    assert transform(stage)[0] == pytest.approx(1.25)
    assert painted(page, stage) == pytest.approx((100, 160), abs=3)
    page.evaluate("data => window.show(data)", data_of(scene="another film"))
    assert transform(stage)[0] == 1


def framing(**changes) -> dict:
    return data_of(framing=Framing(**({"box": (60, 80, 240, 320)} | changes)))


def answer(page) -> dict:
    page.get_by_role("button", name="Use this box").click()
    name, value = page.evaluate("window.sent.at(-1)")
    assert name == "frame"
    return value


def drag(page, stage, start, end) -> None:
    """From one pixel of the film to another."""
    box = stage.bounding_box()
    scale = box["width"] / FILM.shape[1]
    (x, y), (to_x, to_y) = ((box["x"] + scale * x, box["y"] + scale * y) for x, y in (start, end))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to_x, to_y, steps=3)
    page.mouse.up()


def test_a_box_is_moved_resized_and_drawn(page, shown, expect):
    stage = shown(framing())
    assert answer(page) == {"box": [60, 80, 240, 320], "rotation": 0}
    expect(page.get_by_role("button", name="Back to automatic")).to_be_hidden()
    drag(page, stage, (150, 200), (170, 210))
    assert answer(page)["box"] == pytest.approx([80, 90, 260, 330], abs=2)
    drag(page, stage, (260, 330), (220, 300))
    assert answer(page)["box"] == pytest.approx([80, 90, 220, 300], abs=2)
    drag(page, stage, (80, 200), (100, 220))  # the left side alone
    assert answer(page)["box"] == pytest.approx([100, 90, 220, 300], abs=2)
    drag(page, stage, (20, 20), (95, 395))  # beside it: a new one
    assert answer(page)["box"] == pytest.approx([20, 20, 95, 395], abs=2)
    drag(page, stage, (200, 200), (210, 210))  # too small
    assert answer(page)["box"] == pytest.approx([20, 20, 95, 395], abs=2)


def test_a_box_follows_the_keys(page, shown):
    stage = shown(framing())
    stage.focus()
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowDown"):
        stage.press(key)
    assert answer(page)["box"] == [57, 77, 240, 320]
    for _ in range(40):
        stage.press("ArrowRight")
    assert answer(page)["box"] == [117, 77, 300, 320]  # whole, at the edge


def test_the_film_is_rotated_and_the_box_with_it(page, shown):
    shown(framing(box=(60, 80, 200, 320)))
    page.get_by_role("button", name="Rotate 90° to the right").click()
    # 140 x 240 around (130, 200) of 300 x 400: now 240 x 140 around (200, 130) of 400 x 300.
    assert answer(page) == {"box": [80, 60, 320, 200], "rotation": 90}
    for _ in range(3):
        page.get_by_role("button", name="Rotate 90° to the left").click()
    assert abs(answer(page)["rotation"]) == 180
    slider = page.get_by_role("slider", name="Rotate")
    slider.fill("-10.5")
    assert answer(page)["rotation"] == pytest.approx(169.5)


def test_the_automatic_box_can_be_had_back(page, shown):
    shown(framing(rotation=-3.2, is_manual=True))
    page.get_by_role("button", name="Back to automatic").click()
    assert page.evaluate("window.sent") == [["frame", {"box": None}]]


@pytest.fixture
def phantom(tmp_path):
    path = tmp_path / "hand.png"
    Image.fromarray(draw_phantom(108, "male", seed=1)).save(path)
    return path


def test_on_predict_a_box_gives_another_answer_and_automatic_gives_it_back(
    page, address, phantom, expect, settled
):
    page.goto(address)
    page.locator("input[type=file]").set_input_files(phantom)
    page.get_by_text("Choose the sex to see the bone age.").wait_for()
    page.get_by_text("Male", exact=True).click()
    page.get_by_text("Channel attention", exact=True).wait_for()
    model_input = page.get_by_role("img", name="Preprocessed image of the hand")
    automatic = model_input.get_attribute("src")

    film = page.get_by_role("group", name="Radiograph with the crop box")
    film.focus()
    film.press("+")
    expect(film).to_have_attribute("data-zoom", "1.25")
    page.get_by_text("Wrongly framed? Frame the hand yourself").click()
    stage = page.get_by_role("group", name="Radiograph to frame the hand on")
    stage.wait_for()
    settled(page)
    expect(film).to_have_attribute("data-zoom", "1.25")  # the page ran again
    stage.focus()
    stage.press("Shift+ArrowLeft")
    page.get_by_role("button", name="Use this box").click()
    page.get_by_text("Manually framed").wait_for()
    settled(page)
    anyway = page.get_by_role("button", name="Show the prediction anyway")
    if anyway.is_visible():
        anyway.click()
    page.get_by_text("Channel attention", exact=True).wait_for()
    expect(model_input).not_to_have_attribute("src", automatic)

    page.get_by_role("button", name="Back to automatic").click()
    expect(page.get_by_text("Manually framed")).to_have_count(0)
    page.get_by_text("Channel attention", exact=True).wait_for()
    expect(model_input).to_have_attribute("src", automatic)
