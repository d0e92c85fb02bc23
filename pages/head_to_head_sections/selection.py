"""The two sets of predictions and the radiographs chosen, and the comparison on them."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from boneage import artifacts
from boneage.comparison import matching
from boneage.comparison.compared import Compared, of_model
from boneage.comparison.head_to_head import HeadToHead, head_to_head, mae_only
from boneage.datasets.text import SPLITS
from boneage.inference.ensemble import ensemble_weights
from boneage.models.registry import ENSEMBLE
from boneage.radiographs.preprocessing import SEXES
from pages import shared
from pages.head_to_head_sections.own_files import OwnFile, read_files

Names = tuple[str, str]
OWN_RADIOGRAPHS = {matching.OWN: "All in both files"}


@dataclass(frozen=True, eq=False)
class Choice:
    """Two sets of predictions on the same radiographs.

    cases: the predictions of both, of the split and sex chosen.
    weights: of the first and the second in the ensemble.
    matched: what was matched by id; None where no file takes part.
    by_hand: whether the weights are the user's.
    """

    compared: tuple[Compared, Compared]
    recipe: str
    split: str
    sex: str
    cases: tuple[pd.DataFrame, pd.DataFrame]
    weights: tuple[float, float]
    matched: matching.Matched | None = None
    by_hand: bool = False

    @property
    def titles(self) -> tuple[str, str]:
        return self.compared[0].title, self.compared[1].title

    @property
    def names(self) -> Names:
        return self.compared[0].name, self.compared[1].name

    @property
    def has_file(self) -> bool:
        return self.matched is not None

    @property
    def are_models(self) -> bool:
        """Whether both are single published models, of which costs and training are known."""
        return not self.has_file and ENSEMBLE not in self.names


def choose() -> Choice | None:
    """The choice, which stands in the address; None where a file waits for an answer.

    Raises BoneAgeError.
    """
    models = artifacts.available_models()
    files = read_files(shared.cases_of(models[0], artifacts.BEST))
    if files is None:
        return None
    options = {one.name: one for one in map(of_model, [*models, ENSEMBLE])}
    options |= {file.compared.name: file.compared for file in files}
    preset = preset_sides(files, models)
    with st.container(horizontal=True, gap="medium"):
        titles = {name: one.title for name, one in options.items()}
        sides = [
            shared.pick(label, titles, key, number, chosen=preset.get(key))
            for number, (key, label) in enumerate({"first": "First", "second": "Second"}.items())
        ]
    if sides[0] == sides[1]:
        st.info("Choose two different sets of predictions.", icon=":material/compare_arrows:")
        return None
    compared = options[sides[0]], options[sides[1]]
    if any(one.is_own for one in compared):
        return choose_with_files(compared, files)
    with st.container(horizontal=True, gap="medium"):
        split = shared.pick("Radiographs", SPLITS, "split")
        recipe = choose_recipe()
        sex = shared.pick("Sex", shared.SEX_FILTER, "of_sex")
    return Choice(
        compared, recipe, split, sex, *cases_of_models((sides[0], sides[1]), recipe, split, sex)
    )


def choose_recipe() -> str:
    return shared.pick("Recipe", {r: shared.recipe_title(r) for r in shared.recipes()}, "recipe")


def preset_sides(files: list[OwnFile], models: list[str]) -> dict[str, str]:
    """What to compare as soon as other files are there: the first file with the next or a model."""
    names = [file.upload_id for file in files]
    if st.session_state.get("compared_files", []) == names:
        return {}
    st.session_state["compared_files"] = names
    own = [file.compared.name for file in files][:2]
    return dict(zip(("first", "second"), [*own, *models[len(own) :]], strict=False))


def choose_with_files(compared: tuple[Compared, Compared], files: list[OwnFile]) -> Choice:
    by_name = {file.compared.name: file.cases for file in files}
    with st.container(horizontal=True, gap="medium"):
        place = st.container(width="content")
        recipe = artifacts.BEST
        if not all(one.is_own for one in compared):
            recipe = choose_recipe()
        tables = tuple(
            by_name[one.name] if one.is_own else shared.cases_of(one.name, recipe)
            for one in compared
        )
        known = shared.cases_of(artifacts.available_models()[0], artifacts.BEST)
        repeated = tuple(tuple(table.attrs.get("repeated", ())) for table in tables)
        by_split, weights = match(tables, compared, known, repeated)
        titles = {split: (SPLITS | OWN_RADIOGRAPHS)[split] for split in by_split}
        with place:
            split = shared.pick("Radiographs", titles, "split")
        sex = shared.pick("Sex", shared.SEX_FILTER, "of_sex")
        matched = by_split[split]
        by_hand = weights is None
        if weights is None:
            percent = st.slider(
                f"Weight of {compared[0].title} in the ensemble (%)",
                0,
                100,
                50,
                key="weight",
                width=300,
                bind="query-params",
            )
            weights = percent / 100, 1 - percent / 100
    show_matching(matched)
    cases = of_sex(matched.first, sex), of_sex(matched.second, sex)
    return Choice(compared, recipe, split, sex, cases, weights, matched, by_hand)


def show_matching(matched: matching.Matched) -> None:
    st.caption(matching.problems_in_words(matched.problems, len(matched.first)))
    if matched.problems.empty:
        return
    with st.expander("Radiographs not matched", icon=":material/filter_alt:"):
        st.dataframe(
            matched.problems,
            hide_index=True,
            height="auto" if len(matched.problems) < 8 else 320,
            column_config={
                "id": "Radiograph",
                "predictions": "Predictions",
                "problem": "Why",
            },
            alt="Radiographs that were not matched, and why",
        )


def cases_of_models(names: Names, recipe: str, split: str, sex: str) -> tuple:
    """((predictions of the first, of the second) of the split and sex, their weights)."""
    both = [shared.cases_of(name, recipe) for name in names]
    shown = [of_sex(table[table["split"] == split], sex) for table in both]
    if ENSEMBLE in names:
        weights = ensemble_weights(dict(zip(("first", "second"), both, strict=True)))
    else:
        weights = shared.weights_of(names, recipe)
    return tuple(shown), tuple(weights.values())


def of_sex(table: pd.DataFrame, sex: str) -> pd.DataFrame:
    return table[table["sex"].isin(SEXES if sex == shared.ALL else [sex])]


# Streamlit tells tables apart by their content: those that were written anew are compared anew.
@st.cache_data(show_spinner=False, max_entries=16)
def match(tables: tuple, compared: tuple, known: pd.DataFrame, repeated: tuple) -> tuple:
    """(split -> `Matched`, ensemble weights or None).

    repeated: ids in `attrs` of the tables, which Streamlit does not look at.
    """
    return (
        matching.match_by_split(tables, compared, known),
        matching.ensemble_weights_of(tables, compared, known),
    )


@st.cache_data(show_spinner=False, max_entries=64)
def compare(first: pd.DataFrame, second: pd.DataFrame, weights: tuple) -> HeadToHead:
    return head_to_head(first, second, weights)


@st.cache_data(show_spinner=False, max_entries=64)
def compare_mae(first: pd.DataFrame, second: pd.DataFrame, weights: tuple) -> tuple:
    return mae_only(first, second, weights)
