import dataclasses
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from bad_files import dicom_bytes
from PIL import Image

from boneage import artifacts
from boneage.artifacts import ArtifactError
from boneage.datasets.phantoms import draw_phantom
from boneage.explain.gradcam import telling_direction
from boneage.inference.conformal import LEVELS
from boneage.inference.ensemble import with_ensemble
from boneage.inference.predictor import Predictor, UnknownSexError
from boneage.quality.checks import NO_HAND, OUTSIDE_BOX, SEVERAL, Refusal
from boneage.radiographs.manual_frame import ManualFrame
from boneage.radiographs.preprocessing import to_model_input
from boneage.radiographs.reading import Radiograph, UnreadableRadiograph, read_radiograph
from boneage.training.export import export_artifact


def _png(age: float, seed: int) -> bytes:
    file = BytesIO()
    Image.fromarray(draw_phantom(age, "female", seed)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def predictor(tiny_artifacts):
    return Predictor()


def test_every_model_answers_and_without_validation_cases_they_count_the_same(predictor):
    prediction = predictor.predict(_png(96, 1), "female")
    assert list(prediction.months) == predictor.names == ["tiny_densenet", "tiny_resnet_cbam"]
    assert prediction.ensemble_months == pytest.approx(np.mean(list(prediction.months.values())))


def test_intervals_lie_around_the_predictions_and_grow_with_the_level(
    calibrated_artifacts, monkeypatch
):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(calibrated_artifacts))
    prediction = Predictor().predict(_png(96, 1), "female")
    months = with_ensemble(prediction.months, prediction.weights)
    widths = []
    for level in LEVELS:
        intervals = prediction.intervals(level)
        assert set(intervals) == {"tiny_densenet", "tiny_resnet_cbam", "ensemble"}
        for name, (low, high) in intervals.items():
            assert (low, high) == prediction.interval(name, level)
            assert (low + high) / 2 == pytest.approx(months[name], abs=1e-3)
        low, high = intervals["ensemble"]
        widths.append(high - low)
    assert widths == sorted(set(widths))
    assert prediction.interval("ensemble") == prediction.interval("ensemble", 0.9)


def test_a_disagreement_never_seen_in_calibration_is_noticed(calibrated_artifacts, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(calibrated_artifacts))
    prediction = Predictor().predict(_png(96, 1), "female")
    most = prediction.calibration.most_disagreement
    for apart, is_beyond in ((most - 0.1, False), (most + 0.1, True)):
        months = {"tiny_densenet": 100.0, "tiny_resnet_cbam": 100.0 - apart}
        told = dataclasses.replace(prediction, months=months)
        assert told.is_beyond_calibration is is_beyond


def test_with_few_validation_cases_there_is_no_interval(predictor):
    prediction = predictor.predict(_png(96, 1), "female")
    assert prediction.intervals() == {}
    assert prediction.interval("ensemble") is None
    assert not prediction.is_beyond_calibration


def test_models_of_one_preparation_share_the_hand(predictor):
    prediction = predictor.predict(_png(96, 1), "female")
    hands = list(prediction.prepared.values())
    assert hands[0] is hands[1]
    assert prediction.hand is hands[0].hand


def test_sex_matters_and_must_be_known(predictor):
    content = _png(96, 1)
    female, male = (predictor.predict(content, sex).months for sex in ("female", "male"))
    assert female != male
    with pytest.raises(ValueError, match="female or male"):
        predictor.predict(content, "F")


def test_an_unreadable_file_is_refused(predictor):
    with pytest.raises(UnreadableRadiograph):
        predictor.predict(b"no image", "male")


def test_a_refused_image_keeps_its_prediction_and_says_why(predictor):
    assert predictor.predict(_png(96, 1), "female").refusal is None
    color = np.stack([draw_phantom(96, "female", seed) for seed in (1, 2, 3)], axis=2)
    file = BytesIO()
    Image.fromarray(color).save(file, "PNG")
    prediction = predictor.predict(file.getvalue(), "female")
    assert prediction.refusal.kind == "in color"
    assert prediction.ensemble_months > 0


def test_a_refused_image_has_no_interval(calibrated_artifacts, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(calibrated_artifacts))
    prediction = Predictor().predict(_png(96, 1), "female")
    assert prediction.interval("ensemble")
    refused = dataclasses.replace(prediction, refusal=Refusal("blurred", "Too blurred."))
    assert refused.intervals() == {}
    assert refused.interval("ensemble") is None


def test_the_sex_is_by_default_that_of_the_file(predictor):
    pixels = draw_phantom(96, "male", 1)
    stated = dicom_bytes(pixels, PatientSex="M", PatientAge="008Y")
    by_header, given = predictor.predict(stated), predictor.predict(stated, "male")
    assert by_header.sex == "male"
    assert by_header.months == given.months
    assert not by_header.contradicts_header
    assert predictor.predict(stated, "female").contradicts_header
    assert not predictor.predict(_png(96, 1), "female").contradicts_header
    with pytest.raises(UnknownSexError, match="does not state the sex"):
        predictor.predict(_png(96, 1))


def test_what_was_opened_once_is_not_read_again(predictor, monkeypatch):
    opened = predictor.open(_png(96, 1))
    monkeypatch.setattr("boneage.inference.predictor.read_radiograph", None)
    monkeypatch.setattr("boneage.radiographs.preprocessing.find_hand", None)
    female, male = (predictor.predict(opened, sex) for sex in ("female", "male"))
    assert female.months != male.months
    assert female.source is male.source is opened


def test_both_hands_of_a_film_are_radiographs_of_their_own(tiny_artifacts, phantom_shapes):
    predictor, hand = Predictor(), draw_phantom(96, "female", 1)
    film = np.hstack([hand, hand[:, ::-1]])
    one, other = predictor.open_all(Radiograph(film, "PNG"))
    assert {one.part.side, other.part.side} == {"left", "right"}
    assert [each.part.position for each in (one, other)] == ["left", "right"]
    alone = predictor.open(Radiograph(hand, "PNG"))
    middle = hand.shape[1]
    assert one.hand.center == pytest.approx(alone.hand.center, abs=8)
    assert other.hand.center[0] == pytest.approx(2 * middle - 1 - alone.hand.center[0], abs=8)
    assert one.hand.landmarks[:, 0].max() < middle < other.hand.landmarks[:, 0].min()
    months = [
        prediction.ensemble_months
        for prediction in predictor.predict_all([one, other, alone], ["female"] * 3)
    ]
    assert months == pytest.approx([months[2]] * 3, abs=1)
    # `open`, which the published figures come from, still takes the film as a whole.
    assert "more than one hand" in predictor.predict(Radiograph(film, "PNG"), "female").refusal.kind


def test_a_film_of_one_hand_stays_as_it_is(tiny_artifacts, phantom_shapes):
    predictor, radiograph = Predictor(), Radiograph(draw_phantom(96, "female", 1), "PNG")
    (found,), opened = predictor.open_all(radiograph), predictor.open(radiograph)
    assert found.part is None and found.quality.measures == opened.quality.measures
    for name in predictor.names:
        assert (found.hands[name].image == opened.hands[name].image).all()


def test_hands_that_cannot_be_cut_apart_are_refused(tiny_artifacts, phantom_shapes, monkeypatch):
    monkeypatch.setattr("boneage.inference.predictor.split_film", lambda *_: None)
    predictor, hand = Predictor(), draw_phantom(96, "female", 1)
    (whole,) = predictor.open_all(Radiograph(np.hstack([hand, hand[:, ::-1]]), "PNG"))
    assert "more than one hand" in predictor.predict(whole, "female").refusal.kind


def test_a_framed_hand_is_the_only_one_on_its_film(tiny_artifacts, phantom_shapes):
    predictor, hand = Predictor(), draw_phantom(96, "female", 1)
    height, width = hand.shape
    film = Radiograph(np.hstack([hand, hand[:, ::-1]]), "PNG")
    frame = ManualFrame((width, 0, 2 * width, height))
    (framed,) = predictor.open_all(film, frame)
    assert (framed.frame, framed.part, framed.hand.method) == (frame, None, "manual")
    assert framed.hand.landmarks[:, 0].min() > width
    prediction = predictor.predict(framed, "female")
    assert prediction.refusal is None
    assert predictor.predict(film, "female", frame).months == prediction.months
    both = predictor.predict(film, "female", ManualFrame((0, 0, 2 * width, height)))
    assert both.refusal.kind == SEVERAL
    with pytest.raises(ValueError, match="open already"):
        predictor.predict(predictor.open(film), "female", frame)


def test_a_film_without_a_hand_that_was_found_can_be_framed(predictor):
    noise = np.random.default_rng(0).integers(150, 255, (290, 290), np.uint8)
    film = Radiograph(np.pad(noise, 5), "PNG")
    assert predictor.predict(film, "female").refusal.kind == NO_HAND
    assert predictor.predict(film, "female", ManualFrame((0, 0, 300, 300))).refusal is None


def test_a_box_that_cuts_the_hand_off_is_refused(predictor):
    pixels = draw_phantom(96, "female", 1)
    height, width = pixels.shape
    wrist = predictor.open(Radiograph(pixels, "PNG")).hand.landmarks[0, 1]
    film = Radiograph(pixels, "PNG")
    cut = predictor.predict(film, "female", ManualFrame((0, 0, width, int(wrist) + 5)))
    assert cut.refusal.kind == OUTSIDE_BOX


@pytest.mark.parametrize(("share", "refused"), [(-0.02, False), (0.25, True)])
def test_a_box_that_cuts_the_fingers_off_is_refused(share, refused, predictor):
    pixels = draw_phantom(96, "female", 1)
    height, width = pixels.shape
    film = Radiograph(pixels, "PNG")
    down = predictor.open(film).hand.landmarks[:, 1]
    top = max(0, down.min() + share * np.ptp(down))
    kind = predictor.predict(film, "female", ManualFrame((0, top, width, height))).refusal
    assert (kind is not None and kind.kind == OUTSIDE_BOX) == refused


def test_a_box_with_the_fingers_to_the_side_says_how_to_rotate(predictor):
    sideways = np.ascontiguousarray(np.rot90(draw_phantom(96, "female", 1)))
    height, width = sideways.shape
    film = Radiograph(sideways, "PNG")
    warning = predictor.open(film, ManualFrame((0, 0, width, height))).warning
    asked = int(re.search(r"rotate the radiograph by about (\d+) degrees clockwise", warning)[1])
    assert asked == pytest.approx(90, abs=25)
    assert predictor.open(film, ManualFrame((0, 0, height, width), asked)).warning is None
    assert predictor.open(film).warning is None


def test_several_radiographs_get_the_answers_that_each_gets_alone(predictor):
    opened = [predictor.open(_png(48 + 24 * seed, seed)) for seed in range(3)]
    sexes = ["female", "male", "female"]
    together = predictor.predict_all(opened, sexes)
    for each, sex, prediction in zip(opened, sexes, together, strict=True):
        assert prediction.months == pytest.approx(predictor.predict(each, sex).months, abs=1e-3)
    assert predictor.predict_all([], []) == []


def test_features_come_with_the_same_pass_and_change_no_age(predictor):
    hands = [predictor.prepare(read_radiograph(_png(96, seed))) for seed in (1, 2)]
    months, features = predictor.read_prepared(hands, ["female", "male"])
    for name in predictor.names:
        model, _ = artifacts.load_model(artifacts.model_folder(name))
        images = np.stack([hand[name].image for hand in hands])
        alone = model.predict_on_batch([to_model_input(images, 32), np.array([[0.0], [1.0]])])
        assert months[name] == pytest.approx(np.asarray(alone)[:, 0], abs=1e-3)
        assert features[name].shape == (2, model.get_layer("pooled_features").output.shape[1])


def test_what_is_explained_later_is_explained_as_with_the_prediction(predictor):
    """The maps of one radiograph come from the pass that predicted; of several, from another."""
    opened = [predictor.open(_png(120, 2)), predictor.open(_png(60, 1))]
    alone = predictor.predict(opened[0], "male")
    together, _ = predictor.predict_all(opened, ["male", "female"])
    assert alone.outputs and not together.outputs
    for name in predictor.names:
        first, second = (predictor.explain(given, name) for given in (alone, together))
        assert first.direction == second.direction
        np.testing.assert_allclose(second.gradcam, first.gradcam, rtol=1e-4, atol=1e-5)
        for stage, weights in first.spatial.items():
            np.testing.assert_allclose(second.spatial[stage], weights, rtol=1e-4)


def test_explanations_lie_on_the_prepared_image(predictor):
    prediction = predictor.predict(_png(120, 2), "male")
    for name in predictor.names:
        explanation = predictor.explain(prediction, name)
        assert explanation.direction == telling_direction(prediction.ensemble_months)
        shape = prediction.prepared[name].image.shape
        maps = [explanation.gradcam, *explanation.spatial.values()]
        assert all(m.shape == shape and m.min() >= 0 and m.max() <= 1 for m in maps)
        has_cbam = name == "tiny_resnet_cbam"
        stages = [1, 2, 3, 4] if has_cbam else []
        assert list(explanation.spatial) == list(explanation.channel) == stages


@pytest.fixture
def with_mirror_image(tiny_artifacts, tmp_path, monkeypatch):
    """The tiny models at 96 px; ResNet+CBAM answers with the mean over the mirror image, too."""
    root = shutil.copytree(tiny_artifacts, tmp_path / "artifacts")
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(root))
    for name, mirrored in (("tiny_densenet", False), ("tiny_resnet_cbam", True)):
        folder = artifacts.model_folder(name)
        facts = artifacts.read_facts(folder)
        build = facts.build | {"input_size": 96}
        artifacts.write_facts(folder, dataclasses.replace(facts, mirrored=mirrored, build=build))
        export_artifact(folder)
    return Predictor()


def test_what_explains_an_answer_explains_the_mean_over_the_mirror_image(with_mirror_image):
    predictor = with_mirror_image
    prediction = predictor.predict(_png(120, 2), "male")
    hands = {
        name: dataclasses.replace(hand, image=np.ascontiguousarray(hand.image[:, ::-1]))
        for name, hand in prediction.prepared.items()
    }
    source = dataclasses.replace(prediction.source, hands=hands)
    mirror_image = dataclasses.replace(prediction, source=source, outputs={})
    months = predictor.predict_prepared([prediction.prepared, mirror_image.prepared], ["male"] * 2)

    def maps(prediction, name):
        explanation = predictor.explain(prediction, name)
        return [explanation.gradcam, *explanation.spatial.values()], explanation.channel

    # One answer to both images, so one explanation.
    name = "tiny_resnet_cbam"
    assert months[name][0] == pytest.approx(months[name][1], abs=1e-3)
    (of_image, channels), (of_mirror_image, mirrored) = (
        maps(given, name) for given in (prediction, mirror_image)
    )
    for first, second in zip(of_image, of_mirror_image, strict=True):
        assert np.ptp(first) > 0
        np.testing.assert_allclose(second[:, ::-1], first, rtol=1e-3, atol=1e-4)
    for stage, weights in channels.items():
        np.testing.assert_allclose(mirrored[stage], weights, rtol=1e-3)

    # DenseNet reads the image alone: two answers, two explanations.
    name = "tiny_densenet"
    assert abs(months[name][0] - months[name][1]) > 0.01
    ((first,), _), ((second,), _) = (maps(given, name) for given in (prediction, mirror_image))
    assert np.abs(second[:, ::-1] - first).max() > 0.01


def test_threads_share_the_models_and_get_their_own_answers(predictor):
    contents = [_png(24 + 24 * i, i) for i in range(6)]
    alone = [predictor.predict(content, "male").months for content in contents]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda c: predictor.predict(c, "male").months, contents))
    for a, b in zip(alone, together, strict=True):
        assert a == pytest.approx(b, abs=1e-3)


def test_without_artifacts_the_sentence_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    with pytest.raises(ArtifactError, match="train one"):
        Predictor()


@pytest.mark.parametrize("remaining", [["tiny_densenet"], []])
def test_a_model_that_is_not_exported_is_left_out_and_the_sentence_says_what_to_do(
    tiny_artifacts, tmp_path, monkeypatch, remaining
):
    root = shutil.copytree(tiny_artifacts, tmp_path / "artifacts")
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(root))
    names = ["tiny_densenet", "tiny_resnet_cbam"]
    for name in set(names) - set(remaining):
        (artifacts.model_folder(name) / artifacts.GRAPH).unlink()
    folder = artifacts.model_folder("tiny_resnet_cbam")
    advice = (
        f"because model.onnx is missing in {folder}; restore the folder with git checkout, or "
        "export the model again (python -m boneage export)."
    )
    if remaining:
        predictor = Predictor()
        assert predictor.names == remaining
        assert any(note.endswith(advice) for note in predictor.notes)
    else:
        with pytest.raises(ArtifactError) as caught:
            Predictor()
        assert str(caught.value).endswith(advice)
    for name in names:
        export_artifact(artifacts.model_folder(name))
    assert Predictor().names == names
