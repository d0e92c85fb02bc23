"""Many people at once: each has a session, a file and an answer of their own."""

import os

from PIL import Image

from boneage.datasets.phantoms import draw_phantom
from boneage.formatting import age_in_words
from boneage.inference.predictor import Predictor

PEOPLE = int(os.environ.get("BONEAGE_PEOPLE") or 16)


def test_many_people_get_their_own_answers(browser, address, tiny_artifacts, tmp_path):
    files, expected = [], []
    predictor = Predictor()
    for person in range(PEOPLE):
        files.append(tmp_path / f"hand {person}.png")
        sex = ("female", "male")[person % 2]
        Image.fromarray(draw_phantom(24 + 11 * person, sex, person, height=300)).save(files[-1])
        prediction = predictor.predict(files[-1], sex)
        expected.append({age_in_words(months) for months in prediction.months.values()})

    contexts = [browser.new_context() for _ in files]
    pages = [context.new_page() for context in contexts]
    for one in pages:
        one.set_default_timeout(180_000)
        one.goto(address, wait_until="commit")
    for one in pages:  # a page that is still being built may lose what is entered
        one.get_by_text("About these models").wait_for()
    for one, file in zip(pages, files, strict=True):
        one.locator("input[type=file]").set_input_files(file)
    for person, one in enumerate(pages):
        one.get_by_text(("Female", "Male")[person % 2], exact=True).click()
    for person, one in enumerate(pages):
        answer = one.get_by_text("Ensemble", exact=True)
        anyway = one.get_by_role("button", name="Show the prediction anyway")
        answer.or_(anyway).first.wait_for()
        if anyway.is_visible():
            anyway.click()
        one.get_by_role("heading", name=f"Bone age: hand {person}.png").wait_for()
        answer.wait_for()
        shown = one.locator("body").inner_text()
        for age in expected[person]:
            assert age in shown
        one.get_by_text("Channel attention", exact=True).wait_for()
        assert (
            one.locator("[data-testid=stException], [data-testid=stAlertContentError]").count() == 0
        )
    for context in contexts:
        context.close()
