import io
import re
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


def test_every_chart_is_a_pdf_of_its_width_with_its_words_and_fonts(charts):
    for title, chart in charts.items():
        figure = chart()
        page = PdfReader(io.BytesIO(print_figure(figure, "pdf", 85))).pages[0]
        assert float(page.mediabox.width) == pytest.approx(85 / 25.4 * 72, abs=1), title
        words = page.extract_text()
        assert figure.layout.title.text.split("<br>")[0].split()[0] in words, title
        fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
        for font in fonts:
            (inner,) = (one.get_object() for one in font["/DescendantFonts"])
            assert "/FontFile2" in inner["/FontDescriptor"], title  # embedded TrueType


def test_svg_opens_and_needs_no_font(charts):
    for title in ("Residuals by age", "MAE by age and sex", "Closer model by age and sex"):
        svg = print_figure(charts[title](), "svg")
        root = ElementTree.fromstring(svg)  # noqa: S314 (written just now)
        assert root.get("width") == f"{174 / 25.4 * 72:.6g}pt"
        assert not list(root.iter("{http://www.w3.org/2000/svg}text"))  # letters are outlines
        assert b"font-family" not in svg and b"http://localhost" not in svg
        assert svg == print_figure(charts[title](), "svg")


def test_png_has_300_dots_per_inch(charts):
    image = Image.open(io.BytesIO(print_figure(charts["Calibration"](), "png", 85)))
    assert image.width == pytest.approx(85 / 25.4 * 300, abs=1)
    assert image.info["dpi"][0] == pytest.approx(300, abs=0.1)


def drawn(figure: go.Figure) -> str:
    return PdfReader(io.BytesIO(print_figure(figure, "pdf"))).pages[0].extract_text()


def test_words_of_cells_bars_and_legends_are_printed(charts):
    figure = charts["MAE by age and sex"]()
    cells = [re.sub("<[^>]+>", " ", text).split()[0] for text in figure.data[2].text]
    words = drawn(figure)
    assert all(cell in words for cell in cells) and "Girls" in words and "Boys" in words
    assert "Running median" in drawn(charts["Residuals by age"]())
    assert re.search(r"\d%", drawn(charts["Closer model by age and sex"]()))
    assert "Upper" in drawn(charts["Bland-Altman plot"]())


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
    gray = (pixels == pixels[..., :1]).all(axis=2) & (pixels[..., 0] < 240)
    spine = np.flatnonzero(gray.sum(axis=0) > 0.5 * pixels.shape[0])[0]
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
