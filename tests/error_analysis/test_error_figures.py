import dataclasses
import math

import pandas as pd
import pytest

from boneage.error_analysis import figures as errors
from boneage.error_analysis.calibration import age_calibration, calibration_bins
from boneage.error_analysis.calibration_figure import reference_on_predicted
from boneage.evaluation.residuals import PREDICTED_AGE, Agreement, boxes
from boneage.figures import palette

COLOR = "#2F7FD6"
RUNNING = pd.DataFrame(
    {
        "reference_months": [60.0, 120.0],
        "median": [4.0, -2.0],
        "lower_quartile": [1.0, -5.0],
        "upper_quartile": [7.0, 3.0],
    }
)
CURVE = pd.DataFrame(
    {"error_months": [0.0, 2.0, 4.0, 6.0, 8.0, 30.0], "share": [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]}
)
AGREEMENT = Agreement(
    n=6, bias=1.0, sd=8.0, lower=-14.7, upper=16.7,
    bias_interval=(-7.0, 9.0), lower_interval=(-29.0, 0.0), upper_interval=(2.0, 31.0),
)  # fmt: skip


@pytest.fixture
def cases():
    """Residuals +6, -2, 0, +12, -13, +3; a to c are girls of two bands, d to f boys of two."""
    cases = pd.DataFrame(
        {
            "id": list("abcdef"),
            "sex": ["female"] * 3 + ["male"] * 3,
            "reference_months": [30.0, 100.0, 99.0, 200.0, 210.0, 59.0],
            "prediction_months": [36.0, 98.0, 99.0, 212.0, 197.0, 62.0],
            "residual_months": [6.0, -2.0, 0.0, 12.0, -13.0, 3.0],
            "age_band": [
                "0-5 years", "5-10 years", "5-10 years", "15-19 years", "15-19 years", "0-5 years"
            ],
        }
    )  # fmt: skip
    return cases.assign(absolute_error=cases["residual_months"].abs())


@pytest.fixture
def table():
    """As `summarize` gives it; one group is small, one a single case, one has none."""
    return pd.DataFrame(
        {
            "age_band": ["0-5 years", "0-5 years", "5-10 years"],
            "sex": ["female", "male", "female"],
            "n": [1200, 19, 1],
            "mae": [10.0, 14.0, 3.0],
            "mae_low": [9.5, 8.0, math.nan],
            "mae_high": [10.5, 20.0, math.nan],
        }
    )


@pytest.fixture
def figures(cases, table):
    return [
        errors.residual_scatter(cases, RUNNING),
        errors.predicted_against_age(cases),
        errors.error_histogram(cases, COLOR),
        errors.cumulative_error(CURVE, COLOR),
        errors.residual_distributions(*boxes(cases)),
        errors.mae_heatmap(table),
        errors.bland_altman(cases, AGREEMENT),
    ]


def traces(figure):
    return {trace.name: trace for trace in figure.data}


def test_every_figure_has_a_title_and_says_what_its_axes_measure(figures):
    for figure in figures:
        layout = figure.layout
        assert layout.title.text
        assert layout.xaxis.title.text
        assert layout.yaxis.title.text


def test_charts_by_predicted_age_have_its_ages_titles_and_axes(cases, table):
    running = RUNNING.rename(columns={"reference_months": PREDICTED_AGE})
    scatter = errors.residual_scatter(cases, running, PREDICTED_AGE)
    assert list(traces(scatter)["Girls"].x) == pytest.approx([36, 98, 99], abs=1)
    assert list(traces(scatter)["Running median"].x) == [60, 120]
    charts = (
        (scatter, errors.residual_scatter(cases, RUNNING), "x"),
        (
            errors.residual_distributions(*boxes(cases), PREDICTED_AGE),
            errors.residual_distributions(*boxes(cases)),
            "x",
        ),
        (errors.mae_heatmap(table, PREDICTED_AGE), errors.mae_heatmap(table), "y"),
    )
    for by_prediction, by_reference, axis in charts:
        for figure, word, axis_title in (
            (by_prediction, "predicted bone age", "Predicted bone age (years)"),
            (by_reference, "reference bone age", "Reference bone age (years)"),
        ):
            assert word in figure.layout.title.text.replace("<br>", " ")
            assert figure.layout[f"{axis}axis"].title.text == axis_title


@pytest.mark.parametrize(
    ("reach", "step"), [(0, 6), (0.9, 6), (13, 6), (30, 6), (31, 12), (118, 12)]
)
def test_every_axis_of_residuals_has_a_tick_every_6_or_12_months(cases, reach, step):
    cases = cases.assign(residual_months=cases["residual_months"] * reach / 13)
    agreement = dataclasses.replace(AGREEMENT, lower=-reach / 2, upper=reach / 2)
    axes = [
        errors.residual_scatter(cases, RUNNING).layout.yaxis,
        errors.residual_distributions(*boxes(cases)).layout.yaxis,
        errors.bland_altman(cases, agreement).layout.yaxis,
        errors.error_histogram(cases, COLOR).layout.xaxis,
    ]
    for axis in axes:
        assert (axis.tick0, axis.dtick) == (0, step)
        # Labels fit a telephone.
        assert 2 * reach / step / axis.ticklabelstep <= 14


def test_residuals_stand_at_their_age_one_trace_a_sex(cases):
    figure = errors.residual_scatter(cases, RUNNING)
    girls, boys = traces(figure)["Girls"], traces(figure)["Boys"]
    assert list(girls.x) == pytest.approx([30, 100, 99], abs=1)
    assert list(girls.y) == [6, -2, 0]
    assert list(boys.y) == [12, -13, 3]
    assert girls.marker.color == palette.SEXES["female"]
    assert figure.layout.dragmode == "lasso"


def test_only_many_points_take_webgl_and_then_all_of_the_chart_does(cases):
    many = pd.concat([cases] * 200, ignore_index=True)
    for table, drawn_by in ((cases, "scatter"), (many, "scattergl")):
        ages = table["reference_months"], table["prediction_months"]
        calibration = calibration_bins(table), age_calibration(*ages, n_resamples=20)
        for figure in (
            errors.residual_scatter(table, RUNNING),
            errors.predicted_against_age(table),
            errors.bland_altman(table, AGREEMENT),
            reference_on_predicted(table, *calibration),
        ):
            assert {trace.type for trace in figure.data} == {drawn_by}


def test_places_of_points_are_sent_in_four_bytes(cases):
    for trace in errors.bland_altman(cases, AGREEMENT).data:
        assert trace.x.dtype == trace.y.dtype == "float32"


def test_the_sexes_stand_side_by_side_at_one_age(cases):
    figure = errors.residual_scatter(cases.assign(reference_months=96.0), RUNNING)
    assert traces(figure)["Girls"].x[0] < 96 < traces(figure)["Boys"].x[0]


def test_a_point_says_its_id_its_ages_and_its_residual(cases):
    boys = traces(errors.residual_scatter(cases, RUNNING))["Boys"]
    assert list(boys.customdata[1]) == ["e", 17, 6, 16, 5, -13]
    assert boys.hovertemplate == (
        "<b>Radiograph %{customdata[0]}</b>"
        "<br>Reference %{customdata[1]:.0f} y %{customdata[2]:.0f} m"
        "<br>Prediction %{customdata[3]:.0f} y %{customdata[4]:.0f} m"
        "<br>Residual %{customdata[5]:+.1f} months"
    )


def test_selected_points_are_cases_again(cases):
    figure = errors.residual_scatter(cases, RUNNING)
    girls, boys = (number for number, trace in enumerate(figure.data) if trace.mode == "markers")
    points = [(boys, 1), (girls, 0), (boys, 1), (len(figure.data) - 1, 0)]
    points = [{"curve_number": curve, "point_index": index} for curve, index in points]
    found = errors.selected_cases(cases, points)
    ids = [figure.data[girls].customdata[0][0], figure.data[boys].customdata[1][0]]
    assert found["id"].tolist() == ids
    assert errors.selected_cases(cases, []).empty


def test_a_sex_without_cases_has_no_trace(cases):
    boys = cases[cases["sex"] == "male"]
    assert "Girls" not in traces(errors.residual_scatter(boys, RUNNING))
    assert "Girls" not in traces(errors.residual_distributions(*boxes(boys)))


def test_the_running_median_runs_within_the_middle_half(cases):
    drawn = traces(errors.residual_scatter(cases, RUNNING))
    half = list(zip(drawn["Interquartile range"].x, drawn["Interquartile range"].y, strict=True))
    assert half == [(60, 1), (120, -5), (120, 3), (60, 7)]
    assert list(drawn["Running median"].y) == [4, -2]
    assert list(drawn["Running median"].customdata[1]) == ["10 years", "underestimated by 2 months"]


def test_band_edges_and_zero_are_marked(cases):
    shapes = errors.residual_scatter(cases, RUNNING).layout.shapes
    assert {shape.x0 for shape in shapes if shape.line.dash == "dot"} == {60, 120, 180}
    assert [shape.y0 for shape in shapes if shape.line.dash is None] == [0]


def test_many_points_are_small(cases):
    many = pd.concat([cases] * 400)
    few = errors.predicted_against_age(cases).data[0].marker.size
    assert errors.predicted_against_age(many).data[0].marker.size < few


def test_predictions_stand_against_ages_with_the_line_of_equality(cases):
    drawn = traces(errors.predicted_against_age(cases))
    assert list(drawn["Girls"].y) == [36, 98, 99]
    line = drawn["Prediction = reference"]
    assert list(line.x) == list(line.y) == [0, 212]


def test_residuals_are_counted_in_bins_of_three_months(cases):
    (bars,) = errors.error_histogram(cases, COLOR).data
    # -13 | -2 | 0 | 3 | 6 | 12
    assert dict(zip(bars.x, bars.y, strict=True)) == {
        -13.5: 1, -1.5: 1, 1.5: 1, 4.5: 1, 7.5: 1, 13.5: 1
    }  # fmt: skip
    assert list(bars.customdata[0]) == [-15, -12, "1 radiograph", pytest.approx(100 / 6)]
    assert bars.marker.color == COLOR


def test_marks_stand_at_the_least_error_that_reaches_their_share():
    figure = errors.cumulative_error(CURVE, COLOR, marks=(0.5, 0.8))
    line, marks = figure.data
    assert list(line.y) == pytest.approx([0, 20, 40, 60, 80, 100])
    assert list(marks.x) == [6, 8]
    assert list(marks.text) == ["50%: 6.0 months", "80%: 8.0 months"]
    assert figure.layout.title.text.replace("<br>", " ") == (
        "Cumulative distribution of the absolute error (median 6.0 months)"
    )


def test_each_band_and_sex_has_a_box_and_says_how_many_it_holds(cases):
    figure = errors.residual_distributions(*boxes(cases))
    girls, girls_words, _, boys, boys_words, _ = figure.data
    assert list(girls.x) == pytest.approx([-0.2, 0.8])
    assert list(girls.median) == [6, -1]
    assert list(boys.x) == list(boys_words.x) == pytest.approx([0.2, 2.2])
    assert (boys.q1[1], boys.q3[1]) == (-6.75, 5.75)
    assert (boys.lowerfence[1], boys.upperfence[1]) == (-13, 12)
    assert list(figure.layout.xaxis.ticktext) == ["0-5", "5-10", "15-19"]
    # Of +12 and -13: n, median, quartiles.
    assert list(boys_words.customdata[1]) == pytest.approx([2, -0.5, -6.75, 5.75])
    assert (boys_words.base[1], boys_words.y[1]) == pytest.approx((-6.75, 12.5))
    assert boys_words.hovertemplate.startswith("n = %{customdata[0]")
    assert girls_words.opacity == 0


def test_cases_beyond_the_whiskers_are_points(cases):
    table, _ = boxes(cases)
    beyond = cases[cases["id"] == "e"]
    girls, boys = (errors.residual_distributions(table, beyond).data[n] for n in (2, 5))
    assert len(girls.x) == 0
    assert (boys.x[0], boys.y[0], boys.customdata[0][0]) == (2.2, -13, "e")


def test_a_cell_says_error_interval_and_n(table):
    words = errors.mae_heatmap(table).data[2]
    assert list(words.text) == [
        "<b>10.0 months</b><br>9.5 to 10.5<br>n = 1,200",
        "<b>14.0 months</b><br>8.0 to 20.0<br>n = 19 (few)",
        "<b>3.0 months</b><br>n = 1 (few)",
    ]
    assert list(zip(words.x, words.y, strict=True)) == [
        ("Girls", "0-5"), ("Boys", "0-5"), ("Girls", "5-10")
    ]  # fmt: skip


def test_only_cells_with_enough_cases_take_the_color_of_their_error(table):
    figure = errors.mae_heatmap(table)
    colored, few = figure.data[0], figure.data[1]
    assert (list(colored.x), list(colored.y)) == (["Girls", "Boys"], ["0-5", "5-10"])
    nan = math.nan
    assert colored.z == pytest.approx(pd.DataFrame([[10, nan], [nan, nan]]).values, nan_ok=True)
    assert few.z == pytest.approx(pd.DataFrame([[nan, 14], [3, nan]]).values, nan_ok=True)
    assert few.colorscale[0][1] == few.colorscale[1][1]
    assert figure.layout.yaxis.autorange == "reversed"


def test_limits_of_agreement_are_lines_in_bands_with_their_numbers(cases):
    figure = errors.bland_altman(cases, AGREEMENT)
    assert list(traces(figure)["Girls"].x) == pytest.approx([33, 99, 99], abs=1)
    assert list(traces(figure)["Girls"].y) == [6, -2, 0]
    spans = {(shape.y0, shape.y1) for shape in figure.layout.shapes}
    assert spans == {
        (2.0, 31.0), (16.7, 16.7), (-7.0, 9.0), (1.0, 1.0), (-29.0, 0.0), (-14.7, -14.7)
    }  # fmt: skip
    labels = {note.text: note.y for note in figure.layout.annotations}
    assert labels == {
        "Upper<br><b>+16.7</b>": 16.7, "Bias<br><b>+1.0</b>": 1.0, "Lower<br><b>−14.7</b>": -14.7
    }  # fmt: skip
