"""The files of a class on Learn."""

from apps import alts, run, started, texts

from boneage.formatting import age_in_short
from boneage.quiz.class_file import CaseSet, read_answers, write_answers

PAGE = "pages/learn.py"


def test_a_learners_file_and_the_results_of_a_class():
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
    cases.loc[6, "prediction_months"] -= 8  # hand 7, now the hardest
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
    assert "2 learners: mean absolute error of a single reading **6.4 months**" in shown
    assert "bias −0.4 months" in shown
    assert "within-case SD **9.2 months**" in shown  # squared (9 * 12² + 20²) / 20
    tables = [frame.value for frame in app.dataframe]
    (scores,) = [
        one for one in tables if "reader" in one and "Single learner" in set(one["reader"])
    ]
    assert scores["reader"].tolist()[1:] == [
        "Mean of learners", "DenseNet121", "ResNet34+CBAM", "Ensemble",
    ]  # fmt: skip
    assert scores["mae"].round(1).tolist()[:2] == [6.4, 0.4]
    by_case = tables[-2]  # the hardest first, and each row of one hand
    assert list(by_case["mae"]) == sorted(by_case["mae"], reverse=True)
    assert by_case.index[0] == 7
    references = by_case["reference"].sort_index().tolist()
    assert references == quiz.hands["reference_months"].map(age_in_short).tolist()
    assert set(tables[-1]["reader"]) == {reader, "LLLLLL"}
    assert len(alts(app)) == n_images + 3  # the hardest cases
    assert [e.label for e in app.expander].count("Class results") == 1
