"""Predict: a radiograph in; bone age from every model, and where each model looked."""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from time import monotonic

import streamlit as st
from PIL import Image

from boneage import artifacts, results, wording
from boneage.datasets.phantoms import draw_phantom
from boneage.explain.overlay import stretch
from boneage.figures import cards, palette, pictures
from boneage.figures.age_line import age_line
from boneage.figures.channels import channel_bars
from boneage.models.registry import find_model
from boneage.predictor import Explanation, Prediction, Predictor
from boneage.radiographs.preprocessing import SEXES
from boneage.radiographs.reading import UnreadableRadiograph, read_radiograph

SEX_LABELS = {"female": ":material/female: Female", "male": ":material/male: Male"}
# Name -> bone age in months, sex, seed of the drawing.
SAMPLES = {
    "Girl, 5 years": (60, "female", 3),
    "Boy, 9 years": (108, "male", 1),
    "Girl, 13 years": (156, "female", 5),
}
CROP, RADIOGRAPH = "On the crop", "On the radiograph"
PLOT = {"displayModeBar": False}


@dataclass(frozen=True)
class Source:
    """One radiograph to read; `key` tells it from every other of this session."""

    key: str
    name: str
    content: bytes
    sex: str | None  # known without asking: of a sample, or from a DICOM header
    age_months: float | None
    fault: str | None  # why it cannot be read

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, eq=False)
class Reading:
    """A prediction, and its radiograph reduced for the screen; the full one is let go."""

    prediction: Prediction
    shown: pictures.ShownRadiograph


# What is kept between runs; a name with _ in front is no part of the key ------------------------


@st.cache_data(show_spinner=False)
def sample_png(name: str) -> bytes:
    age_months, sex, seed = SAMPLES[name]
    file = BytesIO()
    Image.fromarray(draw_phantom(age_months, sex, seed, height=800)).save(file, "PNG")
    return file.getvalue()


@st.cache_data(show_spinner=False, max_entries=2000)
def read_header(digest: str, _content: bytes) -> tuple[str | None, float | None, str | None]:
    """(sex, age in months, fault) of a file."""
    try:
        radiograph = read_radiograph(_content)
    except UnreadableRadiograph as error:
        return None, None, str(error)
    return radiograph.sex, radiograph.age_months, None


@st.cache_resource(
    max_entries=1, show_spinner="Loading the models; the first time takes about 20 seconds."
)
def load_predictor(weights: tuple) -> Predictor:
    return Predictor([name for name, _ in weights])
