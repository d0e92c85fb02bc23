"""One's own error among the published ones, as a small piece of HTML."""

from html import escape

import pandas as pd

from boneage.figures import palette
from boneage.wording import metric_interval


def yardsticks(
    title: str,
    own: tuple[float, float, float],
    colour: str,
    published: pd.DataFrame,
    column: str,
    reader_band: tuple[float, float] | None = None,
) -> str:
    """Mean absolute errors as bars below each other, the smallest on top.

    own: MAE and the ends of its interval, months, shown under `title` in `colour`.
    published: `evaluation.published.published_results()`; column: its "test_mae" or
        "validation_mae"; systems without that figure are left out. Sources show on hover.
    reader_band: estimated range of single human readers in months, shaded behind every bar.
    """
    mae, low, high = own
    rows = [(mae, _own_row(title, own), colour, "")]
    for row in published.dropna(subset=[column]).itertuples():
        error = getattr(row, column)
        text = escape(f"{row.system}, {row.year}" + (f" ({row.caveat})" if row.caveat else ""))
        rows.append((error, text, palette.faded(palette.NEUTRAL, 0.65), row.source))
    longest = max(high, *(error for error, *_ in rows), *(reader_band or (0,)))
    scale = 100 / longest
    rows.sort(key=lambda row: row[0])
    bars = "".join(
        f'<div title="{escape(source)}" style="text-align:right;font-variant-numeric:tabular-nums;'
        f'font-weight:600">{error:.1f}</div>'
        f'<div style="padding-bottom:.35rem;{_band(reader_band, scale)}">'
        f'<div style="font-size:.9rem;line-height:1.3;margin-bottom:.15rem">{text}</div>'
        f'<div style="height:.5rem;width:{error * scale:.1f}%;border-radius:.25rem;'
        f'background:{bar_colour}"></div></div>'
        for error, text, bar_colour, source in rows
    )
    return (
        f'<div style="display:grid;grid-template-columns:2.6rem 1fr;column-gap:.7rem">{bars}</div>'
    )


def _own_row(title: str, own: tuple[float, float, float]) -> str:
    return f"<b>{escape(title)}</b> ({metric_interval('mae', *own[1:])})"


def _band(reader_band: tuple[float, float] | None, scale: float) -> str:
    if reader_band is None:
        return ""
    low, high = (end * scale for end in reader_band)
    shade = palette.faded(palette.MEAN, 0.25)
    return (
        "background:linear-gradient(90deg,transparent "
        f"{low:.1f}%,{shade} {low:.1f}%,{shade} {high:.1f}%,transparent {high:.1f}%)"
    )
