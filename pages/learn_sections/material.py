"""What to learn on: average or synthetic hands, radiographs of the challenge, or one's own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import streamlit as st

from boneage import artifacts
from boneage.atlas import evaluation as answers
from boneage.atlas import standards
from boneage.atlas import text as atlas_text
from boneage.datasets.challenge import radiographs_folder
from boneage.datasets.labels import LabelError, read_labels
from boneage.datasets.rsna import find_split_images
from boneage.datasets.text import ABOUT_SPLIT
from boneage.figures import viewer
from boneage.figures.viewer import ViewedImage
from boneage.formatting import children_aged
from boneage.models.registry import ENSEMBLE
from boneage.quiz.quiz import N_HANDS
from boneage.radiographs.raster import ACCEPTED_TYPES, IMAGE_SUFFIXES
from boneage.radiographs.reading import read_radiograph
from boneage.synthetic import evaluation as synthetic
from boneage.synthetic import hands
from boneage.synthetic import text as synthetic_text
from pages import radiographs, shared

STANDARDS, SYNTHETIC, OWN = "standards", "synthetic", "own"

MATERIALS = {
    STANDARDS: "Average hands",
    SYNTHETIC: "Synthetic hands",
    "test": "Test radiographs",
    "validation": "Validation radiographs",
    OWN: "Your own radiographs",
}

TABLE_SUFFIXES = (".csv", ".tsv", ".txt")


@dataclass(frozen=True, eq=False)
class Material:
    """Hands to learn on.

    key: tells it from all others. pool: columns id, sex and reference_months. image: a row of it
    -> the hand to look at. about: a row of it -> title with the age, and a sentence or "".
    predictions: model name -> its predictions for the hands, columns id and prediction_months.
    notes: sentences on the source of hands and predictions. is_refused: a row of the pool ->
    whether the quality check refuses the hand, asked where that is not known of the predictions.
    """

    key: str
    pool: pd.DataFrame
    image: Callable[[pd.Series], ViewedImage]
    about: Callable[[pd.Series], tuple[str, str]]
    predictions: dict[str, pd.DataFrame] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    is_refused: Callable[[pd.Series], bool] | None = None


def choose() -> tuple[str, int, bool]:
    """What to read, the number of the set, and whether to tell after each answer."""
    has_cases = bool(radiographs_folder() and artifacts.available_models())
    offered = MATERIALS if has_cases else {k: MATERIALS[k] for k in (STANDARDS, SYNTHETIC, OWN)}
    if not hands.available():
        offered = {key: name for key, name in offered.items() if key != SYNTHETIC}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chosen = shared.pick("Cases", offered, "read")
        number = st.number_input(
            "Set",
            min_value=1,  # where it starts; with a `value` of its own `next_set` could not set it
            key="set",
            width=130,
            bind="query-params",
            help="The same number shows the same ten hands in the same order. Share it, or the "
            "address of this page, with a class.",
        )
        tell = st.toggle("Show feedback after each case", value=True, key="tell")
    return chosen, number, tell


def material_of(chosen: str) -> Material | None:
    """The hands of one of MATERIALS; None while there is nothing to read."""
    if chosen == STANDARDS:
        return average_hands()
    if chosen == SYNTHETIC:
        return synthetic_hands()
    if chosen == OWN:
        return own_radiographs()
    return radiographs_of(radiographs_folder(), chosen)


def average_hands() -> Material:
    predictions = answers.read_standard_predictions()
    notes = [
        "Each hand is the average of 20 or more radiographs of one sex and bone age, not a single "
        "child. Its bones are sharper than on a radiograph."
    ]
    each = {}
    if set(predictions["model"]) >= set(artifacts.available_models()):
        each = {name: table for name, table in answers.accepted(predictions).groupby("model")}
        notes.append(atlas_text.STANDARDS_WERE_SEEN)
        if refused := answers.refused_standards(predictions):
            notes.append(atlas_text.standards_refused(refused))
    else:
        notes.append(
            "The stored predictions are of other weights and are not shown; update them with "
            "`python -m boneage atlas-evaluate`."
        )

    def image(hand: pd.Series) -> ViewedImage:
        return viewer.picture(standards.standard(hand["sex"], hand["months"]).image)

    def about(hand: pd.Series) -> tuple[str, str]:
        standard = standards.standard(hand["sex"], hand["months"])
        return standard.title, standard.caption

    notes.append(standards.SOURCE)
    return Material(STANDARDS, answers.as_cases(), image, about, each, tuple(notes))


def synthetic_hands() -> Material:
    predictions = synthetic.read_predictions()
    accepted = predictions[~predictions["refused"]]

    def image(hand: pd.Series) -> ViewedImage:
        drawn = hands.synthetic_hand(hand["sex"], hand["reference_months"], hand["seed"])
        return viewer.picture(drawn.image)

    notes = (synthetic_text.about_hands(predictions), synthetic_text.SOURCE)
    each = dict(iter(accepted.groupby("model")))
    return Material(SYNTHETIC, synthetic.accepted_cases(), image, age_of, each, notes)


def radiographs_of(folder: Path, split: str) -> Material:
    """The challenge's radiographs on this machine, which the published models have read."""
    names = artifacts.available_models()
    readers = [*names, ENSEMBLE] if len(names) > 1 else names
    tables = {name: shared.cases_of(name, artifacts.BEST) for name in readers}
    tables = {name: table[table["split"] == split] for name, table in tables.items()}
    cases = tables[names[0]]
    files = files_of(folder, split)

    def image(hand: pd.Series) -> ViewedImage:
        return radiograph(files[hand["id"]].read_bytes())

    def is_refused(hand: pd.Series) -> bool:
        source = radiographs.file_source(hand["id"], hand["id"], files[hand["id"]].read_bytes())
        weights = radiographs.published_weights()
        prediction = radiographs.predict(weights, source.digest, hand["sex"], source.content)
        return prediction.refusal is not None

    pool = cases[cases["id"].isin(files)]
    notes = (ABOUT_SPLIT[split],)
    return Material(split, pool, image, age_of, tables, notes, is_refused)


# A folder of 12,000 files takes a while to list.
@st.cache_data(show_spinner=False, max_entries=4)
def files_of(folder: Path, split: str) -> dict[str, Path]:
    cases = shared.cases_of(artifacts.available_models()[0], artifacts.BEST)
    return find_split_images(folder, split, cases.loc[cases["split"] == split, "id"])


def own_radiographs() -> Material | None:
    """Radiographs and their labels from the learner's computer."""
    uploads = st.file_uploader(
        f"At least {N_HANDS} radiographs and one CSV file with the columns id, boneage, sex",
        accept_multiple_files=True,
        help=f"Radiographs are {ACCEPTED_TYPES} files named by their id, such as 1377.png; boneage "
        "is the reference bone age in months. All files stay in memory while this page is open.",
    )
    tables = [upload for upload in uploads if upload.name.lower().endswith(TABLE_SUFFIXES)]
    if not uploads:
        return None
    if len(tables) != 1:
        raise LabelError(
            f"Upload exactly one CSV file with the radiographs; there are {len(tables)}."
        )
    labels = shared.read_upload(read_labels, tables[0])
    if labels is None:
        return None
    files = {}
    for upload in uploads:
        name, dot, suffix = upload.name.rpartition(".")
        if (dot + suffix).lower() in IMAGE_SUFFIXES:
            files[name] = upload
    pool = labels[labels["id"].isin(files)]

    def image(hand: pd.Series) -> ViewedImage:
        return radiograph(files[hand["id"]].getvalue())

    key = " ".join(sorted(upload.file_id for upload in uploads))
    notes = ("There are no model predictions for these radiographs.",)
    return Material(key, pool, image, age_of, notes=notes)


def age_of(hand: pd.Series) -> tuple[str, str]:
    return children_aged(hand["sex"], hand["reference_months"]), ""


# Every click runs the page again, and reading a large film takes a while.
@st.cache_resource(show_spinner=False, max_entries=8)
def radiograph(content: bytes) -> ViewedImage:
    return viewer.film(read_radiograph(content).pixels)
