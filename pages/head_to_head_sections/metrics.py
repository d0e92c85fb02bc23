"""The conclusion, the table of metrics and cost, and the paired statistics of two models."""

import streamlit as st

from boneage import artifacts
from boneage.comparison import costs
from boneage.comparison import table as tables
from boneage.comparison import text as comparison_text
from boneage.comparison.head_to_head import HeadToHead
from boneage.comparison.significance import MIN_CASES
from boneage.comparison.timing import milliseconds_a_radiograph
from boneage.datasets.text import ABOUT_SPLIT
from boneage.errors import BoneAgeError
from boneage.evaluation.published import published_results
from boneage.figures import style
from boneage.formatting import CI_95
from boneage.inference.predictor import Predictor
from boneage.inference.text import ensemble_weights
from pages import shared
from pages.head_to_head_sections.selection import Choice, cases_of_models, compare_mae
from pages.radiographs import published_weights


def show_conclusion(found: HeadToHead, choice: Choice) -> None:
    titles, split = choice.titles, choice.split
    sex = None if choice.sex == shared.ALL else choice.sex
    sample = comparison_text.sample_in_words(found.comparison.n, split, sex)
    for paragraph in comparison_text.conclusion(
        found.comparison, found.differences, found.wins, titles, sample
    ):
        st.markdown(paragraph)
    st.markdown(comparison_text.bias(found.bias, titles))
    if choice.by_hand:
        weights = comparison_text.weights_of_user(found.weights[0], titles)
    else:
        weights = ensemble_weights(dict(zip(titles, found.weights, strict=True)))
    notes = [
        comparison_text.ABOUT_FILES if choice.has_file else comparison_text.ABOUT_TRAINING_RUNS,
        ABOUT_SPLIT.get(split),
        weights,
    ]
    st.caption(" ".join(filter(None, notes)))


def show_table(found: HeadToHead, choice: Choice) -> None:
    st.header("Metrics and cost" if choice.are_models else "Metrics", anchor=False)
    rows = tables.metric_rows(found.metrics, found.differences)
    if not choice.has_file:
        for other in shared.recipes():
            if other != choice.recipe:
                both, weights = cases_of_models(choice.names, other, choice.split, choice.sex)
                suffix = f", {shared.recipe_title(other).lower()}"
                rows += tables.metric_rows(*compare_mae(*both, weights), suffix=suffix)
    if choice.are_models:
        names = choice.names
        each = [cost_of(artifacts.recipe_folders(name)[choice.recipe]) for name in names]
        # Of other recipes there are no weights to time.
        published = dict(published_weights()) if choice.recipe == artifacts.BEST else {}
        weights = [(name, published[name]) for name in names if name in published]
        show_table_and_time(choice, rows, each, weights)
    else:
        st.html(tables.model_table(choice.compared, {"": rows}).html())
    time = ""
    if choice.are_models:
        time = " Inference time is that of the network alone, for one prepared hand at a time."
    st.caption(
        f"Below each metric its {CI_95} (bootstrap). ✓ and bold: significantly "
        "better than the other model, p < 0.05. p: paired tests of the two models; MAE is the "
        "primary metric, the p values of all other metrics together are adjusted by Holm's method, "
        f"as are those of the subgroups. Fewer than {MIN_CASES} radiographs are not tested.{time}"
    )


@st.fragment  # measuring redraws the table, and nothing else of the page
def show_table_and_time(choice: Choice, error_rows: list, each: list, weights: list) -> None:
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
    place.html(tables.model_table(choice.compared, sections).html())


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
    st.html(tables.published_table(published_results()).html())


def show_statistics(found: HeadToHead, titles: tuple[str, str]) -> None:
    st.header("Paired statistics", anchor=False)
    for name, value, meaning in comparison_text.paired_statistics(found.comparison, titles):
        st.markdown(f"- **{name}: {value}.** {meaning}")
