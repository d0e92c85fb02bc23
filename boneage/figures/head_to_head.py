"""HTML of the head-to-head page: the table of two models, and the legend of a difference map.

Colours and sizes are set inline and text colour is inherited, so they follow the app's theme.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd

from boneage.evaluation.costs import Cost
from boneage.figures import palette, style
from boneage.wording import FIGURE_TITLES, figure_interval, figure_value

_MODELS = ("first", "second", "ensemble")
_FIGURE_NOTES = {
    "mae": "months",
    "rmse": "months",
    "r2": "1 is perfect",
    "bias": "months, + too old",
    "median_ae": "months",
    "within_6": "% of radiographs",
    "within_12": "% of radiographs",
    "within_24": "% of radiographs",
}
_NOTHING = "–"
_MUTED = "opacity:.75;font-size:.85em;font-weight:400"
_RULE = palette.faded(palette.NEUTRAL, 0.3)
# Four columns fit a telephone.
_TABLE = (
    "width:100%;table-layout:fixed;border-collapse:collapse;line-height:1.3;"
    "font-size:clamp(.78rem,2.4vw,.95rem)"
)


@dataclass(frozen=True)
class Cell:
    """What stands in a column: a value, a note below it, and whether it is the better one."""

    value: str
    note: str = ""
    better: bool = False


@dataclass(frozen=True)
class Row:
    label: str
    note: str
    cells: Sequence[Cell]


def figure_rows(figures: pd.DataFrame, differences: pd.DataFrame, suffix: str = "") -> list[Row]:
    """A row for each figure with its intervals, the better model marked.

    figures, differences: of `boneage.evaluation.head_to_head`; `suffix` is put to the titles.
    """
    return [
        Row(
            FIGURE_TITLES[name] + suffix,
            _FIGURE_NOTES[name],
            [
                Cell(
                    figure_value(name, figures.at[model, name], unit=False),
                    figure_interval(name, *figures.loc[model, [f"{name}_low", f"{name}_high"]]),
                    better == model,
                )
                for model in _MODELS
            ],
        )
        for name, better in zip(differences["figure"], differences["better"], strict=True)
    ]


def cost_rows(costs: Sequence[Cost], milliseconds: Sequence[float | None]) -> list[Row]:
    """What each column's model costs; milliseconds a radiograph are None while not measured."""
    columns = {
        ("Parameters", "millions"): [f"{cost.parameters / 1e6:.2f}" for cost in costs],
        ("Weights file", "MB"): [_number(cost.weights_mb, ".1f") for cost in costs],
        ("Operations a radiograph", "GFLOPs"): [f"{cost.gflops:.3g}" for cost in costs],
        ("Input", "pixels each way"): [" and ".join(map(str, c.input_sizes)) for c in costs],
        ("Time a radiograph", "ms, on this machine"): [_number(ms, ".0f") for ms in milliseconds],
        ("Training time", ""): [time_in_words(cost.training_seconds) for cost in costs],
    }
    return [
        Row(label, note, [Cell(value) for value in values])
        for (label, note), values in columns.items()
    ]


def model_table(names: Sequence[str], sections: Mapping[str, Sequence[Row]]) -> str:
    """A table with one column a model; names are those of the registry, or "ensemble"."""
    columns = [(style.model_title(name), palette.model_colour(name)) for name in names]
    return _table(columns, sections, first_column=30)


def published_table(published: pd.DataFrame) -> str:
    """Published results: a row a system with its input and source, a column a yardstick.

    published: of `boneage.evaluation.published.published_results`.
    """
    columns = [("Test MAE, months", "transparent"), ("Validation MAE, months", "transparent")]
    rows = []
    for system in published.itertuples():
        test = _number(system.test_mae, "g")
        if system.test_mae_low == system.test_mae_low:  # not nan: published as a range
            test = f"{system.test_mae_low:.1f} to {system.test_mae_high:.1f}"
        rmse = "" if pd.isna(system.test_rmse) else f"RMSE {system.test_rmse:g}"
        rows.append(
            Row(
                f"{system.system}, {system.year}",
                f"Input: {system.input}. {system.source}",
                [Cell(test, rmse), Cell(_number(system.validation_mae, "g"))],
            )
        )
    return _table(columns, {"": rows}, first_column=54)


def difference_legend(first_name: str, second_name: str) -> str:
    """A bar from one model's colour over nothing to the other's, each end with its title."""
    first, second = palette.model_colour(first_name), palette.model_colour(second_name)
    ramp = f"{first},{palette.faded(palette.NEUTRAL, 0.25)},{second}"
    first_title, second_title = map(style.model_title, (first_name, second_name))
    return (
        f'<div style="{_MUTED};font-size:.85rem">'
        '<div style="height:.7rem;border-radius:.35rem;margin-bottom:.2rem;'
        f'background:linear-gradient(90deg,{ramp})"></div>'
        '<div style="display:flex;justify-content:space-between;gap:1rem">'
        f"<span>{escape(first_title)} more</span>"
        f'<span style="text-align:right">{escape(second_title)} more</span></div></div>'
    )


def time_in_words(seconds: float) -> str:
    """5,400 -> "1 h 30 min"; below an hour in minutes, from two days on in days."""
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 2 * 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min".removesuffix(" 0 min")
    return f"{minutes / (24 * 60):.1f} days"


def _table(
    columns: Sequence[tuple[str, str]], sections: Mapping[str, Sequence[Row]], first_column: int
) -> str:
    """`columns`: title and colour of each; `first_column`: width of the labels, % of the table."""
    heads = "".join(
        f'<th scope="col" style="padding:.3rem 0 .3rem .5rem;text-align:right;'
        f'vertical-align:bottom;border-bottom:3px solid {colour}">{_breakable(title)}</th>'
        for title, colour in columns
    )
    bodies = "".join(
        f"<tbody>{_section(title, len(columns))}{''.join(map(_row, rows))}</tbody>"
        for title, rows in sections.items()
    )
    return (
        f'<table style="{_TABLE}"><thead><tr><td style="width:{first_column}%"></td>{heads}</tr>'
        f"</thead>{bodies}</table>"
    )


def _section(title: str, n_columns: int) -> str:
    if not title:
        return ""
    return (
        f'<tr><th scope="rowgroup" colspan="{n_columns + 1}" style="text-align:left;'
        f'padding:.7rem 0 .3rem">{escape(title)}</th></tr>'
    )


def _row(row: Row) -> str:
    cells = "".join(
        f'<td style="text-align:right;padding:.3rem 0 .3rem .5rem;vertical-align:top;'
        f'font-variant-numeric:tabular-nums">{_value(cell)}'
        f'<div style="{_MUTED}">{escape(cell.note)}</div></td>'
        for cell in row.cells
    )
    return (
        f'<tr style="border-top:1px solid {_RULE}"><th scope="row" style="text-align:left;'
        f'padding:.3rem 0;vertical-align:top;font-weight:500">{escape(row.label)}'
        f'<div style="{_MUTED}">{escape(row.note)}</div></th>{cells}</tr>'
    )


def _value(cell: Cell) -> str:
    value = escape(cell.value)
    if not cell.better:
        return value
    return f'<b>{value}</b> <span title="better, by more than chance">✓</span>'


def _breakable(title: str) -> str:
    return escape(title).replace("+", "+<wbr>")


def _number(value: float | None, form: str) -> str:
    return _NOTHING if pd.isna(value) else f"{value:{form}}"
