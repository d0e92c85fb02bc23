"""Between which bone ages the hands of a quiz lie."""

from dataclasses import replace

import streamlit as st

from boneage.quiz.quiz import within_years
from pages import shared
from pages.learn_sections.material import Material

ALL_AGES = (0, shared.OLDEST_YEARS)


def choose_ages() -> tuple[int, int] | None:
    """The lowest and highest age in years; None for all ages.

    The ends are the same for all cases, so that the ages chosen stay where the cases change.
    """
    chosen = st.slider(
        "Bone ages in years",
        *ALL_AGES,
        ALL_AGES,
        key="ages",
        bind="query-params",
        help="Only hands with a reference bone age in this range are shown.",
    )
    return None if chosen == ALL_AGES else chosen


def of_ages(material: Material, ages: tuple[int, int] | None) -> Material:
    """The material with the hands of these ages alone, which make other quizzes."""
    if ages is None:
        return material
    key = f"{material.key}, {ages[0]} to {ages[1]} years"
    return replace(material, key=key, pool=within_years(material.pool, *ages))
