import pandas as pd
import pytest
from plain import plain

from boneage.sanity_checks.text import in_short, occlusion_results, randomization_results

TITLES = {"a": "Model A", "b": "Model B"}


def occlusion(**differences) -> pd.DataFrame:
    """Beyond the controls, carpals change Model A by 10 months, radius and ulna Model B by 7.4."""
    differences = {
        "a": {"carpals": 10.0, "distal_radius_ulna": 1.86},
        "b": {"carpals": 0.2, "distal_radius_ulna": 7.44, "metacarpals": -3.0},
    } | differences
    rows = [
        (model, group, region, difference, difference - 0.6, difference + 0.6)
        for model, regions in differences.items()
        for group in ("all", "10-15 years")
        for region, difference in regions.items()
    ]
    columns = ["model", "group", "region", "difference", "difference_low", "difference_high"]
    return pd.DataFrame(rows, columns=columns)


def randomization(**last) -> pd.DataFrame:
    rows = [
        (model, step, stage, 32, value, value - 0.05, value + 0.05)
        for model in TITLES
        for step, stage, value in ((1, "head", 0.4), (2, "stem", last.get(model, 0.0)))
    ]
    columns = ["model", "step", "stage", "n", "similarity", "similarity_low", "similarity_high"]
    return pd.DataFrame(rows, columns=columns)


def test_in_short_names_the_region_of_each_model_and_the_check():
    words = in_short(occlusion(), randomization(), "10-15 years", TITLES)
    assert words == (
        "At 10 to 15 years, compared with equally large control regions, hiding the carpals "
        "changes the predictions of Model A (by 10.0 months) most and hiding the distal radius and "
        "ulna changes the predictions of Model B (by 7.4 months) most. Grad-CAM passes the weight "
        "randomization check for Model A and Model B."
    )


def test_models_with_the_same_region_share_its_name_and_results_may_differ():
    alike = occlusion(b={"carpals": 9.0, "distal_radius_ulna": 2.0})
    words = in_short(alike, randomization(b=0.9), "all", TITLES)
    assert words.startswith("Over all ages, ")
    assert (
        "hiding the carpals changes the predictions of Model A (by 10.0 months) and Model B "
        "(by 9.0 months) most."
    ) in words
    assert words.endswith(
        "passes the weight randomization check for Model A and fails the weight randomization "
        "check for Model B."
    )


def test_close_regions_are_named_together_and_none_where_none_exceeds_its_control():
    close = occlusion(a={"carpals": 9.0, "phalanges": 10.0}, b={"carpals": 0.5})
    words = in_short(close, randomization(), "all", TITLES)
    assert "hiding the phalanges or carpals changes the predictions of Model A (by up to" in words
    assert "hiding a region does not change the predictions of Model B more." in words


def test_regions_are_compared_with_their_controls_by_age():
    first, second = map(plain, occlusion_results(occlusion(), "10-15 years", TITLES))
    assert first == (
        "**Model A.** At 10 to 15 years, compared with hiding an equally large control region "
        "beside the bones, the change of the prediction is larger for the carpals (10.0 months, "
        "95% CI 9.4 to 10.6) and the distal radius and ulna (1.9 months, 95% CI 1.3 to 2.5)."
    )
    assert second.endswith(
        "larger for the distal radius and ulna (7.4 months, 95% CI 6.8 to 8.0); not clearly "
        "different for the carpals (0.2 months, 95% CI −0.4 to 0.8); smaller for the metacarpals "
        "(−3.0 months, 95% CI −3.6 to −2.4)."
    )


def test_over_all_ages_the_reader_is_sent_to_the_age_bands():
    assert "age bands" in occlusion_results(occlusion(), "all", TITLES)[-1]


@pytest.mark.parametrize(
    ("last", "words"),
    [(0.0, "passes"), (0.29, "partly passes"), (0.5, "partly passes"), (0.9, "fails")],
)
def test_randomization_in_a_paragraph_a_model(last, words):
    first, second = randomization_results(randomization(a=last), TITLES)
    assert first.startswith(f"**Grad-CAM of Model A {words} the weight randomization check.**")
    assert "0.40 (0.35 to 0.45)" in first
    assert "0.00 (−0.05 to 0.05)" in second
