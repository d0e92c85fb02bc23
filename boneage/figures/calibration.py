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
    figure = go.Figure()
    figure.add_scatter(
        x=ends, y=ends, mode="lines", name="As promised", hoverinfo="skip",
        line={"width": 2, "color": style.LINE, "dash": "dot"},
    )  # fmt: skip
    for cases, rows in _by_cases(shown):
        beside = -0.35 if cases == CHECK_HALF else 0.35  # per cent: error bars side by side
        _add_shares(figure, cases, rows, colour, x=100 * rows["level"] + beside)
    levels = shown["level"].unique()
    figure.update_xaxes(
        title_text="Promised (%)", tickvals=100 * levels, range=ends, fixedrange=True
    )
    figure.update_yaxes(title_text="Held (%)", dtick=5, fixedrange=True)
    return style.finish(figure, "Do the intervals hold what they promise?", height=440)


def held_by_group(coverage: pd.DataFrame, level: float, colour: str) -> go.Figure:
    """The share of reference ages that the intervals of one level hold in each group.

    Colours as in `promised_against_held`. Groups of fewer than FEW_CASES are left out.
    """
    shown = coverage[(coverage["level"] == level) & (coverage["n"] >= FEW_CASES)]
    groups = [group for group in GROUPS if (shown["group"] == group).any()]
    figure = go.Figure()
    figure.add_vline(x=100 * level, line={"width": 2, "color": style.LINE, "dash": "dot"})
    for cases, rows in _by_cases(shown):
        beside = -0.14 if cases == CHECK_HALF else 0.14
        _add_shares(figure, cases, rows, colour, y=rows["group"].map(groups.index) + beside)
    figure.update_xaxes(title_text=f"Held by the {share(level)} intervals (%)", fixedrange=True)
    figure.update_yaxes(
        tickvals=list(range(len(groups))), ticktext=[group_title(group) for group in groups],
        range=(len(groups) - 0.5, -0.5), fixedrange=True,
    )  # fmt: skip
    return style.finish(figure, "And in every group?", height=440)


def _by_cases(coverage: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(cases, coverage[coverage["cases"] == cases]) for cases in _NAMES]


def _add_shares(figure: go.Figure, cases: str, rows: pd.DataFrame, colour: str, **place) -> None:
    """Shares with their intervals along the axis that `place` leaves: x or y."""
    values, low, high = (100 * rows[name] for name in ("coverage", "low", "high"))
    axis = "y" if "x" in place else "x"
    colour = colour if cases == TEST else palette.NEUTRAL
    bars = {"type": "data", "symmetric": False, "array": high - values, "arrayminus": values - low}
    figure.add_scatter(
        **place, **{axis: values, f"error_{axis}": {**bars, "thickness": 2, "width": 4}},
        mode="markers", name=_NAMES[cases],
        marker={"color": colour, "size": 10, "symbol": _SYMBOLS[cases]},
        customdata=pd.DataFrame({"low": low, "high": high, "n": rows["n"]}),
        hovertemplate=f"%{{{axis}:.1f}} % of %{{customdata[2]:,d}} radiographs"
        "<br>(%{customdata[0]:.1f} to %{customdata[1]:.1f})<extra></extra>",
    )  # fmt: skip
