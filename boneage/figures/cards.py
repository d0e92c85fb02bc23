"""Small pieces of HTML: the ages of one hand, and the legends of maps."""

from collections.abc import Mapping, Sequence

from boneage.figures import palette
from boneage.figures.html import macros
from boneage.figures.images import legend_colors
from boneage.formatting import (
    METRIC_TITLES,
    age_in_words,
    interval_in_short,
    metric_interval,
    metric_value,
)
from boneage.models.registry import ENSEMBLE, find_model

_CARDS, _LEGENDS = macros("cards"), macros("legends")
_NO_BREAK = "\N{NO-BREAK SPACE}"


def age_cards(
    months: Mapping[str, float],
    mean: float,
    intervals: Mapping[str, tuple[float, float]] | None = None,
    level: float = 0.9,
) -> str:
    """The mean, large, beside each model's bone age in its color; all in months.

    intervals: model name, or "ensemble" for the mean -> prediction interval (low, high) of `level`.
    """
    notes = {}
    for name, limits in (intervals or {}).items():
        label, _, ends = interval_in_short(level, *limits).partition(": ")
        notes[name] = f"{label}: {ends.replace(' ', _NO_BREAK)}"
    colors = {name: palette.model_color(name) for name in months} | {ENSEMBLE: palette.MEAN}
    return _age_cards(months, mean, colors, notes)


def refused_age_cards(months: Mapping[str, float], mean: float) -> str:
    """The bone ages of a radiograph that the quality check refuses: gray, each with a warning."""
    names = [*months, ENSEMBLE]
    warnings = dict.fromkeys(names, "⚠ Not reliable: refused by the quality check")
    return _age_cards(months, mean, dict.fromkeys(names, palette.NEUTRAL), warnings)


def _age_cards(
    months: Mapping[str, float], mean: float, colors: Mapping[str, str], notes: Mapping[str, str]
) -> str:
    """colors, notes: model name or "ensemble" -> that of its card."""
    cards = [
        (find_model(name).title, age_in_words(age), colors[name], notes.get(name), False)
        for name, age in months.items()
    ]
    if len(months) > 1:
        leading = ("Ensemble", age_in_words(mean), colors[ENSEMBLE], notes.get(ENSEMBLE), True)
        cards.insert(0, leading)
    return _CARDS.age_cards(cards)


def metric_tiles(row: Mapping[str, float], names: Sequence[str], color: str) -> str:
    """A tile for each named figure with its interval; the first has the color.

    row: of `boneage.evaluation.metrics.summarize`.
    """
    tiles = [
        (
            METRIC_TITLES[name],
            metric_value(name, row[name]),
            metric_interval(name, row[f"{name}_low"], row[f"{name}_high"]),
        )
        for name in names
    ]
    return _CARDS.metric_tiles(tiles, color)


def map_legend(low: str, high: str, opacity: float) -> str:
    """A bar between two words, in the colors that a map of this opacity has on a radiograph."""
    return _LEGENDS.map_legend(low, high, legend_colors(opacity))


def model_heading(name: str) -> str:
    """A model's title with a dot in its color."""
    return _CARDS.model_heading(find_model(name).title, palette.model_color(name))


def color_legend(*entries: tuple[str, str]) -> str:
    """Colors of an image, each with what it means."""
    return _LEGENDS.color_legend(entries)
