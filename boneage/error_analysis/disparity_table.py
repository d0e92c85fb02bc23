"""The disparity between groups in a table, and how to read it."""

import math
from typing import Any

import pandas as pd

from boneage.error_analysis.disparity import MIN_CASES
from boneage.evaluation.limits import LARGE_ERROR
from boneage.figures import style
from boneage.figures.tables import Cell, Row, Table
from boneage.formatting import CI_95, metric_interval, metric_value, share

DISPARITY = "Disparity between groups"
ABOUT_DISPARITY = (
    "Difference: the group with the highest minus the group with the lowest value. Ratio: lowest "
    f"to highest; 1 is no disparity. Below each its {CI_95} (bootstrap). Of more than two groups "
    "the two furthest apart are selected, so their difference is biased upward. Groups below "
    f"{MIN_CASES} radiographs are left out; the ratio of biases needs one sign."
)
_FACTORS = {
    "sex": "Sex",
    "age_band": "Age band",
    "block": "Acquisition block",
    "crop_method": "Hand detection",
}
TOO_FEW = f"Fewer than two groups have {MIN_CASES} radiographs."
_TITLES = {
    "mae": ("MAE", "months"),
    "bias": ("Bias", "months"),
    "large": (f"Errors > {LARGE_ERROR} months", "% of radiographs"),
}


def disparity_table(found: pd.DataFrame) -> Table:
    """A table of `disparity`: a section a value of the control feature, a row a metric."""
    sections = {
        title_of(str(control)): [_row(row) for row in rows.itertuples()]
        for control, rows in found.groupby("control", sort=False)
    }
    columns = ["Highest", "Lowest", "Difference", "Ratio"]
    return Table([(title, None) for title in columns], sections, first_column=22)


def factors_of(cases: pd.DataFrame) -> dict[str, str]:
    """What makes at least two groups of these cases that are large enough: column -> title.

    Args:
        cases: of `residuals.with_residuals`.
    """
    return {
        column: title
        for column, title in _FACTORS.items()
        if column in cases and (cases[column].value_counts() >= MIN_CASES).sum() > 1
    }


def title_of(group: str) -> str:
    """A group as people read it: "female" -> "Girls"."""
    return style.GROUPS.get(group, group[:1].upper() + group[1:])


def _row(row: Any) -> Row:
    label, note = _TITLES[row.metric]
    highest, lowest = (
        Cell(_value(row.metric, value), f"{title_of(group)}, n = {n:,}")
        for value, group, n in (
            (row.value_highest, row.highest, row.n_highest),
            (row.value_lowest, row.lowest, row.n_lowest),
        )
    )
    ends = row.difference_low, row.difference_high
    interval = metric_interval(_name(row.metric), *ends)
    ratio = Cell("not defined")
    if not math.isnan(row.ratio):
        ends_of_ratio = f"{row.ratio_low:.2f} to {row.ratio_high:.2f}"
        has_interval = not math.isnan(row.ratio_low)
        ratio = Cell(f"{row.ratio:.2f}", ends_of_ratio if has_interval else "no interval")
    return Row(
        label, note, [highest, lowest, Cell(_value(row.metric, row.difference), interval), ratio]
    )


def _value(metric: str, value: float) -> str:
    return share(value) if metric == "large" else metric_value(_name(metric), value, unit=False)


def _name(metric: str) -> str:
    """A metric of `formatting` that is printed alike."""
    return "within_12" if metric == "large" else metric
