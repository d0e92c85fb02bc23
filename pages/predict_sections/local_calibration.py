"""A local calibration, uploaded, which all bone ages of this page then go through."""

from dataclasses import replace

import streamlit as st

from boneage import artifacts
from boneage.errors import BoneAgeError
from boneage.inference.local_calibration import LocalCalibration, read_local_calibration
from boneage.inference.predictor import Prediction
from boneage.inference.text import locally_calibrated
from boneage.local_calibration.text import about_calibration
from pages.shared import show_error

KEPT = "local_calibration"


def choose_calibration() -> None:
    """Ask for the file, or say which one is in use; it is kept until it is removed."""
    try:
        if local := kept():
            local.check_fits(artifacts.published_fingerprints())
    except BoneAgeError as error:  # the models are others by now
        show_error(error)
        del st.session_state[KEPT]
        local = None
    title = f"Local calibration: {local.label}" if local else "Local calibration (optional)"
    section = st.expander(title, key="calibration", icon=":material/tune:", on_change="rerun")
    if section.open:
        with section:
            if local:
                show_calibration(local)
            else:
                ask_for_file()


def show_calibration(local: LocalCalibration) -> None:
    st.markdown(about_calibration(local))
    st.button("Remove", on_click=st.session_state.pop, args=(KEPT,), key="no-calibration")


def ask_for_file() -> None:
    upload = st.file_uploader(
        "Local calibration",
        key="calibration-file",
        help="A JSON file that adapts bone ages and prediction intervals to readings of your site; "
        "the command boneage calibrate makes it from 30 readings or more.",
    )
    if upload is None:
        return
    try:
        models = artifacts.published_fingerprints()
        st.session_state[KEPT] = read_local_calibration(upload.getvalue(), models)
    except BoneAgeError as error:
        show_error(error)
        return
    st.rerun()  # the title above is that without it


def kept() -> LocalCalibration | None:
    """The local calibration in use."""
    return st.session_state.get(KEPT)


def calibrated(prediction: Prediction) -> Prediction:
    """The prediction after the local calibration in use, if any."""
    return replace(prediction, local=kept())


def name_calibration(prediction: Prediction) -> None:
    """Say what the local calibration in use changes."""
    if prediction.local and prediction.local_change is not None:
        sentence = locally_calibrated(prediction.local, prediction.sex, prediction.local_change)
        st.caption(sentence)
