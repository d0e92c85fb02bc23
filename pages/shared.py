"""What several pages share: choices, charts, errors, and the tables of the artifacts.

Streamlit runs a page from top to bottom after every click, so tables are kept by the state of
their files. An argument with _ in front is no part of the key it is kept under.
"""

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from boneage import artifacts
from boneage.datasets.columns import TITLES, UnknownColumn
from boneage.datasets.labels import columns_in_words, skipped_in_words
from boneage.formatting import as_plain_markdown
from boneage.growth.reference import SD_TABLES
from boneage.inference.ensemble import ensemble_table, ensemble_weights
from boneage.models.registry import ENSEMBLE

ALL = "all"
SEX_FILTER = {ALL: "All", "female": "Girls", "male": "Boys"}
RECIPES = {"best": "Best", "paper": "Original report"}
OLDEST_YEARS = 20  # the highest age that can be entered
PLOT = {"displayModeBar": False}
# What choices were called in earlier versions: their words stand in links that people have saved.
FORMER_WORDS = {
    "Mean of both models": "Ensemble",
    "Best so far": "Best",
    "Reference recipe": "Original report",
    "Reference age": "Reference bone age",
    "Predicted age": "Predicted bone age",
    "Your own": "Your own radiographs",
}
_TABLES_KEPT = 2  # of uploaded files; Head to head compares two


def show_error(error: Exception) -> None:
    """An error whose text is a sentence for people."""
    sentence = " ".join(str(error).split())
    st.error(as_plain_markdown(sentence), icon=":material/error:")


def pick(
    label: str,
    options: dict[str, str],
    key: str,
    default: int = 0,
    chosen: str | None = None,
    **look,
) -> str:
    """One of the options (value -> words); the choice stands in the address under `key`.

    Where there is one only, nothing is asked. `chosen` replaces the choice. look: as of
    `st.segmented_control`.
    """
    if len(options) == 1:
        return next(iter(options))
    first = list(options)[default]
    if chosen in options:
        st.session_state[key] = chosen
        first = None  # Streamlit warns of a default besides a value
    elif st.session_state.get(key) not in options:
        st.session_state.pop(key, None)  # it was one of other options
    values = {words: value for value, words in options.items()}
    if (words := FORMER_WORDS.get(st.query_params.get(key))) in values:
        st.session_state[key] = values[words]
        first = None
    return st.segmented_control(
        label,
        list(options),
        default=first,
        required=True,
        format_func=options.get,
        key=key,
        wrap=True,
        bind="query-params",
        **look,
    )


def choose_sd_table(key: str, help: str | None = None) -> str:
    """A key of SD_TABLES."""
    return st.segmented_control(
        "SD table",
        list(SD_TABLES),
        default=next(iter(SD_TABLES)),
        required=True,
        format_func=SD_TABLES.get,
        key=key,
        help=help,
        bind="query-params",
    )


def chart(figure, alt: str, key: str | None = None, **options):
    """A chart as on every page; the toolbar appears when the pointer is over it."""
    config = {"displaylogo": False, "modeBarButtonsToRemove": ["autoScale2d"]}
    return st.plotly_chart(figure, config=config, alt=alt, key=key, **options)


def recipes() -> list[str]:
    """Training recipes of which every published model has results, "best" first."""
    names = artifacts.available_models()
    found = [set(artifacts.recipe_folders(name)) for name in names]
    first = artifacts.recipe_folders(names[0]) if names else []
    return [recipe for recipe in first if all(recipe in folders for folders in found)]


def recipe_title(recipe: str) -> str:
    return RECIPES.get(recipe, recipe)


def cases_of(name: str, recipe: str) -> pd.DataFrame:
    """Predictions of a model or of the ensemble, all splits. Raises ArtifactError."""
    if name == ENSEMBLE:
        return _ensemble(recipe, prediction_files(recipe))
    path = artifacts.recipe_folders(name)[recipe]
    return _read_predictions(path, (path / artifacts.PREDICTIONS).stat().st_mtime_ns)


def weights_of(names: Sequence[str], recipe: str) -> dict[str, float]:
    """Model name -> its share in the mean of these models, of a recipe. Raises ArtifactError."""
    return _weights(tuple(names), recipe, prediction_files(recipe))


def prediction_files(recipe: str) -> tuple[tuple[str, int], ...]:
    """The predictions of every published model, each file with the time of its last change."""
    folders = [artifacts.recipe_folders(name)[recipe] for name in artifacts.available_models()]
    files = [folder / artifacts.PREDICTIONS for folder in folders]
    return tuple((str(file), file.stat().st_mtime_ns) for file in files)


# `files` stand in the key only: tables that were written anew are weighed anew.
@st.cache_resource(show_spinner=False, max_entries=4)
def _ensemble(recipe: str, files: tuple) -> pd.DataFrame:
    names = artifacts.available_models()
    return ensemble_table(_tables(names, recipe), weights_of(names, recipe))


@st.cache_resource(show_spinner=False, max_entries=4)
def _weights(names: tuple, recipe: str, files: tuple) -> dict[str, float]:
    return ensemble_weights(_tables(names, recipe))


def _tables(names: Sequence[str], recipe: str) -> dict[str, pd.DataFrame]:
    return {name: cases_of(name, recipe) for name in names}


@st.cache_resource(show_spinner=False, max_entries=8)
def _read_predictions(folder, changed: int) -> pd.DataFrame:
    return artifacts.read_predictions(folder)


def _read_once(read: Callable[..., pd.DataFrame], upload, chosen: dict[str, str]) -> pd.DataFrame:
    """The table of an upload, kept for the session, as a page runs again after every click."""
    tables = st.session_state.setdefault("uploaded_tables", {})
    which = read.__name__, upload.file_id, *chosen.items()
    if which not in tables:
        tables[which] = read(upload.getvalue(), upload.name, **chosen)
        for earlier in list(tables)[:-_TABLES_KEPT]:
            del tables[earlier]
    return tables[which]


def read_upload(read: Callable[..., pd.DataFrame], upload) -> pd.DataFrame | None:
    """Read an uploaded CSV file, ask what its column names leave open, and show what was read.

    read: `read_labels` or `read_user_predictions`. Returns None until every column is chosen.
    Raises LabelError.
    """
    chosen: dict[str, str] = {}
    while True:
        try:
            table = _read_once(read, upload, chosen)
            break
        except UnknownColumn as question:
            column = st.selectbox(
                f"Which column holds the {TITLES[question.role]}?",
                question.candidates,
                index=None,
                placeholder="Choose a column",
                key=f"{question.role} of {upload.file_id}",
                persist_state="session",
                width=420,
            )
            if column is None:
                return None
            chosen[f"{question.role}_column"] = column
    st.caption(columns_in_words(table, upload.name))
    if skipped := skipped_in_words(table):
        st.warning(as_plain_markdown(skipped), icon=":material/filter_alt:")
    return table
