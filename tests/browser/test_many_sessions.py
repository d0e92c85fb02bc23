"""Many people at once: each has a session, a file and an answer of their own."""

import os
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from boneage.datasets.phantoms import draw_phantom
from boneage.formatting import age_in_words
from boneage.inference.predictor import Predictor

PEOPLE = int(os.environ.get("BONEAGE_PEOPLE") or 4)


@pytest.fixture
def pages(browser):
    """A page for each person, in a browser profile of their own."""
    contexts = [browser.new_context() for _ in range(PEOPLE)]
    pages = [context.new_page() for context in contexts]
    for page in pages:
        page.set_default_timeout(300_000)  # all wait for the slowest
    yield pages
    for context in contexts:
        context.close()


@pytest.mark.slow
def test_many_people_get_their_own_answers(
    pages, address, tiny_artifacts, tmp_path, settled, expect, expect_no_error
):
    files, expected = [], []
    predictor = Predictor()
    for person in range(PEOPLE):
        files.append(tmp_path / f"hand {person}.png")
        sex = ("female", "male")[person % 2]
        hand = draw_phantom(24 + 176 / PEOPLE * person, sex, person, height=300)
        Image.fromarray(hand).save(files[-1])
        expected.append(predictor.predict(files[-1], sex))

    # All take a step before any takes the next, so that the server works for all at once. Each
    # waits until the step is seen: Streamlit 1.67 forgets a file whose upload has been announced
    # but not begun when another input starts a run.
    for page in pages:
        page.goto(address, wait_until="commit")
    for page in pages:
        page.get_by_text("About these models").wait_for()
        settled(page)
    for page, file in zip(pages, files, strict=True):
        page.locator("input[type=file]").set_input_files(file)
    for page, file in zip(pages, files, strict=True):
        page.get_by_text(file.name, exact=True).wait_for()
        page.get_by_text("Choose the sex to see the bone age.").wait_for()
    for person, page in enumerate(pages):
        page.get_by_text(("Female", "Male")[person % 2], exact=True).click()
    for page in pages:
        answer = page.get_by_text("Ensemble", exact=True)
        anyway = page.get_by_role("button", name="Show the prediction anyway")
        answer.or_(anyway).first.wait_for()
        if anyway.is_visible():
            anyway.click()
    for page, file, prediction in zip(pages, files, expected, strict=True):
        page.get_by_role("heading", name=f"Bone age: {file.name}").wait_for()
        page.get_by_text("Ensemble", exact=True).wait_for()
        for months in prediction.months.values():
            expect(page.locator("body")).to_contain_text(age_in_words(months))
        # Untrained models give much the same age for all; the hands differ.
        shown = page.get_by_role("img", name="Preprocessed image of the hand")
        content = b64decode(shown.evaluate("image => image.src").partition(",")[2])
        model_input = next(iter(prediction.prepared.values())).image
        np.testing.assert_array_equal(Image.open(BytesIO(content)).convert("L"), model_input)
        page.get_by_text("Channel attention", exact=True).wait_for()
        expect_no_error(page)
