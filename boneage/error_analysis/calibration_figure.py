"""Whether predicted ages are right on average at every predicted age."""

import pandas as pd
import plotly.graph_objects as go

from boneage.error_analysis import figures as errors
from boneage.error_analysis.calibration import AgeCalibration
from boneage.figures import palette, style
from boneage.formatting import age_in_short


def reference_on_predicted(
    cases: pd.DataFrame, bins: pd.DataFrame, calibration: AgeCalibration
) -> go.Figure:
    """Reference against predicted age: every case, means of groups and the least-squares line.

    `cases` is from `evaluation.residuals.with_residuals`, `bins` is `calibration_bins(cases)` and
    `calibration` is `age_calibration(...)` of their ages. Without a slope there is no line.
    """
    predicted, reference = cases["prediction_months"], cases["reference_months"]
    trace = errors.scatter(len(cases))
    ends = [predicted.min(), predicted.max()]
    calibrated = trace(
        x=ends, y=ends, mode="lines", name="Calibrated",
        line={"width": 2, "color": palette.NEUTRAL, "dash": "dot"}, hoverinfo="skip",
    )  # fmt: skip
    lines = [calibrated]
    if calibration.slope == calibration.slope:  # not nan
        fitted = [calibration.intercept + calibration.slope * end for end in ends]
        name = "Least squares"
        lines.append(
            trace(
                x=ends, y=fitted, mode="lines", name=name,
                line={"width": 2, "color": palette.MEAN}, hoverinfo="skip",
            )
        )  # fmt: skip
    means = trace(
        x=bins["predicted"], y=bins["reference"], mode="markers", name="Mean, 95% CI",
        error_y=style.error_bars(bins["reference"], bins["low"], bins["high"], width=4),
        marker={"color": palette.MEAN, "size": 11, "line": {"width": 1.5, "color": "#FFFFFF"}},
        customdata=[
            (age_in_short(row.reference), age_in_short(row.predicted), row.n)
            for row in bins.itertuples()
        ],
        hovertemplate="Mean reference %{customdata[0]}<br>Mean prediction %{customdata[1]}"
        "<br>n = %{customdata[2]:,d}<extra></extra>",
    )  # fmt: skip
    return style.chart(
        [*errors.points(cases, predicted, reference), *lines, means],
        "Reference against predicted bone age",
        style.age_axis(style.PREDICTED_AGE),
        style.age_axis(),
        height=480,
    )
