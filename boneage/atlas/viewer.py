"""The atlas on the screen: what its viewer needs, and images of change and of spread.

The viewer (`atlas_viewer.html`, `.css`, `.js`) runs in the browser: it gets all standards once and
works out every age in between itself, so that the slider moves smoothly.
"""

import base64
import hashlib
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from boneage import formatting
from boneage.atlas import ossification
from boneage.atlas import text as atlas_text
from boneage.atlas.change import displacement
from boneage.atlas.registration import hand_mask
from boneage.atlas.standards import Standard
from boneage.figures import cards, palette
from boneage.figures import viewer as image_viewer

VIEWER = {
    kind: Path(__file__).with_name(f"viewer.{kind}").read_text(encoding="utf-8")
    for kind in ("html", "css", "js")
}
# What a presentation goes to, sent apart: with the viewer's data, all standards would be sent anew.
STEP = {
    "js": "export default ({ data }) =>"
    ' document.dispatchEvent(new CustomEvent("atlas-step", { detail: data }));'
}
VIEWER |= {kind: image_viewer.VIEW[kind] + VIEWER[kind] for kind in image_viewer.VIEW}

_CELL = 16  # pixels between the points of the field by which the viewer bends a standard
_FRACTION = 16  # the field is sent in sixteenths of a pixel
_QUALITY = 92  # of WebP
# A change of this much of black to white is covered fully; less than the second not at all.
_FULL, _MIN = 0.3, 0.04
_COVER = 0.85
_DIMMED = 0.8  # the standard below, so that the colors stand out


def viewer_data(hands: Sequence[dict]) -> dict:
    """All that the viewer shows, for JSON; hands: of `hand_data`, left to right.

    The page adds "start", the age to begin with in months, and "presenting": the age is hidden
    until `STEP` shows it.
    """
    youngest = min(hand["standards"][0]["months"] for hand in hands)
    oldest = max(hand["standards"][-1]["months"] for hand in hands)
    images = [hand["images"] for hand in hands]
    version = hashlib.sha256(repr(images).encode()).hexdigest()
    return {
        "version": version,
        "youngest": int(np.ceil(youngest)),
        "oldest": int(np.floor(oldest)),
        "cell": _CELL,
        "fraction": _FRACTION,
        "hands": list(hands),
        "events": [
            {
                "number": event.number,
                "name": event.name,
                "look": event.look,
                "appears": event.change == ossification.APPEARS,
                "label": event.label,
            }
            for event in ossification.events()
        ],
    }


def hand_data(standards: Sequence[Standard]) -> dict:
    """What the viewer needs to show a hand at any age; standards: of one sex, youngest first."""
    sex = standards[0].sex
    with ThreadPoolExecutor(2) as pool:  # OpenCV lets go of the interpreter
        fields = list(pool.map(partial(displacement, step=_CELL), standards, standards[1:]))
    events = ossification.events()
    return {
        "title": formatting.CHILDREN[sex].capitalize(),
        "images": [_base64(_webp(standard.image)) for standard in standards],
        "fields": [_base64(np.rint(field * _FRACTION).astype("<i2").tobytes()) for field in fields],
        "standards": [
            {
                "months": round(standard.mean_age_months, 2),
                "facts": atlas_text.standard_facts(
                    standard.n, standard.mean_age_months, standard.sd_age_months
                ),
                "places": [
                    event.places(standard.landmarks, standard.mean_age_months).round(1).tolist()
                    for event in events
                ],
            }
            for standard in standards
        ],
        "since": [event.bone_age[sex][0] for event in events],
        "worth_a_look": [event.worth_a_look(sex) for event in events],
        "usual_in_words": [
            atlas_text.event_in_words(event.change, *event.bone_age[sex]) for event in events
        ],
        "stages": [
            {"from": stage.starts[sex], "title": stage.title, "look": stage.look}
            for stage in ossification.STAGES
        ],
    }


def change_overlay(standard: Standard, difference: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB: a difference (H, W) in [-1, 1] in two colors over the older standard."""
    amount = (np.abs(difference) - _MIN) / (_FULL - _MIN)
    brighter, darker = (
        np.array(palette.rgb(c), np.float32) for c in (palette.BRIGHTER, palette.DARKER)
    )
    return _covered(standard, amount, np.where(difference[..., None] > 0, brighter, darker))


def spread_overlay(standard: Standard) -> np.ndarray:
    """(H, W, 3) uint8 RGB: the standard, in color where children of its age differ most.

    Most means more than at the median place of the hand, fully from the 99th percentile.
    """
    spread = cv2.resize(standard.spread, standard.image.shape[::-1], interpolation=cv2.INTER_LINEAR)
    hand = hand_mask(standard.image)
    usual, most = np.percentile(spread[hand > 0.5], (50, 99))
    amount = hand * (spread - usual) / max(most - usual, 1)
    return _covered(standard, amount, palette.rgb(palette.SPREAD))


def _covered(standard: Standard, amount: np.ndarray, color: ArrayLike) -> np.ndarray:
    cover = _COVER * np.clip(amount, 0, 1)[..., None]
    gray = _DIMMED * standard.image[..., None]
    return np.round(gray * (1 - cover) + np.asarray(color, np.float32) * cover).astype(np.uint8)


def change_legend(older: str) -> str:
    """What the colors of `change_overlay` mean; older: the age of the older standard in words."""
    return cards.color_legend(
        (palette.BRIGHTER, f"Brighter at {older}: new bone"),
        (palette.DARKER, f"Darker at {older}: bone less dense or displaced"),
    )


def spread_legend() -> str:
    """What the color of `spread_overlay` means."""
    return cards.color_legend(
        (palette.SPREAD, "Largest variability between children of this bone age")
    )


def _webp(image: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(image).save(content, "WEBP", quality=_QUALITY, method=4)
    return content.getvalue()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
