"""The standards of the atlas, read and used: looked up, blended, laid over a radiograph, compared.

Needs neither Keras nor MediaPipe. All points are (x, y) in pixels, all images gray uint8.
"""

import functools
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from boneage.artifacts import ArtifactError
from boneage.atlas import files
from boneage.atlas.landmarks import mean_shape, scaled
from boneage.atlas.registration import HEIGHT, WIDTH, detail, find_flow, follow, hand_mask
from boneage.atlas.warping import warp
from boneage.formatting import CHILDREN, age_in_words, children_aged

SOURCE = (
    f"Averages of radiographs of the [RSNA Pediatric Bone Age Challenge]({files.LINK}); "
    "for research, education and other non-commercial use."
)
_SOFTNESS = 0.01  # difference in similarity at which a standard counts e times less
_SMOOTHING = (
    8.0  # of the flow between two standards or a radiograph and a standard, in standard pixels
)


@dataclass(frozen=True, eq=False)
class Standard:
    """The average hand of one sex and age: a left hand, fingers up, thumb to the right.

    Attributes:
        sex: "female" or "male".
        months: the nominal age, by which it is looked up; of a blended standard the age asked for.
        n: radiographs averaged; 0 when blended.
        mean_age_months: of the bone ages of those radiographs. It is the age that the standard is
            shown with; it can be months from the nominal one.
        sd_age_months: of the same.
        image: (640, 512) uint8.
        spread: (320, 256) uint8, interquartile range between the radiographs at each pixel.
        landmarks: (21, 2) float32 on `image`, MediaPipe's order.
        parents: the two standards it was blended from, if it was.
    """

    sex: str
    months: float
    n: int
    mean_age_months: float
    sd_age_months: float
    image: np.ndarray
    spread: np.ndarray
    landmarks: np.ndarray
    parents: "tuple[Standard, ...]" = ()

    @property
    def title(self) -> str:
        """Sex and mean bone age, such as "Girls, 5 years 9 months"."""
        return children_aged(self.sex, self.mean_age_months)

    @property
    def caption(self) -> str:
        """What it is made of, in a sentence."""
        if self.parents:
            younger, older = (age_in_words(parent.mean_age_months) for parent in self.parents)
            return f"Interpolated between the average hands of {younger} and {older}."
        return (
            f"Average of {self.n} radiographs, mean bone age {age_in_words(self.mean_age_months)}."
        )


# Looking up -------------------------------------------------------------------------------------


def available(root: str | Path | None = None) -> bool:
    """Whether there is an atlas.

    Args:
        root: its folder, by default the published one.

    Returns:
        Whether it has a table of standards.
    """
    return (files.atlas_folder(root) / files.STANDARDS).is_file()


def table(root: str | Path | None = None) -> pd.DataFrame:
    """The standards of an atlas, one row a standard, by sex and age.

    Args:
        root: folder of the atlas, by default the published one.

    Returns:
        Columns `boneage.atlas.files.COLUMNS`.

    Raises:
        ArtifactError: the atlas is missing or damaged.

    Example:
        >>> sorted(table()["sex"].unique())
        ['female', 'male']
    """
    return _Atlas.open(root).table.copy()


def ages(sex: str, root: str | Path | None = None) -> list[int]:
    """Nominal ages that have a standard.

    Args:
        sex: "female" or "male".
        root: folder of the atlas, by default the published one.

    Returns:
        Months, ascending.

    Raises:
        ArtifactError: as `table`.
    """
    return _Atlas.open(root).of(sex)["months"].tolist()


def standard(sex: str, months: int, root: str | Path | None = None) -> Standard:
    """The standard of a nominal age.

    Args:
        sex: "female" or "male".
        months: the nominal age, one of `ages`.
        root: folder of the atlas, by default the published one.

    Returns:
        The standard.

    Raises:
        ArtifactError: there is none or it is damaged.

    Example:
        >>> standard("female", 60).image.shape
        (640, 512)
    """
    return _Atlas.open(root).standard(sex, months)


def nearest_standard(sex: str, months: float, root: str | Path | None = None) -> Standard:
    """The standard whose mean bone age is closest to an age.

    Args:
        sex: "female" or "male".
        months: bone age.
        root: folder of the atlas, by default the published one.

    Returns:
        The standard.

    Raises:
        ArtifactError: as `table`.

    Example:
        >>> nearest_standard("male", 121.7).months
        120
    """
    atlas = _Atlas.open(root)
    rows = atlas.of(sex)
    return atlas.standard(
        sex, rows["months"].iloc[(rows["mean_age_months"] - months).abs().argmin()]
    )


def age_span(sexes: Sequence[str], root: str | Path | None = None) -> tuple[int, int]:
    """The first and the last whole month of bone age that standards of any of some sexes reach.

    Args:
        sexes: "female", "male" or both.
        root: folder of the atlas, by default the published one.

    Returns:
        Months.

    Raises:
        ArtifactError: as `table`.
    """
    means = pd.concat([_Atlas.open(root).of(sex)["mean_age_months"] for sex in sexes])
    return math.ceil(means.min()), math.floor(means.max())


def half_years(sex: str, root: str | Path | None = None) -> tuple[float, float]:
    """The first and the last half year of bone age within the standards of one sex.

    Args:
        sex: "female" or "male".
        root: folder of the atlas, by default the published one.

    Returns:
        Years.

    Raises:
        ArtifactError: as `table`.
    """
    youngest, oldest = age_span([sex], root)
    return math.ceil(youngest / 6) / 2, math.floor(oldest / 6) / 2


def half_year_steps(sexes: Sequence[str], root: str | Path | None = None) -> list[int]:
    """Bone ages to step through: every half year, and the first and last of `age_span`.

    Args:
        sexes: "female", "male" or both.
        root: folder of the atlas, by default the published one.

    Returns:
        Months, ascending.

    Raises:
        ArtifactError: as `table`.
    """
    youngest, oldest = age_span(sexes, root)
    return sorted({youngest, *range(6 * math.ceil(youngest / 6), oldest, 6), oldest})


def age_shown(sex: str, months: float, root: str | Path | None = None) -> float:
    """The bone age of the standard that `between` returns: beyond the standards of a sex, the last
    one's.

    Args:
        sex: "female" or "male".
        months: bone age asked for.
        root: folder of the atlas, by default the published one.

    Returns:
        Months.

    Raises:
        ArtifactError: as `table`.
    """
    means = _Atlas.open(root).of(sex)["mean_age_months"]
    return float(np.clip(months, means.min(), means.max()))


def around(sex: str, months: float, root: str | Path | None = None) -> dict[str, Standard]:
    """Standards to compare a radiograph of a bone age with, spaced evenly around that age.

    The nearest, and of the younger and of the older ones those nearest to a year less and a year
    more than the bone age; beyond the first or last standard, than that one's.

    Args:
        sex: "female" or "male".
        months: bone age.
        root: folder of the atlas, by default the published one.

    Returns:
        "younger", "nearest", "older" -> standard.

    Raises:
        ArtifactError: as `table`.
    """
    atlas = _Atlas.open(root)
    rows = atlas.of(sex)
    ages = rows["mean_age_months"]
    months = age_shown(sex, months, root)
    nearest = (ages - months).abs().idxmin()
    found = {}
    for which, candidates, target in (
        ("younger", ages[:nearest], months - 12),
        ("nearest", ages[[nearest]], months),
        ("older", ages[nearest + 1 :], months + 12),
    ):
        if len(candidates):
            row = (candidates - target).abs().idxmin()
            found[which] = atlas.standard(sex, rows["months"][row])
    return found


def between(sex: str, months: float, root: str | Path | None = None) -> Standard:
    """A standard for any age: the two whose mean ages enclose it, brought together and blended.

    Both are warped to landmarks in between and, by optical flow, halfway onto each other, so that
    no outline is double.

    Args:
        sex: "female" or "male".
        months: bone age.
        root: folder of the atlas, by default the published one.

    Returns:
        The blended standard; beyond the first or last standard, that standard itself, of its own
        age.

    Raises:
        ArtifactError: as `table`.

    Example:
        >>> blended = between("female", 75)
        >>> round(blended.mean_age_months), len(blended.parents)
        (75, 2)
    """
    atlas = _Atlas.open(root)
    rows = atlas.of(sex)
    mean_ages = rows["mean_age_months"].to_numpy()
    upper = int(np.searchsorted(mean_ages, months))
    if upper in (0, len(rows)):
        return atlas.standard(sex, rows["months"].iloc[min(upper, len(rows) - 1)])
    younger, older = (atlas.standard(sex, age) for age in rows["months"].iloc[[upper - 1, upper]])
    share = float((months - mean_ages[upper - 1]) / (mean_ages[upper] - mean_ages[upper - 1]))
    return _blend(younger, older, share, atlas.flow_between(younger, older), months)


# Using ------------------------------------------------------------------------------------------


def align(standard: Standard, landmarks: np.ndarray, size: int = 256) -> np.ndarray:
    """The standard brought onto a prepared image.

    Args:
        standard: to bring.
        landmarks: (21, 2) on the prepared image; a right hand gets the standard mirrored.
        size: side of the prepared image in pixels.

    Returns:
        (size, size) uint8.
    """
    return warp(standard.image, standard.landmarks, landmarks, (size, size))


def png(image: np.ndarray) -> bytes:
    """An image as a PNG file.

    Args:
        image: (H, W) uint8.

    Returns:
        The content of the file.
    """
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG")
    return content.getvalue()


def compare(
    sex: str, image: np.ndarray, landmarks: np.ndarray, root: str | Path | None = None
) -> pd.DataFrame:
    """How much a radiograph resembles every standard of its sex, most alike first.

    Args:
        sex: "female" or "male".
        image: (S, S) uint8, prepared.
        landmarks: (21, 2) on it.
        root: folder of the atlas, by default the published one.

    Returns:
        Columns months, mean_age_months and similarity: the correlation, -1 to 1, of the bones'
        detail after the radiograph was aligned to the standard, weighted by how much each place
        tells about age.

    Raises:
        ArtifactError: as `table`.

    Example:
        >>> own = standard("female", 120)
        >>> compare("female", own.image, own.landmarks)["months"].iloc[0]
        np.int64(120)
    """
    atlas = _Atlas.open(root)
    references = atlas.references(sex)
    view = detail(warp(image, landmarks, references.landmarks, references.mask.shape))
    similarity = [references.similarity(view, reference) for reference in references.details]
    rows = atlas.of(sex)[["months", "mean_age_months"]].assign(similarity=similarity)
    return rows.sort_values("similarity", ascending=False, ignore_index=True)


def similarity_estimate(comparison: pd.DataFrame) -> float:
    """Bone age by resemblance: mean age of the standards, the most alike counting most.

    Args:
        comparison: as `compare` returns it.

    Returns:
        Months.
    """
    behind = comparison["similarity"].max() - comparison["similarity"]
    return float(np.average(comparison["mean_age_months"], weights=np.exp(-behind / _SOFTNESS)))


# Inside -----------------------------------------------------------------------------------------


def _blend(
    younger: Standard, older: Standard, share: float, flow: np.ndarray, months: float
) -> Standard:
    """The standard at `share` (0 to 1) of the way from one standard to an older one."""
    landmarks = (1 - share) * younger.landmarks + share * older.landmarks
    images = []
    for name in ("image", "spread"):
        first, second = (getattr(parent, name) for parent in (younger, older))
        scale = first.shape[0] / HEIGHT
        each = [
            warp(parent, scaled(its_landmarks, scale), scaled(landmarks, scale), first.shape)
            for parent, its_landmarks in (
                (first, younger.landmarks),
                (second, older.landmarks),
            )
        ]
        here = follow(each[0], -share * flow * scale)
        there = follow(each[1], (1 - share) * flow * scale)
        images.append(cv2.addWeighted(here, 1 - share, there, share, 0))
    mean_age, sd_age = (
        (1 - share) * getattr(younger, name) + share * getattr(older, name)
        for name in ("mean_age_months", "sd_age_months")
    )
    image, spread = images
    return Standard(
        younger.sex,
        months,
        0,
        mean_age,
        sd_age,
        image,
        spread,
        landmarks.astype(np.float32),
        (younger, older),
    )


@dataclass(frozen=True, eq=False)
class _References:
    """All standards of one sex in one frame, at half size.

    landmarks: (21, 2). details: (N, H, W) uint8, see `detail`. mask, weight: (H, W) float32, the
    hand, and how much each place differs between the ages.
    """

    landmarks: np.ndarray
    details: np.ndarray
    mask: np.ndarray
    weight: np.ndarray

    def similarity(self, view: np.ndarray, reference: np.ndarray) -> float:
        """Correlation of a radiograph's detail with a standard's, after optical flow."""
        flow = find_flow(reference, view, self.mask, _SMOOTHING / 2)
        a, b = (x.astype(np.float32) - 128 for x in (follow(view, flow), reference))
        products = [(self.weight * x * y).sum() for x, y in ((a, b), (a, a), (b, b))]
        return float(products[0] / np.sqrt(products[1] * products[2] + 1e-9))


class _Atlas:
    """An atlas folder at one state of its table; what is read or worked out once is kept."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.table = files.read_standards(folder)
        self._landmarks = files.read_landmarks(folder)
        self.standard = functools.lru_cache(maxsize=None)(self._read_standard)
        self.references = functools.lru_cache(maxsize=None)(self._make_references)
        self._flow = functools.lru_cache(maxsize=None)(self._find_flow)

    @classmethod
    def open(cls, root: str | Path | None) -> "_Atlas":
        folder = files.atlas_folder(root)
        try:
            written = (folder / files.STANDARDS).stat().st_mtime_ns
        except OSError:
            written = 0  # reading says what is wrong
        return _open(folder, written)

    def of(self, sex: str) -> pd.DataFrame:
        rows = self.table[self.table["sex"] == sex]
        if rows.empty:
            raise ArtifactError(f"The atlas in {self._folder} has no standards of {CHILDREN[sex]}.")
        return rows.reset_index(drop=True)

    def flow_between(self, younger: Standard, older: Standard) -> np.ndarray:
        """Where the younger's places lie on the older, both at the landmarks in between."""
        return self._flow(younger.sex, younger.months, older.months)

    def _read_standard(self, sex: str, months: int) -> Standard:
        rows = self.table[(self.table["sex"] == sex) & (self.table["months"] == months)]
        if rows.empty:
            raise ArtifactError(
                f"The atlas has no standard of {CHILDREN[sex]} of {age_in_words(months)}."
            )
        row = rows.iloc[0]
        return Standard(
            sex,
            int(months),
            int(row["n"]),
            float(row["mean_age_months"]),
            float(row["sd_age_months"]),
            files.read_image(self._folder / row["image"]),
            files.read_image(self._folder / row["spread"]),
            self._landmarks[sex, months],
        )

    def _find_flow(self, sex: str, younger: int, older: int) -> np.ndarray:
        pair = [self.standard(sex, months) for months in (younger, older)]
        middle = (pair[0].landmarks + pair[1].landmarks) / 2
        views = [warp(one.image, one.landmarks, middle, one.image.shape) for one in pair]
        return find_flow(detail(views[0]), detail(views[1]), hand_mask(views[0]), _SMOOTHING)

    def _make_references(self, sex: str) -> _References:
        standards = [self.standard(sex, months) for months in self.of(sex)["months"]]
        size = (WIDTH // 2, HEIGHT // 2)
        landmarks = scaled(mean_shape([one.landmarks for one in standards]), 0.5)
        views = [
            warp(
                cv2.resize(one.image, size, interpolation=cv2.INTER_AREA),
                scaled(one.landmarks, 0.5),
                landmarks,
                size[::-1],
            )
            for one in standards
        ]
        details = np.stack([detail(view) for view in views])
        mask = hand_mask(np.mean(views, axis=0))
        weight = mask * cv2.GaussianBlur(details.astype(np.float32).std(axis=0), (0, 0), 3)
        return _References(landmarks, details, mask, weight)


@functools.lru_cache(maxsize=4)
def _open(folder: Path, written: int) -> _Atlas:
    return _Atlas(folder)
