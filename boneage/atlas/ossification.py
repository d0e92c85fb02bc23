"""What happens in the growing hand: when bones appear and growth plates close, and where.

`ossification.csv` has one row an event, in the order of the girls' ages. Ages are months: where
`from` and `to` are equal, the median of one bone, else the range of several bones or of sources
that differ. `places` are on the 21 landmarks of a hand: each a weighted sum of landmarks, written
"landmark:weight", several parted by ";". Carpal bones move against the landmarks as they grow, so
they have weights at 3 years (`places`) and at 15 (`places_at_15`). All were fitted by eye to plates
of both sexes between 3 and 16 years; the carpal ones lie within 7 pixels of the bones' middles.
"""

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from boneage.atlas.landmarks import N_LANDMARKS

APPEARS, FUSES = "appears", "fuses"
NEAR = 12  # months around its usual age in which an event is worth looking for

SOURCES = {
    "Garn 1967": (
        "Garn SM, Rohmann CG, Silverman FN. Radiographic standards for postnatal ossification and "
        "tooth calcification. Medical Radiography and Photography 1967; 43:45-66."
    ),
    "Gilsanz & Ratib 2005": (
        "Gilsanz V, Ratib O. Hand Bone Age: A Digital Atlas of Skeletal Maturity. Springer, 2005."
    ),
    "Scheuer & Black 2000": (
        "Scheuer L, Black S. Developmental Juvenile Osteology. Academic Press, 2000."
    ),
    "Gray's Anatomy 2005": (
        "Standring S (ed.). Gray's Anatomy. 39th edition. Elsevier Churchill Livingstone, 2005."
    ),
}
STAGES_SOURCE = "Gilsanz & Ratib 2005"

_FILE = Path(__file__).with_name("ossification.csv")
_COLUMNS = {"female": "girls", "male": "boys"}
_EARLY, _LATE = 36, 180  # months of `places` and `places_at_15`


@dataclass(frozen=True, eq=False)
class Event:
    """A centre that appears or a growth plate that closes.

    number: as it stands beside the mark, from 1. change: `APPEARS` or `FUSES`.
    usual: sex -> (from, to), months; equal for a median.
    sources: keys of `SOURCES`, which are also what people read. look: what to look at, in words.
    label: where its number stands: "left" or "right" of the hand, or "beside" the first place.
    weights: (2, K, 21) float64, K places at 3 and at 15 years.
    """

    number: int
    key: str
    name: str
    change: str
    usual: dict[str, tuple[int, int]]
    sources: tuple[str, ...]
    look: str
    label: str
    weights: np.ndarray

    def places(self, landmarks: np.ndarray, months: float) -> np.ndarray:
        """(K, 2) where it is to be seen on a hand of that age with these (21, 2) landmarks."""
        share = np.clip((months - _EARLY) / (_LATE - _EARLY), 0, 1)
        return ((1 - share) * self.weights[0] + share * self.weights[1]) @ landmarks


@dataclass(frozen=True)
class Stage:
    """A stage of development; starts: sex -> months at which it begins."""

    title: str
    starts: dict[str, int]
    look: str


# Gilsanz & Ratib 2005, "Indicators of skeletal maturity"; for boys they leave the year from 16 to
# 17 out, which goes to the stage before.
STAGES = (
    Stage(
        "Infancy",
        {"female": 0, "male": 0},
        "Count the centres of the wrist: capitate, hamate and the epiphysis of the radius.",
    ),
    Stage(
        "Toddlers",
        {"female": 10, "male": 14},
        "Count the epiphyses of the fingers and metacarpals. They appear in an orderly way, the "
        "middle finger's first and the little finger's last; the carpal bones tell less.",
    ),
    Stage(
        "Before puberty",
        {"female": 24, "male": 36},
        "Compare the epiphyses of the distal and middle phalanges with the ends of their shafts: "
        "they widen until they are as wide. The carpal bones vary more between children.",
    ),
    Stage(
        "Early and middle puberty",
        {"female": 84, "male": 108},
        "Epiphyses of the distal and middle phalanges become wider than their shafts and begin to "
        "cap them: look for small horns on both sides. Pisiform and sesamoid appear.",
    ),
    Stage(
        "Late puberty",
        {"female": 156, "male": 168},
        "See how far the growth plates of the phalanges and metacarpals have closed, the distal "
        "phalanges first.",
    ),
    Stage(
        "After puberty",
        {"female": 180, "male": 204},
        "The fingers have stopped growing. Only ulna and radius still tell age: see how far their "
        "growth plates have closed.",
    ),
)


@functools.cache
def events() -> tuple[Event, ...]:
    """All events, numbered from 1."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return tuple(_event(number, row) for number, row in enumerate(csv.DictReader(file), 1))


def around(sex: str, months: float) -> list[Event]:
    """The events whose usual age is within `NEAR` months of this one."""
    return [event for event in events() if is_near(event.usual[sex], months)]


def is_near(usual: tuple[int, int], months: float) -> bool:
    """Whether an age lies within `NEAR` months of a usual age."""
    return usual[0] - NEAR <= months <= usual[1] + NEAR


def stage(sex: str, months: float) -> Stage:
    """The stage of development of that age."""
    return [each for each in STAGES if each.starts[sex] <= max(months, 0)][-1]


def _event(number: int, row: dict[str, str]) -> Event:
    early = _weights(row["places"])
    late = _weights(row["places_at_15"]) if row["places_at_15"] else early
    usual = {
        sex: (int(row[f"{column}_from"]), int(row[f"{column}_to"]))
        for sex, column in _COLUMNS.items()
    }
    return Event(
        number,
        row["key"],
        row["name"],
        row["change"],
        usual,
        tuple(row["sources"].split("; ")),
        row["look"],
        row["label"],
        np.stack([early, late]),
    )


def _weights(text: str) -> np.ndarray:
    places = text.split(";")
    weights = np.zeros((len(places), N_LANDMARKS))
    for place, row in zip(places, weights, strict=True):
        for term in place.split():
            landmark, weight = term.split(":")
            row[int(landmark)] = float(weight)
    return weights
