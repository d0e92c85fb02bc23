import base64
import io
import json

import numpy as np
import pytest
from made_up_atlas import AGES, write_atlas
from PIL import Image

from boneage.atlas import ossification, standards
from boneage.atlas.change import displacement
from boneage.atlas.standards import Standard
from boneage.atlas.viewer import (
    VIEWER,
    change_legend,
    change_overlay,
    hand_data,
    spread_legend,
    spread_overlay,
    viewer_data,
)
from boneage.figures import palette


@pytest.fixture(scope="module")
def girls(tmp_path_factory):
    root = write_atlas(tmp_path_factory.mktemp("atlas"))
    return [standards.standard("female", months, root) for months in AGES]


@pytest.fixture(scope="module")
def hand(girls):
    return hand_data(girls)


def test_the_viewer_gets_every_standard_with_its_facts_and_its_age(hand, girls):
    assert hand["title"] == "Girls"
    assert [standard["months"] for standard in hand["standards"]] == [months + 1 for months in AGES]
    assert hand["standards"][0]["facts"].startswith("30 radiographs, mean bone age 3 years 1 month")
    for image, standard in zip(hand["images"], girls, strict=True):
        shown = Image.open(io.BytesIO(base64.b64decode(image)))
        assert shown.format == "WEBP"
        assert np.abs(np.asarray(shown.convert("L"), float) - standard.image).mean() < 3


def test_the_viewer_gets_how_each_standard_grows_into_the_next(hand, girls):
    data = viewer_data([hand])
    assert len(hand["fields"]) == len(girls) - 1
    packed = np.frombuffer(base64.b64decode(hand["fields"][1]), "<i2") / data["fraction"]
    field = displacement(girls[1], girls[2], data["cell"])
    np.testing.assert_allclose(packed.reshape(field.shape), field, atol=0.51 / data["fraction"])


def test_the_viewer_gets_every_event_with_its_place_and_ages(hand, girls):
    events = ossification.events()
    data = viewer_data([hand])
    assert [event["number"] for event in data["events"]] == [event.number for event in events]
    assert [event["appears"] for event in data["events"]].count(False) == 5
    last = hand["standards"][-1]["places"]
    for number, event in enumerate(events):
        expected = event.places(girls[-1].landmarks, AGES[-1] + 1)
        np.testing.assert_allclose(last[number], expected, atol=0.051)
    capitate = next(n for n, event in enumerate(events) if event.key == "capitate")
    assert hand["since"][capitate] == 2
    assert hand["worth_a_look"][capitate] == (-10, 14)
    assert hand["usual_in_words"][capitate] == "Appears at a bone age of about 2 months"
    assert [stage["from"] for stage in hand["stages"]] == [0, 10, 24, 84, 156]


def test_the_slider_spans_all_hands_and_new_images_have_a_new_version(hand, girls):
    fewer = hand_data(girls[1:3])
    data = viewer_data([hand, fewer])
    assert (data["youngest"], data["oldest"]) == (AGES[0] + 1, AGES[-1] + 1)
    assert len(data["hands"]) == 2
    assert viewer_data([fewer])["version"] != viewer_data([hand])["version"] != data["version"]
    assert viewer_data([hand])["version"] == viewer_data([hand])["version"]
    json.dumps(data)


def test_the_viewer_is_a_page_of_its_own():
    assert set(VIEWER) == {"html", "css", "js"}
    assert 'aria-label="Play"' in VIEWER["html"]


def flat(spread=None) -> Standard:
    """A standard with a square hand of one gray."""
    image = np.zeros((640, 512), np.uint8)
    image[100:540, 100:412] = 100
    spread = np.zeros((320, 256), np.uint8) if spread is None else spread
    return Standard("female", 60, 30, 60.0, 1.0, image, spread, np.zeros((21, 2), np.float32))


def test_change_is_colored_by_its_sign_the_stronger_the_larger():
    difference = np.zeros((640, 512), np.float32)
    difference[200, 200], difference[200, 300] = 0.5, -0.5
    difference[300, 200], difference[300, 300] = 0.15, 0.02
    overlay = change_overlay(flat(), difference)
    assert overlay.dtype == np.uint8
    brighter, darker = map(np.array, (palette.rgb(palette.BRIGHTER), palette.rgb(palette.DARKER)))
    assert np.abs(overlay[200, 200] - brighter.astype(int)).max() < 30
    assert np.abs(overlay[200, 300] - darker.astype(int)).max() < 30
    assert (overlay[400, 200] == 80).all()  # unchanged: gray, somewhat dimmed
    assert (overlay[300, 300] == 80).all()  # too little to be a change
    red = overlay[:, 200, 0].astype(int)
    assert red[400] < red[300] < red[200]


def test_spread_is_colored_in_the_hand_only():
    spread = np.full((320, 256), 10, np.uint8)
    spread[100:120, 100:120] = 60
    spread[0:20, 0:20] = 60  # beside the hand
    overlay = spread_overlay(flat(spread))
    assert np.abs(overlay[220, 220] - np.array(palette.rgb(palette.SPREAD), int)).max() < 40
    assert (overlay[400, 300] == 80).all()
    assert np.ptp(overlay[10, 10]) == 0


def test_legends_name_what_the_colors_mean():
    said = change_legend("9 years")
    assert "Brighter at 9 years" in said and palette.BRIGHTER in said
    assert "Darker at 9 years" in said and palette.DARKER in said
    assert palette.SPREAD in spread_legend()
