import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from boneage.figures import style


def test_a_long_title_is_broken_and_has_the_room_it_needs():
    short = style.finish(go.Figure(), "Whose errors are smaller?").layout
    long = style.finish(go.Figure(), "50% of the radiographs are read within 10.4 months").layout
    assert short.title.text == "Whose errors are smaller?"
    assert long.title.text == "50% of the radiographs are read<br>within 10.4 months"
    assert long.margin.t - short.margin.t == 21
    assert long.title.pad.t > short.title.pad.t


def test_a_figure_takes_its_ground_and_its_text_color_from_the_page():
    layout = style.finish(go.Figure(), "Title").layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert layout.font.color is None
    assert layout.title.font.color is None


def test_finishing_keeps_the_titles_of_axes():
    figure = go.Figure().update_xaxes(title_text="Radiographs (%)")
    assert style.finish(figure, "Title").layout.xaxis.title.text == "Radiographs (%)"


def test_ages_have_a_tick_every_two_years():
    axis = style.age_axis()
    ticks = dict(zip(axis["tickvals"], axis["ticktext"], strict=True))
    assert (ticks[0], ticks[48], ticks[228 + 12]) == ("0 y", "4 y", "20 y")
    assert 36 not in ticks
    assert axis["title"]["text"] == "Reference bone age (years)"


def test_models_and_their_mean_have_titles():
    assert style.model_title("resnet34_cbam") == "ResNet34+CBAM"
    assert style.model_title("ensemble") == "Ensemble"


def test_hover_has_the_id_and_years_and_months_of_each_age():
    ages = pd.Series([99.5, -3.0]), pd.Series([11.4, 11.5])
    numbers = style.case_numbers(pd.Series(["1377", "12"]), *ages)
    assert numbers.dtype == np.float32
    assert numbers.tolist() == [[1377, 8, 4, 0, 11], [12, 0, 0, 1, 0]]


@pytest.mark.parametrize("id_", ["a", "0012", "1e3", "1.5", "", "16777217"])
def test_an_id_that_is_no_whole_number_or_a_long_one_stays_a_text(id_):
    assert style.case_numbers(pd.Series([id_, "7"]))[:, 0].tolist() == [id_, "7"]


def test_a_chart_keeps_what_is_special_about_an_axis():
    axis = style.titled("Radiographs (%)", range=(0, 104))
    drawn = style.chart([], "Title", axis, style.age_axis()).layout
    assert (drawn.xaxis.title.text, drawn.xaxis.title.standoff) == ("Radiographs (%)", 8)
    assert drawn.xaxis.range == (0, 104)
    assert drawn.yaxis.title.text == "Reference bone age (years)"


def test_lines_and_bands_cross_the_whole_plot():
    upright, level = style.line_at(x=60, dash="dot"), style.line_at(y=0)
    assert (upright["x0"], upright["x1"], upright["yref"]) == (60, 60, "y domain")
    assert (level["y0"], level["y1"], level["xref"]) == (0, 0, "x domain")
    assert upright["line"] == {"color": style.LINE, "width": 1.5, "dash": "dot"}
    band = style.band(-12, 12, level=False, name="Within a year")
    assert (band["x0"], band["x1"], band["y0"], band["y1"]) == (-12, 12, 0, 1)
    assert style.band(1, 2, level=True)["y0"] == 1


def test_months_with_a_sign():
    assert [style.signed(months) for months in (3.14, -3.14)] == ["+3.1", "−3.1"]
