"""What the Predict page says of its maps where they were checked."""

import pandas as pd
import pytest
from apps import run, started, texts

from boneage import artifacts
from boneage.evaluation.metrics import AGE_BANDS
from boneage.sanity_checks.regions import REGIONS

MODELS = ("tiny_densenet", "tiny_resnet_cbam")


@pytest.fixture
def checked(tiny_artifacts):
    """Stored tables of the tiny models: carpals matter most, at 0-5 years radius and ulna."""
    fingerprints = artifacts.published_fingerprints()
    digests = {name: fingerprints[name] for name in MODELS}
    occlusion = pd.DataFrame(
        [
            (name, digest, group, region, 50, 0.04, 9.0 if region == strongest else 2.0)
            for name, digest in digests.items()
            for group in ("all", *AGE_BANDS)
            for strongest in ["distal_radius_ulna" if group == "0-5 years" else "carpals"]
            for region in REGIONS
        ],
        columns=["model", "model_sha256", "group", "region", "n", "area", "change"],
    )
    occlusion = occlusion.assign(
        control_change=1.5, difference=occlusion["change"] - 1.5,
        difference_low=occlusion["change"] - 2.5, difference_high=occlusion["change"] - 0.5,
        shift=-1.0, shift_low=-2.0, shift_high=0.5,
        change_per_area=occlusion["change"] / 4,
    )  # fmt: skip
    randomization = pd.DataFrame(
        [
            (name, digest, step, stage, 32, 0.05, -0.05, 0.15, 0.3)
            for name, digest in digests.items()
            for step, stage in ((1, "head"), (2, "stem"))
        ],
        columns=["model", "model_sha256", "step", "stage", "n", "similarity",
                 "similarity_low", "similarity_high", "sd"],
    )  # fmt: skip
    artifacts.write_saliency(artifacts.OCCLUSION, occlusion)
    artifacts.write_saliency(artifacts.RANDOMIZATION, randomization)
    yield
    for file in (artifacts.OCCLUSION, artifacts.RANDOMIZATION):
        (tiny_artifacts / file).unlink()


def take_sample(app):
    app.button(key="sample-Girl, 13 years").click()
    return run(app)


def test_the_maps_come_with_what_was_measured_of_them(checked):
    app = take_sample(started())
    said = texts(app)
    assert (
        "hiding the carpals changes the predictions of Tiny DenseNet (tests) (by 7.5 months) and "
        "Tiny ResNet" in said
    )
    assert "Grad-CAM passes the weight randomization check for Tiny DenseNet" in said
    (expander,) = [e for e in app.expander if "Sanity checks" in e.label]
    assert len(expander.get("plotly_chart")) == 2
    assert "The hand with its regions outlined" in {
        image.alt for element in app.image for image in element.proto.imgs
    }


def test_another_band_can_be_looked_at(checked):
    app = take_sample(started())
    (key,) = [c.key for c in app.segmented_control if str(c.key).startswith("occlusion-")]
    assert "larger for the carpals" in texts(app)
    app.segmented_control(key=key).set_value("0-5 years")
    run(app)
    assert "larger for the distal radius and ulna" in texts(app)


def test_without_stored_checks_nothing_is_said(tiny_artifacts):
    app = take_sample(started())
    assert "randomization check" not in texts(app)
    assert not [e for e in app.expander if "Sanity checks" in e.label]
