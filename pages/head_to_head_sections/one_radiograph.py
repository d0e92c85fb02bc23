"""One radiograph through both models, with their saliency maps side by side."""

import streamlit as st

from boneage import artifacts
from boneage.comparison import table as tables
from boneage.errors import BoneAgeError
from boneage.explain.explanation import Explanation
from boneage.explain.overlay import stretch
from boneage.explain.text import ABOUT_GRADCAM, gradcam_direction
from boneage.figures import cards, images, palette, style
from boneage.inference.ensemble import with_ensemble
from boneage.inference.predictor import Prediction
from boneage.inference.text import disagreement
from boneage.models.registry import ENSEMBLE, find_model
from boneage.radiographs.preprocessing import SEXES
from boneage.radiographs.raster import ACCEPTED_TYPES
from boneage.radiographs.text import ABOUT_BOTH_HANDS
from pages import radiographs, shared
from pages.head_to_head_sections.selection import Names
from pages.samples import sample_source, samples

OPACITY = 0.6

# A difference is fainter than a map, so it covers more.
DIFFERENCE_OPACITY = 0.9


@st.fragment  # another radiograph redraws this part only
def show_radiograph(names: Names, recipe: str) -> None:
    st.header("Compare on one radiograph", anchor=False)
    if recipe != artifacts.BEST:
        best = shared.recipe_title(artifacts.BEST).lower()
        st.caption(f"Predicted with the published weights (recipe: {best}).")
    source = choose_source()
    if source is None:
        return
    if radiographs.show_fault(source):
        return
    if st.session_state.get("compared") != source.key:
        # What a new source says of the sex is filled in once.
        st.session_state["compared"] = source.key
        st.session_state["sex_of_radiograph"] = source.sex
    sex = st.segmented_control(
        "Sex", SEXES, format_func=radiographs.SEX_LABELS.get, key="sex_of_radiograph"
    )
    if sex is None:
        radiographs.ask_for_sex()
        return
    try:
        show_both(names, source, sex)
    except BoneAgeError as error:
        shared.show_error(error)


def choose_source() -> radiographs.Source | None:
    """The file uploaded or the sample chosen, whichever came last."""
    state = st.session_state
    state.setdefault("radiograph_uploader", 0)

    def empty_uploader() -> None:
        state["radiograph_uploader"] += 1  # a new one is empty

    left, right = st.columns(2, gap="medium")
    upload = left.file_uploader(
        "A radiograph of the hand: image or DICOM file",
        key=f"radiograph-{state.radiograph_uploader}",
        help=f"{ACCEPTED_TYPES}. Kept in memory while this page is open; never stored.",
    )
    if upload:
        state["sample"] = None
    sample = right.pills(
        "Or a sample", list(samples()), key="sample", wrap=True, on_change=empty_uploader
    )
    if upload:
        return radiographs.file_source(upload.file_id, upload.name, upload.getvalue())
    return sample_source(sample) if sample else None


def show_both(names: Names, source: radiographs.Source, sex: str) -> None:
    weights = radiographs.published_weights()
    radiographs.load_predictor(weights)
    with st.spinner("Finding the hand and predicting."):
        hands = radiographs.hands_of(weights, source)
    if len(hands) > 1:
        st.info(ABOUT_BOTH_HANDS, icon=":material/info:")
        number = st.segmented_control(
            "Hand",
            range(len(hands)),
            default=0,
            required=True,
            format_func=lambda number: hands[number].which.capitalize(),
            key=f"hand-{source.key}",
        )
        source = hands[number]
    with st.spinner("Predicting."):
        prediction = radiographs.predict(weights, source.digest, sex, source.content, source.hand)
    months = {name: prediction.months[name] for name in names}
    mean = with_ensemble(months, shared.weights_of(names, artifacts.BEST))[ENSEMBLE]
    radiographs.show_notes(source, prediction)
    if not prediction.refusal:
        st.html(cards.age_cards(months, mean))
        apart = disagreement({style.model_title(name): age for name, age in months.items()})
        st.markdown(apart)
    elif radiographs.show_refusal(weights, source, prediction):
        st.html(cards.refused_age_cards(months, mean))
    else:
        return
    with st.spinner("Computing saliency maps."):
        explanations = [
            radiographs.explain(weights, source.digest, sex, name, source.content, source.hand)
            for name in names
        ]
    show_maps(names, prediction, explanations)
    for name, explanation in zip(names, explanations, strict=True):
        if explanation.spatial:
            show_attention(name, prediction, explanation)


def show_maps(names: Names, prediction: Prediction, explanations: list[Explanation]) -> None:
    st.subheader("Grad-CAM", anchor=False)
    st.caption(ABOUT_GRADCAM)
    hands = [prediction.prepared[name] for name in names]
    columns = st.columns(3, gap="medium")
    for column, name, hand, explanation in zip(columns, names, hands, explanations, strict=False):
        with column:
            st.html(cards.model_heading(name))
            st.image(
                images.map_on_crop(hand.image, explanation.gradcam, OPACITY),
                caption=gradcam_direction(explanation.direction),
                width="stretch",
                alt=f"Grad-CAM of {style.model_title(name)}",
            )
            st.html(cards.map_legend("low influence", "high influence", OPACITY))
            if not explanation.gradcam.any():
                st.caption("This map is empty: no region shifts the prediction in this direction.")
    with columns[2]:
        st.markdown("**Difference between the maps**")
        if hands[0] is not hands[1]:
            st.caption("The models have different input crops, so their maps cannot be subtracted.")
            return
        st.image(
            images.difference_map(
                hands[0].image,
                *(explanation.gradcam for explanation in explanations),
                tuple(map(palette.model_color, names)),
                DIFFERENCE_OPACITY,
            ),
            width="stretch",
            alt="Difference between the two Grad-CAM maps",
        )
        st.html(tables.difference_legend(*names))


def show_attention(name: str, prediction: Prediction, explanation: Explanation) -> None:
    title = find_model(name).title
    st.subheader(f"CBAM spatial attention of {title}", anchor=False)
    st.caption(
        "Spatial attention weights of each stage, at high resolution in early and low resolution "
        "in late stages. Each map is scaled to its own range."
    )
    crop = prediction.prepared[name].image
    with st.grid(4, min_column_width=150, gap="small"):
        for stage, values in explanation.spatial.items():
            st.image(
                images.map_on_crop(crop, stretch(values), OPACITY),
                caption=f"Stage {stage}",
                width="stretch",
                alt=f"Spatial attention of stage {stage} of {title}",
            )
