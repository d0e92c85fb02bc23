"""A chart of the pages as vector graphics of a PDF."""

from typing import Any

import plotly.graph_objects as go
from reportlab.graphics.shapes import Drawing, Group, Line, Polygon, PolyLine, String
from reportlab.lib.colors import Color, HexColor, toColor

_LEFT, _BOTTOM, _TOP, _RIGHT = 34, 28, 6, 6  # points around the plot
_FONT_SIZE = 7
_INK, _GRID = HexColor("#222222"), HexColor("#D9DDE1")
_CAP = 2.5  # half the width of the ends of an error bar, points
_MARK = 4  # half the diagonal of a diamond, points


def as_drawing(figure: go.Figure, width: float, height: float, font: str) -> Drawing:
    """Draw a figure of `boneage.growth.figures.growth_chart` without its title and legend.

    Args:
        figure: filled areas, lines and points with error bars, over axes with a range and ticks.
        width: of the drawing in points.
        height: the same.
        font: name of a registered font.

    Returns:
        The drawing.
    """
    x, y = figure.layout.xaxis, figure.layout.yaxis
    inner = (width - _LEFT - _RIGHT, height - _BOTTOM - _TOP)

    def place(px: float, py: float) -> tuple[float, float]:
        (x0, x1), (y0, y1) = x.range, y.range
        return (
            _LEFT + (px - x0) / (x1 - x0) * inner[0],
            _BOTTOM + (py - y0) / (y1 - y0) * inner[1],
        )

    drawing = Drawing(width, height)
    drawing.add(_grid(figure, place, font))
    for trace in figure.data:
        points = [place(*point) for point in zip(trace.x, trace.y, strict=True)]
        if trace.fill == "toself":
            flat = [value for point in points for value in point]
            drawing.add(
                Polygon(flat, fillColor=color(trace.fillcolor), strokeColor=None, strokeWidth=0)
            )
        elif "markers" in trace.mode:
            drawing.add(_points(trace, points, place))
        else:
            drawing.add(PolyLine(points, strokeColor=color(trace.line.color), strokeWidth=0.8))
    titles = String(
        _LEFT + inner[0] / 2, 4, x.title.text, fontName=font, fontSize=_FONT_SIZE,
        textAnchor="middle", fillColor=_INK,
    )  # fmt: skip
    drawing.add(titles)
    upright = Group(
        String(0, 0, y.title.text, fontName=font, fontSize=_FONT_SIZE, textAnchor="middle",
               fillColor=_INK)
    )  # fmt: skip
    upright.transform = (0, 1, -1, 0, 8, _BOTTOM + inner[1] / 2)
    drawing.add(upright)
    return drawing


def color(name: str) -> Color:
    """ "#2F7FD6" or "rgba(47, 127, 214, 0.5)" as a color of ReportLab."""
    return toColor(name)


def _grid(figure: go.Figure, place: Any, font: str) -> Group:
    x, y = figure.layout.xaxis, figure.layout.yaxis
    group = Group()
    for value, words in zip(x.tickvals, x.ticktext, strict=True):
        group.add(Line(*place(value, y.range[0]), *place(value, y.range[1]), strokeColor=_GRID,
                       strokeWidth=0.4))  # fmt: skip
        at, bottom = place(value, y.range[0])
        group.add(String(at, bottom - 9, words, fontName=font, fontSize=_FONT_SIZE,
                         textAnchor="middle", fillColor=_INK))  # fmt: skip
    for value, words in zip(y.tickvals, y.ticktext, strict=True):
        group.add(Line(*place(x.range[0], value), *place(x.range[1], value), strokeColor=_GRID,
                       strokeWidth=0.4))  # fmt: skip
        left, at = place(x.range[0], value)
        group.add(String(left - 3, at - 2.5, words, fontName=font, fontSize=_FONT_SIZE,
                         textAnchor="end", fillColor=_INK))  # fmt: skip
    return group


def _points(trace: go.Scatter, points: list[tuple[float, float]], place: Any) -> Group:
    mark = color(trace.marker.color)
    group = Group()
    errors = zip(trace.x, trace.y, trace.error_y.arrayminus, trace.error_y.array, strict=True)
    for (px, py), (value_x, value_y, below, above) in zip(points, errors, strict=True):
        low, high = place(value_x, value_y - below)[1], place(value_x, value_y + above)[1]
        if high > low:
            group.add(Line(px, low, px, high, strokeColor=mark, strokeWidth=1.4))
            for end in (low, high):
                group.add(Line(px - _CAP, end, px + _CAP, end, strokeColor=mark, strokeWidth=1.4))
        corners = [px, py - _MARK, px + _MARK, py, px, py + _MARK, px - _MARK, py]
        group.add(Polygon(corners, fillColor=mark, strokeColor=HexColor("#FFFFFF"),
                          strokeWidth=0.5))  # fmt: skip
    return group
