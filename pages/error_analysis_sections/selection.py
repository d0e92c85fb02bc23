"""The choice of radiographs: model, recipe, split, sex and age, or predictions of one's own."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from boneage import artifacts
from boneage.datasets.blocks import acquisition_block
from boneage.datasets.labels import LabelError, read_user_predictions
from boneage.datasets.text import SPLITS
from boneage.error_analysis import analysis
from boneage.error_analysis import text as error_text
from boneage.error_analysis.analysis import Analysis
from boneage.error_analysis.conditions import filter_cases, in_words
from boneage.figures import palette, style
from boneage.formatting import ages_in_words
from boneage.inference import text as prediction_text
from boneage.models.registry import ENSEMBLE
from pages import shared
from pages.error_analysis_sections.subgroup import chosen as chosen_subgroup
from pages.error_analysis_sections.subgroup import show_chip

OWN = "own"
OLDEST_YEARS = 19


@dataclass(frozen=True)
class Choice:
    """What the page shows: the cases of one model, recipe and split, of one sex and of some ages.

    by: column of the age by which residuals and subgroups are shown.
    restriction: the sex, ages and subgroup that the cases were restricted to, in words.
    published: name of the model, or "ensemble", whose intervals the app shows; None of others.
    ids: of the cases of all sexes and ages, in the subgroup or not.
    whole: no case of the split was left out by sex, age or subgroup.
    note: a sentence on the model, or None.
    """

    title: str
    color: str
    split: str
    by: str
    models: list[str]  # whose maps can be shown
    cases: pd.DataFrame
    ids: pd.Series
    whole: bool
    restriction: str = ""
    published: str | None = None
    note: str | None = None


def choose() -> Choice | None:
    """The choice, which stands in the address; None when an uploaded file cannot be used (yet)."""
    with st.expander("Analyze your own predictions", icon=":material/upload_file:"):
        st.markdown(
            "A CSV or Parquet file with the columns `id`, `boneage` (the reference bone age), "
            "`sex` and `prediction`, ages in months, gets the same analysis as our models."
        )
        upload = st.file_uploader("Your predictions", label_visibility="collapsed")
    if upload:
        try:
            own = shared.read_upload(read_user_predictions, upload)
        except LabelError as error:
            shared.show_error(error)
            return None
        if own is None:
            return None
        cases, restriction, by = narrow(own)
        whole = len(cases) == len(own)
        return Choice(
            "Your predictions", palette.MEAN, OWN, by, [], cases, own["id"], whole, restriction
        )
    with st.container(horizontal=True, gap="medium"):
        published = artifacts.available_models()
        names = [*published, ENSEMBLE] if len(published) > 1 else published
        name = shared.pick("Model", {name: style.model_title(name) for name in names}, "model", -1)
        recipe = shared.pick(
            "Recipe", {r: shared.recipe_title(r) for r in shared.recipes()}, "recipe"
        )
        split = shared.pick("Radiographs", SPLITS, "split")
    cases = shared.cases_of(name, recipe)
    cases = cases.assign(block=acquisition_block(cases))
    of_split = cases[cases["split"] == split]
    cases, restriction, by = narrow(of_split)
    whole = len(cases) == len(of_split)
    models = published if name == ENSEMBLE else [name]
    title, color = style.model_title(name), palette.model_color(name)
    shown = name if recipe == artifacts.BEST else None
    note = weights_in_words(recipe) if name == ENSEMBLE else None
    return Choice(
        title, color, split, by, models, cases, of_split["id"], whole, restriction, shown, note
    )


def weights_in_words(recipe: str) -> str:
    weights = shared.weights_of(artifacts.available_models(), recipe)
    return prediction_text.ensemble_weights(
        {style.model_title(n): share for n, share in weights.items()}
    )


def narrow(cases: pd.DataFrame) -> tuple[pd.DataFrame, str, str]:
    """The cases of the sex, ages and subgroup chosen, these in words, and the age to show them by.

    Raises SubgroupError.
    """
    with st.container(horizontal=True, gap="medium"):
        sex = shared.pick("Sex", shared.SEX_FILTER, "of_sex")
        youngest, oldest = st.slider(
            "Reference bone age in years",
            0,
            OLDEST_YEARS,
            (0, OLDEST_YEARS),
            key="years",
            width=300,
            bind="query-params",
        )
        by = shared.pick(
            "Residuals and subgroups by",
            {by: words.capitalize() for by, (words, _) in style.AGES.items()},
            "by",
        )
    end = 12 * oldest if oldest < OLDEST_YEARS else float("inf")  # the last also takes the older
    chosen = cases["reference_months"].between(12 * youngest, end)
    if sex != shared.ALL:
        chosen &= cases["sex"] == sex
    subgroup = chosen_subgroup()
    show_chip(subgroup, by)
    chosen &= filter_cases(cases, subgroup)
    restriction = [in_words(subgroup, by)] if subgroup else []
    if (youngest, oldest) != (0, OLDEST_YEARS):
        ages = ages_in_words(12 * youngest, 12 * oldest)
        restriction.insert(0, f"reference bone age {ages}")
    if sex != shared.ALL:
        restriction.insert(0, shared.SEX_FILTER[sex].lower())
    # A copy of very many would take as much memory again.
    narrowed = cases if chosen.all() else cases[chosen].reset_index(drop=True)
    return narrowed, ", ".join(restriction), by


def analyze(cases: pd.DataFrame, by: str) -> Analysis:
    """What the page shows of the cases; of very many it is not kept, for it is large."""
    return (analysis.analyze if len(cases) > analysis.MOST_POINTS else _analyze)(cases, by)


# Streamlit tells tables apart by their content, so an analysis is kept for every choice.
@st.cache_resource(show_spinner=False, max_entries=64)
def _analyze(cases: pd.DataFrame, by: str) -> Analysis:
    return analysis.analyze(cases, by)


def show_sample_note(found: Analysis) -> None:
    """That charts show a sample, where they do."""
    if note := error_text.about_sample(len(found.drawn), len(found.cases)):
        st.caption(note)
