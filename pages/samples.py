"""Hands to try where no radiograph is at hand: average hands, or drawings without an atlas."""

import hashlib
from io import BytesIO
from typing import NamedTuple

import streamlit as st
from PIL import Image

from boneage import formatting
from boneage.artifacts import ArtifactError
from boneage.atlas import evaluation as answers
from boneage.atlas import standards
from boneage.atlas import text as atlas_text
from boneage.datasets.phantoms import draw_phantom
from boneage.models.registry import ENSEMBLE
from pages.radiographs import Source


class Sample(NamedTuple):
    """A hand to try. seed: of a drawing. build: of a standard, see `atlas.files`."""

    sex: str
    months: int
    seed: int | None = None
    build: str | None = None

    @property
    def is_drawing(self) -> bool:
        return self.build is None


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
CHILD = {"female": "Girl", "male": "Boy"}
ABOUT_DRAWING = (
    "This hand is a drawing. The models were trained on real radiographs, so their predictions for "
    "it only demonstrate the page."
)


def samples() -> dict[str, Sample]:
    """Name -> sample: average hands that the quality check accepts and the models read well.

    A standard is left out if the check is known to refuse it, or the ensemble to be more than a
    year off. Without an atlas, or with a damaged one, the samples are drawings.
    """
    try:
        usable = answers.usable_standards().set_index(["sex", "months"])
    except ArtifactError:
        return DRAWINGS
    averages = {}
    for sex, months in AVERAGES:
        if (sex, months) in usable.index:
            standard = usable.loc[(sex, months)]
            name = f"{CHILD[sex]}, {formatting.age_in_words(standard['reference_months'])}"
            averages[name] = Sample(sex, months, build=standard["build"])
    return averages or DRAWINGS


def about_samples(drawn: bool) -> tuple[str, str | None]:
    """What the samples are; of average hands also how many the models read, and which not.

    Raises ArtifactError for damaged predictions.
    """
    if drawn:
        return "Synthetic phantoms, not radiographs of patients.", None
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
    if not sample.is_drawing:
        return standards.png(standards.standard(sample.sex, sample.months).image)
    file = BytesIO()
    Image.fromarray(draw_phantom(sample.months, sample.sex, sample.seed, height=800)).save(
        file, "PNG"
    )
    return file.getvalue()


def sample_source(name: str) -> Source:
    sample = samples()[name]
    content = sample_png(sample)
    digest = hashlib.sha256(content).hexdigest()
    return Source(name, name, content, digest, sample.sex, about(sample))


def about(sample: Sample) -> str:
    """What to know of a sample before believing what the models say of it."""
    if sample.is_drawing:
        return ABOUT_DRAWING
    standard = standards.standard(sample.sex, sample.months)
    children = formatting.CHILDREN[sample.sex]
    return (
        f"This hand is an average of {standard.n} radiographs of {children}, mean "
        f" bone age {formatting.age_in_words(standard.mean_age_months)}, not a single child. "
        f"{atlas_text.STANDARDS_WERE_SEEN}"
    )
