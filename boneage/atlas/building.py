"""From a cache of prepared radiographs to the atlas: groups of one sex and half year, averaged."""

import dataclasses
import hashlib
import json
import multiprocessing
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from boneage.artifacts import ArtifactError
from boneage.atlas import files
from boneage.atlas.landmarks import N_LANDMARKS
from boneage.atlas.registration import Average, average
from boneage.datasets.cache import Cache, CacheError, open_cache, start_worker
from boneage.datasets.challenge import CITATION
from boneage.datasets.labeled_images import InOrder
from boneage.datasets.splits import TEST
from boneage.errors import BoneAgeError
from boneage.radiographs.hand import MEDIAPIPE, find_hand

METHOD = 2  # raise it when a change of the method must rebuild every standard
MIN_RADIOGRAPHS = 20  # no standard is made of fewer radiographs
MIN_SIZE = 600
_HALF_YEAR = 6

README = """\
# The average hand

`standards.csv` lists {standards} standards. Each image is the average of {least} to {most} hand
radiographs of children of one sex whose bone age lies within three months of the nominal age; no
image shows a single child. `n` is the number of radiographs, `mean_age_months` their mean bone
age. `*-spread.webp` shows, at half the size, the interquartile range between the children at each
pixel. `landmarks.csv` has the joints on each standard in pixels.

The radiographs were aligned by 21 hand landmarks (thin-plate spline) and then by optical flow to
the group's mean; the values within the interquartile range at each pixel were averaged. Computed
with `python -m boneage atlas` from training and validation images of the RSNA challenge, never from
its test images.

## Source and terms

Computed from the data of the [RSNA Pediatric Bone Age Challenge]({link}), for academic research,
education and other non-commercial purposes. If you share the standards, give this link and cite:

> {citation}
"""


@dataclass(frozen=True)
class Settings:
    """How an atlas is built.

    Attributes:
        per_standard: at most this many radiographs a standard are drawn, before outliers are
            dropped.
        least_contrast: share of a group that is left out for the lowest contrast, where enough
            remain.
        seed: of the draw.
    """

    per_standard: int = 60
    least_contrast: float = 0.25
    seed: int = 2017


def build_atlas(
    cache: str | Path,
    folder: str | Path,
    settings: Settings | None = None,
    workers: int = 2,
    progress: bool = True,
    each: InOrder | None = None,
) -> pd.DataFrame:
    """Build the atlas from a cache of prepared radiographs.

    Interrupted at any moment, it goes on where it stopped: standards of the same cache and settings
    are kept. The result does not depend on the number of workers.

    Args:
        cache: folder of a cache of at least 600 px.
        folder: of the atlas; made where it does not exist.
        settings: those of `Settings()` by default.
        workers: processes.
        progress: whether to show a progress bar.
        each: what works through the groups in order, such as a cluster; by default these processes.

    Returns:
        The table of standards, see `boneage.atlas.standards.table`.

    Raises:
        CacheError: the cache cannot be used, or no group has `LEAST` radiographs.
        BoneAgeError: the settings ask for fewer than that a standard.

    Example:
        >>> build_atlas("cache", "atlas", Settings(per_standard=5))
        Traceback (most recent call last):
        boneage.errors.BoneAgeError: A standard needs at least 20 radiographs, ...
        >>> standards = build_atlas("cache", "atlas")  # doctest: +SKIP
    """
    settings, folder = settings or Settings(), Path(folder)
    if settings.per_standard < MIN_RADIOGRAPHS:
        raise BoneAgeError(
            f"A standard needs at least {MIN_RADIOGRAPHS} radiographs, "
            f"so {settings.per_standard} per "
            f"standard are too few; use {2 * MIN_RADIOGRAPHS} or more."
        )
    source = open_cache(cache)
    _check_size(source)
    groups = find_groups(source.manifest, settings)
    build = _digest(source, settings)
    standards, landmarks = _kept(folder, build)
    todo = {key: rows for key, rows in groups.items() if key not in landmarks}
    with tqdm(
        total=len(groups), initial=len(groups) - len(todo), unit="standard", disable=not progress,
        desc="atlas",
    ) as bar:  # fmt: skip
        each = each or partial(_on_processes, workers)
        for (sex, months), rows, result in _averaged(source, todo, each):
            if result is not None:
                used, made = result
                ages = source.manifest["reference_months"].to_numpy()[used]
                image, spread = files.image_names(sex, months)
                row = dict(
                    sex=sex,
                    months=months,
                    n=len(used),
                    dropped=len(rows) - len(used),
                    mean_age_months=ages.mean(),
                    sd_age_months=ages.std(),
                    correlation=made.correlation,
                    sharpness=made.sharpness,
                    sharpness_before=made.sharpness_before,
                    image=image,
                    spread=spread,
                    build=build,
                )
                files.write_images(folder, sex, months, made.image, made.spread)
                standards = pd.concat([standards, pd.DataFrame([row])], ignore_index=True)
                landmarks[sex, months] = made.landmarks
                files.write_tables(folder, standards, landmarks)
            bar.update()
    if standards.empty:
        raise CacheError(
            f"No sex and half year in {cache} has {MIN_RADIOGRAPHS} radiographs: prepare more."
        )
    files.remove_other_images(folder, standards)
    files.write_readme(folder, _readme(standards))
    return files.read_standards(folder)


def find_groups(manifest: pd.DataFrame, settings: Settings) -> dict[tuple[str, int], np.ndarray]:
    """The radiographs drawn for each standard.

    Radiographs of the test set and those whose hand was not found by landmarks are left out; bone
    ages in [months - 3, months + 3) make a group.

    Args:
        manifest: of a cache.
        settings: of the draw.

    Returns:
        (sex, nominal months) -> row numbers.
    """
    usable = manifest[(manifest["split"] != TEST) & (manifest["crop_method"] == MEDIAPIPE)]
    half_years = ((usable["reference_months"] + _HALF_YEAR / 2) // _HALF_YEAR).astype(int)
    groups = {}
    for (sex, half_year), group in usable.groupby([usable["sex"], half_years]):
        good = group[group["contrast"] >= group["contrast"].quantile(settings.least_contrast)]
        if len(good) < settings.per_standard:
            good = group.nlargest(settings.per_standard, "contrast")
        if len(good) < MIN_RADIOGRAPHS:
            continue
        drawn = good.sort_values("id").sample(
            min(settings.per_standard, len(good)), random_state=settings.seed
        )
        groups[sex, int(half_year) * _HALF_YEAR] = np.sort(drawn.index.to_numpy())
    return groups


def _averaged(source: Cache, groups: dict, each: InOrder) -> Iterator[tuple]:
    """(group, its rows, result of `_average_rows`) in the order of groups."""
    results = each(groups.values(), partial(_average_rows, source.folder))
    for (key, rows), result in zip(groups.items(), results, strict=True):
        yield key, rows, result


def _on_processes(
    workers: int, groups: Iterable[np.ndarray], work: Callable[[np.ndarray], Any]
) -> Generator[Any, None, None]:
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), start_worker) as pool:
        try:
            yield from pool.map(work, groups)
        finally:
            pool.shutdown(cancel_futures=True)


def _average_rows(folder: Path, rows: np.ndarray) -> tuple[np.ndarray, Average] | None:
    """(rows used, their Average), or None where too few are alike."""
    images = open_cache(folder).images
    found = [(row, find_hand(images[row]).landmarks) for row in rows]
    found = [(row, points) for row, points in found if points is not None]
    if len(found) < MIN_RADIOGRAPHS:
        return None
    used, points = map(np.array, zip(*found, strict=True))
    made = average([images[row] for row in used], points)
    return (used[made.kept], made) if made.kept.sum() >= MIN_RADIOGRAPHS else None


def _kept(folder: Path, build: str) -> tuple[pd.DataFrame, dict]:
    """Standards and landmarks of this very build that are there already."""
    try:
        standards, landmarks = files.read_standards(folder), files.read_landmarks(folder)
    except ArtifactError:
        return pd.DataFrame(columns=files.COLUMNS), {}
    standards = standards[standards["build"] == build]
    whole = [
        (folder / row.image).is_file()
        and (folder / row.spread).is_file()
        and len(landmarks.get((row.sex, row.months), ())) == N_LANDMARKS
        for row in standards.itertuples()
    ]
    standards = standards[whole]
    keys = zip(standards["sex"], standards["months"], strict=True)
    return standards, {key: landmarks[key] for key in keys}


def _check_size(cache: Cache) -> None:
    if cache.parameters.size < MIN_SIZE:
        raise CacheError(
            f"The images in {cache.folder} are {cache.parameters.size} px, too small for an "
            "atlas; make a larger cache with python -m boneage prepare --size 640."
        )


def _digest(cache: Cache, settings: Settings) -> str:
    fields = dataclasses.asdict(settings)
    # Under its former name, so that the atlas there is keeps its identity.
    fields["per_plate"] = fields.pop("per_standard")
    facts = [METHOD, cache.fingerprint, fields]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def _readme(standards: pd.DataFrame) -> str:
    return README.format(
        standards=len(standards),
        least=standards["n"].min(),
        most=standards["n"].max(),
        link=files.LINK,
        citation=CITATION,
    )
