"""Charts of the pages for print: SVG, PDF and PNG in the width of a journal's column.

Plotly needs a browser to write files, so the traces that the charts of `chart` and `finish` consist
of are drawn by Matplotlib: on white, with lines and letters sized for print. Letters are outlines
in SVG and embedded TrueType in PDF, so a file looks the same everywhere.
"""

import io
import re
import textwrap
from html import unescape
from typing import Any

import matplotlib as mpl
import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MultipleLocator, NullLocator

from boneage.figures import print_traces
from boneage.figures.print_traces import POINTS_PER_PIXEL, Plot, color_of, dashes

DPI = 300  # of PNG, and of points that are too many to be drawn one by one
_MM = 1 / 25.4  # inches
_PIXELS = 640  # how wide a chart of the page is taken to be, for its proportions
_SIZES = {"font": 7, "title": 8, "legend": 6.5}  # points
_GRID = "#D9DDE1"
mpl.rcParams.update(
    {
        "pdf.fonttype": 42,  # Matplotlib's own choice, Type 3, is refused by some journals
        "svg.fonttype": "path",
        "svg.hashsalt": "boneage",  # the same content is the same file
        "text.parse_math": False,  # names of files may have a dollar sign
    }
)


def print_figure(figure: go.Figure, kind: str, width: int = 174) -> bytes:
    """Write a chart for print.

    Args:
        figure: of `style.chart` or `style.finish`.
        kind: "svg", "pdf" or "png" (300 dots per inch).
        width: millimeters.

    Returns:
        The file; the same figure gives the same bytes.

    Raises:
        ValueError: the figure has a trace or a shape that is not known here.
    """
    height = width * (figure.layout.height or 420) / _PIXELS
    canvas = Figure(figsize=(width * _MM, height * _MM), layout="constrained")
    plots = _plots(figure, canvas)
    entries: dict[str, Any] = {}
    for trace in figure.data:
        if trace.visible in (None, True):
            plot = plots[_axes_of(trace)]
            drawn = print_traces.draw(plot, trace)
            if drawn is not None and trace.name and trace.showlegend is not False:
                entries.setdefault(_plain(trace.name), drawn)
    first = next(iter(plots.values()))
    for shape in figure.layout.shapes:
        drawn = _draw_shape(first.axes, shape)
        if shape.showlegend:
            entries.setdefault(_plain(shape.name), drawn)
    for annotation in figure.layout.annotations:
        _annotate(first.axes, annotation)
    for (x, y), plot in plots.items():
        _finish(plot.axes.xaxis, _settings(figure, x))
        _finish(plot.axes.yaxis, _settings(figure, y))
    _finish_figure(canvas, figure, entries, width)
    file = io.BytesIO()
    undated: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
    canvas.savefig(file, format=kind, dpi=DPI, metadata=undated[kind])
    return file.getvalue()


def _plots(figure: go.Figure, canvas: Figure) -> dict[tuple[str, str], Plot]:
    """The pairs of axes that traces use, above each other."""
    used = dict.fromkeys(map(_axes_of, figure.data))
    each = canvas.subplots(len(used), 1, sharex=len(used) > 1, squeeze=False).ravel()
    plots = {}
    for names, axes in zip(used, each, strict=True):
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(_GRID)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=_SIZES["font"], length=2, color=_GRID)
        for axis, name in zip((axes.xaxis, axes.yaxis), names, strict=True):
            if _settings(figure, name).showgrid is not False:
                axis.grid(color=_GRID, linewidth=0.4)
        plots[names] = Plot(axes, figure)
    return plots


def _axes_of(trace: Any) -> tuple[str, str]:
    """What a trace calls its axes; one that has none cannot be drawn."""
    return getattr(trace, "xaxis", None) or "x", getattr(trace, "yaxis", None) or "y"


def _settings(figure: go.Figure, axis: str) -> Any:
    """Of the axis that traces call "x" or "x2"."""
    return figure.layout[f"{axis[0]}axis{axis[1:]}"]


def _finish(axis: Any, settings: Any) -> None:
    """Title, range and ticks as Plotly was told."""
    if settings.title.text:
        axis.set_label_text(_plain(settings.title.text), fontsize=_SIZES["font"])
    set_limits = getattr(axis.axes, f"set_{axis.axis_name}lim")
    if settings.type == "log":
        getattr(axis.axes, f"set_{axis.axis_name}scale")("log")
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    limits = axis.get_view_interval()
    if settings.range is not None:
        set_limits(*settings.range)
    elif settings.rangemode == "tozero":
        set_limits(0, limits[1])
    if settings.tickvals is not None:
        inside = sorted(axis.get_view_interval())
        words = settings.ticktext if settings.ticktext is not None else settings.tickvals
        ticks = [
            (value, word if isinstance(word, str) else f"{word:g}")
            for value, word in zip(settings.tickvals, words, strict=True)
            if inside[0] <= value <= inside[1]
        ]
        axis.set_major_locator(FixedLocator([value for value, _ in ticks]))
        labels = dict(ticks)
        axis.set_major_formatter(FuncFormatter(lambda value, _: _plain(labels.get(value, ""))))
    elif settings.dtick:
        every = settings.ticklabelstep or 1
        axis.set_major_locator(MultipleLocator(settings.dtick * every))
    if settings.autorange == "reversed":
        axis.set_inverted(True)


def _finish_figure(canvas: Figure, figure: go.Figure, entries: dict[str, Any], width: int) -> None:
    letters = int(width / 1.9)  # of the title's size
    title = "\n".join(textwrap.wrap(_plain(figure.layout.title.text or "", " "), letters))
    canvas.suptitle(title, x=0.01, ha="left", fontsize=_SIZES["title"], fontweight="bold")
    if entries and figure.layout.showlegend is not False:
        longest = max(map(len, entries))
        columns = max(1, min(len(entries), int(width / (longest * 1.25 + 9))))
        canvas.legend(
            entries.values(), entries.keys(), loc="outside lower left", ncols=columns,
            frameon=False, fontsize=_SIZES["legend"], handlelength=1.6,
        )  # fmt: skip


def _draw_shape(axes: Axes, shape: Any) -> Any:
    """Draw a line, a rectangle or a path, and return what stands for it in a legend."""
    is_below = shape.layer == "below" or shape.type != "line"
    below: dict[str, Any] = {"zorder": 0.5 if is_below else 1.5}
    if shape.type == "line":
        line: dict[str, Any] = {
            "color": color_of(shape.line.color),
            "linewidth": _points(shape.line.width),
        }
        line |= {"linestyle": dashes(shape.line.dash)}
        if shape.xref == "x domain":
            return axes.axhline(shape.y0, **line, **below)
        return axes.axvline(shape.x0, **line, **below)
    fill: dict[str, Any] = {"facecolor": color_of(shape.fillcolor), "linewidth": 0}
    if shape.type == "rect":
        if shape.xref == "x domain":
            axes.axhspan(shape.y0, shape.y1, **fill, **below)
        else:
            axes.axvspan(shape.x0, shape.x1, **fill, **below)
    elif shape.type == "path":
        x, y = np.reshape([float(n) for n in re.findall(r"-?[\d.]+", shape.path)], (-1, 2)).T
        axes.fill(x, y, **fill, **below)
    else:
        raise ValueError(f"A shape of the type {shape.type} cannot be printed.")
    return Patch(**fill)


def _annotate(axes: Axes, annotation: Any) -> None:
    """Words beside the plot, at a place of the vertical axis."""
    axes.annotate(
        _plain(annotation.text), (annotation.x, annotation.y), (3, 0),
        xycoords=("axes fraction", "data"), textcoords="offset points", annotation_clip=False,
        va={"middle": "center"}.get(annotation.yanchor, annotation.yanchor),
        fontsize=_SIZES["font"],
    )  # fmt: skip


def _points(pixels: float | None) -> float:
    return POINTS_PER_PIXEL * (2 if pixels is None else pixels)


def _plain(text: str, line_break: str = "\n") -> str:
    """Plotly's HTML as plain text."""
    lines = re.split("<br ?/?>", text)
    return unescape(line_break.join(re.sub("<[^>]+>", "", line) for line in lines))
