"""The result of the learner beside those of the models on the same hands."""

import pandas as pd
import streamlit as st

from boneage.atlas.ossification import separating_events
from boneage.evaluation.published import SINGLE_READER
from boneage.formatting import CHILDREN, CI_95, age_in_short, metric_interval
from boneage.models.registry import ENSEMBLE
from boneage.quiz import figures as charts
from boneage.quiz import quiz
from boneage.quiz import text as quiz_text
from boneage.quiz.class_file import CaseSet
from boneage.quiz.quiz import N_HANDS, Quiz
from pages import shared
from pages.learn_sections.class_file import download_result
from pages.learn_sections.material import Material
from pages.viewer import show_image

N_MISSED = 3


def show_result(material: Material, game: Quiz, case_set: CaseSet) -> None:
    readers = {charts.YOU: game.cases()}
    refused = refused_hands(material, game.hands)
    readers |= {
        name: game.cases_of(table[~table["id"].isin(refused)])
        for name, table in material.predictions.items()
    }
    readers = {name: readers[name] for name in in_order(readers) if len(readers[name])}
    scores = quiz.scores(readers)
    st.header("Your result", anchor=False)
    st.markdown(
        quiz_text.quiz_result(*scores.loc[charts.YOU, ["mae", "mae_low", "mae_high", "bias"]])
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Ten more cases (set {st.session_state['set'] + 1})",
            type="primary",
            icon=":material/replay:",
            on_click=next_set,
        )
        download_result(game, case_set)
    shared.chart(
        charts.reader_errors(scores, SINGLE_READER),
        alt="Mean absolute error of you and of each model, with the range of single human readers",
    )
    score_table(scores, "Error, bias and limits of agreement of you and of each model")
    if refused:
        st.caption(quiz_text.hands_refused(refused))
    st.caption(
        f"The {CI_95}s are wide, because n = {N_HANDS}. Shaded: published estimate for the "
        "200 test radiographs of the challenge, whose reference is the mean of six readings."
    )
    st.subheader("Agreement with the reference", anchor=False)
    plots = charts.bland_altman(readers)
    with st.grid("auto", min_column_width=320, gap="medium"):
        for name, figure in plots.items():
            title = charts.reader_title(name)
            shared.chart(figure, alt=f"Bland-Altman plot: {title}", key=f"bland-altman-{name}")
    st.caption(
        "Bland-Altman plots of estimated minus reference bone age, with bias and 95% limits of "
        f"agreement; bands are {CI_95}s. All plots have the same scale."
    )
    show_missed(material, game.cases())
    answer_table(readers)


def refused_hands(material: Material, hands: pd.DataFrame) -> list[str]:
    """Ids of the hands that the quality check refuses, so that the models have no say on them."""
    if material.is_refused is None:
        return []
    with st.spinner("Running the image quality check on these radiographs."):
        return [hand["id"] for _, hand in hands.iterrows() if material.is_refused(hand)]


def in_order(readers) -> list[str]:
    """The learner, each model, and last their mean."""
    return sorted(readers, key=lambda name: (name != charts.YOU, name == ENSEMBLE, name))


def next_set() -> None:
    st.session_state["set"] += 1


def score_table(scores: pd.DataFrame, alt: str) -> None:
    def span(low: str, high: str) -> list[str]:
        return [metric_interval("bias", *ends) for ends in scores[[low, high]].to_numpy()]

    st.dataframe(
        pd.DataFrame(
            {
                "reader": scores.index.map(charts.reader_title),
                "mae": scores["mae"],
                "mae_interval": [
                    metric_interval("mae", *ends)
                    for ends in scores[["mae_low", "mae_high"]].to_numpy()
                ],
                "bias": scores["bias"],
                "bias_interval": span("bias_low", "bias_high"),
                "limits": span("lower", "upper"),
            }
        ),
        hide_index=True,
        column_config={
            "reader": st.column_config.TextColumn("Reader", pinned=True),
            "mae": st.column_config.NumberColumn("MAE, months", format="%.1f"),
            "mae_interval": st.column_config.TextColumn(CI_95),
            "bias": st.column_config.NumberColumn("Bias, months", format="%+.1f"),
            "bias_interval": st.column_config.TextColumn(CI_95),
            "limits": st.column_config.TextColumn("Limits of agreement"),
        },
        alt=alt,
    )


def show_missed(material: Material, cases: pd.DataFrame) -> None:
    missed = quiz.most_missed(cases, N_MISSED)
    if missed.empty:
        return
    st.subheader("Your largest errors", anchor=False)
    with st.grid(N_MISSED, min_column_width=220, gap="medium"):
        for _, case in missed.iterrows():
            with st.container():
                title, sentence = material.about(case)
                show_image(material.image(case), title, f"missed {case['id']}")
                said = quiz_text.answer_against(case["prediction_months"], case["reference_months"])
                ages = case["prediction_months"], case["reference_months"]
                events = separating_events(case["sex"], *sorted(ages))
                st.markdown(f"**{title}.** {sentence} {said}")
                st.markdown(quiz_text.what_separates(case["sex"], *ages, events))


def answer_table(readers: dict[str, pd.DataFrame]) -> None:
    st.subheader("All readings", anchor=False)
    you = readers[charts.YOU]
    shown = pd.DataFrame(
        {
            "Hand": you["id"],
            "Sex": you["sex"].map(CHILDREN),
            "Reference bone age": you["reference_months"].map(age_in_short),
        }
    )
    for name, cases in readers.items():
        months = you["id"].map(cases.set_index("id")["prediction_months"])
        shown[charts.reader_title(name)] = months.map(age_in_short, na_action="ignore")
    shown["Your residual, months"] = you["residual_months"]
    st.dataframe(
        shown,
        hide_index=True,
        height="content",
        column_config={
            "Hand": st.column_config.TextColumn(pinned=True),
            "Your residual, months": st.column_config.NumberColumn(format="%+.0f"),
        },
        placeholder="",
        alt="Each hand with its reference bone age, your reading and the predictions",
    )
