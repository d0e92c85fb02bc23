"""Charts of the errors, the training and the robustness of two models."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from boneage import artifacts
from boneage.comparison import figures as comparison
from boneage.comparison.head_to_head import HeadToHead
from boneage.figures import style
from boneage.figures.training import training_curves
from boneage.formatting import CI_95, in_words
from boneage.robustness.figure import error_ratios
from pages import shared
from pages.head_to_head_sections.selection import Choice, Names


def show_charts(choice: Choice, found: HeadToHead) -> None:
    st.header("Errors by model and subgroup", anchor=False)
    first, second = choice.titles
    left, right = st.columns(2, gap="medium")
    with left:
        shared.chart(
            comparison.error_distributions(found.pairs, *choice.compared),
            alt="Distribution of the absolute errors of both models",
        )
    with right:
        shared.chart(
            comparison.win_shares(found.wins.drop(columns="p"), *choice.compared),
            alt="Percentage of radiographs on which each model is closer, by age and sex",
        )
    left, right = st.columns(2, gap="medium")
    with left:
        shared.chart(
            comparison.prediction_against_prediction(found.pairs, *choice.compared),
            alt=f"Predicted bone age of {second} against that of {first}",
        )
    if choice.are_models:
        with right:
            show_training(choice.names, choice.recipe)


def show_training(names: Names, recipe: str) -> None:
    curves, cut = training_chart(shared.prediction_files(recipe), names, recipe)
    shared.chart(curves, alt="Loss and validation error by epoch")
    if cut:
        st.caption(
            f"{in_words(cut)}: fine-tuned from earlier weights; the curves show the "
            "last stage only."
        )


# The curves are the same for all splits and sexes.
@st.cache_resource(show_spinner=False, max_entries=8)
def training_chart(files: tuple, names: Names, recipe: str) -> tuple:
    """(figure, titles of the models whose curves show their last stage only)."""
    folders = {name: artifacts.recipe_folders(name)[recipe] for name in names}
    histories = {name: artifacts.read_history(folder) for name, folder in folders.items()}
    cut = [
        style.model_title(name)
        for name, folder in folders.items()
        if artifacts.read_facts(folder).warm_start
    ]
    return training_curves(histories), cut


def show_robustness() -> None:
    table = artifacts.read_robustness()
    if table is None:
        return
    st.header("Robustness to image changes", anchor=False)
    shared.chart(
        robustness_chart(table),
        alt="Error of both models and of the ensemble on altered images",
    )
    st.caption(
        f"MAE on {table['n'].max():,} radiographs after image changes that do not affect the bone "
        f"age, relative to the MAE on the unchanged images. Error bars are paired {CI_95}s."
    )


# Like the curves, the same for all splits and sexes.
@st.cache_resource(show_spinner=False, max_entries=4)
def robustness_chart(table: pd.DataFrame) -> go.Figure:
    return error_ratios(table)
