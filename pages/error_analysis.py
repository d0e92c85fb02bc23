"""Error analysis: residuals, calibration, coverage and subgroups of one model."""

import os
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from boneage import artifacts, formatting
from boneage.datasets.blocks import acquisition_block
from boneage.datasets.labels import LabelError, read_user_predictions
from boneage.datasets.rsna import find_split_images
from boneage.datasets.splits import TEST, VALIDATION
from boneage.datasets.text import ABOUT_SPLIT, SPLITS
from boneage.error_analysis import analysis
from boneage.error_analysis import figures as errors
from boneage.error_analysis import text as error_text
from boneage.error_analysis.analysis import Analysis
from boneage.error_analysis.benchmarks import benchmarks
from boneage.error_analysis.calibration_figure import reference_on_predicted
from boneage.error_analysis.coverage_figures import (
    coverage_by_group,
    coverage_by_level,
    coverage_rows,
)
from boneage.errors import BoneAgeError
from boneage.evaluation.intervals import METRICS
from boneage.evaluation.published import PUBLISHED_COLUMN, SINGLE_READER, published_results
from boneage.figures import cards, palette, pictures, style, tables
from boneage.inference import text as prediction_text
from boneage.inference.conformal import FOLDS, LEVEL, MIN_CALIBRATION, N_PARTITIONS
from boneage.models.registry import ENSEMBLE
from boneage.radiographs import text as hand_text
from pages import radiographs, shared

OWN = "own"
OLDEST_YEARS = 19
N_SUBGROUPS = 8
N_PICTURES = 8
RADIOGRAPHS = "BONEAGE_RSNA"  # environment variable
ABOUT_OWN = "Your own predictions. They stay in memory while this page is open."


@dataclass(frozen=True)
class Choice:
    """What the page shows: the cases of one model, recipe and split, of one sex and of some ages.

    published: name of the model, or "ensemble", whose intervals the app shows; None of others.
    whole: no case of the split was left out by sex or age.
    note: a sentence on the model, or None.
    """

    title: str
    colour: str
    split: str
    models: list[str]  # whose maps can be shown
    cases: pd.DataFrame
    whole: bool
    published: str | None = None
    note: str | None = None


# Streamlit tells tables apart by their content, so an analysis is kept for every choice.
@st.cache_resource(show_spinner=False, max_entries=64)
def analyse(cases: pd.DataFrame, by: str) -> Analysis:
    return analysis.analyse(cases, by)


# Choosing ---------------------------------------------------------------------------------------


def choose() -> Choice | None:
    """The choice, which stands in the address; None when an uploaded file cannot be used (yet)."""
    with st.expander("Analyze your own predictions", icon=":material/upload_file:"):
        st.markdown(
            "A CSV file with the columns `id`, `boneage` (the reference bone age), `sex` and "
            "`prediction`, ages in months, gets the same analysis as our models."
        )
        upload = st.file_uploader("Your predictions", label_visibility="collapsed")
    if upload:
        try:
            own = shared.read_upload(read_user_predictions, upload)
        except LabelError as error:
            shared.show_error(error)
            return None
        if own is None:
            return None
        cases, whole = narrow(own)
        return Choice("Your predictions", palette.MEAN, OWN, [], cases, whole)
    with st.container(horizontal=True, gap="medium"):
        published = artifacts.available_models()
        names = [*published, ENSEMBLE] if len(published) > 1 else published
        name = shared.pick("Model", {name: style.model_title(name) for name in names}, "model", -1)
        recipe = shared.pick(
            "Recipe", {r: shared.recipe_title(r) for r in shared.recipes()}, "recipe"
        )
        split = shared.pick("Radiographs", SPLITS, "split")
    cases = shared.cases_of(name, recipe)
    cases = cases.assign(block=acquisition_block(cases))
    cases, whole = narrow(cases[cases["split"] == split])
    models = published if name == ENSEMBLE else [name]
    title, colour = style.model_title(name), palette.model_colour(name)
    shown = name if recipe == artifacts.BEST else None
    note = weights_in_words(recipe) if name == ENSEMBLE else None
    return Choice(title, colour, split, models, cases, whole, shown, note)


def weights_in_words(recipe: str) -> str:
    weights = shared.weights_of(artifacts.available_models(), recipe)
    return prediction_text.ensemble_weights(
        {style.model_title(n): share for n, share in weights.items()}
    )


def narrow(cases: pd.DataFrame) -> tuple[pd.DataFrame, bool]:
    """The cases of the sex and ages chosen, and whether they are all."""
    with st.container(horizontal=True, gap="medium"):
        sex = shared.pick("Sex", shared.SEX_FILTER, "of_sex")
        youngest, oldest = st.slider(
            "Reference bone age in years",
            0,
            OLDEST_YEARS,
            (0, OLDEST_YEARS),
            key="years",
            width=300,
            bind="query-params",
        )
    end = 12 * oldest if oldest < OLDEST_YEARS else float("inf")  # the last also takes the older
    chosen = cases["reference_months"].between(12 * youngest, end)
    if sex != shared.ALL:
        chosen &= cases["sex"] == sex
    return cases[chosen].reset_index(drop=True), bool(chosen.all())


# Figures ----------------------------------------------------------------------------------------


def show_figures(choice: Choice, found: Analysis) -> None:
    number = formatting.counted(len(found.cases), "radiograph")
    st.header(f"{choice.title}: {number}", anchor=False)
    about = [ABOUT_SPLIT.get(choice.split, ABOUT_OWN), choice.note]
    st.markdown(" ".join(filter(None, about)))
    st.html(cards.metric_tiles(found.metrics, METRICS, choice.colour))
    st.caption(
        f"Below each metric its {formatting.CI_95} (bootstrap). A residual is predicted minus "
        "reference bone age, positive where overestimated; bias is the mean residual."
    )
    if choice.split in PUBLISHED_COLUMN:
        show_published(choice, found)


def show_published(choice: Choice, found: Analysis) -> None:
    st.subheader(error_text.PUBLISHED, anchor=False)
    own = tuple(found.metrics[name] for name in ("mae", "mae_low", "mae_high"))
    reader_band = SINGLE_READER if choice.split == "test" else None
    published = published_results()
    column = PUBLISHED_COLUMN[choice.split]
    st.html(benchmarks(choice.title, own, choice.colour, published, column, reader_band))
    sentences = ["Mean absolute error in months."]
    if reader_band:
        sentences.append(error_text.about_reader_band(*reader_band))
    if choice.split == "validation":
        sentences.append(
            "Published results are on the official 1,425 validation radiographs of the challenge, "
            "ours on 1,425 other radiographs from the same source."
        )
    if not choice.whole:
        sentences.append(
            "Published results are for both sexes and all ages, unlike your selection."
        )
    st.caption(" ".join(sentences))
    with st.expander("Sources", icon=":material/menu_book:"):
        for row in published.dropna(subset=[column]).itertuples():
            st.markdown(f"- {row.system}: {formatting.as_plain_markdown(row.source)}")


def show_residuals(choice: Choice, found: Analysis) -> None:
    show_selectable(choice, found)
    age, _ = style.AGES[found.by]
    left, right = st.columns(2, gap="medium")
    with left:
        shared.chart(
            errors.residual_distributions(*found.boxes, found.by),
            alt=f"Distribution of the residuals in each band of {age}, girls and boys",
        )
    with right:
        shared.chart(
            errors.mae_heatmap(found.by_band_and_sex, found.by),
            alt=f"Mean absolute error in each band of {age}, girls and boys",
        )


def show_calibration(found: Analysis) -> None:
    st.header(error_text.CALIBRATION, anchor=False)
    left, right = st.columns(2, gap="medium", vertical_alignment="center")
    with left:
        shared.chart(
            reference_on_predicted(found.cases, found.calibration_bins, found.calibration),
            alt="Reference bone age against predicted bone age of each radiograph, with means",
        )
    with right:
        st.markdown(error_text.calibration_slope(found.calibration))
        st.markdown(error_text.regression_to_the_mean(found.calibration))
        st.caption(
            "Large markers: means of ten equal-sized groups by predicted bone age. The slope is "
            "that of the least-squares line of reference on predicted bone age (bootstrap CI)."
        )


def show_agreement(choice: Choice, found: Analysis) -> None:
    st.header(error_text.AGREEMENT, anchor=False)
    figures = {
        "Predicted against reference bone age": errors.predicted_against_age(found.cases),
        "Bland-Altman plot": errors.bland_altman(found.cases, found.agreement),
        "Histogram of residuals": errors.error_histogram(found.cases, choice.colour),
        "Cumulative distribution of the absolute error": errors.cumulative_error(
            found.cumulative, choice.colour
        ),
    }
    for place, (alt, figure) in zip(
        [*st.columns(2, gap="medium"), *st.columns(2, gap="medium")], figures.items(), strict=True
    ):
        with place:
            shared.chart(figure, alt=alt)


def show_certainty(choice: Choice) -> None:
    if choice.published is None:
        return
    table = artifacts.read_coverage()
    if table is None:
        st.caption(
            "Prediction interval coverage has not been measured for these models: run "
            "`python -m boneage calibrate`."
        )
        return
    st.header("Prediction interval coverage", anchor=False)
    table = table[table["model"] == choice.published]
    known = interval_coverage(table, choice.colour)
    every = known.rows.iloc[0]
    st.markdown(
        f"The {formatting.share(LEVEL)} prediction interval covers the reference bone age of "
        f"{every[VALIDATION]} validation radiographs"
        + ("." if pd.isna(every[TEST]) else f" and {every[TEST]} test radiographs.")
    )
    left, right = st.columns(2, gap="medium")
    with left:
        shared.chart(known.by_level, alt="Nominal and empirical coverage of prediction intervals")
    with right:
        shared.chart(known.by_group, alt="Empirical coverage of prediction intervals by subgroup")
    show_coverage(known.rows)
    st.caption(
        "Ranges in parentheses and error bars are 95% CIs. Both sexes and all ages, independent of "
        "the filters above; age bands are of predicted bone age."
    )
    with st.expander("How coverage is measured", icon=":material/info:"):
        st.markdown(
            f"- All validation radiographs calibrate the intervals, by split conformal prediction "
            f"in groups of sex and predicted bone age. Age bands of fewer than {MIN_CALIBRATION} "
            "radiographs are merged.\n"
            f"- Validation coverage is cross-conformal: each radiograph is tested with intervals "
            f"calibrated on the other {FOLDS - 1} of {FOLDS} folds, on average over {N_PARTITIONS} "
            f"random partitions (SD {100 * known.sd:.1f} percentage points). By construction it "
            "is close to nominal in groups of sex and age.\n"
            "- Acquisition blocks are inferred from breaks in contrast, labels and errors along "
            "the RSNA ids; they are not documented sources. The intervals are not calibrated by "
            "block.\n"
            "- The intervals cover a single clinical reading, as validation labels are. Test "
            "labels, the mean of six readings, have less noise, so coverage is higher.\n"
            "- Epoch, mirroring and ensemble weight were chosen on the same validation "
            "radiographs, so errors on them are slightly optimistic."
        )


def show_coverage(rows: pd.DataFrame) -> None:
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        column_config={
            "group": st.column_config.TextColumn("Subgroup", pinned=True),
            VALIDATION: st.column_config.TextColumn("Coverage, validation"),
            TEST: st.column_config.TextColumn("Coverage, test"),
            "width": st.column_config.NumberColumn("Median width, months", format="%.0f"),
        },
        placeholder="",
        alt=f"Coverage and width of the {formatting.share(LEVEL)} intervals in each subgroup",
    )


@dataclass(frozen=True, eq=False)
class Coverage:
    """Coverage of the intervals of one model.

    sd: of the validation coverage at LEVEL over the partitions, in 0..1.
    """

    by_level: go.Figure
    by_group: go.Figure
    rows: pd.DataFrame
    sd: float


# All this is the same for any sex and ages.
@st.cache_resource(show_spinner=False, max_entries=16)
def interval_coverage(table: pd.DataFrame, colour: str) -> Coverage:
    every = table[(table["level"] == LEVEL) & (table["group"] == "all")].set_index("cases")
    return Coverage(
        coverage_by_level(table, colour),
        coverage_by_group(table, LEVEL, colour),
        coverage_rows(table, LEVEL),
        every["sd"][VALIDATION],
    )


def show_subgroups(found: Analysis) -> None:
    groups, (age, _) = found.subgroups, style.AGES[found.by]
    st.header(error_text.WORST, anchor=False)
    st.markdown(error_text.worst_subgroups(groups, age))
    if not groups.worst.empty:
        st.html(tables.cohort_table(groups.worst.head(N_SUBGROUPS)))
    st.subheader(error_text.TREE, anchor=False)
    st.markdown(error_text.tree_subgroups(groups, age))
    if not groups.tree.empty:
        st.html(tables.cohort_table(groups.tree))
    if not found.by_block.empty:
        st.subheader(error_text.BLOCKS, anchor=False)
        st.markdown(error_text.ABOUT_BLOCKS)
        st.html(tables.block_table(found.by_block))
    st.caption(error_text.ABOUT_SMALL_GROUPS)


# Cases ------------------------------------------------------------------------------------------


@st.fragment  # choosing points redraws what hangs on them, and nothing else of the page
def show_selectable(choice: Choice, found: Analysis) -> None:
    event = shared.chart(
        errors.residual_scatter(found.cases, found.running, found.by),
        alt=f"Residual of every radiograph against its {style.AGES[found.by][0]}",
        key="residuals",
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
    )
    selected = errors.selected_cases(found.cases, event.selection.points)
    if selected.empty:
        st.caption("Select points with the lasso or the box to list those radiographs.")
        return
    selected = selected.sort_values("absolute_error", ascending=False, ignore_index=True)
    st.subheader(formatting.counted(len(selected), "selected radiograph"), anchor=False)
    case_table(selected)
    download("Download the selection", selected, "selected_cases.csv")
    show_radiographs(choice, selected)


def case_table(cases: pd.DataFrame) -> None:
    shown = pd.DataFrame(
        {
            "id": cases["id"],
            "sex": cases["sex"],
            "age": cases["reference_months"].map(formatting.age_in_short),
            "prediction": cases["prediction_months"].map(formatting.age_in_short),
            "residual": cases["residual_months"],
            "crop": cases["crop_method"].map(hand_text.hand_found_short, na_action="ignore"),
        }
    )
    st.dataframe(
        shown,
        hide_index=True,
        height=min(38 + 35 * len(shown), 320),
        column_config={
            "id": st.column_config.TextColumn("Radiograph", pinned=True),
            "sex": st.column_config.TextColumn("Sex"),
            "age": st.column_config.TextColumn("Reference bone age"),
            "prediction": st.column_config.TextColumn("Predicted bone age"),
            "residual": st.column_config.NumberColumn("Residual, months", format="%+.1f"),
            "crop": st.column_config.TextColumn("Hand detection"),
        },
        alt="The selected radiographs, largest error first",
    )


def show_radiographs(choice: Choice, selected: pd.DataFrame) -> None:
    """The radiographs themselves, where this machine has them."""
    folder = os.environ.get(RADIOGRAPHS)
    if not folder:
        st.info(
            "To see the radiographs here, download the RSNA Pediatric Bone Age data, name its "
            f"folder in the environment variable {RADIOGRAPHS} and start the app again.",
            icon=":material/image_search:",
        )
        return
    try:
        files = find_split_images(folder, choice.split, selected["id"])
    except LabelError as error:
        shared.show_error(error)
        return
    cases = selected[selected["id"].isin(files)].head(N_PICTURES)
    if cases.empty:
        st.info(f"None of the selected radiographs is in {folder}.", icon=":material/image_search:")
        return
    map_of = choose_map(choice.models)
    if len(cases) < len(selected):
        st.caption(f"The {len(cases)} radiographs with the largest error:")
    with st.grid(4, min_column_width=150, gap="small"):
        for case in cases.itertuples():
            show_radiograph(case, files[case.id].read_bytes(), map_of)


def choose_map(models: list[str]) -> str | None:
    """The model whose Grad-CAM to lay over the radiographs; None for the bare ones."""
    if not models:
        return None
    return st.segmented_control(
        "Grad-CAM overlay",
        models,
        format_func=style.model_title,
        key="map_of",
        help="The models are loaded on first use.",
    )


def show_radiograph(case, content: bytes, map_of: str | None) -> None:
    try:
        source = radiographs.file_source(case.id, case.id, content)
        picture, refusal = radiograph(source, case.sex, map_of)
    except BoneAgeError as error:
        shared.show_error(error)
        return
    read, predicted = map(formatting.age_in_short, (case.reference_months, case.prediction_months))
    caption = f"{case.id}, {case.sex}: reference {read}, prediction {predicted}"
    if refusal:
        caption += f". Refused by the quality check ({refusal.kind}): prediction not reliable"
    st.image(
        picture,
        caption=caption,
        width="stretch",
        alt=f"Radiograph {case.id}",
    )


def radiograph(source: radiographs.Source, sex: str, map_of: str | None) -> tuple:
    """(picture, what the quality check says of it)."""
    weights = radiographs.published_weights()
    prediction = radiographs.predict(weights, source.digest, sex, source.content)
    shown = radiographs.opened(weights, source.digest, source.content).shown
    if map_of is None:
        return shown.pixels, prediction.refusal
    explanation = radiographs.explain(weights, source.digest, sex, map_of, source.content)
    place = prediction.prepared[map_of].to_radiograph
    picture = pictures.map_on_radiograph(shown, place, explanation.gradcam, opacity=0.6)
    return picture, prediction.refusal


def download(label: str, cases: pd.DataFrame, file_name: str) -> None:
    st.download_button(
        label,
        lambda: cases.to_csv(index=False, float_format="%.2f").encode("utf-8-sig"),
        file_name=file_name,
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=file_name,
    )


# The page ---------------------------------------------------------------------------------------


def main() -> None:
    st.title("Error analysis", anchor=False)
    st.markdown("Predictions of the published models compared with the reference bone age.")
    try:
        if not artifacts.available_models():
            st.info(
                "This copy contains no trained model. docs/training.md describes how to train one."
            )
            return
        choice = choose()
        if choice is None:
            return
        if choice.cases.empty:
            st.info("No radiograph matches the filters. Choose another sex or a wider age range.")
            return
        figures = st.container()  # above the control that the analysis waits for
        st.header(error_text.RESIDUALS, anchor=False)
        by = shared.pick(
            "Age", {by: words.capitalize() for by, (words, _) in style.AGES.items()}, "by"
        )
        found = analyse(choice.cases, by)
        with figures:
            show_figures(choice, found)
        show_residuals(choice, found)
        show_calibration(found)
        show_agreement(choice, found)
        show_certainty(choice)
        show_subgroups(found)
        download("Download all cases shown", found.cases, "cases.csv")
    except BoneAgeError as error:
        shared.show_error(error)


main()
