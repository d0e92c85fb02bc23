"""The whole way in a real browser: file in, ages and painted maps out."""

import pytest
from PIL import Image

from boneage.datasets.phantoms import draw_phantom

# Those of Grad-CAM are inside of viewers.
MAPS = """
    const maps = [document, ...[...document.querySelectorAll("*")].map(e => e.shadowRoot)]
        .flatMap(root => root ? [...root.querySelectorAll("img")] : [])
        .filter(image => /^(Grad-CAM|Spatial attention) of/.test(image.alt));
"""
# True once there are six maps, all painted, none of them one of those seen before.
NEW_MAPS = (
    f"before => {{ {MAPS}"
    + """
        return maps.length === 6 && maps.every(
            map => map.complete && map.naturalWidth > 0 && !before.includes(map.src)
        );
    }
"""
)


@pytest.fixture
def phantom(tmp_path):
    path = tmp_path / "phantom hand.png"
    Image.fromarray(draw_phantom(108, "male", seed=1)).save(path)
    return path


def test_upload_predict_and_look_inside(page, address, phantom, expect, expect_no_error):
    page.goto(address)
    page.locator("input[type=file]").set_input_files(phantom)
    page.get_by_text("Choose the sex to see the bone age.").wait_for()
    page.get_by_text("Male", exact=True).click()
    page.get_by_text("Ensemble", exact=True).wait_for()
    page.get_by_text("Channel attention", exact=True).wait_for()
    for title in ("Tiny DenseNet (tests)", "Tiny ResNet+CBAM (tests)"):
        expect(page.get_by_text(title, exact=True).first).to_be_visible()
    page.wait_for_function(NEW_MAPS, arg=[])
    on_crop = page.evaluate(f"() => {{ {MAPS} return maps.map(map => map.src); }}")
    page.get_by_text("Radiograph", exact=True).click()
    page.wait_for_function(NEW_MAPS, arg=on_crop)
    expect_no_error(page)
    expect(page.locator("body")).not_to_contain_text("Traceback")


def test_an_upload_and_its_answer_stay_until_they_are_cleared(
    page, address, phantom, expect, expect_no_error
):
    page.goto(address)
    page.locator("input[type=file]").set_input_files(phantom)
    page.get_by_role("radio", name="Male", exact=True).click()
    page.get_by_role("heading", name="Bone age: phantom hand.png").wait_for()
    page.get_by_text("Ensemble", exact=True).wait_for()
    page.get_by_role("link", name="Atlas").click()
    page.get_by_role("heading", name="Atlas").wait_for()
    page.get_by_role("link", name="Predict").click()
    page.get_by_role("heading", name="Bone age: phantom hand.png").wait_for()
    page.get_by_text("Ensemble", exact=True).wait_for()
    expect(page.get_by_text("Uploaded earlier: phantom hand.png.")).to_be_visible()
    expect(page.get_by_role("radio", name="Male", exact=True)).to_be_checked()
    assert "sex" not in page.url  # of a patient, nothing stands in the address
    expect_no_error(page)
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_role("heading", name="Bone age: phantom hand.png")).to_have_count(0)


def test_a_presentation_runs_by_keys_alone(page, address, expect, expect_no_error):
    page.goto(f"{address}/?sample=Girl, 5 years")
    page.get_by_role("heading", name="Bone age: Girl, 5 years").wait_for()
    page.get_by_role("button", name="Present").press("Enter")
    question = page.get_by_text("What is the bone age?")
    question.wait_for()
    ensemble = page.get_by_text("Ensemble", exact=True)
    page.keyboard.press("Space")
    expect(ensemble).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**sample=Boy*")
    question.wait_for()
    expect(ensemble).to_have_count(0)
    radiograph = page.get_by_role("group", name="Radiograph")
    radiograph.press("+")
    radiograph.press("ArrowRight")  # moves the enlarged image, and nothing else
    page.keyboard.press("Space")
    expect(ensemble).to_be_visible()
    assert "sample=Boy" in page.url
    page.keyboard.press("PageUp")  # a presenter's remote control
    page.wait_for_url("**sample=Girl*")
    expect(ensemble).to_have_count(0)
    expect_no_error(page)
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Bone age: Girl, 5 years").wait_for()
    assert "present" not in page.url
