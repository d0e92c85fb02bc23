"""Tables of HTML that a telephone shows whole and a printer prints.

Colours and sizes are set inline and text colour is inherited, so they follow the app's theme.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd

from boneage.evaluation.limits import LARGE_ERROR
from boneage.figures import palette
from boneage.wording import metric_interval, metric_value, share

MUTED = f"opacity:{palette.MUTED_OPACITY};font-size:.85em;font-weight:400"
_RULE = palette.faded(palette.NEUTRAL, 0.3)
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


def cohort_table(cohorts: pd.DataFrame) -> str:
    """A row a subgroup of `evaluation.cohorts.Subgroups`, with its n and, below MAE, the CI."""
    columns = [
        "Held-out MAE, months",
        "In-sample MAE, months",
        f"Errors > {LARGE_ERROR} months",
        "Share of large errors",
        "Share of radio\N{SOFT HYPHEN}graphs",
    ]
    rows = [
        Row(
            _sentence_case(row.cohort),
            f"n = {row.n:,}",
            [
                _with_interval("mae", row.mae, row.mae_low, row.mae_high),
                Cell(metric_value("mae", row.mae_in_sample, unit=False)),
                *(Cell(_share(part)) for part in (row.rate, row.coverage, row.size)),
            ],
        )
        for row in cohorts.itertuples()
    ]
    return table([(title, None) for title in columns], {"": rows}, first_column=28)


def block_table(blocks: pd.DataFrame) -> str:
    """A row an acquisition block; `blocks` is `evaluation.cohorts.by_block(cases)`."""
    columns = ["MAE, months", "Bias, months", "Mean contrast", "Whole-year labels"]
    rows = [
        Row(
            _sentence_case(row.block),
            f"n = {row.n:,}",
            [
                _with_interval("mae", row.mae, row.mae_low, row.mae_high),
                _with_interval("bias", row.bias, row.bias_low, row.bias_high),
                Cell(f"{row.contrast:.0f}"),
                Cell(_share(row.whole_years)),
            ],
        )
        for row in blocks.itertuples()
    ]
    return table([(title, None) for title in columns], {"": rows}, first_column=28)


def _with_interval(name: str, value: float, low: float, high: float) -> Cell:
    return Cell(metric_value(name, value, unit=False), metric_interval(name, low, high))


def _sentence_case(words: str) -> str:
    return words[0].upper() + words[1:]


def table(
    columns: Sequence[tuple[str, str | None]],
    sections: Mapping[str, Sequence[Row]],
    first_column: int,
) -> str:
    """A table with a row of titles; up to five columns fit a telephone.

    columns: title and colour of each, None without a line below it. sections: title, which may be
    empty, -> rows. first_column: width of the labels in % of the table.
    """
    heads = "".join(
        f'<th scope="col" style="padding:.3rem 0 .3rem .5rem;text-align:right;'
        f'vertical-align:bottom;{_line(colour)}">{_breakable(title)}</th>'
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


def _line(colour: str | None) -> str:
    return f"border-bottom:3px solid {colour}" if colour else ""


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
        f'<div style="{MUTED}">{escape(cell.note)}</div></td>'
        for cell in row.cells
    )
    return (
        f'<tr style="border-top:1px solid {_RULE}"><th scope="row" style="text-align:left;'
        f'padding:.3rem 0;vertical-align:top;font-weight:500">{escape(row.label)}'
        f'<div style="{MUTED}">{escape(row.note)}</div></th>{cells}</tr>'
    )


def _value(cell: Cell) -> str:
    value = escape(cell.value)
    if not cell.better:
        return value
    return f'<b>{value}</b> <span title="significantly better">✓</span>'


def _breakable(title: str) -> str:
    return escape(title).replace("+", "+<wbr>")


def _share(part: float) -> str:
    return "–" if pd.isna(part) else share(part)
