"""How often prediction intervals cover the reference bone age, in groups and at every level.

`coverage` is a table of `evaluation.conformal.coverage_table`, of one model.
"""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from boneage.datasets.blocks import BLOCKS
from boneage.datasets.splits import TEST, VALIDATION
from boneage.figures import palette, style
from boneage.formatting import covered, share
from boneage.inference.conformal import GROUPS

FEW_CASES = 20  # below this a group is not drawn: its interval would take the whole axis

_NAMES = {VALIDATION: "Validation (cross-conformal)", TEST: "Test"}
_SYMBOLS = {VALIDATION: "circle", TEST: "diamond"}


def group_title(group: str) -> str:
    """ "female, 0-5 years" -> "Girls, 0-5 years"; a block is called inferred."""
    sex, comma, band = group.partition(", ")
    title = style.GROUPS.get(sex, sex.capitalize()) + comma + band
    return f"{title} (inferred)" if group in BLOCKS else title


def coverage_by_level(coverage: pd.DataFrame, color: str) -> go.Figure:
    """Nominal against empirical coverage of all cases.

    The test set has the color "#rrggbb", the validation set is gray.
    """
    shown = coverage[coverage["group"] == "all"]
    ends = [100 * shown["level"].min() - 3, 100]
    nominal = go.Scatter(
        x=ends, y=ends, mode="lines", name="Nominal", hoverinfo="skip",
        line={"width": 2, "color": style.LINE, "dash": "dot"},
    )  # fmt: skip
    beside = {VALIDATION: -0.35, TEST: 0.35}  # percentage points: error bars side by side
    empirical = [
        _shares(cases, rows, color, x=100 * rows["level"] + beside[cases])
        for cases, rows in _by_cases(shown)
    ]
    ticks = 100 * shown["level"].unique()
    return style.chart(
        [nominal, *empirical],
        "Empirical against nominal coverage",
        style.titled("Nominal coverage (%)", tickvals=ticks, range=ends, fixedrange=True),
        style.titled("Empirical coverage (%)", dtick=5, fixedrange=True),
        height=500,
    )


def coverage_by_group(coverage: pd.DataFrame, level: float, color: str) -> go.Figure:
    """Empirical coverage of the intervals of one level in each group.

    Colors as in `coverage_by_level`. Groups of fewer than FEW_CASES are left out.
    """
    shown = coverage[(coverage["level"] == level) & (coverage["n"] >= FEW_CASES)]
    groups = [group for group in GROUPS if (shown["group"] == group).any()]
    beside = {VALIDATION: -0.14, TEST: 0.14}
    empirical = [
        _shares(cases, rows, color, y=rows["group"].map(groups.index) + beside[cases])
        for cases, rows in _by_cases(shown)
    ]
    return style.chart(
        empirical,
        "Coverage by subgroup",
        style.titled(f"Empirical coverage of {share(level)} intervals (%)", fixedrange=True),
        {
            "tickvals": list(range(len(groups))),
            "ticktext": [group_title(group) for group in groups],
            "range": (len(groups) - 0.5, -0.5),
            "fixedrange": True,
        },
        height=500,
        shapes=[style.line_at(x=100 * level, width=2, dash="dot")],
    )


def coverage_rows(coverage: pd.DataFrame, level: float) -> pd.DataFrame:
    """Coverage of the intervals of one level in each group, as people read it.

    Columns group, its title; validation and test, "90.4% (88.7 to 91.8) of 1,425", missing
    without cases; width, the median of validation cases in months. Rows are in the order of GROUPS.
    """
    shown = coverage[coverage["level"] == level]
    texts = [covered(r.n, r.coverage, r.low, r.high) for r in shown.itertuples()]
    texts = shown.assign(text=texts).pivot(index="group", columns="cases", values="text")
    widths = shown[shown["cases"] == VALIDATION].set_index("group")["median_width"]
    groups = [group for group in GROUPS if group in texts.index]
    rows = texts.reindex(index=groups, columns=list(_NAMES)).assign(width=widths)
    return rows.rename(index=group_title).reset_index()[["group", *_NAMES, "width"]]


def _by_cases(coverage: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(cases, coverage[coverage["cases"] == cases]) for cases in _NAMES]


def _shares(cases: str, rows: pd.DataFrame, color: str, **place: Any) -> go.Scatter:
    """Shares with their 95% CIs along the axis that `place` leaves: x or y."""
    values, low, high = (100 * rows[name] for name in ("coverage", "low", "high"))
    axis = "y" if "x" in place else "x"
    color = color if cases == TEST else palette.NEUTRAL
    bars = style.error_bars(values, low, high, width=4)
    return go.Scatter(
        **place, **{axis: values, f"error_{axis}": bars},
        mode="markers", name=_NAMES[cases],
        marker={"color": color, "size": 10, "symbol": _SYMBOLS[cases]},
        customdata=pd.DataFrame({"low": low, "high": high, "n": rows["n"]}),
        hovertemplate=f"%{{{axis}:.1f}}% of %{{customdata[2]:,d}} radiographs"
        "<br>95% CI %{customdata[0]:.1f} to %{customdata[1]:.1f}<extra></extra>",
    )  # fmt: skip
