"""Small pieces of HTML: the ages of one hand, and the legends of maps.

Colours and sizes are set inline and text colour is inherited, so they follow the app's theme.
"""

from collections.abc import Mapping, Sequence
from html import escape

from boneage.figures import palette
from boneage.figures.pictures import legend_colours
from boneage.models.registry import ENSEMBLE, find_model
from boneage.wording import (
    METRIC_TITLES,
    age_in_words,
    interval_in_short,
    metric_interval,
    metric_value,
)

_MUTED = f"opacity:{palette.MUTED_OPACITY};font-size:.9rem"


def age_cards(
    months: Mapping[str, float],
    mean: float,
    intervals: Mapping[str, tuple[float, float]] | None = None,
    level: float = 0.9,
) -> str:
    """The mean, large, beside each model's bone age in its colour; all in months.

    intervals: model name, or "ensemble" for the mean -> prediction interval (low, high) of `level`.
    """
    notes = {}
    for name, limits in (intervals or {}).items():
        label, _, ends = escape(interval_in_short(level, *limits)).partition(": ")
        notes[name] = f'{label}: <span style="white-space:nowrap">{ends}</span>'
    colours = {name: palette.model_colour(name) for name in months} | {ENSEMBLE: palette.MEAN}
    return _age_cards(months, mean, colours, notes)


def refused_age_cards(months: Mapping[str, float], mean: float) -> str:
    """The bone ages of a radiograph that the quality check refuses: grey, each with a warning."""
    names = [*months, ENSEMBLE]
    warnings = dict.fromkeys(names, "⚠ Not reliable: refused by the quality check")
    return _age_cards(months, mean, dict.fromkeys(names, palette.NEUTRAL), warnings)


def _age_cards(
    months: Mapping[str, float], mean: float, colours: Mapping[str, str], notes: Mapping[str, str]
) -> str:
    """colours, and notes as HTML: model name or "ensemble" -> that of its card."""
    cards = [
        _card(find_model(name).title, age, colours[name], notes.get(name))
        for name, age in months.items()
    ]
    if len(months) > 1:
        cards.insert(
            0, _card("Ensemble", mean, colours[ENSEMBLE], notes.get(ENSEMBLE), leading=True)
        )
    return f'<div style="display:flex;flex-wrap:wrap;gap:.75rem">{"".join(cards)}</div>'


def _card(title: str, age: float, colour: str, note: str | None, leading: bool = False) -> str:
    size, grow, tint = ("2.3rem", 2, 0.13) if leading else ("1.45rem", 1, 0.07)
    below = f'<div style="{_MUTED}">{note}</div>' if note else ""
    return (
        f'<div style="flex:{grow} 1 {15 if leading else 11}rem;padding:.8rem 1.1rem;'
        f"border-radius:.6rem;border-left:5px solid {colour};"
        f"background:{palette.faded(colour, tint)};display:flex;flex-direction:column;"
        f'justify-content:center">'
        f'<div style="{_MUTED}">{escape(title)}</div>'
        f'<div style="font-size:{size};font-weight:600;line-height:1.25;'
        f'letter-spacing:-.01em">{escape(age_in_words(age))}</div>{below}</div>'
    )


def metric_tiles(row: Mapping[str, float], names: Sequence[str], colour: str) -> str:
    """A tile for each named figure with its interval; the first is larger.

    row: of `boneage.evaluation.metrics.summarise`.
    """
    tiles = [_tile(row, name, colour, leading=not number) for number, name in enumerate(names)]
    return (
        '<div style="display:grid;gap:.6rem;'  # two beside each other on a telephone, at most four
        f'grid-template-columns:repeat(auto-fit,minmax(max(9rem,20%),1fr))">{"".join(tiles)}</div>'
    )


def _tile(row: Mapping[str, float], name: str, colour: str, leading: bool) -> str:
    interval = metric_interval(name, row[f"{name}_low"], row[f"{name}_high"])
    border = colour if leading else palette.faded(palette.NEUTRAL, 0.4)
    return (
        f'<div style="padding:.6rem .9rem;border-radius:.6rem;border-left:4px solid {border};'
        f'background:{palette.faded(palette.NEUTRAL, 0.09)}">'
        f'<div style="{_MUTED};line-height:1.25">{escape(METRIC_TITLES[name])}</div>'
        f'<div style="font-size:1.35rem;font-weight:600;line-height:1.4;white-space:nowrap">'
        f"{escape(metric_value(name, row[name]))}</div>"
        f'<div style="{_MUTED};font-size:.82rem">{escape(interval)}</div></div>'
    )


def map_legend(low: str, high: str, opacity: float) -> str:
    """A bar between two words, in the colours that a map of this opacity has on a radiograph."""
    ramp = ",".join(legend_colours(opacity))
    return (
        f'<div style="display:flex;align-items:center;gap:.6rem;{_MUTED}">'
        f"<span>{escape(low)}</span>"
        f'<span style="flex:1;max-width:14rem;height:.7rem;border-radius:.35rem;'
        f'background:linear-gradient(90deg,{ramp})"></span>'
        f"<span>{escape(high)}</span></div>"
    )


def model_heading(name: str) -> str:
    """A model's title with a dot in its colour."""
    return (
        '<div style="display:flex;align-items:center;gap:.5rem;font-weight:600">'
        f'<span style="width:.7rem;height:.7rem;border-radius:50%;'
        f'background:{palette.model_colour(name)}"></span>{escape(find_model(name).title)}</div>'
    )


def colour_legend(*entries: tuple[str, str]) -> str:
    """Colours of a picture, each with what it means."""
    items = "".join(
        '<span style="display:inline-flex;align-items:center;gap:.45rem">'
        f'<span style="width:.9rem;height:.9rem;border-radius:.25rem;background:{colour}"></span>'
        f"{escape(words)}</span>"
        for colour, words in entries
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;{_MUTED}">{items}</div>'
