"""Which bones tell the most about age, stage by stage.

Source: V. Gilsanz and O. Ratib, Hand Bone Age: A Digital Atlas of Skeletal Maturity, 2nd edition,
Springer 2012, chapter "Indicators of Skeletal Maturity in Children and Adolescents".
"""

from typing import NamedTuple


class Stage(NamedTuple):
    """A stage of maturity: its name, and what to look at in it, in one sentence."""

    title: str
    look_at: str


# Where each stage but the last ends, in months.
_ENDS = {"female": (10, 24, 84, 156, 180), "male": (14, 36, 108, 168, 192)}
_STAGES = (
    Stage("infancy", "count the carpal bones and look for the epiphysis of the distal radius."),
    Stage("toddler", "count the epiphyses that have appeared in fingers and metacarpals."),
    Stage(
        "before puberty",
        "compare the width of the epiphyses of the distal and middle phalanges with their shafts.",
    ),
    Stage(
        "early and mid-puberty",
        "see whether the epiphyses of the distal and middle phalanges are wider than their shafts "
        "and begin to cap them; the sesamoid at the thumb appears.",
    ),
    Stage(
        "late puberty",
        "see how far the growth plates have closed: distal phalanges first, then proximal and "
        "middle ones and the metacarpals.",
    ),
    Stage(
        "after puberty",
        "the fingers are closed: see how far the growth plates of ulna and radius are.",
    ),
)


def stage(sex: str, months: float) -> Stage:
    """The stage of a bone age of that sex."""
    return _STAGES[sum(months >= end for end in _ENDS[sex])]
