"""Bone age against chronological age, over the bands of 1 and 2 SD."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from boneage.figures import palette, style
from boneage.formatting import age_in_short, share
from boneage.growth.follow_up import Reading, in_order
from boneage.growth.reference import SD_TABLES, sd_column

CHRONOLOGICAL_AGE, BONE_AGE = "Chronological age (years)", "Bone age (years)"
_AROUND = 24  # months of chronological age shown to either side
_MARGIN = 0.05  # of the bone ages shown, to either side
_LABEL = {"showarrow": False, "xanchor": "right", "font": {"size": 11}}
_BANDS = {2: 0.16, 1: 0.22}  # SD -> opacity


def growth_chart(readings: Sequence[Reading], sex: str, table: str) -> go.Figure:
    """The readings of one child, with prediction intervals, over the SD bands of a table.

    The bands lie around the line on which bone age equals chronological age, as the SDs of
    `deviation` do, and end where the table ends.

    Args:
        readings: of one child, at least one.
        sex: "female" or "male".
        table: of the SD, a key of `reference.SD_TABLES`.

    Returns:
        The figure; ages in months, with ticks in years.
    """
    readings = in_order(readings)
    ages = [reading.chronological_age_months for reading in readings]
    start, end = max(min(ages) - _AROUND, 0), max(ages) + _AROUND
    bands = _bands(sex, table, start, end)
    y = [limit for reading in readings for limit in reading.interval or ()]
    y += [start, end, *(reading.bone_age_months for reading in readings)]
    y += [float(limit) for band in bands for limit in (min(band.y), max(band.y))]
    margin = _MARGIN * (max(y) - min(y))
    line = go.Scatter(
        x=[start, end], y=[start, end], mode="lines", name="Bone age = chronological age",
        line={"color": style.LINE, "width": 1.5}, hoverinfo="skip",
    )  # fmt: skip
    return style.chart(
        [*bands, line, _points(readings)],
        "Bone age against chronological age",
        _years(CHRONOLOGICAL_AGE, start, end),
        _years(BONE_AGE, min(y) - margin, max(y) + margin),
        height=460,
        annotations=_labels(bands),
    )


def _bands(sex: str, table: str, start: float, end: float) -> list[go.Scatter]:
    """A closed area for each of _BANDS between two ages; none where the table has no ages there."""
    column = sd_column(table, sex)
    start, end = max(start, column.ages[0]), min(end, column.ages[-1])
    if start >= end:
        return []
    ages = np.array(sorted({start, end, *(age for age in column.ages if start < age < end)}))
    sds = np.array([column.at(age) for age in ages])
    return [
        go.Scatter(
            x=np.concatenate([ages, ages[::-1]]),
            y=np.concatenate([ages + k * sds, (ages - k * sds)[::-1]]),
            fill="toself", fillcolor=palette.faded(palette.NEUTRAL, opacity), mode="lines",
            line={"width": 0}, hoverinfo="skip", showlegend=k == 2,
            name=f"± {'1 and 2' if k == 2 else k} SD ({SD_TABLES[table]})",
        )
        for k, opacity in _BANDS.items()
    ]  # fmt: skip


def _labels(bands: Sequence[go.Scatter]) -> list[dict]:
    """How many SD the outer edges are, above and below the older end of the band."""
    if not bands:
        return []
    outer = bands[0]
    end = max(outer.x)
    edges = [y for x, y in zip(outer.x, outer.y, strict=True) if x == end]
    return [
        {"x": end, "y": max(edges), "text": "+2 SD", "yanchor": "bottom", **_LABEL},
        {"x": end, "y": min(edges), "text": "−2 SD", "yanchor": "top", **_LABEL},
    ]


def _points(readings: Sequence[Reading]) -> go.Scatter:
    levels = {reading.level for reading in readings if reading.level is not None}
    intervals = [reading.interval or (reading.bone_age_months,) * 2 for reading in readings]
    bone_ages = np.array([reading.bone_age_months for reading in readings])
    lows, highs = np.array(intervals).T
    name = "Bone age"
    if levels:
        name += f" with {' or '.join(map(share, sorted(levels)))} prediction interval"
    return go.Scatter(
        x=[reading.chronological_age_months for reading in readings], y=bone_ages,
        mode="lines+markers" if len(readings) > 1 else "markers", name=name,
        line={"color": palette.faded(palette.MEAN, 0.6), "width": 1.5, "dash": "dot"},
        marker={"color": palette.MEAN, "size": 12, "symbol": "diamond",
                "line": {"width": 1, "color": "white"}},
        error_y=style.error_bars(bone_ages, lows, highs, color=palette.MEAN),
        text=[_hover(reading) for reading in readings],
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _hover(reading: Reading) -> str:
    lines = [
        f"Chronological age {age_in_short(reading.chronological_age_months)}",
        f"Bone age {age_in_short(reading.bone_age_months)}",
    ]
    if reading.interval:
        low, high = map(age_in_short, reading.interval)
        lines.append(f"Interval {low} to {high}")
    if reading.taken:
        lines.insert(0, str(reading.taken))
    return "<br>".join(lines)


def _years(title: str, low: float, high: float) -> dict:
    """An axis of ages from low to high months, with a tick each year or each other."""
    step = 1 if high - low <= 12 * 10 else 2
    years = [year for year in range(math.ceil(low / 12), int(high // 12) + 1) if year % step == 0]
    return style.age_axis(title) | {
        "range": (low, high),
        "tickvals": [12 * year for year in years],
        "ticktext": [f"{year} y" for year in years],
    }
