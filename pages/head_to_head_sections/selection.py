"""The radiographs and the recipe chosen, and the comparison of both models on them."""

import streamlit as st

from boneage.comparison.head_to_head import HeadToHead, head_to_head, mae_only
from boneage.datasets.text import SPLITS
from boneage.radiographs.preprocessing import SEXES
from pages import shared

Names = tuple[str, str]


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
