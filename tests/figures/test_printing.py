import io
import re
from html import unescape
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from PIL import Image
from pypdf import PdfReader

from boneage import artifacts
from boneage.comparison.compared import of_model
from boneage.comparison.exported import all_charts as comparison_charts
from boneage.comparison.head_to_head import head_to_head
from boneage.error_analysis.analysis import analyze
from boneage.error_analysis.charts import all_charts
from boneage.figures.print_traces import color_of
from boneage.figures.printing import print_figure
from boneage.figures.training import training_curves
from boneage.robustness.figure import error_ratios

NAMES = "densenet121", "resnet34_cbam"


@pytest.fixture(scope="module")
def charts():
    """Every chart of both analysis pages, of the published models."""
    folders = {name: artifacts.model_folder(name) for name in NAMES}
    cases = {name: artifacts.read_predictions(folder) for name, folder in folders.items()}
    test = [table[table["split"] == "test"] for table in cases.values()]
    coverage = artifacts.read_coverage()
    found = all_charts(analyze(test[0]), "#2F7FD6", coverage[coverage["model"] == NAMES[0]])
    found |= comparison_charts(head_to_head(*test), [of_model(name) for name in NAMES])
    histories = {name: artifacts.read_history(folder) for name, folder in folders.items()}
    found["training"] = lambda: training_curves(histories)
    found["robustness"] = lambda: error_ratios(artifacts.read_robustness())
    return found


@pytest.fixture(scope="module")
def printed(charts):
    """Title -> the figure and its SVG."""
    figures = {title: chart() for title, chart in charts.items()}
    return {title: (figure, print_figure(figure, "svg")) for title, figure in figures.items()}


def test_every_chart_opens_as_svg_with_its_words_as_outlines(printed):
    for title, (figure, svg) in printed.items():
        root = ElementTree.fromstring(svg)  # noqa: S314 (written just now)
        assert float(root.get("width").removesuffix("pt")) == pytest.approx(174 / 25.4 * 72)
        assert not list(root.iter("{http://www.w3.org/2000/svg}text")), title
        words = outlined(svg)
        assert figure.layout.title.text.split("<br>")[0].split()[0] in words, title
        for trace in figure.data:
            if trace.name and trace.showlegend is not False and figure.layout.showlegend is None:
                assert trace.name in words, title
    assert svg == print_figure(figure, "svg")  # the same each time


def outlined(svg: bytes) -> str:
    """The words that Matplotlib notes beside their outlines."""
    return unescape("\n".join(re.findall("<!-- (.*?) -->", svg.decode(), re.DOTALL)))


def test_a_pdf_has_its_width_and_carries_its_font(charts):
    page = PdfReader(io.BytesIO(print_figure(charts["Residuals by age"](), "pdf", 85))).pages[0]
    assert float(page.mediabox.width) == pytest.approx(85 / 25.4 * 72, abs=1)
    assert "Running median" in page.extract_text()
    for font in page["/Resources"]["/Font"].values():
        (inner,) = (one.get_object() for one in font.get_object()["/DescendantFonts"])
        assert "/FontFile2" in inner["/FontDescriptor"]  # TrueType


def test_png_has_300_dots_per_inch(charts):
    image = Image.open(io.BytesIO(print_figure(charts["Calibration"](), "png", 85)))
    assert image.width == pytest.approx(85 / 25.4 * 300, abs=1)
    assert image.info["dpi"][0] == pytest.approx(300, abs=0.1)


def test_words_of_cells_bars_and_lines_are_printed(printed):
    figure, svg = printed["MAE by age and sex"]
    cells = [re.sub("<[^>]+>", " ", text).split()[0] for text in figure.data[2].text]
    words = outlined(svg)
    assert all(cell in words for cell in cells) and "Girls" in words and "Boys" in words
    assert re.search(r"\d%", outlined(printed["Closer model by age and sex"][1]))
    assert "Upper" in outlined(printed["Bland-Altman plot"][1])


def test_points_stand_where_plotly_puts_them():
    """Two marks at known places of an axis from 0 to 10, as black on white."""
    figure = go.Figure(
        go.Scatter(x=[2, 8], y=[5, 5], mode="markers", marker={"color": "#FF0000", "size": 20}),
        {"title": {"text": "t"}, "xaxis": {"range": [0, 10]}, "yaxis": {"range": [0, 10]}},
    )
    pixels = np.asarray(Image.open(io.BytesIO(print_figure(figure, "png", 85))).convert("RGB"))
    red = (pixels[..., 0] > 200) & (pixels[..., 1] < 50)
    columns = np.flatnonzero(red.any(axis=0))
    left, right = np.split(columns, [np.argmax(np.diff(columns)) + 1])
    lines = (pixels == (0xD9, 0xDD, 0xE1)).all(axis=2)
    spine = np.flatnonzero(lines.sum(axis=0) > 0.5 * pixels.shape[0])[0]
    assert (right.mean() - spine) / (left.mean() - spine) == pytest.approx(4, rel=0.05)


def test_colors_and_what_cannot_be_printed():
    assert color_of("#FF0080") == pytest.approx((1, 0, 128 / 255, 1))
    assert color_of("rgba(255, 0, 128, 0.5)") == pytest.approx((1, 0, 128 / 255, 0.5))
    with pytest.raises(ValueError, match="pie"):
        print_figure(go.Figure(go.Pie(values=[1])), "svg")


def test_many_points_are_an_image_inside_the_svg():
    n = 5000
    points = pd.DataFrame(np.random.default_rng(0).normal(size=(n, 2)), columns=["x", "y"])
    figure = go.Figure(go.Scattergl(x=points["x"], y=points["y"], mode="markers"))
    svg = print_figure(figure, "svg", 85)
    assert b"<image" in svg and len(svg) < 500_000
