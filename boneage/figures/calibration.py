"""Whether prediction intervals hold the reference ages that they promise to hold.

`coverage` is a table of `evaluation.conformal.coverage_table`, of one model.
"""

import pandas as pd
import plotly.graph_objects as go

from boneage.datasets.splits import TEST
from boneage.evaluation.conformal import CHECK_HALF, GROUPS
from boneage.figures import palette, style
from boneage.wording import share

FEW_CASES = 20  # below this a group is not drawn: its interval would take the whole axis

_NAMES = {CHECK_HALF: "Validation, half kept for the check", TEST: "Test"}
_SYMBOLS = {CHECK_HALF: "circle", TEST: "diamond"}


def group_title(group: str) -> str:
    """ "female, 0-5 years" -> "Girls, 0-5 years"."""
    sex, comma, band = group.partition(", ")
    return style.GROUPS.get(sex, sex.capitalize()) + comma + band


def promised_against_held(coverage: pd.DataFrame, colour: str) -> go.Figure:
    """Level of the intervals against the share of all reference ages they hold.

    The test set has the colour "#rrggbb", the validation half is grey.
    """
    shown = coverage[coverage["group"] == "all"]
    ends = [100 * shown["level"].min() - 3, 100]
    promised = go.Scatter(
        x=ends, y=ends, mode="lines", name="As promised", hoverinfo="skip",
        line={"width": 2, "color": style.LINE, "dash": "dot"},
    )  # fmt: skip
    beside = {CHECK_HALF: -0.35, TEST: 0.35}  # per cent: error bars side by side
    held = [
        _shares(cases, rows, colour, x=100 * rows["level"] + beside[cases])
        for cases, rows in _by_cases(shown)
    ]
    ticks = 100 * shown["level"].unique()
    return style.chart(
        [promised, *held],
        "Do the intervals hold what they promise?",
        style.titled("Promised (%)", tickvals=ticks, range=ends, fixedrange=True),
        style.titled("Held (%)", dtick=5, fixedrange=True),
        height=440,
    )


def held_by_group(coverage: pd.DataFrame, level: float, colour: str) -> go.Figure:
    """The share of reference ages that the intervals of one level hold in each group.

    Colours as in `promised_against_held`. Groups of fewer than FEW_CASES are left out.
    """
    shown = coverage[(coverage["level"] == level) & (coverage["n"] >= FEW_CASES)]
    groups = [group for group in GROUPS if (shown["group"] == group).any()]
    beside = {CHECK_HALF: -0.14, TEST: 0.14}
    held = [
        _shares(cases, rows, colour, y=rows["group"].map(groups.index) + beside[cases])
        for cases, rows in _by_cases(shown)
    ]
    return style.chart(
        held,
        "And in every group?",
        style.titled(f"Held by the {share(level)} intervals (%)", fixedrange=True),
        {
            "tickvals": list(range(len(groups))),
            "ticktext": [group_title(group) for group in groups],
            "range": (len(groups) - 0.5, -0.5),
            "fixedrange": True,
        },
        height=440,
        shapes=[style.line_at(x=100 * level, width=2, dash="dot")],
    )


def _by_cases(coverage: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(cases, coverage[coverage["cases"] == cases]) for cases in _NAMES]


def _shares(cases: str, rows: pd.DataFrame, colour: str, **place) -> go.Scatter:
    """Shares with their intervals along the axis that `place` leaves: x or y."""
    values, low, high = (100 * rows[name] for name in ("coverage", "low", "high"))
    axis = "y" if "x" in place else "x"
    colour = colour if cases == TEST else palette.NEUTRAL
    bars = style.error_bars(values, low, high, width=4)
    return go.Scatter(
        **place, **{axis: values, f"error_{axis}": bars},
        mode="markers", name=_NAMES[cases],
        marker={"color": colour, "size": 10, "symbol": _SYMBOLS[cases]},
        customdata=pd.DataFrame({"low": low, "high": high, "n": rows["n"]}),
        hovertemplate=f"%{{{axis}:.1f}} % of %{{customdata[2]:,d}} radiographs"
        "<br>(%{customdata[0]:.1f} to %{customdata[1]:.1f})<extra></extra>",
    )  # fmt: skip
