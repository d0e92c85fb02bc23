"""Learn: read ten hands, then compare the error with that of the models and human readers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from boneage import artifacts, wording
from boneage.atlas import evaluation as answers
from boneage.atlas import standards as plates
from boneage.atlas.ossification import SOURCES, STAGES_SOURCE, stage
from boneage.datasets.challenge import radiographs_folder
from boneage.datasets.labels import IMAGE_SUFFIXES, LabelError, read_labels
from boneage.datasets.rsna import find_split_images
from boneage.errors import BoneAgeError
from boneage.evaluation.published import SINGLE_READER
from boneage.figures import pictures
from boneage.models.registry import ENSEMBLE
from boneage.quiz import figures as charts
from boneage.quiz import quiz
from boneage.quiz.quiz import N_HANDS, Quiz
from boneage.radiographs.reading import read_radiograph
from pages import shared

PLATES, OWN = "plates", "own"
MATERIALS = {
    PLATES: "Average hands",
    "test": "Test radiographs",
    "validation": "Validation radiographs",
    OWN: "Your own radiographs",
}
TABLE_SUFFIXES = (".csv", ".tsv", ".txt")
A_HAND_OF = {"female": "a girl's hand", "male": "a boy's hand"}
WIDTH, COLUMNS = 420, (5, 6)  # pixels of the hand to be read; its share of the page
N_MISSED = 3


@dataclass(frozen=True, eq=False)
class Material:
    """Hands to learn on.

    key: tells it from all others. pool: columns id, sex and reference_months. picture: a row of it
    -> (H, W) uint8. about: a row of it -> title with the age, and a sentence or "". predictions:
    model name -> its predictions for the hands, columns id and prediction_months. notes: sentences
    on the source of hands and predictions. is_refused: a row of the pool -> whether the quality
    check refuses the hand, asked where that is not known of the predictions.
    """

    key: str
    pool: pd.DataFrame
    picture: Callable[[pd.Series], np.ndarray]
    about: Callable[[pd.Series], tuple[str, str]]
    predictions: dict[str, pd.DataFrame] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    is_refused: Callable[[pd.Series], bool] | None = None


# What to learn on -------------------------------------------------------------------------------


def choose() -> tuple[str, int, bool]:
    """What to read, the number of the set, and whether to tell after each answer."""
    has_cases = bool(radiographs_folder() and artifacts.available_models())
    offered = MATERIALS if has_cases else {name: MATERIALS[name] for name in (PLATES, OWN)}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chosen = shared.pick("Cases", offered, "read")
        number = st.number_input(
            "Set",
            min_value=1,  # where it starts; with a `value` of its own `next_set` could not set it
            key="set",
            width=130,
            bind="query-params",
            help="The same number shows the same ten hands in the same order. Share it, or the "
            "address of this page, with a class.",
        )
        tell = st.toggle("Show feedback after each case", value=True, key="tell")
    return chosen, number, tell


def material_of(chosen: str) -> Material | None:
    """The hands of one of MATERIALS; None while there is nothing to read."""
    if chosen == PLATES:
        return average_hands()
    if chosen == OWN:
        return own_radiographs()
    return radiographs_of(radiographs_folder(), chosen)


def average_hands() -> Material:
    predictions = answers.read_plate_predictions()
    notes = [
        "Each hand is the average of 20 or more radiographs of one sex and bone age, not a single "
        "child. Its bones are sharper than on a radiograph."
    ]
    each = {}
    if set(predictions["model"]) >= set(artifacts.available_models()):
        each = {name: table for name, table in answers.accepted(predictions).groupby("model")}
        notes.append(wording.PLATES_WERE_SEEN)
        if refused := answers.refused_plates(predictions):
            notes.append(wording.plates_refused(refused))
    else:
        notes.append(
            "The stored predictions are of other weights and are not shown; update them with "
            "`python -m boneage atlas-evaluate`."
        )

    def picture(hand: pd.Series) -> np.ndarray:
        return plates.plate(hand["sex"], hand["months"]).image

    def about(hand: pd.Series) -> tuple[str, str]:
        plate = plates.plate(hand["sex"], hand["months"])
        return plate.title, plate.caption

    notes.append(plates.SOURCE)
    return Material(PLATES, answers.as_cases(), picture, about, each, tuple(notes))


def radiographs_of(folder: Path, split: str) -> Material:
    """The challenge's radiographs on this machine, which the published models have read."""
    names = artifacts.available_models()
    readers = [*names, ENSEMBLE] if len(names) > 1 else names
    tables = {name: shared.cases_of(name, artifacts.BEST) for name in readers}
    tables = {name: table[table["split"] == split] for name, table in tables.items()}
    cases = tables[names[0]]
    files = files_of(folder, split)

    def picture(hand: pd.Series) -> np.ndarray:
        return radiograph(files[hand["id"]].read_bytes())

    def is_refused(hand: pd.Series) -> bool:
        source = shared.file_source(hand["id"], hand["id"], files[hand["id"]].read_bytes())
        weights = shared.published_weights()
        prediction = shared.predict(weights, source.digest, hand["sex"], source.content)
        return prediction.refusal is not None

    pool = cases[cases["id"].isin(files)]
    notes = (wording.ABOUT_SPLIT[split],)
    return Material(split, pool, picture, age_of, tables, notes, is_refused)


# A folder of 12,000 files takes a while to list.
@st.cache_data(show_spinner=False, max_entries=4)
def files_of(folder: Path, split: str) -> dict[str, Path]:
    cases = shared.cases_of(artifacts.available_models()[0], artifacts.BEST)
    return find_split_images(folder, split, cases.loc[cases["split"] == split, "id"])


def own_radiographs() -> Material | None:
    """Radiographs and their labels from the learner's computer."""
    uploads = st.file_uploader(
        f"At least {N_HANDS} radiographs and one CSV file with the columns id, boneage, sex",
        accept_multiple_files=True,
        help="Radiographs are named <id>.png, .jpg, .webp, .tif or .dcm; boneage is the "
        "reference bone age in months. All files stay in memory while this page is open.",
    )
    tables = [upload for upload in uploads if upload.name.lower().endswith(TABLE_SUFFIXES)]
    if not uploads:
        return None
    if len(tables) != 1:
        raise LabelError(
            f"Upload exactly one CSV file with the radiographs; there are {len(tables)}."
        )
    labels = shared.read_upload(read_labels, tables[0])
    if labels is None:
        return None
    files = {}
    for upload in uploads:
        name, dot, suffix = upload.name.rpartition(".")
        if (dot + suffix).lower() in IMAGE_SUFFIXES:
            files[name] = upload
    pool = labels[labels["id"].isin(files)]

    def picture(hand: pd.Series) -> np.ndarray:
        return radiograph(files[hand["id"]].getvalue())

    key = " ".join(sorted(upload.file_id for upload in uploads))
    notes = ("There are no model predictions for these radiographs.",)
    return Material(key, pool, picture, age_of, notes=notes)


def age_of(hand: pd.Series) -> tuple[str, str]:
    return wording.children_aged(hand["sex"], hand["reference_months"]), ""


# Every click runs the page again, and reading a large film takes a while.
@st.cache_resource(show_spinner=False, max_entries=8)
def radiograph(content: bytes) -> np.ndarray:
    return pictures.reduce(read_radiograph(content).pixels).pixels


# Reading ----------------------------------------------------------------------------------------


def current_quiz(material: Material, number: int) -> Quiz:
    """The quiz that is going on; another material or number starts a new one."""
    state = st.session_state
    if state.get("quiz_of") != (material.key, number):
        state["quiz"] = Quiz.start(material.pool, seed=number)
        state["quiz_of"] = material.key, number
        state["looking_back"] = False
    return state["quiz"]


def ask(material: Material, game: Quiz, tell: bool) -> None:
    hand = game.hand
    number = len(game.answers) + 1
    st.progress((number - 1) / len(game.hands), f"Hand {number} of {len(game.hands)}")
    left, right = st.columns(COLUMNS, gap="large")
    show_hand(left, material, hand, f"Hand {number} of {len(game.hands)}, {A_HAND_OF[hand['sex']]}")
    with right:
        st.subheader(A_HAND_OF[hand["sex"]].capitalize(), anchor=False)
        with st.form("answer", border=False, clear_on_submit=True):
            with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
                years = st.number_input(
                    "Bone age: years", 0, wording.OLDEST_YEARS, None, key="years", width=170
                )
                months = st.number_input("and months", 0, 11, None, key="months", width=120)
            sent = st.form_submit_button("Submit", type="primary", icon=":material/check:")
        st.caption("Tab moves between the fields, Enter submits.")
    if not sent:
        return
    if years is None and months is None:
        right.warning("Enter a bone age first.", icon=":material/edit:")
        return
    st.session_state["quiz"] = game.answered(12 * (years or 0) + (months or 0))
    st.session_state["looking_back"] = tell
    st.rerun()


def look_back(material: Material, game: Quiz) -> None:
    """The hand answered last, now with its age."""
    case = game.cases().iloc[-1]
    number = len(game.answers)
    st.progress(number / len(game.hands), f"Hand {number} of {len(game.hands)}")
    left, right = st.columns(COLUMNS, gap="large")
    title, sentence = material.about(case)
    show_hand(left, material, case, f"Hand {number}: {title}")
    with right:
        st.subheader(title, anchor=False)
        said = wording.answer_against(case["prediction_months"], case["reference_months"])
        st.markdown(f"{sentence} {said}")
        now = stage(case["sex"], case["reference_months"])
        st.markdown(f"**{now.title}:** {now.look}")
        st.button(
            "Show the result" if game.is_over else "Next hand",
            type="primary",
            icon=":material/arrow_forward:",
            on_click=st.session_state.update,
            kwargs={"looking_back": False},
            shortcut="Enter",
        )
        st.caption(
            f"Indicators of maturity after {wording.as_plain_markdown(SOURCES[STAGES_SOURCE])}"
        )


def show_hand(place, material: Material, hand: pd.Series, alt: str) -> None:
    # The picture of a plate is tall: as wide as its column it would not fit the screen.
    place.image(material.picture(hand), width=WIDTH, output_format="PNG", alt=alt)


# The result -------------------------------------------------------------------------------------


def show_result(material: Material, game: Quiz) -> None:
    readers = {charts.YOU: game.cases()}
    refused = refused_hands(material, game.hands)
    readers |= {
        name: game.cases_of(table[~table["id"].isin(refused)])
        for name, table in material.predictions.items()
    }
    readers = {name: readers[name] for name in in_order(readers) if len(readers[name])}
    scores = quiz.scores(readers)
    st.header("Your result", anchor=False)
    st.markdown(
        wording.quiz_result(*scores.loc[charts.YOU, ["mae", "mae_low", "mae_high", "bias"]])
    )
    st.button(
        f"Ten more cases (set {st.session_state['set'] + 1})",
        type="primary",
        icon=":material/replay:",
        on_click=next_set,
    )
    shared.chart(
        charts.reader_errors(scores, SINGLE_READER),
        alt="Mean absolute error of you and of each model, with the range of single human readers",
    )
    score_table(scores)
    if refused:
        st.caption(wording.hands_refused(refused))
    st.caption(
        f"The {wording.CI_95}s are wide, because n = {N_HANDS}. Shaded: published estimate for the "
        "200 test radiographs of the challenge, whose reference is the mean of six readings."
    )
    st.subheader("Agreement with the reference", anchor=False)
    plots = charts.bland_altman(readers)
    with st.grid("auto", min_column_width=320, gap="medium"):
        for name, figure in plots.items():
            title = charts.reader_title(name)
            shared.chart(figure, alt=f"Bland-Altman plot: {title}", key=f"bland-altman-{name}")
    st.caption(
        "Bland-Altman plots of estimated minus reference bone age, with bias and 95% limits of "
        f"agreement; bands are {wording.CI_95}s. All plots have the same scale."
    )
    show_missed(material, game.cases())
    answer_table(readers)


def refused_hands(material: Material, hands: pd.DataFrame) -> list[str]:
    """Ids of the hands that the quality check refuses, so that the models have no say on them."""
    if material.is_refused is None:
        return []
    with st.spinner("Running the image quality check on these radiographs."):
        return [hand["id"] for _, hand in hands.iterrows() if material.is_refused(hand)]


def in_order(readers) -> list[str]:
    """The learner, each model, and last their mean."""
    return sorted(readers, key=lambda name: (name != charts.YOU, name == ENSEMBLE, name))


def next_set() -> None:
    st.session_state["set"] += 1


def score_table(scores: pd.DataFrame) -> None:
    def span(low: str, high: str) -> list[str]:
        return [wording.metric_interval("bias", *ends) for ends in scores[[low, high]].to_numpy()]

    st.dataframe(
        pd.DataFrame(
            {
                "reader": scores.index.map(charts.reader_title),
                "mae": scores["mae"],
                "mae_interval": [
                    wording.metric_interval("mae", *ends)
                    for ends in scores[["mae_low", "mae_high"]].to_numpy()
                ],
                "bias": scores["bias"],
                "bias_interval": span("bias_low", "bias_high"),
                "limits": span("lower", "upper"),
            }
        ),
        hide_index=True,
        column_config={
            "reader": st.column_config.TextColumn("Reader", pinned=True),
            "mae": st.column_config.NumberColumn("MAE, months", format="%.1f"),
            "mae_interval": st.column_config.TextColumn(wording.CI_95),
            "bias": st.column_config.NumberColumn("Bias, months", format="%+.1f"),
            "bias_interval": st.column_config.TextColumn(wording.CI_95),
            "limits": st.column_config.TextColumn("Limits of agreement"),
        },
        alt="Error, bias and limits of agreement of you and of each model",
    )


def show_missed(material: Material, cases: pd.DataFrame) -> None:
    missed = quiz.most_missed(cases, N_MISSED)
    if missed.empty:
        return
    st.subheader("Your largest errors", anchor=False)
    with st.grid(N_MISSED, min_column_width=220, gap="medium"):
        for _, case in missed.iterrows():
            with st.container():
                title, sentence = material.about(case)
                st.image(material.picture(case), width="stretch", output_format="PNG", alt=title)
                said = wording.answer_against(case["prediction_months"], case["reference_months"])
                now = stage(case["sex"], case["reference_months"])
                st.markdown(f"**{title}.** {sentence} {said} *{now.title}:* {now.look}")


def answer_table(readers: dict[str, pd.DataFrame]) -> None:
    st.subheader("All readings", anchor=False)
    you = readers[charts.YOU]
    shown = pd.DataFrame(
        {
            "Hand": you["id"],
            "Sex": you["sex"].map(wording.CHILDREN),
            "Reference bone age": you["reference_months"].map(wording.age_in_short),
        }
    )
    for name, cases in readers.items():
        months = you["id"].map(cases.set_index("id")["prediction_months"])
        shown[charts.reader_title(name)] = months.map(wording.age_in_short, na_action="ignore")
    shown["Your residual, months"] = you["residual_months"]
    st.dataframe(
        shown,
        hide_index=True,
        height="content",
        column_config={
            "Hand": st.column_config.TextColumn(pinned=True),
            "Your residual, months": st.column_config.NumberColumn(format="%+.0f"),
        },
        placeholder="",
        alt="Each hand with its reference bone age, your reading and the predictions",
    )


def show_plate_predictions() -> None:
    """Predictions for all average hands, and those with large errors."""
    predictions = answers.read_plate_predictions()
    n = (answers.accepted(predictions)["model"] == ENSEMBLE).sum()
    if not n:
        return
    beyond = answers.beyond_a_year(predictions)
    refused = len(answers.refused_plates(predictions))
    with st.expander("Predictions for all average hands", icon=":material/table:"):
        st.markdown(
            f"{wording.plates_accepted(n + refused, refused)} {wording.plates_read(n, len(beyond))}"
        )
        if len(beyond):
            st.dataframe(
                pd.DataFrame(
                    {
                        "Average hand": beyond["id"],
                        "Ensemble": beyond["prediction_months"].map(wording.age_in_short),
                        "Residual, months": beyond["residual_months"],
                    }
                ),
                hide_index=True,
                column_config={"Residual, months": st.column_config.NumberColumn(format="%+.1f")},
                alt="The average hands with an ensemble error of more than 12 months",
            )


# The page ---------------------------------------------------------------------------------------


def main() -> None:
    st.title("How well do you read bone age?", anchor=False)
    st.markdown(
        f"Estimate the bone age of {N_HANDS} hands. Then compare your error, bias and limits of "
        "agreement with those of the models on the same hands. Your answers are not stored."
    )
    try:
        chosen, number, tell = choose()
        material = material_of(chosen)
        if material is None:
            return
        game = current_quiz(material, number)
        if st.session_state["looking_back"]:
            look_back(material, game)
        elif game.is_over:
            show_result(material, game)
        else:
            ask(material, game, tell)
        st.caption(" ".join(material.notes))
        if chosen == PLATES:
            show_plate_predictions()
    except BoneAgeError as error:
        shared.show_error(error)


main()
