import shutil
from functools import cache
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from apps import alts, heavy_imports, run, started, texts
from made_up_atlas import write_atlas
from PIL import Image
from streamlit.testing.v1 import AppTest

from boneage import artifacts
from boneage.atlas import evaluation as answers
from boneage.datasets.phantoms import draw_phantom
from boneage.quiz.quiz import Quiz

PAGE = "pages/learn.py"


@pytest.fixture(scope="module")
def root(_tiny_artifacts_folder, tmp_path_factory):
    """Artifacts with an atlas of ten drawings, each of which both models read as 100 months."""
    root = tmp_path_factory.mktemp("learn") / "artifacts"
    shutil.copytree(_tiny_artifacts_folder, root)
    write_atlas(root / "atlas")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BONEAGE_ARTIFACTS", str(root))
        names = artifacts.available_models()
        facts = {name: artifacts.read_facts(artifacts.model_folder(name)) for name in names}
        standards = answers.as_cases()[["sex", "months", "build"]].assign(
            prediction_months=100, refused=False
        )
        tables = [
            standards.assign(model=model, model_sha256=digest)
            for model, digest in artifacts.fingerprints(facts).items()
        ]
        answers.write(answers.PREDICTIONS, pd.concat(tables))
    return root


@pytest.fixture(autouse=True)
def _environment(root, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(root))
    monkeypatch.delenv("BONEAGE_RSNA", raising=False)
    st.cache_data.clear()
    st.cache_resource.clear()


def answer(app: AppTest, years: int | None, months: int | None = None) -> AppTest:
    app.number_input(key="years").set_value(years)
    app.number_input(key="months").set_value(months)
    press(app, "Submit")
    return app


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return run(app)


def answer_all(app: AppTest, off: int = 0, by_hand: int = 1) -> AppTest:
    """All ten, each `off` months more than the age, the last `by_hand` of them on the page.

    Told nothing in between. Each answer on the page takes it two runs.
    """
    quiz = app.session_state["quiz"]
    for age in quiz.hands["reference_months"][: len(quiz.hands) - by_hand]:
        quiz = quiz.answered(age + off)
    app.session_state["quiz"] = quiz
    app.toggle(key="tell").set_value(False)
    run(app)
    for _ in range(by_hand):
        age = app.session_state["quiz"].hand["reference_months"] + off
        answer(app, *map(int, divmod(age, 12)))
    return app


def test_a_hand_is_shown_with_its_sex_and_without_its_age():
    app = started(PAGE)
    hand = app.session_state["quiz"].hand
    child = {"female": "a girl's hand", "male": "a boy's hand"}[hand["sex"]]
    assert alts(app) == [f"Hand 1 of 10, {child}"]
    assert app.subheader[0].value == child.capitalize()
    assert hand["id"] not in texts(app)
    assert "Your answers are not stored" in texts(app)
    assert "not a single child" in texts(app)


def test_what_the_models_said_of_all_average_hands_stands_below():
    app = started(PAGE)
    said = texts(app)
    assert "do not show their accuracy on new radiographs" in said
    assert "less than on" not in said
    # 9 years: 109 months.
    assert "within 12 months of the mean bone age for 2 of the 10 average hands" in said
    assert "The image quality check accepted all 10 average hands" in said
    assert len(app.dataframe[0].value) == 8


def boy_of_6(app: AppTest) -> AppTest:
    """The quiz with a boy of 6 years 1 month next."""
    hands = app.session_state["quiz"].hands
    first = (hands["sex"] == "male") & (hands["reference_months"] == 73)
    app.session_state["quiz"] = Quiz(pd.concat([hands[first], hands[~first]], ignore_index=True))
    return run(app)


def test_an_answer_is_told_at_once_with_what_separates_it_from_the_reference():
    app = answer(boy_of_6(started(PAGE)), 7, 3)
    said = texts(app)
    assert app.subheader[0].value == "Boys, 6 years 1 month"
    assert "overestimated by 14 months" in said
    assert "Gilsanz" in said
    assert "from 7 years 3 months in boys: appearance of trapezoid (16)." in said
    assert "**16 Trapezoid.** Appears at a bone age of about 6 years 7 months" in said
    assert "Scaphoid" not in said  # there in both
    assert alts(app)[:2] == [
        "Your estimate: average hand of boys, 7 years 3 months",
        "Reference: average hand of boys, 6 years 1 month",
    ]
    press(app, "Next hand")
    assert alts(app)[0].startswith("Hand 2 of 10")


def test_an_answer_without_an_error_is_told_with_one_standard():
    app = answer(boy_of_6(started(PAGE)), 6, 1)
    assert "exact to the month" in texts(app)
    assert "separates" not in texts(app)
    assert [alt for alt in alts(app) if "average hand" in alt] == [
        "Reference: average hand of boys, 6 years 1 month"
    ]


def test_past_the_oldest_standard_an_answer_is_told_with_that():
    app = answer(boy_of_6(started(PAGE)), 19, None)
    captions = [image.caption for element in app.image for image in element.proto.imgs]
    assert captions[0] == "Your estimate: 19 years (oldest average hand: 15 years 1 month)"


def test_a_presentation_shows_the_same_hands_and_hides_their_age():
    app = started(PAGE, present="1", set="2")
    hands = app.session_state["quiz"].hands
    assert not app.subheader[0].value.startswith(("Girls", "Boys"))
    assert hands["id"][0] not in texts(app) + "".join(alts(app))
    app.button(key="key-Right").click()
    run(app)
    app.button(key="key-Space").click()
    run(app)
    assert hands["id"][1] in [title.value for title in app.title]
    assert {"A year younger", "A year older"} <= {alt.partition(":")[0] for alt in alts(app)}
    app.button(key="key-Esc").click()
    run(app)
    assert app.session_state["quiz"].answers == ()
    assert app.number_input(key="set").value == 2


def test_a_presentation_without_hands_says_so():
    app = started(PAGE, present="1", read="Your own radiographs")
    assert "no hands to present" in app.info[0].value
    app = started(PAGE, present="1", ages=["6", "7"])
    assert "choose a wider range" in app.error[0].value
    app.button(key="key-Esc").click()
    assert "present" not in run(app).query_params


def test_without_an_age_the_hand_waits():
    app = answer(started(PAGE), None)
    assert app.warning[0].value == "Enter a bone age first."
    assert app.session_state["quiz"].answers == ()
    answer(app, None, 7)  # an infant
    assert app.session_state["quiz"].answers == (7,)


def test_after_ten_the_learner_stands_beside_both_models_and_the_readers():
    app = answer_all(started(PAGE), off=6, by_hand=2)
    assert "Mean absolute error **6.0 months** (95% CI 6.0 to 6.0)" in texts(app)
    assert "Bias +6.0 months" in texts(app)
    scores = app.dataframe[0].value
    assert scores["reader"].tolist() == [
        "You",
        "Tiny DenseNet (tests)",
        "Tiny ResNet+CBAM (tests)",
        "Ensemble",
    ]
    assert scores["mae"].tolist() == pytest.approx([6, 45, 45, 45])  # 37, 73, ... 181
    assert scores["bias"].tolist() == pytest.approx([6, -9, -9, -9])
    charts = [chart.proto.alt for chart in app.get("plotly_chart")]
    assert "with the range of single human readers" in charts[0]
    assert [alt.startswith("Bland-Altman plot: ") for alt in charts[1:]] == [True] * 4
    assert len(alts(app)) == 3  # the most missed
    table = app.dataframe[1].value
    assert table["Your residual, months"].tolist() == [6] * 10
    assert set(table["Ensemble"]) == {"8 y 4 m"}


def test_ten_more_are_others_and_a_set_in_the_address_is_the_same_ten():
    first = answer_all(started(PAGE))
    hands = list(first.session_state["quiz"].hands["id"])
    press(first, "Ten more cases (set 2)")
    assert first.session_state["quiz"].answers == ()
    second = list(first.session_state["quiz"].hands["id"])
    assert second != hands
    assert list(started(PAGE, set="2").session_state["quiz"].hands["id"]) == second


def test_ten_more_print_no_stack(caplog, monkeypatch):
    """A widget with a value of its own may not be set: Streamlit would print where that was."""
    monkeypatch.setattr("streamlit.elements.lib.policies._shown_default_value_warning", False)
    app = press(answer_all(started(PAGE)), "Ten more cases (set 2)")
    assert not app.exception
    assert app.number_input(key="set").value == 2
    printed = [record for record in caplog.records if record.stack_info or record.exc_info]
    assert [record.getMessage() for record in printed] == []


def test_standards_that_the_quality_check_refused_have_no_predictions(root, tmp_path, monkeypatch):
    copy = shutil.copytree(root, tmp_path / "artifacts")
    path = copy / "atlas" / answers.PREDICTIONS
    table = pd.read_csv(path)
    refused = (table["sex"] == "male") & (table["months"] == 108)
    table.assign(refused=refused).to_csv(path, index=False)
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(copy))
    app = answer_all(started(PAGE))
    said = texts(app)
    assert "The image quality check refused the average hands of boys, 9 years 1 month" in said
    assert "accepted 9 of the 10 average hands" in said
    assert "for 1 of the 9 average hands" in said
    answered = app.dataframe[1].value.set_index("Hand")["Ensemble"]
    assert answered.isna().sum() == 1
    assert pd.isna(answered["Boys, 9 years 1 month"])


def test_answers_of_other_weights_are_left_out_with_a_sentence(root, tmp_path, monkeypatch):
    copy = shutil.copytree(root, tmp_path / "artifacts")
    path = copy / "atlas" / answers.PREDICTIONS
    table = pd.read_csv(path)
    table.assign(model_sha256="0").to_csv(path, index=False)
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(copy))
    app = answer_all(started(PAGE))
    assert "predictions are of other weights" in texts(app)
    assert app.dataframe[0].value["reader"].tolist() == ["You"]


@cache
def png(age: int, color: bool = False) -> bytes:
    file = BytesIO()
    seeds = (1, 2, 3) if color else (1, 1, 1)
    hands = [draw_phantom(age, "female", seed, height=200) for seed in seeds]
    Image.fromarray(np.stack(hands, axis=2)).save(file, "PNG")
    return file.getvalue()


def own(app: AppTest, n: int, *others: tuple[str, bytes]) -> AppTest:
    app.segmented_control(key="read").set_value("own")
    run(app)
    radiographs = [(f"h{number}.png", png(60), "") for number in range(n)]
    app.file_uploader[0].set_value([*radiographs, *((*other, "") for other in others)])
    return run(app)


def labels(n: int) -> tuple[str, bytes]:
    rows = "".join(f"h{number},{40 + number},False\n" for number in range(n))
    return "labels.csv", f"id,boneage,male\n{rows}".encode()


def test_own_radiographs_with_labels_are_read_without_the_models():
    app = own(started(PAGE), 11, labels(12))
    assert alts(app) == ["Hand 1 of 10, a girl's hand"]
    answer_all(app, off=2)
    assert "Mean absolute error **2.0 months**" in texts(app)
    assert app.dataframe[0].value["reader"].tolist() == ["You"]
    assert "no model predictions for these" in texts(app)


def test_hands_can_be_of_some_years_alone():
    app = own(started(PAGE), 22, labels(22))  # 40 to 61 months
    app.slider(key="ages").set_value((4, 6))
    ages = run(app).session_state["quiz"].hands["reference_months"]
    assert len(ages) == 10
    assert ages.between(48, 61).all()
    app.slider(key="ages").set_value((3, 4))
    assert "choose a wider range of bone ages" in run(app).error[0].value


def test_own_labels_are_read_in_any_dialect_and_asked_about():
    rows = "".join(f"h{number}.png\t{40 + number},5\tfille\n" for number in range(11))
    table = f"fichier\tâge\tsexe\n{rows}h11.png\t\tfille\n".encode("latin-1")
    app = own(started(PAGE), 11, ("labels.tsv", table))
    assert not alts(app)
    assert app.selectbox[0].label == "Which column holds the reference bone age?"
    app.selectbox[0].select("âge")
    run(app)
    assert alts(app) == ["Hand 1 of 10, a girl's hand"]
    assert "reference bone age from `âge`, sex from `sexe`" in texts(app)
    assert "1 of 12 rows left out\\: row 13" in app.warning[0].value


def test_own_files_that_cannot_be_used_get_a_sentence():
    app = own(started(PAGE), 2, labels(2))
    assert "needs 10 hands" in app.error[0].value
    app = own(started(PAGE), 2)
    assert "Upload exactly one CSV file" in app.error[0].value
    app = own(started(PAGE), 2, ("labels.csv", b"id,age\n1,2\n"))
    assert "labels\\.csv has no column for the sex" in app.error[0].value


def test_the_challenges_radiographs_come_with_what_the_models_said(root, tmp_path, monkeypatch):
    folder = tmp_path / "rsna"
    images = folder / "boneage-training-dataset"
    images.mkdir(parents=True)
    copy = shutil.copytree(root, tmp_path / "artifacts")
    for name in ("tiny_densenet", "tiny_resnet_cbam"):
        path = copy / "models" / name
        cases = artifacts.read_predictions(path).assign(split="validation")
        artifacts.write_predictions(path, cases)
    in_color = list(cases["id"][:3])  # ten of twelve are drawn, so that one at least is there
    for case in cases["id"]:
        (images / f"{case}.png").write_bytes(png(60, color=case in in_color))
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(copy))
    monkeypatch.setenv("BONEAGE_RSNA", str(folder))
    (folder / "boneage-test-dataset").mkdir()
    app = started(PAGE, read="Validation radiographs")
    assert "kept out of training" in texts(app)
    answer_all(app)
    scores = app.dataframe[0].value
    assert scores["bias"].round(1).tolist()[1:] == [9.0] * 3  # as stored
    hands = app.dataframe[1].value.set_index("Hand")
    refused = [case for case in in_color if case in hands.index]
    assert "quality check refused the radiograph" in texts(app)
    assert all(case in texts(app) for case in refused)
    unread = hands["Tiny DenseNet (tests)"].isna()
    assert sorted(hands.index[unread]) == sorted(refused)


def test_without_an_atlas_the_page_says_what_to_do(_tiny_artifacts_folder, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(_tiny_artifacts_folder))
    app = started(PAGE)
    assert len(app.error) == 1
    assert "atlas" in app.error[0].value


def test_a_whole_quiz_imports_no_tensorflow(root):
    script = (
        "from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('pages/learn.py', default_timeout=60).run()\n"
        "app.toggle(key='tell').set_value(False).run()\n"
        "quiz = app.session_state['quiz']\n"
        "for _ in range(8):\n"
        "    quiz = quiz.answered(96)\n"
        "app.session_state['quiz'] = quiz\n"
        "for _ in range(2):\n"
        "    app.number_input(key='years').set_value(8)\n"
        "    next(one for one in app.button if one.label == 'Submit').click().run()\n"
        "assert app.header[0].value == 'Your result' and not app.exception\n"
    )
    assert heavy_imports(script) == "[]"
