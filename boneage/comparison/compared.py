"""What the two sides of a comparison are: a model, the ensemble or a file of predictions."""

import re
from dataclasses import dataclass
from pathlib import PurePath

from boneage.figures import palette, style
from boneage.models.registry import ENSEMBLE

_LONGEST_TITLE = 28
_FILE_COLORS = palette.OWN


@dataclass(frozen=True)
class Compared:
    """One of the two sets of predictions.

    Attributes:
        name: of the registry, "ensemble", or "own-1" for the first file.
        title: what people read; safe in Markdown and in Plotly's HTML.
        color: "#rrggbb".
        is_own: whether it is a user's file.
    """

    name: str
    title: str
    color: str
    is_own: bool = False


def of_model(name: str) -> Compared:
    """A model of the registry, or the ensemble of all published models.

    Args:
        name: of the registry, or "ensemble".
    """
    # The mean of the two that are compared is called the ensemble, and teal.
    if name == ENSEMBLE:
        return Compared(name, "Published ensemble", palette.PUBLISHED_ENSEMBLE)
    return Compared(name, style.model_title(name), palette.model_color(name))


def of_file(file_name: str, number: int) -> Compared:
    """A user's file of predictions.

    Args:
        file_name: with or without folder and suffix.
        number: of the file, from 1.
    """
    stem = re.sub(r"[^\w .+-]|_", " ", PurePath(file_name).stem)
    stem = " ".join(stem.split()).lstrip("+-. ")[:_LONGEST_TITLE].strip()
    color = _FILE_COLORS[(number - 1) % len(_FILE_COLORS)]
    return Compared(f"own-{number}", f"{stem or f'File {number}'} (own)", color, True)
