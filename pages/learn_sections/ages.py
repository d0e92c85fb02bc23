"""Between which bone ages the hands of a quiz lie."""

from dataclasses import replace

import streamlit as st

from boneage.quiz.quiz import whole_years, within_years
from pages.learn_sections.material import Material


def choose_ages(material: Material) -> Material:
    """The material with the hands of the ages chosen."""
    if material.pool.empty:
        return material
    ends = whole_years(material.pool)
    youngest, oldest = st.slider(
        "Bone ages in years",
        *ends,
        ends,
        key="ages",
        bind="query-params",
        help="Only hands with a reference bone age in this range are shown.",
    )
    if (youngest, oldest) == ends:
        return material
    key = f"{material.key}, {youngest} to {oldest} years"
    return replace(material, key=key, pool=within_years(material.pool, youngest, oldest))
