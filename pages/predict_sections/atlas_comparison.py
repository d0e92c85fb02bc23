"""Compare with the atlas: a radiograph and the standards of about its age; a part of Predict."""

import streamlit as st

from boneage.atlas import evaluation as answers
from boneage.atlas import standards
from boneage.atlas import text as atlas_text
from boneage.atlas.landmarks import landmarks_on
from boneage.atlas.standards import Standard
from boneage.figures import images
from boneage.inference.predictor import Prediction
from boneage.radiographs.preprocessing import PreparedHand


@st.cache_data(show_spinner=False, max_entries=64)
def compare(digest: str, sex: str, atlas: str, _hand: PreparedHand):
    return standards.compare(sex, _hand.image, landmarks_on(_hand))


@st.cache_data(show_spinner=False, max_entries=64)
def aligned(digest: str, sex: str, months: int, atlas: str, _hand: PreparedHand):
    return standards.align(standards.standard(sex, months), landmarks_on(_hand), answers.SIZE)


@st.fragment  # the slider redraws this part, and nothing else of the page
def show_average_hand(prediction: Prediction, digest: str, hand: PreparedHand) -> None:
    """Nothing where there is no atlas. Raises ArtifactError for a damaged one."""
    if not standards.available():
        return
    st.header("Compare with the atlas", anchor=False)
    months = prediction.ensemble_months
    around = standards.around(prediction.sex, months)
    if landmarks_on(hand) is None:
        st.markdown(
            "No joint landmarks were found in this hand, so it cannot be registered to the "
            "average hands."
        )
        show_standards(around, months)
    else:
        left, right = st.columns([3, 2], gap="medium")
        with left:
            show_wipe(digest, hand, around, months)
        with right:
            show_similarity_estimate(prediction, digest, hand)
            show_standards(around, months)
    st.caption(standards.SOURCE)


def show_standards(around: dict[str, Standard], months: float) -> None:
    with st.grid(3, min_column_width=90, gap="small"):
        for standard in around.values():
            st.image(
                standard.image,
                caption=called(standard, months),
                width="stretch",
                output_format="PNG",
                alt=f"Average hand: {standard.title}",
            )
    st.caption(atlas_text.averages_of([standard.n for standard in around.values()]))


def called(standard: Standard, months: float) -> str:
    """Its mean bone age and how far that is from the prediction: "6 years (12 months younger)"."""
    return atlas_text.age_against(standard.mean_age_months, months)


def show_wipe(digest: str, hand: PreparedHand, around: dict[str, Standard], months: float) -> None:
    chosen = st.segmented_control(
        "Average hand",
        list(around),
        default="nearest",
        required=True,
        format_func=lambda which: called(around[which], months),
        wrap=True,
        key=f"standard-{digest}",
        persist_state="session",
    )
    standard = around[chosen]
    title = standard.title.lower()
    share = st.slider("Wipe", 0, 100, 50, format="%d%%", key="wipe", bind="query-params")
    image = aligned(digest, standard.sex, standard.months, answers.atlas_digest(), hand)
    st.image(
        images.wipe(hand.image, image, share / 100),
        caption="Left of the line: the radiograph. Right: the average hand of "
        f"{title}, warped to the same landmarks.",
        width="stretch",
        output_format="PNG",
        alt=f"The radiograph; from {share}% of the width on, the average hand of {title}",
    )


def show_similarity_estimate(prediction: Prediction, digest: str, hand: PreparedHand) -> None:
    with st.spinner("Comparing with the average hands."):
        comparison = compare(digest, prediction.sex, answers.atlas_digest(), hand)
    st.markdown(
        atlas_text.image_similarity(
            standards.similarity_estimate(comparison),
            comparison["mean_age_months"].head(2).tolist(),
            answers.similarity_metrics(),
        )
    )
