"""Coverage of the prediction intervals of the published models."""

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from boneage import artifacts, formatting
from boneage.datasets.splits import TEST, VALIDATION
from boneage.error_analysis.analysis import Analysis
from boneage.error_analysis.coverage_figures import (
    coverage_by_group,
    coverage_by_level,
    coverage_rows,
)
from boneage.inference.conformal import FOLDS, LEVEL, MIN_CALIBRATION, N_PARTITIONS
from pages import shared
from pages.error_analysis_sections.selection import Choice


def show_coverage(choice: Choice, found: Analysis) -> None:
    if choice.published is None:
        st.caption("Prediction intervals are computed for the published models only.")
        return
    table = coverage_of(choice)
    if table is None:
        st.caption(
            "Prediction interval coverage has not been measured for these models: run "
            "`python -m boneage coverage`."
        )
        return
    known = interval_coverage(table, choice.color)
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
    show_table(known.rows)
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


def coverage_of(choice: Choice) -> pd.DataFrame | None:
    """Coverage of the intervals of the model shown; None where it has none."""
    table = artifacts.read_coverage()
    if choice.published is None or table is None:
        return None
    return table[table["model"] == choice.published]


def show_table(rows: pd.DataFrame) -> None:
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
def interval_coverage(table: pd.DataFrame, color: str) -> Coverage:
    every = table[(table["level"] == LEVEL) & (table["group"] == "all")].set_index("cases")
    return Coverage(
        coverage_by_level(table, color),
        coverage_by_group(table, LEVEL, color),
        coverage_rows(table, LEVEL),
        every["sd"][VALIDATION],
    )
