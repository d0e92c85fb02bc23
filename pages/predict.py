"""Predict: the bone age of a radiograph from every model, with saliency maps."""

from time import monotonic

import streamlit as st

from boneage import artifacts, formatting
from boneage.datasets.challenge import CITATION
from boneage.errors import BoneAgeError
from boneage.evaluation.metrics import age_band
from boneage.explain import text as explain_text
from boneage.explain.overlay import stretch
from boneage.figures import cards, palette, pictures
from boneage.figures.age_line import age_line
from boneage.figures.channels import channel_bars
from boneage.inference import results
from boneage.inference import text as prediction_text
from boneage.inference.conformal import LEVEL, LEVELS
from boneage.inference.predictor import Explanation, Prediction
from boneage.models.registry import ENSEMBLE, find_model
from boneage.quality import text as quality_text
from boneage.quality.checks import ALL, NO_HAND, UNLIKE
from boneage.radiographs import text as hand_text
from boneage.radiographs.preprocessing import SEXES
from boneage.sanity_checks import figures as saliency
from boneage.sanity_checks import text as saliency_verdict
from boneage.sanity_checks.regions import bone_regions
from pages.beside import show_average_hand
from pages.samples import about_samples, sample_png, sample_source, samples
from pages.shared import (
    OLDEST_YEARS,
    PLOT,
    SEX_LABELS,
    Source,
    Weights,
    explain,
    file_source,
    load_predictor,
    opened,
    predict,
    published_weights,
    show_error,
    show_fault,
    show_notes,
    show_refusal,
)

CROP, RADIOGRAPH = "Model input", "Radiograph"


# The first screen -------------------------------------------------------------------------------


def introduction() -> None:
    st.title("Bone age from a hand radiograph", anchor=False)
    st.markdown(
        "Neural networks estimate skeletal maturity from a radiograph of the hand. "
        "Saliency maps show which regions the estimate depends on."
    )
    st.markdown(
        ":material/school: For teaching and research. "
        "**Not a medical device; not for diagnosis or treatment.**"
    )


def choose_sources() -> list[Source]:
    """The files uploaded, or else the sample clicked."""
    state = st.session_state
    state.setdefault("sample", None)
    state.setdefault("uploader", 0)
    uploads = st.file_uploader(
        "Radiographs of the hand: PNG, JPEG, WebP, TIFF or DICOM",
        accept_multiple_files=True,
        key=f"uploads-{state.uploader}",
        help="Kept in memory while this page is open; never stored.",
    )
    if uploads:
        # Not in on_change, which also fires when another input interrupts the first run.
        state.sample = None
        return [file_source(upload.file_id, upload.name, upload.getvalue()) for upload in uploads]
    return [sample_source(state.sample)] if state.sample else []


def offer_samples(with_pictures: bool) -> None:
    def take(name: str) -> None:
        st.session_state.sample = name
        st.session_state.uploader += 1  # a new uploader is an empty one

    offered = samples()
    drawn = any(sample.is_drawing for sample in offered.values())
    what = "a drawing" if drawn else "an average hand"
    st.markdown(f"**No radiograph at hand?** Try {what}:")
    with st.grid(3, min_column_width=90, gap="xsmall"):
        for name, sample in offered.items():
            with st.container(gap="xxsmall"):
                if with_pictures:
                    kind = "Drawing of a hand" if drawn else "Average hand"
                    alt = f"{kind}: {name.lower()}"
                    st.image(sample_png(sample), width="stretch", alt=alt)
                st.button(name, key=f"sample-{name}", on_click=take, args=(name,), width="stretch")
    about, missed = about_samples(drawn)
    st.caption(about, help=missed)


def ask_about_the_child(sources: list[Source]) -> tuple[str | None, float | None]:
    """The sex, and the chronological age in months, either None while unknown."""
    prefill(sources)
    several = len(sources) > 1
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        sex = st.segmented_control(
            "Sex, where a file does not state it" if several else "Sex",
            SEXES,
            format_func=SEX_LABELS.get,
            key="sex",
            help="The models need it, because girls mature about two years earlier than boys.",
        )
        if several:
            return sex, None
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", width=300):
            years = st.number_input(
                "Age in years (optional)",
                min_value=0,
                max_value=OLDEST_YEARS,
                value=None,
                key="age_years",
                width=170,
                help="The chronological age. It is not a model input; "
                "it is only compared with the prediction.",
            )
            months = st.number_input(
                "and months", min_value=0, max_value=11, value=None, key="age_months", width=110
            )
    known = years is not None or months is not None
    return sex, 12 * (years or 0) + (months or 0) if known else None


def prefill(sources: list[Source]) -> None:
    """Put in what a new source says of itself; one child's sex and age never pass to the next."""
    state = st.session_state
    one = sources[0] if len(sources) == 1 else None
    now = one.key if one else "several" if sources else None
    before, state["source"] = state.get("source"), now
    if now == before:
        return
    sex, age = (one.sex, one.header.age_months) if one else (None, None)
    if age is not None and formatting.nearest_month(age) // 12 > OLDEST_YEARS:
        age = None  # an adult's, or an error of the header
    # What was entered before the first file came belongs to that file.
    if before or sex:
        state["sex"] = sex
    if before or age is not None:
        years_and_months = (
            (None, None) if age is None else divmod(formatting.nearest_month(age), 12)
        )
        state["age_years"], state["age_months"] = years_and_months


def choose_level(weights: Weights) -> float:
    """The share of radiographs that the intervals are to hold; asked where there are intervals."""
    if not load_predictor(weights).calibration.names:
        return LEVEL
    return st.segmented_control(
        "Prediction interval",
        LEVELS,
        default=LEVEL,
        required=True,
        format_func=formatting.share,
        key="level",
        help="The wider the interval, the more often it covers the reference bone age.",
    )


# One radiograph ---------------------------------------------------------------------------------


def show_one(
    weights: Weights, source: Source, sex: str, age: float | None, level: float | None = None
) -> None:
    """Everything on one radiograph; the level of the intervals is asked unless it is given."""
    load_predictor(weights)
    with st.spinner("Finding the hand and predicting."):
        prediction = predict(weights, source.digest, sex, source.content)
    known = opened(weights, source.digest, source.content)
    name = source.name if source.about else formatting.as_plain_markdown(source.name)
    st.header(f"Bone age: {name}", anchor=False)
    show_notes(source, prediction)
    if not prediction.refusal:
        show_answer(weights, prediction, age, level or choose_level(weights))
    elif show_refusal(weights, source, prediction):
        st.html(cards.refused_age_cards(prediction.months, prediction.ensemble_months))
    else:
        return
    for note in load_predictor(weights).notes:
        st.caption(note)
    input_sizes = {facts.build["input_size"] for facts in load_predictor(weights).facts.values()}
    show_hand(prediction, known.shown, input_sizes)
    if not prediction.refusal:
        show_average_hand(prediction, source.digest, known.to_compare)
    show_maps(weights, source, sex)


def show_answer(weights: Weights, prediction: Prediction, age: float | None, level: float) -> None:
    months, mean = prediction.months, prediction.ensemble_months
    intervals = prediction.intervals(level)
    st.html(cards.age_cards(months, mean, intervals, level))
    sentences = [
        prediction_text.disagreement({find_model(name).title: m for name, m in months.items()})
    ]
    if age is not None:
        sentences.append(prediction_text.ahead_or_behind(mean, age))
        if intervals:
            sentences.append(prediction_text.in_interval(age, level, *intervals[ENSEMBLE]))
    if any(sentences):
        st.markdown(" ".join(filter(None, sentences)))
    notes = prediction_text.unfamiliar_ages(mean, age)
    if prediction.is_beyond_calibration:
        notes.append(prediction_text.BEYOND_CALIBRATION)
    for sentence in notes:
        st.warning(sentence, icon=":material/info:")
    st.plotly_chart(
        age_line(months, mean, age, intervals),
        config=PLOT,
        alt="Predicted bone ages with prediction intervals on an axis from birth to maturity",
    )
    if intervals:
        st.caption(prediction_text.about_interval(level))
    errors = prediction_text.typical_errors(stated_errors(weights))
    shares = {find_model(name).title: share for name, share in prediction.weights.items()}
    if facts := list(filter(None, [errors, prediction_text.ensemble_weights(shares)])):
        st.caption(" ".join(facts))


def show_hand(
    prediction: Prediction, shown: pictures.ShownRadiograph, input_sizes: set[int]
) -> None:
    st.header("Model input", anchor=False)
    if not (prediction.refusal and prediction.refusal.kind == NO_HAND):
        st.markdown(hand_text.hand_found(prediction.hand.method))
    if prediction.source.inverted:
        st.markdown("The image had black bones on a white background and was inverted.")
    height, width = shown.pixels.shape
    # Beside a square crop, this gives both pictures one height.
    left, right = st.columns([min(max(width / height, 0.5), 1.5), 1], gap="medium")
    left.image(
        pictures.with_hand_box(shown, prediction.hand),
        caption="Radiograph with the crop box",
        width="stretch",
        alt="Radiograph with the crop box",
    )
    crop = next(iter(prediction.prepared.values())).image
    right.image(
        crop,
        caption=hand_text.prepared_hand(len(crop), input_sizes),
        width="stretch",
        output_format="PNG",
        alt="Preprocessed image of the hand",
    )


@st.fragment  # the slider redraws the maps, and nothing else of the page
def show_maps(weights: Weights, source: Source, sex: str) -> None:
    prediction = predict(weights, source.digest, sex, source.content)
    st.header("Saliency maps", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        place = st.segmented_control(
            "Show on", (CROP, RADIOGRAPH), default=CROP, required=True, key="place"
        )
        opacity = st.slider("Opacity", 0, 100, 60, 5, format="%d%%", key="opacity", width=260)
    st.html(cards.map_legend("low influence", "high influence", opacity / 100))

    def picture(name: str, values):
        prepared = prediction.prepared[name]
        if place == CROP:
            return pictures.map_on_crop(prepared.image, values, opacity / 100)
        shown = opened(weights, source.digest, source.content).shown
        return pictures.map_on_radiograph(shown, prepared.to_radiograph, values, opacity / 100)

    with st.spinner("Computing saliency maps."):
        explanations = {
            name: explain(weights, source.digest, sex, name, source.content)
            for name in prediction.months
        }
    st.subheader("Grad-CAM", anchor=False)
    st.caption(explain_text.ABOUT_GRADCAM)
    for column, (name, explanation) in zip(
        st.columns(max(2, len(explanations)), gap="medium"), explanations.items(), strict=False
    ):
        with column:
            st.html(cards.model_heading(name))
            st.image(
                picture(name, explanation.gradcam),
                caption=explain_text.gradcam_direction(explanation.direction),
                width="stretch",
                alt=f"Grad-CAM of {find_model(name).title}",
            )
    show_checks(weights, prediction)
    for name, explanation in explanations.items():
        if explanation.spatial:
            show_attention(name, explanation, picture)


def show_checks(weights: Weights, prediction: Prediction) -> None:
    """Sanity checks of the maps at this age; nothing where these models were not checked."""
    facts = load_predictor(weights).facts
    occlusion = artifacts.read_saliency(artifacts.OCCLUSION, facts)
    randomization = artifacts.read_saliency(artifacts.RANDOMIZATION, facts)
    checked = set(occlusion["model"]) & set(randomization["model"])
    titles = {name: find_model(name).title for name, _ in weights if name in checked}
    if not titles:
        return
    band = age_band([max(0, prediction.ensemble_months)])[0]
    st.markdown(saliency_verdict.in_short(occlusion, randomization, band, titles))
    with st.expander("Sanity checks of the saliency maps", icon=":material/fact_check:"):
        st.markdown("**Occlusion: which bones does the prediction depend on?**")
        groups = list(occlusion["group"].unique())
        group = st.segmented_control(
            "Age",
            groups,
            default=band,
            required=True,
            format_func=str.capitalize,
            key=f"occlusion-{band}",
        )
        left, right = st.columns([3, 2], gap="medium")
        left.plotly_chart(
            saliency.region_differences(occlusion, group),
            config=PLOT,
            alt="Change of the prediction by blurring each region, minus that of its control",
        )
        with right:
            show_regions(prediction)
        for sentence in saliency_verdict.occlusion_results(occlusion, group, titles):
            st.markdown(sentence)
        st.caption(saliency_verdict.ABOUT_OCCLUSION)
        st.markdown("**Weight randomization: do the maps change when weights are randomized?**")
        for sentence in saliency_verdict.randomization_results(randomization, titles):
            st.markdown(sentence)
        st.plotly_chart(
            saliency.similarity_by_stage(randomization),
            config=PLOT,
            alt="Rank correlation of Grad-CAM with the original map as weights are randomized",
        )
        st.caption(saliency_verdict.ABOUT_RANDOMIZATION)


def show_regions(prediction: Prediction) -> None:
    """The regions on this hand, where its landmarks were found."""
    prepared = next(iter(prediction.prepared.values()))
    if prepared.hand.landmarks is None:
        return
    st.image(
        saliency.outlined_regions(prepared.image, bone_regions(prepared)),
        caption="Regions on this hand, derived from its landmarks",
        width="stretch",
        alt="The hand with its regions outlined",
    )
    st.html(saliency.region_legend())


def show_attention(name: str, explanation: Explanation, picture) -> None:
    title = find_model(name).title
    st.subheader("CBAM attention", anchor=False)
    st.html(cards.model_heading(name))
    st.caption(
        "Spatial attention weights of each stage, at high resolution in early and low resolution "
        "in late stages; each map is scaled to its own range. Attention weights features within "
        "the network and does not by itself explain the prediction."
    )
    with st.grid(4, min_column_width=150, gap="small"):
        for stage, values in explanation.spatial.items():
            st.image(
                picture(name, stretch(values)),
                caption=f"Stage {stage}",
                width="stretch",
                alt=f"Spatial attention of stage {stage} of {title}",
            )
    st.markdown("**Channel attention**")
    st.caption("Attention weight (0 to 1) of each channel, sorted within its stage.")
    st.plotly_chart(
        channel_bars(explanation.channel, palette.model_colour(name)),
        config=PLOT,
        alt="Channel attention of each stage",
    )


# Several radiographs ----------------------------------------------------------------------------


def show_several(weights: Weights, sources: list[Source], default_sex: str | None) -> None:
    st.header(f"Bone age of {len(sources)} files", anchor=False)
    level = choose_level(weights)
    answers = predict_several(weights, sources, default_sex, level)
    table = results.results_table(answers, [name for name, _ in weights], level)
    edit_table(weights, table, sources, level)
    st.download_button(
        "Download as CSV",
        results.to_csv(table),
        file_name="bone_age.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    for source in sources:
        show_fault(source)
    finished = {
        source.key: (source, answer.sex)
        for source, answer in zip(sources, answers, strict=True)
        if answer.sex
    }
    if not finished:
        if any(answer.status == results.WAITING for answer in answers):
            ask_for_sex()
        return
    key = st.selectbox(
        "Show details for", list(finished), format_func=lambda key: finished[key][0].name
    )
    chosen, sex = finished[key]
    show_one(weights, chosen, sex, chosen.header.age_months, level)


def predict_several(
    weights: Weights, sources: list[Source], default_sex: str | None, level: float
) -> list[results.FileResult]:
    """One result a file, with a progress bar where it takes a while."""
    load_predictor(weights)
    place, started = st.empty(), monotonic()
    answers = []
    for number, source in enumerate(sources):
        if monotonic() - started > 0.3:
            text = f"Predicting: {number + 1} of {len(sources)}"
            place.progress(number / len(sources), text)
        answers.append(result_of(weights, source, default_sex, level))
    place.empty()
    return answers


def result_of(
    weights: Weights, source: Source, default_sex: str | None, level: float
) -> results.FileResult:
    """The sex is the one chosen for this file, else the header's, else the one for all others."""
    if source.header.fault:
        return results.FileResult(source.name, results.UNREADABLE, source.header.fault)
    chosen = st.session_state.setdefault("sexes", {}).get(source.key)
    sex = chosen or source.sex or default_sex
    if sex is None:
        # Opened now, as the whole film is not kept until the sex is chosen.
        opened(weights, source.digest, source.content)
        return results.FileResult(source.name, results.WAITING)
    return results.result_of(
        source.name,
        predict(weights, source.digest, sex, source.content),
        results.HEADER if source.sex and not chosen else results.GIVEN,
        level,
        show_refused=source.key in st.session_state.get("forced", ()),
    )


def edit_table(weights: Weights, table, sources: list[Source], level: float) -> None:
    """The results; the sex of each file can be changed in place."""
    # Edits are kept by row, so they must not outlive the list of files.
    editor = "table-" + " ".join(source.key for source in sources)

    def keep_sexes() -> None:
        for row, changes in st.session_state[editor]["edited_rows"].items():
            if "sex" in changes:
                st.session_state["sexes"][sources[int(row)].key] = changes["sex"]

    models = {
        f"{name}_months": st.column_config.TextColumn(find_model(name).title) for name, _ in weights
    }
    limits = {
        f"ensemble_{end}_months": st.column_config.TextColumn(f"{title}, {formatting.share(level)}")
        for end, title in (("low", "Lower limit"), ("high", "Upper limit"))
        if table["interval_level"].notna().any()
    }
    shown = results.as_people_read(table)
    st.data_editor(
        shown,
        key=editor,
        on_change=keep_sexes,
        hide_index=True,
        column_order=[
            "file",
            "sex",
            "ensemble_months",
            *limits,
            *models,
            "crop",
            "status",
            "reason",
        ],
        disabled=[column for column in shown if column != "sex"],
        column_config={
            "file": st.column_config.TextColumn("File", pinned=True),
            "sex": st.column_config.SelectboxColumn("Sex", options=list(SEXES), required=True),
            "ensemble_months": st.column_config.TextColumn("Ensemble"),
            "crop": st.column_config.TextColumn("Hand detection"),
            "status": st.column_config.TextColumn("Status"),
            "reason": st.column_config.TextColumn("Reason", width="large"),
            **models,
            **limits,
        },
        placeholder="",
        alt="Bone age of each file",
    )
    st.caption("Click a sex to change it.")


# The page ---------------------------------------------------------------------------------------


def stated_errors(weights: Weights) -> dict[str, float]:
    """Model title -> mean absolute error in months on test radiographs, where one is stated."""
    errors = {
        find_model(name).title: results.stated_error(
            artifacts.read_metrics(artifacts.model_folder(name))
        )
        for name, _ in weights
    }
    return {title: error for title, error in errors.items() if error is not None}


def ask_for_sex() -> None:
    st.info("Choose the sex to see the bone age.", icon=":material/arrow_upward:")


def quality_check_measured() -> str | None:
    table = artifacts.read_gate_table()
    if table is None:
        return None
    far = table[(table["group"] == UNLIKE) & (table["kind"] == ALL)]
    if far.empty:
        return None
    columns = ["n", "sources", "refused", "low", "high"]
    return quality_text.quality_check_measured(*far[columns].iloc[0].tolist())


def about_the_models(weights: Weights) -> None:
    with st.expander("About these models", icon=":material/info:"):
        for name, _ in weights:
            folder = artifacts.model_folder(name)
            facts = artifacts.read_facts(folder)
            mirror = ""
            if facts.mirrored:
                mirror = "It predicts the mean over the image and its mirror image. "
            st.html(cards.model_heading(name))
            bias = results.stated_bias(artifacts.read_metrics(folder))
            st.markdown(
                f"{facts.architecture} {facts.parameters:,} parameters. {facts.training_note} "
                f"{mirror}Training set: {facts.n_train:,} radiographs; finished "
                f"{facts.trained_on}. {prediction_text.bias_on_test(bias) if bias else ''}"
            )
        if measured := quality_check_measured():
            st.caption(measured)
        st.caption(f"Data: RSNA Pediatric Bone Age Challenge 2017. {CITATION}")


def main() -> None:
    introduction()
    left, right = st.columns([3, 2], gap="large")
    with left:
        sources = choose_sources()
        sex, age = ask_about_the_child(sources)
    with right:
        offer_samples(with_pictures=not sources)
    try:
        weights = published_weights()
        if len(sources) > 1:
            show_several(weights, sources, sex)
        elif sources and not show_fault(sources[0]):
            if sex is None:
                ask_for_sex()
            else:
                show_one(weights, sources[0], sex, age)
        about_the_models(weights)
    except BoneAgeError as error:
        show_error(error)


main()
