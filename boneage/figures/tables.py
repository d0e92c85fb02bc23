"""Tables of HTML that a telephone shows whole and a printer prints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from boneage.evaluation.limits import LARGE_ERROR
from boneage.figures.html import macros
from boneage.formatting import metric_interval, metric_value, share

_HTML = macros("tables")


@dataclass(frozen=True)
class Cell:
    """What stands in a column: a value, a note below it, and whether it is the better one."""

    value: str
    note: str = ""
    better: bool = False


@dataclass(frozen=True)
class Row:
    """A row; `action` is what a click on its label tells a page, "" where it cannot be clicked."""

    label: str
    note: str
    cells: Sequence[Cell]
    action: str = ""


@dataclass(frozen=True)
class Table:
    """A table as people read it; up to five columns fit a telephone.

    Attributes:
        columns: title and color of each, None without a line below it.
        sections: title, which may be empty, -> rows.
        first_column: width of the labels in % of the table.
    """

    columns: Sequence[tuple[str, str | None]]
    sections: Mapping[str, Sequence[Row]]
    first_column: int

    def html(self) -> str:
        """The table for a page or a report."""
        return _HTML.table(self.columns, self.sections, self.first_column)

    def texts(self) -> pd.DataFrame:
        """The table as text: the label of each row, and its cells with their notes in parentheses.

        The first column, of labels, has no title; a section's title stands before each label.
        """
        titles = [_plain(title) for title, _ in self.columns]
        rows = [
            [
                _plain(": ".join(filter(None, [title, _noted(row.label, row.note)]))),
                *(_plain(_noted(cell.value, cell.note)) for cell in row.cells),
            ]
            for title, rows in self.sections.items()
            for row in rows
        ]
        return pd.DataFrame(rows, columns=["", *titles])


def _noted(value: str, note: str) -> str:
    return f"{value} ({note})" if note else value


def _plain(text: str) -> str:
    """Without what only tells a browser where to break lines."""
    return text.replace("\N{SOFT HYPHEN}", "").replace("\N{NO-BREAK SPACE}", " ")


def cohort_table(cohorts: pd.DataFrame, clickable: bool = False) -> Table:
    """A row a subgroup of `error_analysis.subgroups`, with its n and, below MAE, the CI.

    clickable: whether labels are buttons whose value is the text of the subgroup.
    """
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
            row.subgroup if clickable else "",
        )
        for row in cohorts.itertuples()
    ]
    return Table([(title, None) for title in columns], {"": rows}, first_column=28)


def block_table(blocks: pd.DataFrame, clickable: bool = False) -> Table:
    """A row an acquisition block; `blocks` is `error_analysis.subgroups.by_block(cases)`.

    clickable: whether labels are buttons whose value is the text of the subgroup.
    """
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
            row.subgroup if clickable else "",
        )
        for row in blocks.itertuples()
    ]
    return Table([(title, None) for title in columns], {"": rows}, first_column=28)


def _with_interval(name: str, value: float, low: float, high: float) -> Cell:
    return Cell(metric_value(name, value, unit=False), metric_interval(name, low, high))


def _sentence_case(words: str) -> str:
    return words[0].upper() + words[1:]


def _share(part: float) -> str:
    return "–" if pd.isna(part) else share(part)
