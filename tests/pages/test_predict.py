import os
import shutil
import sys
from collections import Counter
from contextlib import contextmanager
from io import BytesIO

import numpy as np
import pytest
import streamlit as st
from apps import alts, heavy_imports, run, started, texts, viewed
from bad_files import bad_files, dicom_bytes, image_file, some_bad_files
from PIL import Image
from streamlit.testing.v1 import AppTest

from boneage.datasets.phantoms import draw_phantom
from boneage.formatting import as_plain_markdown
from boneage.inference.predictor import Predictor
from boneage.radiographs import preprocessing
from boneage.radiographs.hand import full_frame
from boneage.radiographs.manual_frame import ManualFrame
from boneage.radiographs.reading import read_radiograph
from pages import radiographs

NEEDED_MAPS = {
    "Grad-CAM of Tiny DenseNet (tests)",
    "Grad-CAM of Tiny ResNet+CBAM (tests)",
    *(f"Spatial attention of stage {n} of Tiny ResNet+CBAM (tests)" for n in (1, 2, 3, 4)),
}


def png(age=96, seed=1) -> bytes:
    file = BytesIO()
    Image.fromarray(draw_phantom(age, "female", seed)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def app(tiny_artifacts):
    return started()


@pytest.fixture
def predictions(monkeypatch):
    """The sexes for which a prediction has been made, one entry each time."""
    made, predict = [], Predictor.predict

    def counted(self, source, sex):
        made.append(sex)
        return predict(self, source, sex)

    monkeypatch.setattr(Predictor, "predict", counted)
    st.cache_data.clear()
    st.cache_resource.clear()
    return made


def upload(app, *files: tuple[str, bytes]) -> AppTest:
    app.file_uploader[0].set_value([(name, content, "") for name, content in files])
    return run(app)


def choose_sex(app, sex: str) -> AppTest:
    app.segmented_control(key="sex").set_value(sex)
    return run(app)


def take_sample(app, name: str) -> AppTest:
    app.button(key=f"sample-{name}").click()
    return run(app)


def ages(app) -> str:
    return next(h.proto.body for h in app.html if "Ensemble" in h.proto.body)


def images(app) -> set[str]:
    return set(alts(app))


def pixels(app) -> list[str]:
    """All images, whether they can be zoomed or not."""
    return [element.value for element in app.image] + [data["image"] for data in viewed(app)]


def test_first_screen_says_what_this_is_and_asks_for_a_file_and_the_sex(app):
    assert app.title[0].value == "Bone age from a hand radiograph"
    assert "Not a medical device" in texts(app)
    assert "not radiographs of patients" in texts(app)
    uploader = app.file_uploader[0]
    assert uploader.accept_multiple_files
    assert not uploader.allowed_type  # the reader judges the bytes, not the name
    assert app.segmented_control(key="sex").value is None
    assert app.number_input(key="age_years").value is None
    assert sum(alt.startswith("Drawing of a hand") for alt in images(app)) == 3
    assert not app.error


def test_a_sample_gets_all_ages_and_maps_at_one_click(app):
    take_sample(app, "Girl, 13 years")
    assert app.segmented_control(key="sex").value == "female"
    assert images(app) >= NEEDED_MAPS
    said = texts(app)
    for words in ("Ensemble", "Tiny DenseNet", "Tiny ResNet+CBAM", "is a drawing"):
        assert words in said
    assert "Mean absolute error on test radiographs" in said
    assert len(app.get("plotly_chart")) == 2


def test_an_upload_waits_for_the_sex_and_replaces_a_sample(app):
    take_sample(app, "Boy, 9 years")
    upload(app, ("my_hand.png", png()))
    assert "Choose the sex" in app.info[0].value
    assert app.segmented_control(key="sex").value is None  # the sample's sex is not the patient's
    choose_sex(app, "female")
    assert app.header[0].value == r"Bone age: my\_hand\.png"
    assert images(app) >= NEEDED_MAPS
    assert "is a drawing" not in texts(app)


def test_a_sample_replaces_an_upload(app):
    choose_sex(upload(app, ("hand.png", png())), "male")
    take_sample(app, "Girl, 5 years")
    assert app.header[0].value == "Bone age: Girl, 5 years"
    assert app.segmented_control(key="sex").value == "female"


def test_sex_entered_first_belongs_to_the_first_file_only(app):
    upload(choose_sex(app, "male"), ("hand.png", png()))
    assert app.segmented_control(key="sex").value == "male"
    app.file_uploader[0].clear()
    run(app)
    assert app.segmented_control(key="sex").value is None


def test_another_sex_gives_another_answer_and_back_costs_nothing(app, predictions):
    upload(choose_sex(app, "female"), ("hand.png", png()))
    first = ages(app)
    choose_sex(app, "male")
    second = ages(app)
    assert predictions == ["female", "male"]
    choose_sex(app, "female")
    assert ages(app) == first != second
    assert predictions == ["female", "male"]


def test_opacity_and_place_change_the_maps_without_predicting_again(app, predictions, monkeypatch):
    upload(choose_sex(app, "female"), ("hand.png", png()))
    explained, explain = [], Predictor.explain
    monkeypatch.setattr(Predictor, "explain", lambda *a: explained.append(a) or explain(*a))
    before = pixels(app)
    app.slider(key="opacity").set_value(20)
    run(app)
    clearer = pixels(app)
    assert clearer != before
    app.segmented_control(key="place").set_value("Radiograph")
    run(app)
    assert pixels(app) != clearer
    assert predictions == ["female"]
    assert not explained


def test_dicom_fills_in_sex_and_age(app):
    content = dicom_bytes(draw_phantom(96, "male", 1), PatientSex="M", PatientAge="099M")
    upload(app, ("IM0001", content))
    assert app.segmented_control(key="sex").value == "male"
    assert (app.number_input(key="age_years").value, app.number_input(key="age_months").value) == (
        8,
        3,
    )
    assert images(app) >= NEEDED_MAPS


def test_a_sex_other_than_the_header_states_is_warned_about(app):
    content = dicom_bytes(draw_phantom(96, "male", 1), PatientSex="F")
    upload(app, ("IM0001", content))
    assert not app.warning
    choose_sex(app, "male")
    assert "states female, but male was used" in app.warning[0].value
    assert "Ensemble" in ages(app)
    choose_sex(app, "female")
    assert not app.warning


def test_a_box_drawn_by_the_user_gives_an_answer_of_its_own_that_is_marked(app):
    upload(choose_sex(app, "female"), ("hand.png", png()))
    automatic = ages(app)
    app.toggle[0].set_value(True)
    (start,) = [data["frame"] for data in viewed(run(app)) if data["frame"]]
    assert not start["is_manual"]
    left, top, right, bottom = start["box"]
    box = (max(left, 0) + 20, max(top, 0), right - 60, bottom - 60)
    source = app.toggle[0].key.removeprefix("framing-")
    app.session_state["frames"] = {source: ManualFrame(box, rotation=5)}
    run(app)
    assert ":blue-badge[:material/crop_rotate: Manually framed]" in marks(app)
    app.session_state["forced"] = {source}  # whatever the quality check says of a part of a hand
    assert ages(run(app)) != automatic
    assert "The crop box was drawn manually" in texts(app)
    (drawn,) = [data["frame"] for data in viewed(app) if data["frame"]]
    assert drawn["is_manual"] and drawn["rotation"] == 5
    assert drawn["box"] == pytest.approx(box, abs=0.51)
    app.session_state["frames"] = {}
    assert ages(run(app)) == automatic
    assert not marks(app)


def marks(app) -> list[str]:
    return [m.value for m in app.markdown if "badge" in m.value]


def test_where_no_hand_is_found_the_box_is_asked_for_at_once(app, monkeypatch):
    monkeypatch.setattr(preprocessing, "find_hand", lambda pixels, *_: full_frame(pixels))
    stripes = np.tile(np.arange(300, dtype=np.uint8) % 64 * 4, (400, 1))
    upload(choose_sex(app, "female"), ("stripes.png", image_file("PNG", stripes)))
    assert "No bone age for this image" in app.warning[0].value
    assert app.toggle[0].value
    assert [data["frame"]["box"] for data in viewed(app) if data["frame"]] == [[30, 40, 270, 360]]


def both_hands() -> bytes:
    hand = draw_phantom(96, "female", 1)
    return image_file("PNG", np.hstack([hand, hand[:, ::-1]]))


def test_both_hands_of_one_film_are_told_apart(phantom_shapes, app):
    upload(app, ("both.png", both_hands()))
    assert "Choose the sex" in app.info[0].value
    st.cache_resource.clear()
    choose_sex(app, "female")
    assert "check the side marker" in app.info[0].value
    table = app.data_editor[0].value
    assert list(table["file"]) == ["both.png"] * 2 and list(table["status"]) == ["ok"] * 2
    assert set(table["hand"]) == {"left hand (probable)", "right hand (probable)"}
    first = app.header[1].value
    boxes = viewed(app)[0]["outlines"]
    assert [box["thin"] for box in boxes] == [False, True]
    assert images(app) >= NEEDED_MAPS
    app.number_input(key="age_years").set_value(3)
    assert "What the bone age means" in texts(run(app))
    app.selectbox[0].set_value(app.selectbox[0].options[1])
    run(app)
    assert app.header[1].value != first and "hand" in first
    others = viewed(app)[0]["outlines"]
    assert [box["points"] for box in others] == [box["points"] for box in reversed(boxes)]
    choose_sex(app, "male")
    assert list(app.data_editor[0].value["sex"]) == ["male"] * 2
    st.cache_resource.clear()


def test_both_hands_among_other_files_are_two_rows(phantom_shapes, app):
    st.cache_resource.clear()
    upload(app, ("both.png", both_hands()), ("hand.png", png()))
    choose_sex(app, "female")
    table = app.data_editor[0].value
    assert list(table["file"]) == ["both.png", "both.png", "hand.png"]
    assert list(table["status"]) == ["ok"] * 3
    st.cache_resource.clear()


def test_how_a_file_was_read_is_told(app):
    content = dicom_bytes(draw_phantom(96, "male", 1), PatientSex="M")
    upload(app, ("IM0001", content))
    assert "About this file" in [expander.label for expander in app.expander]
    rows = app.table[0].value["value"]
    assert rows["File type"] == "DICOM" and rows["Hand detection"] == "joint landmarks"
    assert set(rows.index) >= {"Compression", "Size", "Polarity", "Frame removed"}
    assert not app.warning


def test_a_photograph_of_a_film_is_warned_about(app):
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    photograph = image_file("JPEG", draw_phantom(96, "female", 1), exif=exif.tobytes(), quality=95)
    choose_sex(upload(app, ("film.jpg", photograph)), "female")
    assert "photograph of a film" in app.warning[0].value
    assert "Ensemble" in ages(app)
    upload(app, ("film.jpg", photograph), ("hand.png", png()))
    choose_sex(app, "female")
    reasons = app.data_editor[0].value["reason"].fillna("")
    assert "photograph of a film" in reasons[0] and not reasons[1]


def test_a_sex_changed_in_the_table_is_warned_about_in_its_row(app):
    dicom = dicom_bytes(draw_phantom(96, "male", 1), PatientSex="F")
    choose_sex(app, "male")
    upload(app, ("a.png", png()), ("b.dcm", dicom))
    choose_sex(app, "male")
    table = app.data_editor[0].value
    assert list(table["sex"]) == ["male", "female"]  # the header counts more than the default
    assert list(table["reason"].fillna("")) == ["", ""]
    app.selectbox[0].set_value(app.selectbox[0].options[1])
    key_of_dicom = run(app).selectbox[0].value
    app.session_state["sexes"] = {key_of_dicom: "male"}  # as an edit of the table sets it
    table = run(app).data_editor[0].value
    assert list(table["sex"]) == ["male", "male"]
    assert "states female, but male was used" in table["reason"][1]


def test_an_adult_is_no_child_of_45_years(app):
    assert app.number_input(key="age_years").max == 20
    content = dicom_bytes(draw_phantom(96, "male", 1), PatientSex="M", PatientAge="045Y")
    upload(app, ("IM0001", content))
    assert app.number_input(key="age_years").value is None
    assert "What the bone age means" not in texts(app)
    assert "Ensemble" in ages(app)


@pytest.fixture
def reads(monkeypatch):
    """How often a file is decoded and a hand searched for."""
    counts = Counter()

    def counted(name, function):
        def call(*arguments):
            counts[name] += 1
            return function(*arguments)

        return call

    st.cache_data.clear()
    st.cache_resource.clear()
    monkeypatch.setattr(preprocessing, "find_hand", counted("hand", preprocessing.find_hand))
    for place in ("boneage.inference.predictor", "pages.radiographs"):
        monkeypatch.setattr(f"{place}.read_radiograph", counted("file", read_radiograph))
    return counts


def test_the_server_alone_preloads_the_models_once_and_pages_wait_until_asked(monkeypatch):
    """Called again, by a second server in the process for instance, it loads nothing anew."""
    loaded = []
    monkeypatch.setattr(radiographs, "published_weights", lambda: ())
    monkeypatch.setattr(radiographs, "Predictor", loaded.append)
    radiographs.start_loading.clear()
    try:
        for page in ("predict", "follow_up"):
            started(f"pages/{page}.py")
        assert not loaded
        for _ in range(2):
            radiographs.preload()
        radiographs.start_loading(()).result(30)
        assert loaded == [[]]
    finally:
        radiographs.start_loading.clear()


def test_an_upload_is_decoded_and_its_hand_found_once(app, reads):
    upload(app, ("hand.png", png(96, 4)))
    for sex in ("female", "male", "female"):
        choose_sex(app, sex)
    app.segmented_control(key="place").set_value("Radiograph")
    run(app)
    assert reads == {"file": 1, "hand": 1}


def test_several_uploads_are_decoded_and_their_hands_found_once_each(app, reads):
    files = [(f"{seed}.png", png(72, seed)) for seed in range(10, 16)]
    upload(app, *files)
    assert list(app.data_editor[0].value["status"]) == ["sex missing"] * 6
    choose_sex(app, "female")
    choose_sex(app, "male")
    assert list(app.data_editor[0].value["status"]) == ["ok"] * 6
    app.selectbox[0].set_value(app.selectbox[0].options[3])
    run(app)
    assert reads == {"file": 6, "hand": 6}


@pytest.mark.parametrize("what", ["text", "png bomb", "dicom without pixels"])
def test_a_bad_file_gets_one_sentence(app, what):
    name, content = bad_files()[what]
    upload(choose_sex(app, "female"), (name, content))
    assert len(app.error) == 1
    assert app.error[0].value.startswith(f"**{as_plain_markdown(name)}:**")
    assert "\n" not in app.error[0].value
    assert not app.header


def test_bad_files_alone_are_refused_one_by_one(app):
    files = some_bad_files().values()
    upload(choose_sex(app, "female"), *files)
    assert list(app.data_editor[0].value["status"]) == ["unreadable"] * len(files)
    for error, (name, _) in zip(app.error, files, strict=True):
        assert error.value.startswith(f"**{as_plain_markdown(name)}:**")


def color_png() -> bytes:
    file = BytesIO()
    hands = [draw_phantom(96, "female", seed) for seed in (1, 2, 3)]
    Image.fromarray(np.stack(hands, axis=2)).save(file, "PNG")
    return file.getvalue()


def test_a_refused_image_gets_the_reason_and_its_ages_only_after_a_click(app):
    choose_sex(upload(app, ("beach.png", color_png())), "female")
    assert len(app.warning) == 1
    assert "in color" in app.warning[0].value
    assert images(app) == {"The refused image"}
    assert "Ensemble" not in texts(app)
    (button,) = (b for b in app.button if b.label == "Show the prediction anyway")
    button.click()
    run(app)
    assert not app.warning
    assert "Refused by the quality check" in app.error[0].value
    assert "in color" in app.error[0].value
    assert ages(app).count("Not reliable: refused by the quality check") == 3
    assert images(app) >= NEEDED_MAPS
    # The click belongs to that file alone.
    upload(app, ("another.png", color_png()))
    choose_sex(app, "female")
    assert len(app.warning) == 1


def test_refused_files_among_others_have_no_ages_unless_looked_at(app):
    choose_sex(app, "female")
    upload(app, ("a.png", png()), ("beach.png", color_png()))
    choose_sex(app, "female")
    table = app.data_editor[0].value
    assert list(table["status"]) == ["ok", "refused"]
    assert list(table["ensemble_months"].isna()) == [False, True]
    assert "in color" in table["reason"][1]
    app.selectbox[0].set_value(app.selectbox[0].options[1])
    run(app)
    assert len(app.warning) == 1
    next(b for b in app.button if b.label == "Show the prediction anyway").click()
    run(app)
    table = app.data_editor[0].value
    assert list(table["status"]) == ["ok", "refused"]
    assert not table["ensemble_months"].isna().any()
    assert "Refused by the quality check" in app.error[0].value


def test_what_the_quality_check_cannot_check_is_said(app):
    choose_sex(upload(app, ("hand.png", png())), "female")
    assert "python -m boneage quality" in texts(app)


def test_several_files_become_a_table_and_bad_ones_do_not_stop_it(app):
    dicom = dicom_bytes(draw_phantom(96, "male", 1), PatientSex="M", PatientAge="008Y")
    bad = [bad_files()["text"], bad_files()["dicom without pixels"]]
    upload(app, ("a.png", png()), *bad, ("b.dcm", dicom))
    table = app.data_editor[0].value
    assert list(table["file"]) == ["a.png", "notes.png", "report.dcm", "b.dcm"]
    assert list(table["status"]) == ["sex missing", "unreadable", "unreadable", "ok"]
    assert list(table["sex"].fillna("")) == ["", "", "", "male"]
    assert len(app.error) == 2
    assert app.header[1].value == r"Bone age: b\.dcm"
    assert "What the bone age means" in texts(app)
    choose_sex(app, "female")
    table = app.data_editor[0].value
    assert list(table["sex"].fillna("")) == ["female", "", "", "male"]
    assert list(table["ensemble_months"].isna()) == [False, True, True, False]
    assert app.download_button[0].label == "Download as CSV"
    app.selectbox[0].set_value(app.selectbox[0].options[0])
    run(app)
    assert app.header[1].value == r"Bone age: a\.png"
    assert images(app) >= NEEDED_MAPS


def test_a_file_given_twice_is_predicted_once(app, predictions):
    choose_sex(app, "female")
    upload(app, ("a.png", png()), ("copy.png", png()))
    choose_sex(app, "female")
    assert list(app.data_editor[0].value["status"]) == ["ok", "ok"]
    assert predictions == ["female"]


def test_without_weights_the_page_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    app = take_sample(started(), "Girl, 5 years")
    assert len(app.error) == 1
    assert "train one" in app.error[0].value
    assert app.title


def test_a_damaged_model_gets_one_sentence_until_it_is_mended(
    tiny_artifacts, tmp_path, monkeypatch
):
    shutil.copytree(tiny_artifacts, tmp_path / "artifacts")
    graph = tmp_path / "artifacts" / "models" / "tiny_densenet" / "model.onnx"
    whole = graph.read_bytes()
    graph.write_bytes(whole[:1000])
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path / "artifacts"))
    st.cache_resource.clear()
    app = take_sample(started(), "Girl, 5 years")
    assert len(app.error) == 1
    assert "truncated" in app.error[0].value
    assert "boneage export" in app.error[0].value
    graph.write_bytes(whole)
    assert not run(app).error
    assert "Ensemble" in texts(app)
    st.cache_resource.clear()


def test_one_model_alone_is_shown_without_a_mean(tiny_artifacts, tmp_path, monkeypatch):
    name = "tiny_densenet"
    shutil.copytree(tiny_artifacts / "models" / name, tmp_path / "models" / name)
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path))
    app = take_sample(started(), "Girl, 5 years")
    assert "Tiny DenseNet" in texts(app)
    assert "Ensemble" not in texts(app)
    assert "CBAM" not in texts(app)
    assert not app.error


def test_a_prediction_with_its_maps_needs_no_tensorflow(tiny_artifacts):
    script = (
        "from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('pages/navigation.py', default_timeout=120).run()\n"
        "[button for button in app.button if button.label == 'Girl, 5 years'][0].click().run()\n"
        "assert 'Grad-CAM' in [part.value for part in app.subheader] and not app.exception\n"
    )
    assert heavy_imports(script) == "['mediapipe']"


def test_nothing_of_an_upload_is_written_or_logged(app, caplog):
    take_sample(app, "Girl, 5 years")  # imports and loading write byte code, which is none of it
    with files_written() as written:
        choose_sex(upload(app, ("Jane_Doe.png", png(50, 9))), "female")
    assert "Ensemble" in ages(app)
    assert written == []
    assert "Jane" not in caplog.text


@contextmanager
def files_written():
    """The paths that Python opens for writing meanwhile."""
    paths = []
    _LISTENERS.append(paths)
    try:
        yield paths
    finally:
        _LISTENERS.pop()


_LISTENERS: list[list] = []


def _listen(event: str, arguments: tuple) -> None:
    if event == "open" and _LISTENERS:
        path, mode, flags = arguments
        if set(mode or "") & set("wax+") or (flags or 0) & (os.O_WRONLY | os.O_RDWR):
            _LISTENERS[-1].append(path)


sys.addaudithook(_listen)  # for good: Python cannot remove one


def test_labels_beside_the_radiographs_give_the_errors(app):
    csv = b"id,boneage,sex,chronological age years\na,100,F,8\nb,100,M,\n"
    upload(app, ("a.png", png()), ("labels.csv", csv), ("b.png", png(seed=2)))
    table = app.data_editor[0].value
    assert list(table["file"]) == ["a.png", "b.png"] and list(table["sex"]) == ["female", "male"]
    assert list(table["years"].isna()) == [False, True] and table["years"][0] == 8
    assert table["residual_months"].notna().all() and table["sd_score"].notna().sum() == 1
    mae = table["residual_months"].abs().mean()
    assert f"**MAE {mae:.1f} months (95% CI" in texts(app) and "n = 2." in texts(app)


def test_labels_alone_or_of_other_files_are_said(app):
    csv = b"id,boneage,sex\na,100,F\n"
    upload(app, ("labels.csv", csv))
    assert "Upload the radiographs that the labels belong to" in app.info[0].value
    assert not app.error and not app.exception
    upload(app, ("labels.csv", csv), ("x.png", png()))
    assert "No label for x" in app.warning[0].value
    choose_sex(app, "female")
    assert "MAE" not in texts(app).split("Show details")[0]


def test_a_bad_label_file_does_not_keep_the_radiographs_from_being_read(app):
    upload(app, ("labels.csv", b"a,b\n1,2\n"), ("x.png", png()))
    assert "has no column for the" in app.error[0].value
    choose_sex(app, "female")
    assert ages(app)


def test_an_age_entered_in_the_table_gives_the_sd(app):
    upload(app, ("a.png", png()), ("b.png", png(seed=2)))
    choose_sex(app, "female")
    assert app.data_editor[0].value["sd_score"].isna().all()
    second = run(app).selectbox[0].options[1]
    app.selectbox[0].set_value(second)
    app.session_state["ages"] = {run(app).selectbox[0].value: 96.0}  # as an edit of the table
    run(app)
    table = app.data_editor[0].value
    assert list(table["sd_score"].notna()) == [False, True]
    assert table["assessment"][1] in ("Delayed", "Normal", "Advanced")
