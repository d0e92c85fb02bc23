"""Small pieces of HTML: the ages of one hand, and the legend of a map.

Colours and sizes are set inline and text colour is inherited, so they follow the app's theme.
"""

from collections.abc import Mapping
from html import escape

from boneage.figures import palette
from boneage.figures.pictures import legend_colours
from boneage.models.registry import find_model
from boneage.wording import age_in_words

_MUTED = "opacity:.72;font-size:.9rem"


def age_cards(months: Mapping[str, float], mean: float) -> str:
    """The mean, large, beside each model's bone age in its colour; all in months."""
    cards = [_card(find_model(n).title, age, palette.model_colour(n)) for n, age in months.items()]
    if len(months) > 1:
        title = "Mean of both models" if len(months) == 2 else f"Mean of {len(months)} models"
        cards.insert(0, _card(title, mean, palette.MEAN, leading=True))
    return f'<div style="display:flex;flex-wrap:wrap;gap:.75rem">{"".join(cards)}</div>'


def _card(title: str, age: float, colour: str, leading: bool = False) -> str:
    size, grow, tint = ("2.3rem", 2, 0.13) if leading else ("1.45rem", 1, 0.07)
    return (
        f'<div style="flex:{grow} 1 {15 if leading else 11}rem;padding:.8rem 1.1rem;'
        f"border-radius:.6rem;border-left:5px solid {colour};"
        f"background:{palette.faded(colour, tint)};display:flex;flex-direction:column;"
        f'justify-content:center">'
        f'<div style="{_MUTED}">{escape(title)}</div>'
        f'<div style="font-size:{size};font-weight:600;line-height:1.25;'
        f'letter-spacing:-.01em">{escape(age_in_words(age))}</div></div>'
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
