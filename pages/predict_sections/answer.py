"""The predicted bone age of one radiograph, with its prediction interval and errors to expect."""

import streamlit as st

from boneage import artifacts
from boneage.figures import cards
from boneage.figures.age_line import age_line
from boneage.formatting import share
from boneage.inference import results
from boneage.inference import text as prediction_text
from boneage.inference.conformal import LEVEL, LEVELS
from boneage.inference.predictor import Prediction
from boneage.models.registry import find_model
from pages.predict_sections.local_calibration import name_calibration
from pages.radiographs import Weights, load_predictor
from pages.shared import PLOT


def choose_level(weights: Weights) -> float:
    """The share of radiographs that the intervals are to hold; asked where there are intervals."""
    if not load_predictor(weights).calibration.names:
        return LEVEL
    return st.segmented_control(
        "Prediction interval",
        LEVELS,
        default=LEVEL,
        required=True,
        format_func=share,
        key="level",
        bind="query-params",
        help="The wider the interval, the more often it covers the reference bone age.",
    )


def show_ages(prediction: Prediction, level: float) -> None:
    st.html(
        cards.age_cards(
            prediction.model_ages, prediction.ensemble_months, prediction.intervals(level), level
        )
    )


def show_cautions(prediction: Prediction, age: float | None) -> None:
    """Where the answer is to be interpreted with caution."""
    months, mean = prediction.model_ages, prediction.ensemble_months
    by_title = {find_model(name).title: m for name, m in months.items()}
    if sentence := prediction_text.disagreement(by_title):
        st.markdown(sentence)
    notes = prediction_text.unusual_ages(mean, age)
    if prediction.is_beyond_calibration:
        notes.append(prediction_text.BEYOND_CALIBRATION)
    for sentence in notes:
        st.warning(sentence, icon=":material/info:")


def show_intervals(
    weights: Weights, prediction: Prediction, age: float | None, level: float
) -> None:
    """The ages on a line, and how far off they usually are."""
    months, mean = prediction.model_ages, prediction.ensemble_months
    intervals = prediction.intervals(level)
    st.plotly_chart(
        age_line(months, mean, age, intervals),
        config=PLOT,
        alt="Predicted bone ages with prediction intervals on an axis from birth to maturity",
    )
    name_calibration(prediction)
    if intervals:
        st.caption(prediction_text.about_interval(level))
    errors = prediction_text.typical_errors(stated_errors(weights))
    shares = {find_model(name).title: part for name, part in prediction.weights.items()}
    if facts := list(filter(None, [errors, prediction_text.ensemble_weights(shares)])):
        st.caption(" ".join(facts))


def stated_errors(weights: Weights) -> dict[str, float]:
    """Model title -> mean absolute error in months on test radiographs, where one is stated."""
    errors = {
        find_model(name).title: results.stated_error(
            artifacts.read_metrics(artifacts.model_folder(name))
        )
        for name, _ in weights
    }
    return {title: error for title, error in errors.items() if error is not None}
