"""How the hand was found and prepared, in sentences."""

from collections.abc import Collection
from math import remainder

from boneage.formatting import in_words
from boneage.radiographs.hand import (
    FULL_FRAME,
    MANUAL,
    MEDIAPIPE,
    SEGMENTATION,
    Hand,
    upright_angle,
)

_HAND_FOUND = {
    MEDIAPIPE: "Hand found by its 21 joint landmarks (MediaPipe), rotated upright and cropped.",
    SEGMENTATION: (
        "No joint landmarks were found, so the largest bright region was taken for the hand. "
        "The crop may be wider than usual or not upright: check the crop box."
    ),
    FULL_FRAME: (
        "No hand was found, so the whole image is the model input. Interpret the bone age with "
        "caution: the models were trained on cropped hands."
    ),
    MANUAL: (
        "The crop box was drawn manually. The models were trained on upright hands from the "
        "fingertips to the distal radius and ulna, with little room around them: check the crop "
        "box."
    ),
}

_HAND_FOUND_SHORT = {
    MEDIAPIPE: "joint landmarks",
    SEGMENTATION: "bright region",
    FULL_FRAME: "not found",
    MANUAL: "manual",
    "unknown": "not stated",  # in user predictions
}


def hand_found(method: str) -> str:
    """What a crop method means, in one or two sentences."""
    return _HAND_FOUND[method]


def hand_found_short(method: str) -> str:
    """A crop method in two words, for tables."""
    return _HAND_FOUND_SHORT[method]


_UPRIGHT = 30  # degrees that a person may be wrong


def not_upright(hand: Hand) -> str | None:
    """A sentence on a box that was drawn manually and in which the fingers do not point up.

    Args:
        hand: of the box.

    Returns:
        The sentence, with the rotation that brings them up; None where they do point up, or where
        no landmarks tell.
    """
    if hand.method != MANUAL or hand.landmarks is None:
        return None
    angle = float(upright_angle(hand.landmarks))
    if abs(remainder(angle - hand.angle, 360)) <= _UPRIGHT:
        return None
    return (
        "The fingers do not point up in the box: rotate the radiograph by about "
        f"{round(-angle) % 360} degrees clockwise, as the models were trained on upright hands."
    )


def which_hand(side: str | None, position: str) -> str:
    """A hand on a film of both hands, in a few words.

    Args:
        side: "left" or "right", as the thumbs tell; None where they do not.
        position: where the hand lies, "left", "right", "top" or "bottom" of the film.
    """
    place = f"on the {position}" if position in ("left", "right") else f"at the {position}"
    if side is None:
        return f"hand {place} of the film"
    return f"{side} hand (probable)"


ABOUT_BOTH_HANDS = (
    "The film shows two hands, and each is predicted alone. Bone age standards are based on the "
    "left hand. Left and right are told by the thumbs, as on a posteroanterior view that is not "
    "mirrored: check the side marker."
)


def prepared_hand(size: int, input_sizes: Collection[int]) -> str:
    """The caption of a preprocessed image, and whether models resize it.

    Args:
        size: Height and width of the image in pixels.
        input_sizes: Height and width of the input of each model, in pixels.
    """
    prepared = f"{size} × {size} pixels, contrast equalized"
    smaller = sorted(set(input_sizes) - {size})
    if not smaller:
        return f"Model input: {prepared}"
    sizes = in_words([f"{side} × {side}" for side in smaller])
    return f"Preprocessed image: {prepared}; resized to {sizes} for these weights"
