"""Compare with the atlas: a radiograph and the standards of about its age; a part of Predict."""

import streamlit as st

from boneage import formatting
from boneage.atlas import evaluation as answers
from boneage.atlas import standards as plates
from boneage.atlas import text as atlas_text
from boneage.atlas.landmarks import landmarks_on
from boneage.atlas.standards import Standard
from boneage.figures import pictures
from boneage.inference.predictor import Prediction
from boneage.radiographs.preprocessing import PreparedHand


@st.cache_data(show_spinner=False, max_entries=64)
def compare(digest: str, sex: str, atlas: str, _hand: PreparedHand):
    return plates.compare(sex, _hand.image, landmarks_on(_hand))


@st.cache_data(show_spinner=False, max_entries=64)
def aligned(digest: str, sex: str, months: int, atlas: str, _hand: PreparedHand):
    return plates.align(plates.plate(sex, months), landmarks_on(_hand), answers.SIZE)


@st.fragment  # the slider redraws this part, and nothing else of the page
def show_average_hand(prediction: Prediction, digest: str, hand: PreparedHand) -> None:
    """Nothing where there is no atlas. Raises ArtifactError for a damaged one."""
    if not plates.available():
        return
    st.header("Compare with the atlas", anchor=False)
    around = plates.around(prediction.sex, prediction.ensemble_months)
    if landmarks_on(hand) is None:
        st.markdown(
            "No joint landmarks were found in this hand, so it cannot be registered to the "
            "average hands."
        )
        show_plates(around)
    else:
        left, right = st.columns([3, 2], gap="medium")
        with left:
            show_wipe(digest, hand, around)
        with right:
            show_similarity_estimate(prediction, digest, hand)
            show_plates(around)
    st.caption(plates.SOURCE)


def show_plates(around: dict[str, Standard]) -> None:
    with st.grid(3, min_column_width=90, gap="small"):
        for which, plate in around.items():
            st.image(
                plate.image,
                caption=called(which, plate),
                width="stretch",
                output_format="PNG",
                alt=f"Average hand: {plate.title}",
            )
    st.caption(atlas_text.averages_of([plate.n for plate in around.values()]))


def called(which: str, plate: Standard) -> str:
    """Such as "6 years 6 months (younger)"."""
    return f"{formatting.age_in_words(plate.mean_age_months)} ({which})"


def show_wipe(digest: str, hand: PreparedHand, around: dict[str, Standard]) -> None:
    chosen = st.segmented_control(
        "Average hand",
        list(around),
        default="nearest",
        required=True,
        format_func=lambda which: called(which, around[which]),
        wrap=True,
        key=f"plate-{digest}",
    )
    plate = around[chosen]
    title = plate.title.lower()
    share = st.slider("Wipe", 0, 100, 50, format="%d%%", key="wipe")
    picture = aligned(digest, plate.sex, plate.months, answers.atlas_digest(), hand)
    st.image(
        pictures.wipe(hand.image, picture, share / 100),
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
            plates.similarity_estimate(comparison),
            comparison["mean_age_months"].head(2).tolist(),
            answers.similarity_metrics(),
        )
    )
