import pandas as pd
import plotly.graph_objects as go
import pytest

from boneage.figures import style


def test_a_long_title_is_broken_and_has_the_room_it_needs():
    short = style.finish(go.Figure(), "Whose errors are smaller?").layout
    long = style.finish(go.Figure(), "50 % of the radiographs are read within 10.4 months").layout
    assert short.title.text == "Whose errors are smaller?"
    assert long.title.text == "50 % of the radiographs are read<br>within 10.4 months"
    assert long.margin.t - short.margin.t == 21
    assert long.title.pad.t > short.title.pad.t


def test_a_figure_takes_its_ground_and_its_text_colour_from_the_page():
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
    assert axis["title"]["text"] == "Reference age (years)"


def test_models_and_their_mean_have_titles():
    assert style.model_title("resnet34_cbam") == "ResNet34+CBAM"
    assert style.model_title("ensemble") == "Mean of both models"


def test_each_whole_month_is_put_into_words_once():
    asked = []

    def say(month):
        asked.append(month)
        return f"{month} months"

    words = style.in_words(pd.Series([2.4, 11.6, 1.6], index=[7, 8, 9]), say)
    assert words.to_dict() == {7: "2 months", 8: "12 months", 9: "2 months"}
    assert asked == [2, 12]


@pytest.mark.parametrize(
    ("months", "words"),
    [
        (13.2, "13 months too old"),
        (-30.0, "2 years 6 months too young"),
        (0.4, "right to the month"),
    ],
)
def test_a_residual_in_words(months, words):
    assert style.residual_in_words(months) == words


def test_months_with_a_sign():
    assert [style.signed(months) for months in (3.14, -3.14)] == ["+3.1", "−3.1"]
