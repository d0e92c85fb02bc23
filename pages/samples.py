"""Hands to try where no radiograph is at hand: synthetic or average hands, or drawings."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from boneage import formatting
from boneage.artifacts import ArtifactError
from boneage.atlas import evaluation as answers
from boneage.atlas import standards
from boneage.atlas import text as atlas_text
from boneage.datasets.phantoms import draw_phantom
from boneage.figures import images
from boneage.models.registry import ENSEMBLE
from boneage.synthetic import evaluation as synthetic
from boneage.synthetic import hands
from boneage.synthetic import text as synthetic_text
from pages.radiographs import Source


class Sample(NamedTuple):
    """A hand to try. seed: of a synthetic hand or a drawing. build: of the standard or the group
    that it is or is drawn from, see `atlas.files` and `synthetic.files`."""

    sex: str
    months: int
    seed: int | None = None
    build: str | None = None

    @property
    def is_drawing(self) -> bool:
        return self.build is None

    @property
    def is_synthetic(self) -> bool:
        return self.build is not None and self.seed is not None

    @property
    def kind(self) -> str:
        """What it is, with an article."""
        if self.is_drawing:
            return "a drawing of a hand"
        return "a synthetic hand" if self.is_synthetic else "an average hand"


DRAWINGS = {
    "Girl, 5 years": Sample("female", 60, seed=3),
    "Boy, 9 years": Sample("male", 108, seed=1),
    "Girl, 13 years": Sample("female", 156, seed=5),
}
# Sex and nominal age of standards; their mean bone ages are whole years, which makes short names.
AVERAGES = (
    ("female", 60),
    ("male", 72),
    ("female", 120),
    ("male", 120),
    ("female", 156),
    ("male", 180),
)
# The same of the groups that synthetic hands are drawn from, and the seed.
SYNTHETIC = (
    ("female", 60, 0),
    ("male", 96, 0),
    ("female", 120, 1),
    ("male", 132, 0),
    ("female", 156, 3),
    ("male", 204, 0),
)
THUMBNAIL = (320, 256)  # height and width
CHILD = {"female": "Girl", "male": "Boy"}
ABOUT_DRAWING = (
    "This hand is a drawing. The models were trained on real radiographs, so their predictions for "
    "it only demonstrate the page."
)


def samples() -> dict[str, Sample]:
    """Name -> sample: synthetic hands that the quality check is known to accept.

    Without them the samples are average hands that the models also read well, without those
    drawings.
    """
    for found in (synthetic_hands, average_hands):
        try:
            if offered := found():
                return offered
        except ArtifactError:
            continue  # missing or damaged
    return DRAWINGS


def synthetic_hands() -> dict[str, Sample]:
    usable = synthetic.accepted_cases()
    return named(usable.set_index(["sex", "months", "seed"]), SYNTHETIC)


def average_hands() -> dict[str, Sample]:
    usable = answers.usable_standards()
    return named(usable.set_index(["sex", "months"]), AVERAGES)


def named(usable: pd.DataFrame, wanted: Iterable[tuple]) -> dict[str, Sample]:
    found = {}
    for key in wanted:
        if key in usable.index:
            row = usable.loc[key]
            name = f"{CHILD[key[0]]}, {formatting.age_in_words(row['reference_months'])}"
            found[name] = Sample(*key, build=row["build"])
    return found


def about_samples(kind: Sample) -> tuple[str, str | None]:
    """What the samples are, of which one is given, and how well the models read them.

    Of average hands also which they do not. Raises ArtifactError for damaged predictions.
    """
    if kind.is_drawing:
        return "Synthetic phantoms, not radiographs of patients.", None
    if kind.is_synthetic:
        return synthetic_text.about_hands(synthetic.read_predictions()), None
    sentence = (
        "Each is the average of many radiographs of one sex and bone age, not a single child."
    )
    predictions = answers.read_standard_predictions()
    beyond = answers.beyond_a_year(predictions)
    missed = dict(zip(beyond["id"], beyond["residual_months"], strict=True))
    refused = answers.refused_standards(predictions)
    if n := (answers.accepted(predictions)["model"] == ENSEMBLE).sum():
        sentence = f"{sentence} {atlas_text.standards_read(n, len(missed))}"
    left_out = [atlas_text.standards_missed(missed)] if missed else []
    left_out += [atlas_text.standards_refused(refused)] if refused else []
    return sentence, " ".join(left_out) or None


@st.cache_data(show_spinner=False, max_entries=32)
def sample_png(sample: Sample) -> bytes:
    return standards.png(sample_pixels(sample))


@st.cache_data(show_spinner=False, max_entries=32)
def sample_thumbnail(sample: Sample) -> bytes:
    """A small PNG, of the same size for every sample."""
    return standards.png(images.letterboxed(sample_pixels(sample), THUMBNAIL))


def sample_pixels(sample: Sample) -> np.ndarray:
    if sample.is_drawing:
        return draw_phantom(sample.months, sample.sex, sample.seed, height=800)
    if sample.is_synthetic:
        return hands.synthetic_hand(sample.sex, sample.months, sample.seed).image
    return standards.standard(sample.sex, sample.months).image


def sample_source(name: str) -> Source:
    sample = samples()[name]
    content = sample_png(sample)
    digest = hashlib.sha256(content).hexdigest()
    title = f"Synthetic hand, {name.lower()}" if sample.is_synthetic else name
    return Source(name, title, content, digest, sample.sex, about(sample))


def about(sample: Sample) -> str:
    """What to know of a sample before believing what the models say of it."""
    if sample.is_drawing:
        return ABOUT_DRAWING
    if sample.is_synthetic:
        hand = hands.synthetic_hand(sample.sex, sample.months, sample.seed)
        return synthetic_text.about_hand(hand)
    standard = standards.standard(sample.sex, sample.months)
    children = formatting.CHILDREN[sample.sex]
    return (
        f"This hand is an average of {standard.n} radiographs of {children}, mean "
        f" bone age {formatting.age_in_words(standard.mean_age_months)}, not a single child. "
        f"{atlas_text.STANDARDS_WERE_SEEN}"
    )
