"""A standard with rings where centers appear and growth plates fuse, numbered as in the viewer."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from boneage.atlas.ossification import Event
from boneage.atlas.standards import Standard
from boneage.figures import palette

_RING, _STROKE, _FONT = 12, 3, 26  # pixels of the standard
_AWAY = 18  # from a number to its ring or line
_LANES = {"left": 34, "right": 478}  # where numbers stand beside the wrist
_LANE_GAP, _LOWEST = 34, 620


def marked(standard: Standard, events: Sequence[Event]) -> np.ndarray:
    """The places of events on a standard.

    Args:
        standard: the hand.
        events: those to mark, whether they have taken place on it or not.

    Returns:
        (640, 512, 3) uint8 RGB.
    """
    image = Image.fromarray(standard.image).convert("RGB")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(_FONT)
    places = {
        event.number: event.places(standard.landmarks, standard.mean_age_months) for event in events
    }
    numbers, labels = _beside_wrist(events, places), []
    for event in events:
        color = palette.EVENTS[event.change]
        for x, y in places[event.number]:
            ring = (x - _RING, y - _RING, x + _RING, y + _RING)
            draw.ellipse(ring, outline=color, width=_STROKE)
        place = places[event.number][0]
        at = numbers.get(event.number)
        if at is None:
            at = place + (_RING + _AWAY, 0)
        else:
            toward = (at - place) / np.linalg.norm(at - place)
            ends = (*(place + _RING * toward), *(at - _AWAY * toward))
            draw.line(ends, fill=color, width=_STROKE)
        labels.append((tuple(at), str(event.number), color))
    for at, number, color in labels:  # above all rings, and apart from them
        draw.text(
            at, number, fill=color, font=font, anchor="mm", stroke_width=3, stroke_fill="black"
        )
    return np.asarray(image)


def _beside_wrist(events: Sequence[Event], places: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """Where the numbers stand that have no room at their ring, none on another."""
    found = {}
    for side, x in _LANES.items():
        heights = {e.number: places[e.number][0][1] for e in events if e.label == side}
        lowest_first = sorted(heights, key=lambda number: -heights[number])
        free = float(_LOWEST)
        for number in lowest_first:
            y = min(heights[number], free)
            found[number] = np.array([x, y])
            free = y - _LANE_GAP
    return found
