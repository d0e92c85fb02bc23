"""Radiographs of this session: read, prepared and predicted once, whichever page asks.

What takes long is kept: the models once for the process, predictions by the content of the
radiograph. An argument with _ in front is no part of the key it is kept under.
"""

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import streamlit as st

from boneage import artifacts
from boneage.atlas.evaluation import prepare_to_compare
from boneage.errors import BoneAgeError
from boneage.explain.explanation import Explanation
from boneage.figures import images, viewer
from boneage.figures.viewer import ViewedImage
from boneage.formatting import as_plain_markdown
from boneage.inference.predictor import Prediction, Predictor, PreparedRadiograph
from boneage.inference.text import other_sex_in_header
from boneage.radiographs.hand import Hand
from boneage.radiographs.manual_frame import ManualFrame
from boneage.radiographs.preprocessing import PreparedHand
from boneage.radiographs.reading import Radiograph, read_radiograph
from boneage.radiographs.text import which_hand
from pages.viewer import show_image

SEX_LABELS = {"female": ":material/female: Female", "male": ":material/male: Male"}


Weights = tuple[tuple[str, str], ...]  # model name and SHA-256 of its weights


@dataclass(frozen=True)
class Header:
    """What a file says of itself; fault: why it cannot be read, one sentence."""

    sex: str | None = None
    age_months: float | None = None
    fault: str | None = None
    study_date: date | None = None


@dataclass(frozen=True)
class Source:
    """One radiograph to read; `key` tells it from every other of this session.

    The file is read when its header is asked for. Of a sample, sex and what to know are given; a
    label file may give sex and chronological age. Of a film of both hands, `hand` is the number of
    the one meant and `which` says which it is; without a number, the whole film is meant. `frame`:
    the box that the user drew.
    """

    key: str
    name: str
    content: bytes
    digest: str
    given_sex: str | None = None
    about: str | None = None
    hand: int | None = None
    which: str | None = None
    frame: ManualFrame | None = None
    given_age: float | None = None

    @property
    def title(self) -> str:
        return f"{self.name}, {self.which}" if self.which else self.name

    @property
    def header(self) -> Header:
        return _header(self.digest, self.content)

    @property
    def sex(self) -> str | None:
        """Known without asking: of a sample, a label file or a DICOM header."""
        return self.given_sex or self.header.sex


@dataclass(frozen=True, eq=False)
class Opened:
    """What is kept of a radiograph once it is read: without its pixels, hundreds fit in memory.

    prepared: for the models. shown: for the screen, the whole film. to_compare: for the atlas.
    others: the other hands on the film.
    """

    prepared: PreparedRadiograph
    shown: images.ShownRadiograph
    to_compare: PreparedHand
    others: tuple[Hand, ...] = ()


def file_source(key: str, name: str, content: bytes) -> Source:
    return Source(key, name, content, hashlib.sha256(content).hexdigest())


@st.cache_data(show_spinner=False, max_entries=1000)
def _header(digest: str, _content: bytes) -> Header:
    try:
        radiograph = _read(digest, _content)
    except BoneAgeError as error:
        return Header(fault=str(error))
    return Header(radiograph.sex, radiograph.age_months, study_date=radiograph.study_date)


# Whole films are large, so few are kept: the header is asked for just before the file is opened.
@st.cache_resource(show_spinner=False, max_entries=4)
def _read(digest: str, _content: bytes) -> Radiograph:
    return read_radiograph(_content)


@st.cache_resource(show_spinner=False, max_entries=100)
def film(digest: str, _content: bytes) -> ViewedImage:
    """The whole film to look at closely. Raises UnreadableRadiograph."""
    return viewer.film(_read(digest, _content).pixels)


def opened(
    weights: Weights,
    digest: str,
    _content: bytes,
    hand: int | None = None,
    frame: ManualFrame | None = None,
) -> Opened:
    """One hand of a film, what a box on it holds, or the film as a whole.

    Raises UnreadableRadiograph.
    """
    if frame:
        return _opened_framed(weights, digest, _content, frame)
    hands = _opened_hands(weights, digest, _content)
    if hand is not None:
        return hands[hand]
    return hands[0] if len(hands) == 1 else _opened_whole(weights, digest, _content)


@st.cache_resource(show_spinner=False, max_entries=100)
def _opened_hands(weights: Weights, digest: str, _content: bytes) -> list[Opened]:
    radiograph = _read(digest, _content)
    film(digest, _content)  # now, while the whole film is kept
    return _keep(radiograph, load_predictor(weights).open_all(radiograph))


@st.cache_resource(show_spinner=False, max_entries=16)
def _opened_whole(weights: Weights, digest: str, _content: bytes) -> Opened:
    radiograph = _read(digest, _content)
    return _keep(radiograph, [load_predictor(weights).open(radiograph)])[0]


@st.cache_resource(show_spinner=False, max_entries=16)
def _opened_framed(weights: Weights, digest: str, _content: bytes, frame: ManualFrame) -> Opened:
    radiograph = _read(digest, _content)
    return _keep(radiograph, [load_predictor(weights).open(radiograph, frame)])[0]


def _keep(radiograph: Radiograph, hands: list[PreparedRadiograph]) -> list[Opened]:
    shown = images.reduce(radiograph.pixels)
    kept = []
    for each in hands:
        pixels = each.part.alone(radiograph.pixels) if each.part else radiograph.pixels
        others = tuple(other.hand for other in hands if other is not each)
        kept.append(Opened(each, shown, prepare_to_compare(pixels, each.hand), others))
    return kept


def hands_of(weights: Weights, source: Source) -> list[Source]:
    """The source itself, or one for each hand where the film shows both."""
    if source.header.fault:
        return [source]
    hands = _opened_hands(weights, source.digest, source.content)
    if len(hands) == 1:
        return [source]
    return [
        replace(
            source,
            key=f"{source.key}-{number}",
            hand=number,
            which=which_hand(part.side, part.position),
        )
        for number, part in enumerate(each.prepared.part for each in hands)
    ]


def hand_pixels(weights: Weights, source: Source) -> np.ndarray:
    """The film (H, W), or the part of it with the hand meant. Raises UnreadableRadiograph."""
    pixels = _read(source.digest, source.content).pixels
    part = opened(weights, source.digest, source.content, source.hand, source.frame).prepared.part
    return part.crop(pixels) if part else pixels


def published_weights() -> Weights:
    """The models there are, each with the hash of its weights. Raises ArtifactError."""
    fingerprints = artifacts.published_fingerprints()
    return tuple((name, fingerprints[name]) for name in artifacts.available_models())


@st.cache_resource(show_spinner=False, max_entries=1)
def start_loading(weights: Weights) -> Future[Predictor]:
    """Load the models beside the page, which goes on; once for the process."""
    return ThreadPoolExecutor(1).submit(Predictor, [name for name, _ in weights])


def preload() -> None:
    """Start loading the models, before anybody asks for them; the server does as it starts."""
    with suppress(BoneAgeError):  # which is said where they are asked for
        start_loading(published_weights())


def load_predictor(weights: Weights) -> Predictor:
    """The models, waited for where they are not loaded yet. Raises ArtifactError."""
    loading = start_loading(weights)
    try:
        if loading.done():
            return loading.result()
        with st.spinner("Loading the models."):
            return loading.result()
    except BoneAgeError:
        start_loading.clear()  # the next try may find the files mended
        raise


@st.cache_resource(show_spinner=False, max_entries=1000)
def predict(
    weights: Weights,
    digest: str,
    sex: str,
    _content: bytes,
    hand: int | None = None,
    frame: ManualFrame | None = None,
) -> Prediction:
    """Raises UnreadableRadiograph."""
    prepared = opened(weights, digest, _content, hand, frame).prepared
    return load_predictor(weights).predict(prepared, sex)


@st.cache_resource(show_spinner=False, max_entries=32)
def explain(
    weights: Weights,
    digest: str,
    sex: str,
    name: str,
    _content: bytes,
    hand: int | None = None,
    frame: ManualFrame | None = None,
) -> Explanation:
    prediction = predict(weights, digest, sex, _content, hand, frame)
    return load_predictor(weights).explain(prediction, name)


def show_fault(source: Source) -> bool:
    """Why a file cannot be read; whether that is so."""
    if fault := source.header.fault:
        name, fault = map(as_plain_markdown, (source.name, fault))
        st.error(f"**{name}:** {fault}", icon=":material/broken_image:")
    return bool(fault)


def show_notes(source: Source, prediction: Prediction) -> None:
    """What to know of a sample, a sex other than the DICOM header's, a photograph of a film."""
    if source.about:
        st.info(source.about, icon=":material/info:")
    if prediction.contradicts_header:
        sentence = other_sex_in_header(prediction.source.sex, prediction.sex)
        st.warning(sentence, icon=":material/warning:")
    if prediction.source.warning:
        st.warning(prediction.source.warning, icon=":material/photo_camera:")


def show_refusal(weights: Weights, source: Source, prediction: Prediction) -> bool:
    """Why the quality check refused a radiograph; whether to show its bone age all the same."""
    reason, forced = prediction.refusal.reason, st.session_state.setdefault("forced", set())
    if source.key in forced:
        st.error(f"**Refused by the quality check.** {reason}", icon=":material/block:")
        return True
    st.warning(f"**No bone age for this image.** {reason}", icon=":material/block:")
    known = opened(weights, source.digest, source.content, source.hand, source.frame)
    show_image(
        film(source.digest, source.content),
        "The refused image",
        f"refused {source.key}",
        "The region that was taken for the hand",
        hands=(prediction.hand, *known.others),
        height=50,
    )
    st.button(
        "Show the prediction anyway",
        key=f"force-{source.key}",
        on_click=forced.add,
        args=(source.key,),
    )
    return False


def ask_for_sex() -> None:
    """Ask for the sex, where there is no prediction without it."""
    st.info("Choose the sex to see the bone age.", icon=":material/arrow_upward:")
