import cv2
import numpy as np
import pandas as pd
import pytest

from boneage.datasets.phantoms import (
    CARPAL_AGES,
    EPIPHYSIS_AGES,
    draw_phantom,
    make_phantom,
    write_phantoms,
)


def test_a_phantom_is_an_8_bit_image_in_the_asked_height():
    pixels = draw_phantom(100, "male", height=240)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (240, 180)
    assert pixels.max() > 150  # bones
    assert np.percentile(pixels, 5) < 30  # background


def test_same_arguments_give_the_same_pixels():
    np.testing.assert_array_equal(draw_phantom(90, "female", 7), draw_phantom(90, "female", 7))


@pytest.mark.parametrize("other", [(90, "female", 8), (90, "male", 7), (110, "female", 7)])
def test_seed_sex_and_age_each_change_the_image(other):
    reference = draw_phantom(90, "female", 7).astype(int)
    # far more than noise: hundreds of pixels change by tens of gray levels
    assert (abs(draw_phantom(*other).astype(int) - reference) > 25).sum() > 120


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("age", [0, 60, 240])
def test_the_hand_lies_within_the_image(age, seed):
    phantom = make_phantom(age, "female", seed, height=160)
    left, top, right, bottom = phantom.box
    assert 0 < left < right < 119
    assert 0 < top < bottom <= 159
    x, y = phantom.landmarks.T
    assert phantom.landmarks.shape == (21, 2)
    assert left < x.min() and x.max() < right
    assert top < y.min() and y.max() < bottom - 15  # the forearm lies below the wrist


def test_landmarks_lie_on_the_hand_with_fingers_up_and_the_thumb_to_the_right():
    phantom = make_phantom(150, "male", 3)
    x, y = np.round(phantom.landmarks).astype(int).T
    assert (cv2.GaussianBlur(phantom.pixels, (0, 0), 2)[y, x] > 45).all()
    assert y[12] < y[9] < y[0]
    assert x[4] > x[8] > x[12] > x[16] > x[20]


def test_the_box_holds_the_soft_tissue_but_for_the_forearm():
    phantom = make_phantom(100, "female", 5)
    left, top, right, _ = phantom.box
    blurred = cv2.GaussianBlur(phantom.pixels, (0, 0), 1.5)
    blurred[330:, :60] = 0  # the side marker
    y, x = np.nonzero(blurred > 45)
    above_the_wrist = y < phantom.landmarks[0, 1]
    assert abs(x[above_the_wrist].min() - left) < 8
    assert abs(x[above_the_wrist].max() - right) < 8
    assert abs(y.min() - top) < 8


def _carpal_brightness(age, seed):
    """Share of the carpal region that is bone."""
    phantom = make_phantom(age, "female", seed)
    wrist, knuckle = phantom.landmarks[0], phantom.landmarks[9]
    center, radius = wrist + 0.2 * (knuckle - wrist), 0.17 * np.linalg.norm(knuckle - wrist)
    y, x = np.indices(phantom.pixels.shape)
    region = phantom.pixels[np.hypot(x - center[0], y - center[1]) < radius].astype(float)
    soft = np.percentile(phantom.pixels[phantom.pixels > 45], 30)
    return (region > soft + 35).mean()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_carpus_fills_with_age(seed):
    areas = [_carpal_brightness(age, seed) for age in (6, 48, 96, 160)]
    assert np.all(np.diff(areas) > 0.05), areas


def _radius_plate(age, sex, seed=1):
    """Length of the dark gap in the distal radius, as a fraction of the hand; 0 when closed."""
    phantom = make_phantom(age, sex, seed, height=800)
    start, end = phantom.radius_axis
    across = 0.08 * (end - start)[::-1] * (1, -1)
    along, aside = np.meshgrid(np.linspace(0, 1, 400), np.linspace(-1, 1, 15))
    path = start + along[..., None] * (end - start) + aside[..., None] * across
    # the mean over parallel lines: trabeculae and noise cancel, the plate stays
    profile = cv2.remap(phantom.pixels, path.astype(np.float32), None, cv2.INTER_LINEAR).mean(0)
    bright = np.nonzero(profile > 0.9 * np.median(profile[250:]))[0]
    return (np.diff(bright).max() - 1) / 400


@pytest.mark.parametrize("sex", ["female", "male"])
def test_the_growth_plate_of_the_radius_narrows_and_closes(sex):
    closes = EPIPHYSIS_AGES["radius"][1][sex == "male"]
    gaps = [_radius_plate(age, sex) for age in (60, 108, 156, closes + 12)]
    assert np.all(np.diff(gaps) < -0.01), gaps
    assert gaps[-1] == 0


def test_girls_are_ahead_of_boys():
    for table in (CARPAL_AGES, EPIPHYSIS_AGES):
        for name, ages in table.items():
            for girls, boys in ages:
                assert girls < boys, name
    assert _radius_plate(186, "female") < _radius_plate(186, "male")


def test_phantoms_of_one_age_differ_in_size_more_than_two_years_do():
    def length(age, seed):
        landmarks = make_phantom(age, "male", seed, height=200).landmarks
        return np.linalg.norm(landmarks[9] - landmarks[0])

    younger = [length(96, seed) for seed in range(12)]
    older = [length(120, seed) for seed in range(12)]
    assert np.std(younger) > np.mean(older) - np.mean(younger) > 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((-1, "male"), "age"),
        ((241, "male"), "age"),
        ((float("nan"), "male"), "age"),
        ((100, "M"), "sex"),
        ((100, None), "sex"),
        ((100, "male", -1), "seed"),
        ((100, "male", 0, 10), "height"),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(arguments, word):
    with pytest.raises(ValueError, match=rf"^The {word} of a phantom must .*\.$"):
        draw_phantom(*arguments)


def test_the_written_data_set_has_the_challenge_layout(tmp_path):
    folder = write_phantoms(tmp_path / "phantoms", n_train=12, n_test=4, seed=3)
    assert folder == tmp_path / "phantoms"
    for name, count in (("boneage-training-dataset", 12), ("boneage-test-dataset", 4)):
        table = pd.read_csv(folder / f"{name}.csv")
        assert list(table.columns) == ["id", "boneage", "male"]
        assert len(table) == count
        assert table["male"].dtype == bool
        assert table["male"].sum() == count / 2
        assert table["boneage"].between(6, 216).all()
        images = {path.name for path in (folder / name).iterdir()}
        assert images == {f"{case}.png" for case in table["id"]}

    training = pd.read_csv(folder / "boneage-training-dataset.csv")
    assert training["boneage"].dtype.kind == "i"
    # one age in each twelfth of the range
    assert np.all(abs(np.sort(training["boneage"]) - (6 + 17.5 * (np.arange(12) + 0.5))) <= 9.5)
    test = pd.read_csv(folder / "boneage-test-dataset.csv")
    assert test["boneage"].dtype.kind == "f"
    assert not set(test["id"]) & set(training["id"])
    image = cv2.imread(str(folder / "boneage-test-dataset" / f"{test['id'][0]}.png"), -1)
    assert image.shape == (400, 300)


def test_writing_again_gives_the_same_files_and_another_seed_others(tmp_path):
    once, again, other = (
        write_phantoms(tmp_path / name, 2, 1, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    files = sorted(path.relative_to(once) for path in once.rglob("*") if path.is_file())
    assert len(files) == 5
    for file in files:
        assert (once / file).read_bytes() == (again / file).read_bytes()
        assert (once / file).read_bytes() != (other / file).read_bytes()
