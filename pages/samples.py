"""Hands to try where no radiograph is at hand: average hands, or drawings without an atlas."""

import hashlib
from io import BytesIO
from typing import NamedTuple

import streamlit as st
from PIL import Image

from boneage import wording
from boneage.artifacts import ArtifactError
from boneage.atlas import answers, plates
from boneage.datasets.phantoms import draw_phantom
from boneage.models.registry import ENSEMBLE
from pages.shared import Source


class Sample(NamedTuple):
    """A hand to try. seed: of a drawing. build: of a plate, see `boneage.atlas.files.COLUMNS`."""

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
AVERAGES = {
    "Girl, 6 years": ("female", 72),
    "Boy, 6 years": ("male", 72),
    "Girl, 8 years": ("female", 96),
    "Boy, 10 years": ("male", 120),
    "Girl, 13 years": ("female", 156),
    "Boy, 15 years": ("male", 180),
}
ABOUT_DRAWING = (
    "This hand is a drawing. The models were trained on real radiographs, so their answers to it "
    "show how the page works and nothing more."
)


def samples() -> dict[str, Sample]:
    """Name -> sample. A plate that the models are known to read more than a year off is left out.

    Without an atlas, or with a damaged one, the samples are drawings.
    """
    try:
        beyond = answers.beyond_a_year(answers.read_plate_predictions())
        builds = plates.table().set_index(["sex", "months"])["build"].to_dict()
    except ArtifactError:
        return DRAWINGS
    beyond = set(zip(beyond["sex"], beyond["months"], strict=True))
    averages = {
        name: Sample(*plate, build=builds[plate])
        for name, plate in AVERAGES.items()
        if plate in builds and plate not in beyond
    }
    return averages or DRAWINGS


def about_samples(drawn: bool) -> tuple[str, str | None]:
    """What the samples are; of average hands also how many the models read, and which not."""
    if drawn:
        return "Synthetic phantoms drawn by a program: no real hands, no patients.", None
    predictions = answers.read_plate_predictions()
    beyond = answers.beyond_a_year(predictions)
    sentence = "Each is the average of many radiographs of one sex and bone age: no single child's."
    n = (predictions["model"] == ENSEMBLE).sum()
    if not n:
        return sentence, None
    missed = dict(zip(beyond["id"], beyond["off_months"], strict=True))
    return (
        f"{sentence} {wording.plates_read(n, len(missed))}",
        wording.plates_missed(missed) if missed else None,
    )


@st.cache_data(show_spinner=False, max_entries=32)
def sample_png(sample: Sample) -> bytes:
    if not sample.is_drawing:
        return plates.png(plates.plate(sample.sex, sample.months).image)
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
    plate = plates.plate(sample.sex, sample.months)
    return (
        f"This hand is an average of {plate.n} radiographs of {wording.CHILDREN[sample.sex]}, mean "
        f"bone age {wording.age_in_words(plate.mean_age_months)}: no single child's. The models "
        "learnt from most of those radiographs, so their error on it is less than on a new hand."
    )
