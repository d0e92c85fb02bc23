"""The files of a class on Learn."""

import shutil

import pandas as pd
import pytest
import streamlit as st
from apps import alts, run, started, texts
from made_up_atlas import write_atlas

from boneage import artifacts
from boneage.atlas import evaluation as answers
from boneage.quiz.class_file import CaseSet, read_answers, write_answers

PAGE = "pages/learn.py"


@pytest.fixture(scope="module")
def root(_tiny_artifacts_folder, tmp_path_factory):
    """Artifacts with an atlas of ten drawings, each read as 100 months."""
    root = tmp_path_factory.mktemp("class") / "artifacts"
    shutil.copytree(_tiny_artifacts_folder, root)
    write_atlas(root / "atlas")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BONEAGE_ARTIFACTS", str(root))
        st.cache_data.clear()
        st.cache_resource.clear()
        names = artifacts.available_models()
        facts = {name: artifacts.read_facts(artifacts.model_folder(name)) for name in names}
        standards = answers.as_cases()[["sex", "months", "build"]]
        tables = [
            standards.assign(prediction_months=100, refused=False, model=model, model_sha256=digest)
            for model, digest in artifacts.fingerprints(facts).items()
        ]
        answers.write(answers.PREDICTIONS, pd.concat(tables))
        yield root


def test_a_learners_file_and_the_results_of_a_class(root):
    app = started(PAGE, set="7")
    quiz = app.session_state["quiz"]
    while not quiz.is_over:
        quiz = quiz.answered(quiz.hand["reference_months"] + 6)
    app.session_state["quiz"] = quiz
    run(app)
    case_set = CaseSet("Average hands", 7)
    (code,) = [one.value for one in app.caption if one.value.startswith("Your code")]
    reader = code.removeprefix("Your code: ")
    run(app)
    assert code in [one.value for one in app.caption]  # the same answers keep their code

    mine = write_answers(quiz.cases(), case_set, reader)
    assert read_answers(mine, "mine.csv", case_set, quiz.hands)[0] == reader
    cases = quiz.cases()
    cases["prediction_months"] -= 12
    another = write_answers(cases, case_set, "LLLLLL")
    other_set = write_answers(cases, CaseSet("Average hands", 8), "MMMMMM")
    n_images = len(alts(app))
    files = {"mine": mine, "another": another, "again": mine, "set-8": other_set, "no": b"\x00"}
    (uploader,) = app.file_uploader
    uploader.set_value([(f"{name}.csv", content, "text/csv") for name, content in files.items()])
    run(app)

    said = [warning.value.replace("\\", "") for warning in app.warning]
    assert len(said) == 3
    assert said[0].startswith(f"again.csv has the same reader as mine.csv ({reader})")
    assert said[1].startswith("set-8.csv is of another set (Average hands, set 8)")
    assert said[2].startswith("no.csv is not a CSV file")
    shown = texts(app)
    assert "2 learners: mean absolute error of a single reading **6.0 months**" in shown
    assert "bias 0.0 months" in shown
    assert "within-case SD **8.5 months**" in shown  # 12 / sqrt(2)
    tables = [frame.value for frame in app.dataframe]
    (scores,) = [
        one for one in tables if "reader" in one and "Single learner" in set(one["reader"])
    ]
    assert scores["mae"].tolist() == pytest.approx([6, 0, 45, 45, 45], abs=0.1)
    assert tables[-1]["reader"].tolist() == sorted([reader, "LLLLLL"])
    assert len(alts(app)) == n_images + 3  # the hardest cases
    assert [e.label for e in app.expander].count("Class results") == 1
