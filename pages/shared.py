"""What several pages share: radiographs, models, and the tables of the artifacts.

Streamlit runs a page from top to bottom after every click, so what takes long is kept: models once
for the process, tables by the file's state, predictions by the radiograph's content. An argument
with _ in front is no part of the key it is kept under.
"""

import gc
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from boneage import artifacts, formatting
from boneage.atlas import evaluation as answers
from boneage.datasets.columns import TITLES, UnknownColumn
from boneage.datasets.labels import columns_in_words, skipped_in_words
from boneage.errors import BoneAgeError
from boneage.figures import pictures
from boneage.inference import text as prediction_text
from boneage.inference.ensemble import ensemble_table, ensemble_weights
from boneage.inference.predictor import Explanation, Prediction, Predictor, PreparedRadiograph
from boneage.models.registry import ENSEMBLE
from boneage.radiographs.preprocessing import PreparedHand
from boneage.radiographs.reading import Radiograph, read_radiograph

# Until `app.py` has run once, Streamlit serves a folder called "pages" in its own way and would
# open a link to a page without the app around it: the first visitor's link runs again.
if PagesManager.uses_pages_directory:
    PagesManager.uses_pages_directory = False
    st.rerun()

SEX_LABELS = {"female": ":material/female: Female", "male": ":material/male: Male"}
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

Weights = tuple[tuple[str, str], ...]  # model name and SHA-256 of its weights


@dataclass(frozen=True)
class Header:
    """What a file says of itself; fault: why it cannot be read, one sentence."""

    sex: str | None = None
    age_months: float | None = None
    fault: str | None = None


@dataclass(frozen=True)
class Source:
    """One radiograph to read; `key` tells it from every other of this session.

    The file is read when its header is asked for. Of a sample, sex and what to know are given.
    """

    key: str
    name: str
    content: bytes
    digest: str
    sample_sex: str | None = None
    about: str | None = None

    @property
    def header(self) -> Header:
        return _header(self.digest, self.content)

    @property
    def sex(self) -> str | None:
        """Known without asking: of a sample, or from a DICOM header."""
        return self.sample_sex or self.header.sex


@dataclass(frozen=True, eq=False)
class Opened:
    """What is kept of a radiograph once it is read: without its pixels, hundreds fit in memory.

    prepared: for the models. shown: for the screen. to_compare: for the atlas.
    """

    prepared: PreparedRadiograph
    shown: pictures.ShownRadiograph
    to_compare: PreparedHand


def spare_collector() -> None:
    """Leave all there is now out of the search for garbage that Streamlit makes after every run.

    Modules and models are none, and looking through them takes as long as a page.
    """
    gc.unfreeze()  # for what has become garbage since the last time
    gc.collect()
    gc.freeze()


spare_collector()


def show_error(error: Exception) -> None:
    """An error whose text is a sentence for people."""
    sentence = " ".join(str(error).split())
    st.error(formatting.as_plain_markdown(sentence), icon=":material/error:")


def pick(label: str, options: dict[str, str], key: str, default: int = 0) -> str:
    """One of the options (value -> words); the choice stands in the address under `key`.

    Where there is one only, nothing is asked.
    """
    if len(options) == 1:
        return next(iter(options))
    first = list(options)[default]
    values = {words: value for value, words in options.items()}
    if (words := FORMER_WORDS.get(st.query_params.get(key))) in values:
        st.session_state[key] = values[words]
        first = None  # Streamlit warns of a default besides a value
    return st.segmented_control(
        label,
        list(options),
        default=first,
        required=True,
        format_func=options.get,
        key=key,
        wrap=True,
        bind="query-params",
    )


def chart(figure, alt: str, key: str | None = None, **options):
    """A chart as on every page; the toolbar appears when the pointer is over it."""
    config = {"displaylogo": False, "modeBarButtonsToRemove": ["autoScale2d"]}
    return st.plotly_chart(figure, config=config, alt=alt, key=key, **options)


# Tables -----------------------------------------------------------------------------------------


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


def read_upload(read: Callable[..., pd.DataFrame], upload) -> pd.DataFrame | None:
    """Read an uploaded CSV file, ask what its column names leave open, and show what was read.

    read: `read_labels` or `read_user_predictions`. Returns None until every column is chosen.
    Raises LabelError.
    """
    chosen = {}
    while True:
        try:
            table = read(upload.getvalue(), upload.name, **chosen)
            break
        except UnknownColumn as question:
            column = st.selectbox(
                f"Which column holds the {TITLES[question.role]}?",
                question.candidates,
                index=None,
                placeholder="Choose a column",
                key=f"{question.role} of {upload.file_id}",
                width=420,
            )
            if column is None:
                return None
            chosen[f"{question.role}_column"] = column
    st.caption(columns_in_words(table, upload.name))
    if skipped := skipped_in_words(table):
        st.warning(formatting.as_plain_markdown(skipped), icon=":material/filter_alt:")
    return table


# Radiographs ------------------------------------------------------------------------------------


def file_source(key: str, name: str, content: bytes) -> Source:
    return Source(key, name, content, hashlib.sha256(content).hexdigest())


@st.cache_data(show_spinner=False, max_entries=1000)
def _header(digest: str, _content: bytes) -> Header:
    try:
        radiograph = _read(digest, _content)
    except BoneAgeError as error:
        return Header(fault=str(error))
    return Header(radiograph.sex, radiograph.age_months)


# Whole films are large, so few are kept: the header is asked for just before the file is opened.
@st.cache_resource(show_spinner=False, max_entries=4)
def _read(digest: str, _content: bytes) -> Radiograph:
    return read_radiograph(_content)


@st.cache_resource(show_spinner=False, max_entries=100)
def opened(weights: Weights, digest: str, _content: bytes) -> Opened:
    """Raises UnreadableRadiograph."""
    radiograph = _read(digest, _content)
    prepared = load_predictor(weights).open(radiograph)
    return Opened(
        prepared,
        pictures.reduce(radiograph.pixels),
        answers.prepare_to_compare(radiograph.pixels, prepared.hand),
    )


def show_fault(source: Source) -> bool:
    """Why a file cannot be read; whether that is so."""
    if fault := source.header.fault:
        name, fault = map(formatting.as_plain_markdown, (source.name, fault))
        st.error(f"**{name}:** {fault}", icon=":material/broken_image:")
    return bool(fault)


def show_notes(source: Source, prediction: Prediction) -> None:
    """What to know of a sample, and a sex other than the DICOM header's."""
    if source.about:
        st.info(source.about, icon=":material/info:")
    if prediction.contradicts_header:
        sentence = prediction_text.other_sex_in_header(prediction.source.sex, prediction.sex)
        st.warning(sentence, icon=":material/warning:")


def show_refusal(weights: Weights, source: Source, prediction: Prediction) -> bool:
    """Why the quality check refused a radiograph; whether to show its bone age all the same."""
    reason, forced = prediction.refusal.reason, st.session_state.setdefault("forced", set())
    if source.key in forced:
        st.error(f"**Refused by the quality check.** {reason}", icon=":material/block:")
        return True
    st.warning(f"**No bone age for this image.** {reason}", icon=":material/block:")
    st.image(
        pictures.with_hand_box(
            opened(weights, source.digest, source.content).shown, prediction.hand
        ),
        caption="The region that was taken for the hand",
        width=240,
        alt="The refused image",
    )
    st.button(
        "Show the prediction anyway",
        key=f"force-{source.key}",
        on_click=forced.add,
        args=(source.key,),
    )
    return False


# Models -----------------------------------------------------------------------------------------


def published_weights() -> Weights:
    """The models there are, each with the hash of its weights. Raises ArtifactError."""
    fingerprints = artifacts.published_fingerprints()
    return tuple((name, fingerprints[name]) for name in artifacts.available_models())


@st.cache_resource(
    max_entries=1, show_spinner="Loading the models. The first time takes about 20 seconds."
)
def load_predictor(weights: Weights) -> Predictor:
    predictor = Predictor([name for name, _ in weights])
    spare_collector()
    return predictor


@st.cache_resource(show_spinner=False, max_entries=1000)
def predict(weights: Weights, digest: str, sex: str, _content: bytes) -> Prediction:
    """Raises UnreadableRadiograph."""
    return load_predictor(weights).predict(opened(weights, digest, _content).prepared, sex)


@st.cache_resource(show_spinner=False, max_entries=32)
def explain(weights: Weights, digest: str, sex: str, name: str, _content: bytes) -> Explanation:
    prediction = predict(weights, digest, sex, _content)
    return load_predictor(weights).explain(prediction, name)
