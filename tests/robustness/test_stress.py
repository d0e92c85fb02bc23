import cv2
import numpy as np
import pytest

from boneage.datasets.phantoms import draw_phantom
from boneage.inference.predictor import Predictor
from boneage.quality.checks import Refusal
from boneage.radiographs.limits import UnreadableRadiograph
from boneage.radiographs.manual_frame import ManualFrame
from boneage.radiographs.reading import read_radiograph
from boneage.robustness import perturbations
from boneage.robustness.stress import (
    CHANGES,
    changed_file,
    predict_stressed,
    within_size,
)
from boneage.robustness.stress_figure import stress_curve, stressed_in_words


@pytest.fixture(scope="module")
def pixels():
    return read_radiograph(cv2.imencode(".png", draw_phantom(120, "female", 1))[1].tobytes()).pixels


@pytest.fixture(scope="module")
def predictor(tiny_artifacts):
    return Predictor()


def test_positions_ascend_and_one_changes_nothing(pixels):
    unchanged = changed_file(pixels, {})
    np.testing.assert_array_equal(read_radiograph(unchanged).pixels, pixels)
    for name, change in CHANGES.items():
        assert list(change.positions) == sorted(set(change.positions))
        words = [change.in_words(position) for position in change.positions]
        assert len(set(words)) == len(words)
        assert changed_file(pixels, {name: change.unchanged}) == unchanged
        for end in {change.positions[0], change.positions[-1]} - {change.unchanged}:
            changed = changed_file(pixels, {name: end})
            assert changed != unchanged
            assert changed == changed_file(pixels, {name: end})  # noise, too


def test_changes_by_hand():
    levels = np.array([[90, 110], [80, 120]], np.uint8)  # mean 100
    assert perturbations.contrast(levels, 2).tolist() == [[80, 120], [60, 140]]
    assert perturbations.contrast(levels, 20).tolist() == [[0, 255], [0, 255]]
    point = np.zeros((101, 101), np.uint8)
    point[50, 50] = 255
    blurred = perturbations.blur(point, 0.01).astype(float)
    sd = np.sqrt((blurred.sum(axis=0) * (np.arange(101) - 50) ** 2).sum() / blurred.sum())
    assert sd == pytest.approx(1.01, abs=0.1)
    noisy = perturbations.add_noise(np.full((300, 300), 128, np.uint8), 10)
    assert noisy.std() == pytest.approx(10, rel=0.02)
    assert noisy.mean() == pytest.approx(128, abs=0.2)
    assert within_size(np.zeros((4096, 1000), np.uint8)).shape == (2048, 500)
    assert within_size(levels) is levels


def test_the_unchanged_radiograph_has_the_answer_of_an_upload(predictor, pixels):
    answer = predictor.predict(cv2.imencode(".png", pixels)[1].tobytes(), "female")
    found = predict_stressed(predictor, pixels, "female", {})
    assert found.prediction.months == pytest.approx(answer.months, abs=1e-3)
    np.testing.assert_array_equal(found.pixels, pixels)
    frame = ManualFrame((20.0, 20.0, 280.0, 380.0))
    framed = predict_stressed(predictor, pixels, "female", {"gamma": 1.6}, frame)
    assert framed.prediction.source.frame == frame


def test_too_much_is_refused_or_told(predictor, pixels):
    blank = predict_stressed(predictor, pixels, "female", {"contrast": 0.1, "scale": 50})
    assert blank.prediction.months
    with pytest.raises(UnreadableRadiograph):
        predict_stressed(predictor, pixels, "female", {"scale": 8})


def test_curve_and_sentence(predictor, pixels):
    from dataclasses import replace

    change = CHANGES["rotation"]
    unchanged = predict_stressed(predictor, pixels, "female", {}).prediction
    along = dict.fromkeys(change.positions, unchanged)
    refused = replace(unchanged, refusal=Refusal("blurred", "The image is too blurred."))
    older = replace(unchanged, months={name: m + 30 for name, m in unchanged.months.items()})
    along |= {-45: None, 30: refused, 45: older}
    figure = stress_curve(change, along, 10, unchanged, level=0.9)
    ensemble = next(trace for trace in figure.data if trace.name == "Ensemble")
    assert np.isnan(ensemble.y[0])
    assert ensemble.y[-1] - ensemble.y[1] == pytest.approx(30)
    crosses = next(trace for trace in figure.data if "Refused" in trace.name)
    assert list(crosses.x) == [change.positions.index(30)]
    assert figure.layout.shapes[1].x0 == change.positions.index(10)
    assert list(figure.layout.xaxis.ticktext)[:1] == ["−45°"]
    assert "2 years 6 months higher than on the unchanged" in stressed_in_words(older, unchanged)
    assert "Passed by the quality check." in stressed_in_words(unchanged, unchanged)
    said = stressed_in_words(refused, unchanged)
    assert "the same as" in said and said.endswith("The image is too blurred.")


def test_bars_are_the_intervals(calibrated_artifacts, pixels, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(calibrated_artifacts))
    found = predict_stressed(Predictor("tiny_densenet"), pixels, "female", {}).prediction
    along = {1.0: found, 1.6: None}
    figure = stress_curve(CHANGES["gamma"], along, 1, found, level=0.8)
    (trace,) = figure.data
    low, high = found.interval("tiny_densenet", 0.8)
    assert trace.y[0] + trace.error_y.array[0] == pytest.approx(high)
    assert trace.y[0] - trace.error_y.arrayminus[0] == pytest.approx(low)
