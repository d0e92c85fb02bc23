"""Options of the command line for a hand that a person frames."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from boneage.errors import BoneAgeError

if TYPE_CHECKING:  # OpenCV, which `--help` does not need
    from boneage.radiographs.manual_frame import ManualFrame


def add_frame_options(parser: argparse.ArgumentParser) -> None:
    """Add the box and the rotation."""
    parser.add_argument(
        "--box",
        type=_box,
        metavar="LEFT,TOP,RIGHT,BOTTOM",
        help="of a single file: where the hand is, instead of searching for it, from the "
        "fingertips to the ends of radius and ulna; in pixels of the radiograph after --rotate, "
        "not counting borders that reading removes (see predict --verbose)",
    )
    parser.add_argument(
        "--rotate",
        type=float,
        metavar="DEGREES",
        help="with --box: first rotate the radiograph clockwise about its center, on a canvas that "
        "holds all of it, so that the fingers point up",
    )


def given_frame(options: argparse.Namespace, files: list[str]) -> "ManualFrame | None":
    """The box and the rotation that were given; they belong to one radiograph.

    Args:
        options: of `add_frame_options`.
        files: named beside them.

    Returns:
        None without a box.

    Raises:
        BoneAgeError: the box is for one radiograph and there are several, or a rotation comes
            without a box.
        ManualFrameError: the box or the rotation cannot be used.
    """
    from boneage.radiographs.manual_frame import ManualFrame

    if options.box is None:
        if options.rotate is not None:
            raise BoneAgeError("--rotate needs --box: the hand's box on the rotated radiograph.")
        return None
    if len(files) > 1 or Path(files[0]).is_dir():
        raise BoneAgeError("--box is for one radiograph: name a single file.")
    return ManualFrame(options.box, options.rotate or 0.0)


def _box(text: str) -> tuple[float, float, float, float]:
    """The type of the option for a box."""
    try:
        left, top, right, bottom = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not four numbers, left,top,right,bottom"
        ) from None
    return left, top, right, bottom
