"""The results of a class: the files of its learners, beside the models on the same cases."""

import pandas as pd
import streamlit as st

from boneage.evaluation.published import SINGLE_READER
from boneage.evaluation.readers import icc_agreement, within_case_sd
from boneage.formatting import CHILDREN, age_in_short, as_plain_markdown, metric_interval
from boneage.quiz import class_figures, class_results, class_text
from boneage.quiz import figures as charts
from boneage.quiz import text as quiz_text
from boneage.quiz.class_file import CaseSet, read_class
from pages import shared
from pages.learn_sections.material import Material
from pages.learn_sections.result import in_order, refused_hands, score_table
from pages.viewer import show_image

N_HARDEST = 3


def show_class(material: Material, hands: pd.DataFrame, case_set: CaseSet) -> None:
    """Takes the files of a class that has read these hands, and shows the results."""
    with st.expander("Class results", icon=":material/groups:", key="class-results"):
        st.markdown(class_text.HOW_TO)
        uploads = st.file_uploader(
            f"Files of the class: {as_plain_markdown(str(case_set))}",
            accept_multiple_files=True,
            key="class_files",
            help="Files stay in memory while this page is open, and are not stored.",
        )
    files = [(upload.name, upload.getvalue()) for upload in uploads]
    answers, problems = read_class(files, case_set, hands)
    for problem in problems:
        st.warning(as_plain_markdown(problem), icon=":material/filter_alt:")
    if not answers.empty:
        show_answers(material, hands, answers)


def show_answers(material: Material, hands: pd.DataFrame, answers: pd.DataFrame) -> None:
    refused = refused_hands(material, hands)
    predictions = {name: material.predictions[name] for name in in_order(material.predictions)}
    models = class_results.model_answers(hands, predictions, refused)
    scores = class_results.class_scores(hands, answers, models)
    several = answers.shape[1] > 1
    st.header("Class results", anchor=False)
    st.markdown(class_text.class_result(scores, answers.shape[1]))
    st.markdown(
        class_text.agreement_in_words(
            icc_agreement(answers) if several else None, within_case_sd(answers)
        )
    )
    shared.chart(
        charts.reader_errors(scores, SINGLE_READER),
        alt="Mean absolute error of the class and of each model",
        key="class-errors",
    )
    score_table(scores, "Error, bias and limits of agreement of the class and of each model")
    if refused:
        st.caption(quiz_text.hands_refused(refused))
    st.caption(class_text.ABOUT_SCORES)
    st.caption(class_text.ABOUT_AGREEMENT)
    show_cases(material, hands, answers, models)
    show_learners(class_results.learner_scores(hands, answers))


def show_cases(
    material: Material, hands: pd.DataFrame, answers: pd.DataFrame, models: pd.DataFrame
) -> None:
    cases = class_results.case_scores(hands, answers)
    shared.chart(
        class_figures.residuals_by_case(hands, answers, models),
        alt="Residuals of every learner and of each model, case by case",
        key="class-residuals",
    )
    st.caption(class_text.ABOUT_CASES)
    st.subheader("Hardest cases", anchor=False)
    off = class_results.residuals(hands, models).rename(columns=charts.reader_title)
    with st.grid(N_HARDEST, min_column_width=220, gap="medium"):
        for number, case in cases.head(N_HARDEST).iterrows():
            with st.container():
                title, _ = material.about(case)
                show_image(material.image(case), title, f"hardest {case['id']}")
                said = class_text.case_in_words(case, off.loc[number].dropna())
                st.markdown(f"**Hand {number}: {title}.** {said}")
    case_table(cases.join(off), list(off))


def case_table(cases: pd.DataFrame, models: list[str]) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "sex": cases["sex"].map(CHILDREN),
                "reference": cases["reference_months"].map(age_in_short),
                "mean": cases["mean_months"].map(age_in_short),
            }
        ).join(cases[["mae", "bias", "sd", *models]]),
        height="content",
        column_config={
            "_index": st.column_config.NumberColumn("Hand", pinned=True),
            "sex": "Sex",
            "reference": "Reference",
            "mean": "Mean estimate",
            "mae": st.column_config.NumberColumn("MAE", format="%.1f"),
            "bias": st.column_config.NumberColumn("Bias", format="%+.1f"),
            "sd": st.column_config.NumberColumn("SD", format="%.1f"),
        }
        | {name: st.column_config.NumberColumn(format="%+.1f") for name in models},
        placeholder="",
        alt="Each hand with the estimates of the class and the residuals of the models",
    )
    st.caption(class_text.ABOUT_CASE_TABLE)


def show_learners(learners: pd.DataFrame) -> None:
    st.subheader("Learners", anchor=False)
    limits = learners[["lower", "upper"]].to_numpy()
    st.dataframe(
        learners[["reader", "mae", "bias"]].assign(
            limits=[metric_interval("bias", *ends) for ends in limits]
        ),
        hide_index=True,
        height="content",
        column_config={
            "reader": st.column_config.TextColumn("Code", pinned=True),
            "mae": st.column_config.NumberColumn("MAE, months", format="%.1f"),
            "bias": st.column_config.NumberColumn("Bias, months", format="%+.1f"),
            "limits": st.column_config.TextColumn("Limits of agreement"),
        },
        alt="Error, bias and limits of agreement of every learner",
    )
