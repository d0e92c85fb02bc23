"""A local calibration uploaded on the Predict page: bone ages, intervals, and its name."""

import re

import cv2
import pytest
from apps import run, started, texts
from local_sites import local_calibration

from boneage.datasets.phantoms import draw_phantom
from boneage.inference import results


@pytest.fixture
def app(tiny_artifacts):
    return started()


def upload_calibration(app, content: bytes):
    app.session_state["calibration"] = True  # its section is open
    run(app)
    app.file_uploader(key="calibration-file").set_value(("site.json", content, ""))
    return run(app)


def ages(app) -> list[str]:
    cards = next(h.proto.body for h in app.html if "Ensemble" in h.proto.body)
    return re.findall(r"\d+ years?(?: \d+ months?)?", cards)


def test_it_changes_the_bone_age_and_is_named(app, monkeypatch):
    app.button(key="sample-Girl, 13 years").click()
    before = ages(run(app))
    local = local_calibration(girls=24)
    upload_calibration(app, local.as_json().encode())
    after = ages(app)
    assert after != before and after[1:] == before[1:]  # the ensemble's alone
    said = texts(app)
    assert f"Local calibration {local.label} of the ensemble: bone age changed by +24.0" in said
    assert [section.label for section in app.expander].count(f"Local calibration: {local.label}")

    downloads, to_csv = [], results.to_csv
    monkeypatch.setattr(results, "to_csv", lambda table: downloads.append(table) or to_csv(table))
    hand = ("a.png", png(), "")
    app.file_uploader[0].set_value([hand, ("b.png", b"no image", "")])
    run(app)
    app.segmented_control(key="sex").set_value("female")
    run(app)
    assert downloads[-1]["local_calibration"].iloc[0] == local.label
    assert f"Local calibration {local.label} of the ensemble, made on" in texts(app)

    app.session_state["calibration"] = True
    run(app).button(key="no-calibration").click()
    run(app)
    assert "local_calibration" not in downloads[-1]
    assert "Local calibration c5" not in texts(app)


def test_a_file_that_is_none_is_told(app):
    upload_calibration(app, b"{}")
    assert "is no local calibration" in app.error[0].value
    assert "local_calibration" not in app.session_state


def png() -> bytes:
    return cv2.imencode(".png", draw_phantom(96, "female", 1))[1].tobytes()
