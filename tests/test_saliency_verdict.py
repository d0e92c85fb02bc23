import pandas as pd
import pytest
from plain import plain

from boneage.saliency_verdict import in_short, occlusion_results, randomisation_results

TITLES = {"a": "Model A", "b": "Model B"}


def occlusion(**changes) -> pd.DataFrame:
    """Model A is moved by 10 months by the carpals, Model B by 8 by the wrist; intervals of ±1."""
    changes = {
        "a": {"carpals": 10, "wrist": 5, "control": 1},
        "b": {"carpals": 2, "wrist": 8, "control": 1},
    } | changes
    rows = [
        (model, group, region, 50, change, change - 1, change + 1)
        for model, regions in changes.items()
        for group in ("all", "5-10 years")
        for region, change in regions.items()
    ]
    columns = ["model", "group", "region", "n", "change", "change_low", "change_high"]
    table = pd.DataFrame(rows, columns=columns)
    area = table["region"].map({"carpals": 3, "wrist": 5, "control": 4})
    return table.assign(
        change_per_area=table["change"] / area, shift=-4.0, shift_low=-5.0, shift_high=-3.0
    )


def randomisation(**last) -> pd.DataFrame:
    rows = [
        (model, step, stage, 32, value, value - 0.05, value + 0.05)
        for model in TITLES
        for step, stage, value in ((1, "head", 0.4), (2, "stem", last.get(model, 0.0)))
    ]
    columns = ["model", "step", "stage", "n", "similarity", "similarity_low", "similarity_high"]
    return pd.DataFrame(rows, columns=columns)


def test_in_short_names_the_region_of_each_model_and_the_check():
    words = in_short(occlusion(), randomisation(), "5-10 years", TITLES)
    assert words == (
        "At 5 to 10 years, hiding the carpals moves Model A (by 10 months) most and hiding the "
        "wrist (distal radius and ulna) moves Model B (by 8 months) most. Grad-CAM passes the "
        "randomisation check for Model A and Model B."
    )


def test_models_moved_by_the_same_region_share_its_name_and_results_may_differ():
    alike = occlusion(b={"carpals": 9, "wrist": 2, "control": 1})
    words = in_short(alike, randomisation(b=0.9), "all", TITLES)
    assert words.startswith(
        "Over all ages, hiding the carpals moves Model A (by 10 months) and Model B (by 9 months) "
    )
    assert words.endswith(
        "passes the randomisation check for Model A and fails the randomisation check for Model B."
    )


def test_occlusion_in_a_paragraph_a_model():
    first, second = occlusion_results(occlusion(), "all", TITLES)
    assert plain(first) == (
        "Hiding the **carpals** moves Model A most, by 10 months (95 % interval 9 to 11), on "
        "average 4 months younger. Blurring beside the bones moves it by 1 month."
    )
    assert second.startswith("Hiding the **wrist (distal radius and ulna)** moves Model B most")
    assert second.endswith("moves it by 1 month; hiding the carpals is not clearly more.")


def test_ties_sizes_and_a_strong_control_are_told():
    close = occlusion(a={"carpals": 9, "wrist": 10, "control": 9})
    (words, _) = occlusion_results(close, "all", TITLES)
    assert "by the intervals, the carpals may matter as much" in words
    assert "hiding the carpals moves it most for the size of the region" in words
    assert "no region stands out" in words
    short = in_short(close, randomisation(), "all", {"a": "Model A"})
    assert (
        "the wrist (distal radius and ulna) or carpals moves Model A (by up to 10 months)" in short
    )


@pytest.mark.parametrize(
    ("last", "words"),
    [(0.0, "passes"), (0.29, "partly passes"), (0.5, "partly passes"), (0.9, "fails")],
)
def test_randomisation_in_a_paragraph_a_model(last, words):
    first, second = randomisation_results(randomisation(a=last), TITLES)
    assert first.startswith(f"**Grad-CAM of Model A {words} the randomisation check.**")
    assert "0.40 (0.35 to 0.45)" in first
    assert "0.00 (−0.05 to 0.05)" in second
