"""What happens in the growing hand: when bones appear and growth plates fuse, and where.

`ossification.csv` has one row an event, in the order of the girls' ages. Ages are months as they
were published, on the scale of the event's change, see `SCALES`.
    appears   the chronological age of healthy children: where `from` and `to` are equal, the median
              of one bone; else the range of the medians of several bones or, of the pisiform, the
              range over children. `Event.bone_age` turns it into a bone age.
    fuses     the bone age of the stage in which the growth plates fuse. Chronological ages of
              fusion spread over many more years, as children mature at different speeds.
`places` are on the 21 landmarks of a hand: each a weighted sum of landmarks, written
"landmark:weight", several parted by ";". Carpal bones move against the landmarks as they grow, so
they have weights at 3 years (`places`) and at 15 (`places_at_15`). All were fitted by eye to
standards of both sexes between 3 and 16 years; the carpal ones lie within 7 pixels of the bones'
middles.
"""

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from boneage.atlas.landmarks import N_LANDMARKS
from boneage.formatting import nearest_month
from boneage.growth.reference import BRUSH_FOUNDATION, mean_column
from boneage.growth.reference import SOURCES as GROWTH_SOURCES

APPEARS, FUSES = "appears", "fuses"
SCALES = {APPEARS: "chronological age", FUSES: "bone age"}
_NEAR = 12  # months around its bone age in which an event is worth looking for

SOURCES = {
    "Garn 1967": (
        "Garn SM, Rohmann CG, Silverman FN. Radiographic standards for postnatal ossification and "
        "tooth calcification. Medical Radiography and Photography 1967; 43:45-66."
    ),
    "Ahmed 2021": (
        "Ahmed A, Sharma A, Gupta JK. A Prospective Study to Evaluate the Age Estimation on the "
        "Appearance of Pisiform Bone. International Journal of Health and Clinical Research 2021; "
        "4(15):32-33."
    ),
    "Schmidt 2008": (
        "Schmidt S et al. International Journal of Legal Medicine 2008; 122:51-54, "
        "doi:10.1007/s00414-007-0209-z. On the persisting epiphyseal line of the radius."
    ),
    "Gilsanz & Ratib 2012": (
        "Gilsanz V, Ratib O. Hand Bone Age: A Digital Atlas of Skeletal Maturity. 2nd edition. "
        "Springer, 2012."
    ),
}
CONVERSION_SOURCE = GROWTH_SOURCES[BRUSH_FOUNDATION]
STAGES_SOURCE = "Gilsanz & Ratib 2012"

_FILE = Path(__file__).with_name("ossification.csv")
_COLUMNS = {"female": "girls", "male": "boys"}
_EARLY, _LATE = 36, 180  # months of `places` and `places_at_15`


@dataclass(frozen=True, eq=False)
class Event:
    """A center that appears or a growth plate that fuses.

    Attributes:
        number: as it stands beside the mark, from 1.
        key: its name in code.
        name: its name for people.
        change: `APPEARS` or `FUSES`.
        published: sex -> (from, to), months on the scale of the change; equal for a median.
        bone_age: sex -> (from, to), whole months of bone age. An age of appearance is the mean
            bone age of healthy children of the published chronological age (Brush Foundation, in
            Greulich and Pyle 1959); before the first age of that table, 3 months, both are the
            same.
        sources: keys of `SOURCES`, which are also what people read.
        look: what to look at, in words.
        label: where its number stands: "left" or "right" of the hand, or "beside" the first place.
        weights: (2, K, 21) float64, K places at 3 and at 15 years.
    """

    number: int
    key: str
    name: str
    change: str
    published: dict[str, tuple[int, int]]
    bone_age: dict[str, tuple[int, int]]
    sources: tuple[str, ...]
    look: str
    label: str
    weights: np.ndarray

    def worth_a_look(self, sex: str) -> tuple[float, float]:
        """From which to which bone age in months to look for it: at least a year around its own.

        A range that is wider than that stands by itself.
        """
        low, high = self.bone_age[sex]
        margin = max(0, _NEAR - (high - low) / 2)
        return low - margin, high + margin

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


# Gilsanz & Ratib 2012, on the indicators of skeletal maturity.
STAGES = (
    Stage(
        "Infancy",
        {"female": 0, "male": 0},
        "Count the centers of the wrist: capitate, hamate and the epiphysis of the radius.",
    ),
    Stage(
        "Toddlers",
        {"female": 10, "male": 14},
        "Count the epiphyses of the fingers and metacarpals. They appear in a regular order, from "
        "the middle finger to the little finger; the carpal bones are less reliable.",
    ),
    Stage(
        "Prepubertal",
        {"female": 24, "male": 36},
        "Compare the epiphyses of the distal and middle phalanges with the ends of their shafts: "
        "they widen until they are as wide as the shafts. The carpal bones vary more between "
        "children.",
    ),
    Stage(
        "Early and mid-puberty",
        {"female": 84, "male": 108},
        "Epiphyses of the distal and middle phalanges become wider than their shafts and begin to "
        "cap them: look for capping on both sides. Pisiform and sesamoid appear; they are less "
        "reliable.",
    ),
    Stage(
        "Late and post-puberty",
        {"female": 156, "male": 168},
        "Assess the fusion of the growth plates: phalanges and metacarpals first, ulna and radius "
        "last.",
    ),
)


@functools.cache
def events() -> tuple[Event, ...]:
    """All events, numbered from 1."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return tuple(_event(number, row) for number, row in enumerate(csv.DictReader(file), 1))


def separating_events(sex: str, younger: float, older: float) -> list[Event]:
    """The events that tell two bone ages apart.

    Args:
        sex: "female" or "male".
        younger: one bone age in months.
        older: a higher one.

    Returns:
        Events whose age lies above the younger and at or below the older one, or whose range of
        ages overlaps with what is between them; in the order of their ages.
    """

    def is_between(low: int, high: int) -> bool:
        return younger < high and (low < older or low == high == older)

    found = [event for event in events() if is_between(*event.bone_age[sex])]
    return sorted(found, key=lambda event: event.bone_age[sex]) if younger < older else []


def stage(sex: str, months: float) -> Stage:
    """The stage of development of that age."""
    return [each for each in STAGES if each.starts[sex] <= max(months, 0)][-1]


def _event(number: int, row: dict[str, str]) -> Event:
    early = _weights(row["places"])
    late = _weights(row["places_at_15"]) if row["places_at_15"] else early
    published = {
        sex: (int(row[f"{column}_from"]), int(row[f"{column}_to"]))
        for sex, column in _COLUMNS.items()
    }
    return Event(
        number,
        row["key"],
        row["name"],
        row["change"],
        published,
        {
            sex: (_bone_age(row["change"], sex, low), _bone_age(row["change"], sex, high))
            for sex, (low, high) in published.items()
        },
        tuple(row["sources"].split("; ")),
        row["look"],
        row["label"],
        np.stack([early, late]),
    )


def _bone_age(change: str, sex: str, months: int) -> int:
    means = mean_column(sex)
    if change == FUSES or months < means.ages[0]:
        return months
    return nearest_month(means.at(months))


def _weights(text: str) -> np.ndarray:
    places = text.split(";")
    weights = np.zeros((len(places), N_LANDMARKS))
    for place, row in zip(places, weights, strict=True):
        for term in place.split():
            landmark, weight = term.split(":")
            row[int(landmark)] = float(weight)
    return weights
