"""Between which bone ages the hands of a quiz lie."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from boneage.quiz.quiz import whole_years, within_years
from pages.learn_sections.material import Material


def choose_ages(pool: pd.DataFrame) -> tuple[int, int] | None:
    """The lowest and highest age in years; None for all ages."""
    if pool.empty:
        return None
    ends = whole_years(pool)
    chosen = st.slider(
        "Bone ages in years",
        *ends,
        ends,
        key="ages",
        bind="query-params",
        help="Only hands with a reference bone age in this range are shown.",
    )
    return None if chosen == ends else chosen


def of_ages(material: Material, ages: tuple[int, int] | None) -> Material:
    """The material with the hands of these ages alone, which make other quizzes."""
    if ages is None:
        return material
    key = f"{material.key}, {ages[0]} to {ages[1]} years"
    return replace(material, key=key, pool=within_years(material.pool, *ages))
