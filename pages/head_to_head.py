"""Head to head: errors, compute and saliency maps of two models on the same radiographs."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from boneage import artifacts, formatting
from boneage.comparison import costs
from boneage.comparison import figures as comparison
from boneage.comparison import table as tables
from boneage.comparison import text as verdict
from boneage.comparison.head_to_head import HeadToHead, head_to_head, mae_only
from boneage.comparison.significance import MIN_CASES
from boneage.comparison.timing import milliseconds_a_radiograph
from boneage.datasets.text import ABOUT_SPLIT, SPLITS
from boneage.errors import BoneAgeError
from boneage.evaluation.published import published_results
from boneage.explain import text as explain_text
from boneage.explain.overlay import stretch
from boneage.figures import cards, palette, pictures, style
from boneage.figures.training import training_curves
from boneage.formatting import CI_95
from boneage.inference import text as prediction_text
from boneage.inference.ensemble import with_ensemble
from boneage.inference.predictor import Explanation, Prediction, Predictor
from boneage.models.registry import ENSEMBLE, MODELS, find_model
from boneage.radiographs.preprocessing import SEXES
from boneage.robustness.figure import error_ratios
from pages import shared
from pages.samples import sample_source, samples

OPACITY = 0.6
# A difference is fainter than a map, so it covers more.
DIFFERENCE_OPACITY = 0.9

Names = tuple[str, str]


# Choosing ---------------------------------------------------------------------------------------


def choose() -> tuple[str, str, str]:
    """(split, recipe, "all" or a sex), which stand in the address."""
    with st.container(horizontal=True, gap="medium"):
        split = shared.pick("Radiographs", SPLITS, "split")
        recipe = shared.pick(
            "Recipe", {r: shared.recipe_title(r) for r in shared.recipes()}, "recipe"
        )
        sex = shared.pick("Sex", shared.SEX_FILTER, "of_sex")
    return split, recipe, sex


def cases(names: Names, recipe: str, split: str, sex: str) -> list:
    """The predictions of both models, of the split and sex chosen, and their weights."""
    both = [shared.cases_of(name, recipe) for name in names]
    sexes = SEXES if sex == shared.ALL else [sex]
    shown = [table[(table["split"] == split) & table["sex"].isin(sexes)] for table in both]
    return [*shown, tuple(shared.weights_of(names, recipe).values())]


# `files` stand in the key only: tables that were written anew are compared anew.
@st.cache_data(show_spinner=False, max_entries=64)
def compare(files: tuple, names: Names, recipe: str, split: str, sex: str) -> HeadToHead:
    return head_to_head(*cases(names, recipe, split, sex))


@st.cache_data(show_spinner=False, max_entries=64)
def compare_mae(files: tuple, names: Names, recipe: str, split: str, sex: str) -> tuple:
    return mae_only(*cases(names, recipe, split, sex))


# What the figures say ---------------------------------------------------------------------------


def show_verdict(found: HeadToHead, titles: Names, split: str, sex: str) -> None:
    of_sex = None if sex == shared.ALL else sex
    sample = verdict.sample_in_words(found.comparison.n, split, of_sex)
    for paragraph in verdict.verdict(
        found.comparison, found.differences, found.wins, titles, sample
    ):
        st.markdown(paragraph)
    st.markdown(verdict.bias(found.bias, titles))
    shares = dict(zip(titles, found.weights, strict=True))
    notes = [
        verdict.ABOUT_TRAINING_RUNS,
        ABOUT_SPLIT[split],
        prediction_text.ensemble_weights(shares),
    ]
    st.caption(" ".join(filter(None, notes)))


def show_table(names: Names, recipe: str, split: str, sex: str, found: HeadToHead) -> None:
    st.header("Metrics and cost", anchor=False)
    rows = tables.metric_rows(found.metrics, found.differences)
    for other in shared.recipes():
        if other != recipe:
            mae = compare_mae(shared.prediction_files(other), names, other, split, sex)
            rows += tables.metric_rows(*mae, suffix=f", {shared.recipe_title(other).lower()}")
    each = [cost_of(artifacts.recipe_folders(name)[recipe]) for name in names]
    # Of other recipes there are no weights to time.
    published = shared.published_weights() if recipe == artifacts.BEST else ()
    weights = [entry for entry in published if entry[0] in names]
    show_table_and_time(names, rows, each, weights)
    st.caption(
        f"Below each metric its {CI_95} (bootstrap). ✓ and bold: significantly "
        "better than the other model, p < 0.05. p: paired tests of the two models; MAE is the "
        "primary metric, the p values of all other metrics together are adjusted by Holm's method, "
        f"as are those of the subgroups. Fewer than {MIN_CASES} radiographs are not tested. "
        "Inference time is that of the network alone, for one prepared hand at a time."
    )


@st.fragment  # measuring redraws the table, and nothing else of the page
def show_table_and_time(names: Names, error_rows: list, each: list, weights: list) -> None:
    place = st.empty()
    measured = st.session_state.setdefault("milliseconds", {})
    if weights and st.button("Measure inference time on this machine", icon=":material/timer:"):
        try:
            measured |= measure(weights)
        except BoneAgeError as error:
            shared.show_error(error)
    times = [measured.get(entry) for entry in weights] or [None, None]
    times.append(None if None in times else sum(times))
    cost_rows = tables.cost_rows([*each, costs.together(each)], times)
    sections = {"Error": error_rows, "Cost": cost_rows}
    place.html(tables.model_table([*names, ENSEMBLE], sections))


def cost_of(folder) -> costs.Cost:
    weights = folder / artifacts.WEIGHTS
    n_bytes = weights.stat().st_size if weights.is_file() else None
    return costs.cost(artifacts.read_facts(folder), n_bytes)


def measure(weights: list) -> dict:
    """(model name, SHA-256) -> milliseconds a radiograph, with the progress shown."""
    place, measured = st.empty(), {}
    for number, (name, digest) in enumerate(weights):
        title, done = style.model_title(name), number / len(weights)
        place.progress(done, f"Loading {title}: this takes about ten seconds.")
        predictor = Predictor(name)
        place.progress(done + 0.5 / len(weights), f"Timing {title}.")
        measured[name, digest] = milliseconds_a_radiograph(predictor)
    place.empty()
    return measured


def show_published() -> None:
    st.subheader("Published results", anchor=False)
    st.markdown(
        "Test and validation have different reference standards and must not be mixed: the "
        "reference bone age is the mean of six readings on test and a single reading on "
        "validation, so the same system has a larger MAE on validation."
    )
    st.html(tables.published_table(published_results()))


def show_statistics(found: HeadToHead, titles: Names) -> None:
    st.header("Paired statistics", anchor=False)
    for name, value, meaning in verdict.paired_statistics(found.comparison, titles):
        st.markdown(f"- **{name}: {value}.** {meaning}")


def show_charts(names: Names, recipe: str, found: HeadToHead) -> None:
    st.header("Errors by model and subgroup", anchor=False)
    first, second = map(style.model_title, names)
    left, right = st.columns(2, gap="medium")
    with left:
        shared.chart(
            comparison.error_distributions(found.pairs, *names),
            alt="Distribution of the absolute errors of both models",
        )
    with right:
        shared.chart(
            comparison.win_shares(found.wins.drop(columns="p"), *names),
            alt="Percentage of radiographs on which each model is closer, by age and sex",
        )
    left, right = st.columns(2, gap="medium")
    with left:
        shared.chart(
            comparison.prediction_against_prediction(found.pairs, *names),
            alt=f"Predicted bone age of {second} against that of {first}",
        )
    with right:
        show_training(names, recipe)


def show_training(names: Names, recipe: str) -> None:
    curves, cut = training_chart(shared.prediction_files(recipe), names, recipe)
    shared.chart(curves, alt="Loss and validation error by epoch")
    if cut:
        st.caption(
            f"{formatting.in_words(cut)}: fine-tuned from earlier weights; the curves show the "
            "last stage only."
        )


# The curves are the same for all splits and sexes.
@st.cache_resource(show_spinner=False, max_entries=8)
def training_chart(files: tuple, names: Names, recipe: str) -> tuple:
    """(figure, titles of the models whose curves show their last stage only)."""
    folders = {name: artifacts.recipe_folders(name)[recipe] for name in names}
    histories = {name: artifacts.read_history(folder) for name, folder in folders.items()}
    cut = [
        style.model_title(name)
        for name, folder in folders.items()
        if artifacts.read_facts(folder).warm_start
    ]
    return training_curves(histories), cut


def show_robustness() -> None:
    table = artifacts.read_robustness()
    if table is None:
        return
    st.header("Robustness to image changes", anchor=False)
    shared.chart(
        robustness_chart(table),
        alt="Error of both models and of the ensemble on altered images",
    )
    st.caption(
        f"MAE on {table['n'].max():,} radiographs after image changes that do not affect the bone "
        f"age, relative to the MAE on the unchanged images. Error bars are paired {CI_95}s."
    )


# Like the curves, the same for all splits and sexes.
@st.cache_resource(show_spinner=False, max_entries=4)
def robustness_chart(table: pd.DataFrame) -> go.Figure:
    return error_ratios(table)


# One radiograph ---------------------------------------------------------------------------------


@st.fragment  # another radiograph redraws this part only
def show_radiograph(names: Names, recipe: str) -> None:
    st.header("Compare on one radiograph", anchor=False)
    if recipe != artifacts.BEST:
        best = shared.recipe_title(artifacts.BEST).lower()
        st.caption(f"Predicted with the published weights (recipe: {best}).")
    source = choose_source()
    if source is None:
        return
    if shared.show_fault(source):
        return
    if st.session_state.get("compared") != source.key:
        # What a new source says of the sex is filled in once.
        st.session_state["compared"] = source.key
        st.session_state["sex_of_radiograph"] = source.sex
    sex = st.segmented_control(
        "Sex", SEXES, format_func=shared.SEX_LABELS.get, key="sex_of_radiograph"
    )
    if sex is None:
        st.info("Choose the sex to see the bone age.", icon=":material/arrow_upward:")
        return
    try:
        show_both(names, source, sex)
    except BoneAgeError as error:
        shared.show_error(error)


def choose_source() -> shared.Source | None:
    """The file uploaded or the sample chosen, whichever came last."""
    state = st.session_state
    state.setdefault("radiograph_uploader", 0)

    def empty_uploader() -> None:
        state["radiograph_uploader"] += 1  # a new one is empty

    left, right = st.columns(2, gap="medium")
    upload = left.file_uploader(
        "A radiograph of the hand: PNG, JPEG, WebP, TIFF or DICOM",
        key=f"radiograph-{state.radiograph_uploader}",
        help="Kept in memory while this page is open; never stored.",
    )
    if upload:
        state["sample"] = None
    sample = right.pills(
        "Or a sample", list(samples()), key="sample", wrap=True, on_change=empty_uploader
    )
    if upload:
        return shared.file_source(upload.file_id, upload.name, upload.getvalue())
    return sample_source(sample) if sample else None


def show_both(names: Names, source: shared.Source, sex: str) -> None:
    weights = shared.published_weights()
    shared.load_predictor(weights)
    with st.spinner("Finding the hand and predicting."):
        prediction = shared.predict(weights, source.digest, sex, source.content)
    months = {name: prediction.months[name] for name in names}
    mean = with_ensemble(months, shared.weights_of(names, artifacts.BEST))[ENSEMBLE]
    shared.show_notes(source, prediction)
    if not prediction.refusal:
        st.html(cards.age_cards(months, mean))
        apart = prediction_text.disagreement(
            {style.model_title(name): age for name, age in months.items()}
        )
        st.markdown(apart)
    elif shared.show_refusal(weights, source, prediction):
        st.html(cards.refused_age_cards(months, mean))
    else:
        return
    with st.spinner("Computing saliency maps."):
        explanations = [
            shared.explain(weights, source.digest, sex, name, source.content) for name in names
        ]
    show_maps(names, prediction, explanations)
    for name, explanation in zip(names, explanations, strict=True):
        if explanation.spatial:
            show_attention(name, prediction, explanation)


def show_maps(names: Names, prediction: Prediction, explanations: list[Explanation]) -> None:
    st.subheader("Grad-CAM", anchor=False)
    st.caption(explain_text.ABOUT_GRADCAM)
    hands = [prediction.prepared[name] for name in names]
    columns = st.columns(3, gap="medium")
    for column, name, hand, explanation in zip(columns, names, hands, explanations, strict=False):
        with column:
            st.html(cards.model_heading(name))
            st.image(
                pictures.map_on_crop(hand.image, explanation.gradcam, OPACITY),
                caption=explain_text.gradcam_direction(explanation.direction),
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
            pictures.difference_map(
                hands[0].image,
                *(explanation.gradcam for explanation in explanations),
                tuple(map(palette.model_colour, names)),
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
                pictures.map_on_crop(crop, stretch(values), OPACITY),
                caption=f"Stage {stage}",
                width="stretch",
                alt=f"Spatial attention of stage {stage} of {title}",
            )


# The page ---------------------------------------------------------------------------------------


def show_missing(available: list[str]) -> None:
    """With fewer than two models: what is missing, and how to get it."""
    missing = [
        entry for entry in MODELS.values() if not entry.hidden and entry.name not in available
    ]
    titles = formatting.in_words([entry.title for entry in missing])
    st.info(
        f"The comparison needs two trained models. Missing: {titles}. Prepare the radiographs "
        "once as described in docs/training.md, then train:",
        icon=":material/model_training:",
    )
    for entry in missing:
        st.code(
            f"python -m boneage train --model {entry.name} --preset best --cache cache "
            f"--out artifacts/models/{entry.name}",
            language="sh",
            wrap_lines=True,
        )
    show_published()


def show_page(names: Names) -> None:
    split, recipe, sex = choose()
    titles = tuple(map(style.model_title, names))
    try:
        found = compare(shared.prediction_files(recipe), names, recipe, split, sex)
    except BoneAgeError as error:  # a damaged file, or tables without a common case
        shared.show_error(error)
    else:
        show_verdict(found, titles, split, sex)
        show_table(names, recipe, split, sex, found)
        show_published()
        show_statistics(found, titles)
        show_charts(names, recipe, found)
    show_robustness()
    show_radiograph(names, recipe)


def main() -> None:
    st.title("Comparison of two models", anchor=False)
    available = artifacts.available_models()
    if len(available) < 2:
        show_missing(available)
        return
    try:
        show_page(tuple(available[:2]))
    except BoneAgeError as error:
        shared.show_error(error)


main()
