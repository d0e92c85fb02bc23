import numpy as np
import pandas as pd
import pytest

from boneage.evaluation.residuals import with_residuals
from boneage.figures import palette
from boneage.quiz.figures import YOU, bland_altman, reader_errors, reader_title
from boneage.quiz.quiz import scores

AGE = np.arange(20.0, 220, 20)


def cases(errors) -> pd.DataFrame:
    table = pd.DataFrame(
        {"id": [f"Hand {n}" for n in range(10)], "sex": "male", "reference_months": AGE}
    )
    return with_residuals(table.assign(prediction_months=AGE + errors))


@pytest.fixture
def readers():
    return {YOU: cases([30, -30] * 5), "densenet121": cases([3, -5] * 5), "ensemble": cases(2)}


def test_readers_have_the_names_that_people_know():
    assert reader_title(YOU) == "You"
    assert reader_title("densenet121") == "DenseNet121"
    assert reader_title("ensemble") == "Ensemble"


def test_errors_stand_in_order_from_the_top_with_their_intervals_over_the_band(readers):
    table = scores(readers)
    figure = reader_errors(table, (4.8, 7.0))
    (points,) = figure.data
    # Plotly draws the first lowest.
    assert list(points.y) == ["Ensemble", "DenseNet121", "You"]
    assert list(points.x) == pytest.approx([2, 4, 30])
    assert list(points.text) == ["<b>2.0</b>", "<b>4.0</b>", "<b>30.0</b>"]
    assert list(points.marker.color) == [
        palette.model_color(name) for name in ("ensemble", "densenet121", YOU)
    ]
    up = points.x + np.array(points.error_x.array)
    np.testing.assert_allclose(up, table["mae_high"][::-1])
    (band,) = figure.layout.shapes
    assert (band.x0, band.x1) == (4.8, 7.0)
    assert band.name == "Single human readers (estimate), 4.8 to 7.0 months"


def test_agreement_is_drawn_over_the_ages_of_the_hands():
    young = cases([6.0, -6] * 5).query("reference_months <= 100")
    axis = bland_altman({YOU: young})[YOU].layout.xaxis
    # Means of 23, 37, 63, 77 and 103 months.
    assert tuple(axis.range) == (12, 108)
    assert list(axis.ticktext) == [f"{year} y" for year in range(1, 10)]
    assert list(axis.tickvals) == [12 * year for year in range(1, 10)]


def test_every_reader_has_a_bland_altman_plot_and_all_have_one_scale(readers):
    plots = bland_altman(readers)
    assert list(plots) == list(readers)
    ranges = {tuple(figure.layout.yaxis.range) for figure in plots.values()}
    ((low, high),) = ranges
    assert low == -high
    assert high > 60  # the learner's limits of agreement
    assert {figure.layout.yaxis.dtick for figure in plots.values()} == {12}
    assert plots[YOU].layout.title.text == "You"
    shown = np.concatenate([trace.y for trace in plots[YOU].data])
    assert sorted(shown) == [-30] * 5 + [30] * 5
    # Means of estimate and reference from 21 to 201 months.
    assert {tuple(figure.layout.xaxis.range) for figure in plots.values()} == {(12, 204)}
    assert "Radiograph" not in plots[YOU].data[0].hovertemplate
    bias = [line.text for line in plots["densenet121"].layout.annotations]
    assert "<b>−1.0</b>" in bias
