"""The head-to-head page's tables of two models, and the legend of a difference map."""

from collections.abc import Mapping, Sequence

import pandas as pd

from boneage.comparison.compared import Compared
from boneage.comparison.costs import Cost
from boneage.figures import palette, style
from boneage.figures.html import macros
from boneage.figures.tables import Cell, Row, Table
from boneage.formatting import METRIC_TITLES, metric_interval, metric_value, p_value
from boneage.models.registry import ENSEMBLE

_MODELS = ("first", "second", "ensemble")
_METRIC_NOTES = {
    "mae": "months",
    "rmse": "months",
    "r2": "1 = perfect",
    "bias": "months, + overestimated",
    "median_ae": "months",
    "within_6": "% of radiographs",
    "within_12": "% of radiographs",
    "within_24": "% of radiographs",
}
_NOTHING = "–"
_ENSEMBLE_TITLE = style.model_title(ENSEMBLE)


def metric_rows(figures: pd.DataFrame, differences: pd.DataFrame, suffix: str = "") -> list[Row]:
    """A row for each figure with its intervals and p, the significantly better model marked.

    figures, differences: of `boneage.comparison.head_to_head`; `suffix` is put to the titles.
    """
    return [
        Row(
            METRIC_TITLES[name] + suffix,
            _METRIC_NOTES[name],
            [
                *(
                    Cell(
                        metric_value(name, figures.at[model, name], unit=False),
                        metric_interval(name, *figures.loc[model, [f"{name}_low", f"{name}_high"]]),
                        better == model,
                    )
                    for model in _MODELS
                ),
                Cell(_NOTHING if pd.isna(p) else p_value(p)),
            ],
        )
        for name, p, better in differences[["metric", "p", "better"]].itertuples(index=False)
    ]


def cost_rows(costs: Sequence[Cost], milliseconds: Sequence[float | None]) -> list[Row]:
    """What each column's model costs; milliseconds a radiograph are None while not measured."""
    columns = {
        ("Parameters", "millions"): [f"{cost.parameters / 1e6:.2f}" for cost in costs],
        ("Weights file", "MB"): [_number(cost.weights_mb, ".1f") for cost in costs],
        ("Compute per image", "GFLOPs"): [f"{cost.gflops:.3g}" for cost in costs],
        ("Input", "pixels each way"): [" and ".join(map(str, c.input_sizes)) for c in costs],
        ("Inference time per image", "ms, on this machine"): [
            _number(ms, ".0f") for ms in milliseconds
        ],
        ("Training time", ""): [time_in_words(cost.training_seconds) for cost in costs],
    }
    return [
        Row(label, note, [*map(Cell, values), Cell("")])  # costs have no p
        for (label, note), values in columns.items()
    ]


def model_table(models: Sequence[Compared], sections: Mapping[str, Sequence[Row]]) -> Table:
    """A column each of the predictions compared and of their ensemble, and one of p values."""
    columns = [*((one.title, one.color) for one in models), (_ENSEMBLE_TITLE, palette.MEAN)]
    return Table([*columns, ("p", None)], sections, first_column=28)


def published_table(published: pd.DataFrame) -> Table:
    """Published results: a row a system with its input and source, a column a split.

    published: of `boneage.evaluation.published.published_results`.
    """
    columns = [("Test MAE, months", None), ("Validation MAE, months", None)]
    rows = []
    for system in published.itertuples():
        test = _number(system.test_mae, "g")
        if system.test_mae_low == system.test_mae_low:  # not nan: published as a range
            test = f"{system.test_mae_low:.1f} to {system.test_mae_high:.1f}"
        rmse = "" if pd.isna(system.test_rmse) else f"RMSE {system.test_rmse:g}"
        rows.append(
            Row(
                f"{system.system}, {system.year}",
                "; ".join(filter(None, [f"Input: {system.input}", system.caveat, system.source])),
                [Cell(test, rmse), Cell(_number(system.validation_mae, "g"))],
            )
        )
    return Table(columns, {"": rows}, first_column=54)


def difference_legend(first_name: str, second_name: str) -> str:
    """A bar from one model's color over nothing to the other's, each end with its title."""
    names = first_name, second_name
    return macros("legends").difference_legend(
        *map(style.model_title, names), *map(palette.model_color, names)
    )


def time_in_words(seconds: float) -> str:
    """5,400 -> "1 h 30 min"; below an hour in minutes, from two days on in days."""
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 2 * 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min".removesuffix(" 0 min")
    return f"{minutes / (24 * 60):.1f} days"


def _number(value: float | None, form: str) -> str:
    return _NOTHING if pd.isna(value) else f"{value:{form}}"
