"""One's own error among the published ones, as a small piece of HTML."""

import pandas as pd

from boneage.figures import palette
from boneage.figures.html import macros
from boneage.formatting import metric_interval

_HTML = macros("benchmarks")


def benchmarks(
    title: str,
    own: tuple[float, float, float],
    color: str,
    published: pd.DataFrame,
    column: str,
    reader_band: tuple[float, float] | None = None,
) -> str:
    """Mean absolute errors as bars below each other, the smallest on top.

    own: MAE and the ends of its interval, months, shown under `title` in `color`.
    published: `evaluation.published.published_results()`; column: its "test_mae" or
        "validation_mae"; systems without that figure are left out. Sources show on hover.
    reader_band: estimated range of single human readers in months, shaded behind every bar.
    """
    mae, low, high = own
    rows = [(mae, title, metric_interval("mae", low, high), "", color, True)]
    gray = palette.faded(palette.NEUTRAL, 0.65)
    for row in published.dropna(subset=[column]).itertuples():
        system = f"{row.system}, {row.year}"
        rows.append((getattr(row, column), system, row.caveat, row.source, gray, False))
    rows.sort(key=lambda row: row[0])
    longest = max(high, rows[-1][0], *(reader_band or (0,)))
    return _HTML.bars(rows, 100 / longest, reader_band)
