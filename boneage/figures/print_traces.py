"""Plotly's traces drawn by Matplotlib, for `printing`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.patches import Patch, Rectangle

Color = tuple[float, float, float, float]

POINTS_PER_PIXEL = 0.55  # a chart of 640 pixels is printed 174 mm wide at most
_MANY = 2000  # points, from which on they are an image inside the SVG or PDF
_FONT_SIZE = 6.5
_MIN_LABELED = 8  # a shorter bar, in percent, has no room for words
_DASHES: dict[str, Any] = {"solid": "-", "dot": (0, (1, 1.5)), "dash": "--"}
_SYMBOLS = {"circle": "o", "diamond": "D"}
# Plotly's place of a text -> its alignment.
_ALIGN = {
    "middle center": ("center", "center"),
    "bottom right": ("left", "top"),
    "top center": ("center", "bottom"),
}


@dataclass(frozen=True)
class Plot:
    """One pair of axes.

    Attributes:
        axes: of Matplotlib.
        figure: of Plotly, whose traces are drawn.
        x: word -> place, of a horizontal axis of words.
        y: the same of a vertical axis.
    """

    axes: Axes
    figure: go.Figure
    x: dict[str, int] = field(default_factory=dict)
    y: dict[str, int] = field(default_factory=dict)


def draw(plot: Plot, trace: Any) -> Any:
    """Draw one trace.

    Args:
        plot: to draw on.
        trace: of Plotly.

    Returns:
        What stands for it in a legend; None of what cannot be seen.

    Raises:
        ValueError: there is no drawing for this type of trace.
    """
    if trace.opacity == 0:
        return None
    if trace.type not in _DRAWINGS:
        raise ValueError(f"A trace of the type {trace.type} cannot be printed.")
    return _DRAWINGS[trace.type](plot, trace)


def color_of(name: str | None) -> Color:
    """ "#2F7FD6", "rgb(47, 127, 214)" or "rgba(47, 127, 214, 0.5)" as red, green, blue, opacity."""
    if name is None:
        return 0.0, 0.0, 0.0, 1.0
    if name.startswith("#"):
        red, green, blue = (value / 255 for value in bytes.fromhex(name[1:]))
        return red, green, blue, 1.0
    red, green, blue, *opacity = map(float, re.findall(r"[\d.]+", name))
    return red / 255, green / 255, blue / 255, opacity[0] if opacity else 1.0


def dashes(dash: str | None) -> Any:
    """Plotly's dash as Matplotlib's linestyle."""
    return _DASHES[dash or "solid"]


def _scatter(plot: Plot, trace: Any) -> Any:
    axes = plot.axes
    x, y = _places(trace.x, plot.x), _places(trace.y, plot.y)
    drawn = None
    mode = trace.mode or "lines"
    if "lines" in mode:
        drawn = _line(axes, trace, x, y)
    elif trace.error_x.array is not None or trace.error_y.array is not None:
        _error_bars(axes, trace, x, y)
    if "markers" in mode and trace.marker.opacity != 0:
        markers = _markers(axes, trace, x, y)
        drawn = drawn or markers
    if "text" in mode:
        across, along = _ALIGN[trace.textposition or "middle center"]
        for at_x, at_y, words in zip(x, y, trace.text, strict=True):
            text = re.sub("<br>", "\n", words)
            axes.annotate(
                re.sub("<[^>]+>", "", text), (at_x, at_y), (3 if across == "left" else 0, 0),
                textcoords="offset points", ha=across, va=along, fontsize=_FONT_SIZE,
            )  # fmt: skip
    return drawn


def _line(axes: Axes, trace: Any, x: np.ndarray, y: np.ndarray) -> Any:
    line = trace.line
    look: dict[str, Any] = {
        "color": color_of(line.color),
        "linewidth": POINTS_PER_PIXEL * (line.width or 2),
    }
    if trace.fill == "toself":
        fill: dict[str, Any] = {"facecolor": color_of(trace.fillcolor), "linewidth": 0}
        axes.fill(x, y, **fill, zorder=2.2)
        axes.plot(x, y, **look, zorder=2.2)
        return Patch(**fill)
    steps: Any = {"hv": ("steps-post", "post")}.get(line.shape, ("default", None))
    if trace.fill == "tozeroy":
        axes.fill_between(x, y, step=steps[1], facecolor=color_of(trace.fillcolor), linewidth=0)
    (drawn,) = axes.plot(x, y, drawstyle=steps[0], linestyle=dashes(line.dash), zorder=2.5, **look)
    return drawn


def _markers(axes: Axes, trace: Any, x: np.ndarray, y: np.ndarray) -> Any:
    marker = trace.marker
    color = marker.color or trace.line.color
    (drawn,) = axes.plot(
        x, y, linestyle="", marker=_SYMBOLS[marker.symbol or "circle"],
        zorder=2.6 if len(x) < 50 else 2.1,  # few are means, which lie on the cases
        markersize=POINTS_PER_PIXEL * (marker.size or 6),
        color=color_of(color), alpha=marker.opacity, rasterized=len(x) > _MANY,
        markeredgewidth=POINTS_PER_PIXEL * (marker.line.width or 0),
        markeredgecolor=color_of(marker.line.color or color),
    )  # fmt: skip
    return drawn


def _error_bars(axes: Axes, trace: Any, x: np.ndarray, y: np.ndarray) -> None:
    ends: dict[str, Any] = {}
    for name, bars in (("xerr", trace.error_x), ("yerr", trace.error_y)):
        if bars.array is not None:
            ends[name] = np.nan_to_num(np.array([bars.arrayminus, bars.array], dtype=float))
    axes.errorbar(
        x, y, **ends, linestyle="", ecolor=color_of(trace.marker.color), elinewidth=0.9, capsize=1.8
    )


def _bar(plot: Plot, trace: Any) -> Any:
    axes = plot.axes
    level = trace.orientation == "h"
    along, across = (trace.x, trace.y) if level else (trace.y, trace.x)
    place = _places(across, plot.y if level else plot.x)
    length = np.asarray(along, dtype=float)
    base = np.zeros(len(length)) if trace.base is None else np.asarray(trace.base, dtype=float)
    if plot.figure.layout.barmode == "stack":
        base = _stacked(plot.figure, trace, level)
    width = 1 - (plot.figure.layout.bargap or 0.2) if trace.width is None else trace.width
    look: dict[str, Any] = {"color": color_of(trace.marker.color), "linewidth": 0}
    if level:
        drawn = axes.barh(place, length, width, left=base, **look)
        axes.set_yticks(place, [str(name).replace("<br>", "\n") for name in across])
    else:
        drawn = axes.bar(place, length, width, bottom=base, **look)
    if trace.texttemplate:
        form = re.findall(r":([^}]*)}", trace.texttemplate)[0]
        for at, start, value in zip(place, base, length, strict=True):
            if value >= _MIN_LABELED:
                words = re.sub("%{.*?}", format(value, form), trace.texttemplate)
                axes.text(start + value / 2, at, words, ha="center", va="center", fontsize=6)
    return drawn


def _stacked(figure: go.Figure, trace: Any, level: bool) -> np.ndarray:
    """Where the bars of a trace begin: at the end of those of the traces before it."""
    before = []
    for other in figure.data:
        if other is trace:
            break
        before.append(np.asarray(other.x if level else other.y, dtype=float))
    return np.sum(before, axis=0) if before else np.zeros(len(trace.x))


def _box(plot: Plot, trace: Any) -> Any:
    axes = plot.axes
    color = color_of(trace.line.color)
    stats: Any = [
        {"med": middle, "q1": low, "q3": high, "whislo": least, "whishi": most}
        for middle, low, high, least, most in zip(
            trace.median, trace.q1, trace.q3, trace.lowerfence, trace.upperfence, strict=True
        )
    ]
    line: dict[str, Any] = {"color": color, "linewidth": 0.9}
    fill: dict[str, Any] = {"facecolor": color_of(trace.fillcolor)}
    axes.bxp(
        stats, positions=np.asarray(trace.x, dtype=float), widths=trace.width, showfliers=False,
        patch_artist=True, manage_ticks=False, boxprops={**fill, "edgecolor": color},
        medianprops=line, whiskerprops=line, capprops=line,
    )  # fmt: skip
    return Patch(**fill, edgecolor=color)


def _heatmap(plot: Plot, trace: Any) -> None:
    axes = plot.axes
    x, y = _places(trace.x, plot.x), _places(trace.y, plot.y)
    colors = [color_of(c[1] if not isinstance(c, str) else c) for c in trace.colorscale]
    shades = LinearSegmentedColormap.from_list("", colors)
    shade = Normalize(trace.zmin, trace.zmax)
    for row, values in zip(y, np.asarray(trace.z, dtype=float), strict=True):
        for column, value in zip(x, values, strict=True):
            if not np.isnan(value):
                corner = (column - 0.48, row - 0.47)
                color = shades(shade(value))
                axes.add_patch(Rectangle(corner, 0.96, 0.94, facecolor=color, linewidth=0))
    axes.set_xticks(x, [str(name) for name in trace.x])
    axes.set_yticks(y, [str(name) for name in trace.y])
    axes.set_xlim(min(x) - 0.5, max(x) + 0.5)
    axes.set_ylim(min(y) - 0.5, max(y) + 0.5)


def _places(values: Sequence, known: dict[str, int]) -> np.ndarray:
    """Numbers, or for words their places on an axis, in the order in which they first appear."""
    if len(values) and isinstance(values[0], str):
        return np.array([known.setdefault(word, len(known)) for word in values], dtype=float)
    return np.asarray(values, dtype=float)


_DRAWINGS: dict[str, Callable[[Plot, Any], Any]] = {
    "scatter": _scatter,
    "scattergl": _scatter,
    "bar": _bar,
    "box": _box,
    "heatmap": _heatmap,
}
