"""Sanity checks of saliency maps: occlusion and weight randomization.

Tables are those of `boneage.sanity_checks.tables`.
"""

import cv2
import numpy as np
import pandas as pd
import plotly.graph_objects as go

from boneage.figures import cards, palette, style
from boneage.sanity_checks.regions import REGION_TITLES, REGIONS

_OUTLINES = dict(zip(REGIONS, ("#5AA9F8", "#F5B041", "#F1707D", "#58D68D"), strict=True))


def region_differences(occlusion: pd.DataFrame, group: str) -> go.Figure:
    """How much more hiding each region changes predictions than hiding its control does.

    One marker for each model and region, in one group of the table.
    """
    shown = occlusion[occlusion["group"] == group]
    models = list(shown["model"].unique())
    hover = ["difference_low", "difference_high", "change", "control_change", "shift"]
    hover.append("change_per_area")
    traces = []
    for number, name in enumerate(models):
        rows = shown[shown["model"] == name].set_index("region").loc[list(REGIONS)]
        beside = 0.26 * (number - (len(models) - 1) / 2)
        traces.append(
            go.Scatter(
                x=rows["difference"],
                y=np.arange(len(rows)) + beside,
                mode="markers",
                name=style.model_title(name),
                error_x=_bars(rows, "difference"),
                marker={"color": palette.model_color(name), "size": 10},
                customdata=rows[hover],
                text=[REGION_TITLES[region] for region in rows.index],
                hovertemplate="<b>%{text}</b>: %{x:+.1f} months"
                "<br>(95% CI "
                "%{customdata[0]:+.1f} to %{customdata[1]:+.1f})"
                "<br>change: %{customdata[2]:.1f}, control: %{customdata[3]:.1f}"
                "<br>signed change: %{customdata[4]:+.1f}"
                "<br>change per % of image area: %{customdata[5]:.1f}"
                "<extra>%{fullData.name}</extra>",
            )  # fmt: skip
        )
    return style.chart(
        traces,
        "Occlusion: change of the prediction minus control",
        style.titled(
            "Mean absolute change minus that of<br>a control region of equal area (months)<br>"
            f"n = {shown['n'].max():,} radiographs",
            fixedrange=True,
        ),
        {
            "tickvals": list(range(len(REGIONS))),
            "ticktext": [REGION_TITLES[region].replace(" and", "<br>and") for region in REGIONS],
            "range": (len(REGIONS) - 0.5, -0.5),
            "fixedrange": True,
        },
        height=400,
        shapes=[style.line_at(x=0)],
    )


def similarity_by_stage(randomization: pd.DataFrame) -> go.Figure:
    """How much of the map is left while more and more of each model's weights are random."""
    traces = []
    ticks: dict[str, str] = {}
    for name, rows in randomization.groupby("model", sort=False):
        color = palette.model_color(name)
        own = pd.DataFrame({"step": [0], "stage": "none", "similarity": 1.0, "sd": 0.0})
        rows = pd.concat([own, rows]).sort_values("step")
        ticks |= dict(zip(_stage_title(rows["stage"]), rows["stage"], strict=True))
        traces.append(
            go.Scatter(
                x=_stage_title(rows["stage"]),
                y=rows["similarity"],
                mode="lines+markers",
                name=style.model_title(name),
                error_y=_bars(rows, "similarity"),
                line={"color": color, "width": 2.5},
                marker={"color": color, "size": 8},
                customdata=rows["sd"],
                hovertemplate="%{x}: %{y:.2f}<br>SD between radiographs %{customdata:.2f}"
                "<extra>%{fullData.name}</extra>",
            )  # fmt: skip
        )
    return style.chart(
        traces,
        "Grad-CAM when weights are randomized",
        style.titled(
            "Weights randomized, from the head to here",
            fixedrange=True,
            tickvals=list(ticks),
            ticktext=[stage.replace(" ", "<br>") for stage in ticks.values()],  # for a telephone
        ),
        style.titled("Rank correlation with the original map", dtick=0.25, fixedrange=True),
        height=400,
        shapes=[style.line_at(y=0)],
    )


def outlined_regions(crop: np.ndarray, regions: dict[str, np.ndarray]) -> np.ndarray:
    """The regions over a prepared hand: (S, S) uint8 and masks (S, S) -> (2S, 2S, 3) uint8 RGB."""
    image = cv2.resize(crop, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    for region, color in _OUTLINES.items():
        mask = np.kron(regions[region], np.ones((2, 2))).astype(np.uint8)
        outline, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(image, outline, -1, palette.rgb(color), 2, cv2.LINE_AA)
    return image


def region_legend() -> str:
    """The colors of `outlined_regions` with their words, as HTML."""
    return cards.color_legend(
        *((color, REGION_TITLES[region]) for region, color in _OUTLINES.items())
    )


def _bars(rows: pd.DataFrame, name: str) -> dict:
    return style.error_bars(rows[name], rows[f"{name}_low"], rows[f"{name}_high"], width=4)


def _stage_title(stages: pd.Series) -> list[str]:
    """ "head" -> "head"; what comes after has lost all before it too, so it is "+ stage 4"."""
    return [stage if number < 2 else f"+ {stage}" for number, stage in enumerate(stages)]
