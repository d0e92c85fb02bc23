"""The image viewer of the app: zoom, window and, where it is asked for, a box around the hand.

It runs in the browser: view.js zooms and changes brightness and contrast, of any element;
framing.js draws and rotates a box; viewer.js is the component of one image that uses both.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from boneage.figures import images
from boneage.radiographs.hand import FULL_FRAME, Hand, upright_axes
from boneage.radiographs.limits import MIN_SIDE

FILM_SIDE = 1600  # pixels of a film's longer side: enough to look at one bone
_LOSSLESS_SIDE = 640  # images up to this size are sent as PNG, larger ones as JPEG
_QUALITY = 92  # of JPEG
_MIDDLE = 0.1  # of the film, left out on each side


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


# For viewers of other things than one image.
VIEW = {kind: _read(f"view.{kind}") for kind in ("css", "js")}
VIEWER = {
    "html": _read("viewer.html"),
    "css": VIEW["css"] + _read("viewer.css"),
    "js": VIEW["js"] + _read("framing.js") + _read("viewer.js"),
}


@dataclass(frozen=True)
class ViewedImage:
    """An image as the viewer gets it.

    Attributes:
        url: the image itself as a data URL.
        width: in pixels of the film, which may be larger than the image that is sent.
        height: the same.
        window: gray levels, 0 to 1, that are shown black and white.
    """

    url: str
    width: int
    height: int
    window: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Framing:
    """Where the box that the viewer asks for begins.

    Attributes:
        box: left, top, right and bottom in pixels of the film after its rotation.
        rotation: of the film, in degrees clockwise.
        is_manual: whether the user drew it, so that there is an automatic one to go back to.
    """

    box: tuple[float, float, float, float]
    rotation: float = 0.0
    is_manual: bool = False

    @classmethod
    def around(cls, hand: Hand, image: ViewedImage, is_manual: bool = False) -> "Framing":
        """The box of a hand.

        Args:
            hand: on the film.
            image: the film.
            is_manual: see above.

        Returns:
            The box that `ManualFrame` takes for the same hand; the middle of the film where no hand
            was found.
        """
        film = np.array([image.width, image.height])
        if hand.method == FULL_FRAME:
            return cls((*film * _MIDDLE, *film * (1 - _MIDDLE)))
        axes = upright_axes(hand.angle)
        canvas = np.round(np.abs(axes) @ film)
        center = axes @ (np.array(hand.center) - (film - 1) / 2) + canvas / 2
        half = np.array(hand.size) / 2
        return cls((*center - half, *center + half), -hand.angle, is_manual)


def film(pixels: np.ndarray) -> ViewedImage:
    """A radiograph for the viewer, reduced to `FILM_SIDE`.

    Args:
        pixels: (H, W) uint8, bones bright.

    Returns:
        The film with the contrast that shows the hand, see `images.display_window`.
    """
    height, width = pixels.shape
    low, high = images.display_window(pixels)
    reduced = images.reduce(pixels, FILM_SIDE).pixels
    return ViewedImage(_data_url(reduced), width, height, (low / 255, high / 255))


def picture(image: np.ndarray) -> ViewedImage:
    """An image for the viewer, as it is.

    Args:
        image: (H, W) or RGB (H, W, 3) uint8.

    Returns:
        The image with all its gray levels.
    """
    height, width = image.shape[:2]
    return ViewedImage(_data_url(image), width, height)


def viewer_data(
    image: ViewedImage,
    alt: str,
    scene: str,
    caption: str = "",
    hands: Sequence[Hand] = (),
    height: int = 75,
    framing: Framing | None = None,
) -> dict:
    """All that the viewer shows, for JSON.

    Args:
        image: what is shown.
        alt: text that stands for the image.
        scene: another image of the same scene keeps zoom and window.
        caption: text below the image.
        hands: whose boxes are drawn; all but the first thin.
        height: of the image at most, in hundredths of the height of the window.
        framing: the box to begin with, where a box is asked for.

    Returns:
        The data; "version" changes with any of it.
    """
    data = {
        "image": image.url,
        "width": image.width,
        "height": image.height,
        "window": list(image.window),
        "alt": alt,
        "caption": caption,
        "scene": scene,
        "max_height": height,
        "outlines": [
            {"points": _outline(hand, image), "thin": number > 0}
            for number, hand in enumerate(hands)
        ],
        "frame": framing
        and {
            "box": [float(edge) for edge in framing.box],
            "rotation": float(framing.rotation),
            "is_manual": framing.is_manual,
            "least": MIN_SIDE + 2,  # a box is rounded inwards
        },
    }
    return data | {"version": hashlib.sha256(repr(data).encode()).hexdigest()}


def _outline(hand: Hand, image: ViewedImage) -> list[list[float]]:
    # A box that leaves the film is drawn along its edge, so that it can be seen.
    inset = max(image.width, image.height) / 300
    last = np.array([image.width, image.height]) - 1 - inset
    return np.clip(hand.corners, inset, last).round(1).tolist()


def _data_url(image: np.ndarray) -> str:
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    kind = "png" if max(image.shape[:2]) <= _LOSSLESS_SIDE else "jpeg"
    quality = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY] if kind == "jpeg" else []
    _, content = cv2.imencode(f".{kind}", image, quality)
    return f"data:image/{kind};base64,{base64.b64encode(content.tobytes()).decode()}"
