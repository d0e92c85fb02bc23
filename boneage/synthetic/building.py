"""From a cache of prepared radiographs to the models of synthetic hands, one a sex and year."""

import dataclasses
import hashlib
import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from boneage.artifacts import ArtifactError
from boneage.atlas import standards
from boneage.atlas.files import LINK
from boneage.atomic import replace_file
from boneage.datasets.cache import Cache, CacheError, open_cache, start_worker
from boneage.datasets.challenge import CITATION
from boneage.datasets.splits import TEST
from boneage.errors import BoneAgeError
from boneage.radiographs.hand import MEDIAPIPE, find_hand
from boneage.synthetic import files
from boneage.synthetic.model import MIN_HANDS, HandModel, fit_model
from boneage.synthetic.registering import register

METHOD = 1  # raise it when a change of the method must rebuild every group
MIN_SIZE = 600
_YEAR = 12

_README = """\
# Synthetic hands

`groups.csv` lists {groups} groups of {least} to {most} hand radiographs of children of one sex
whose bone age lies within six months of the nominal age. Each `.npz` file has the mean of a group,
principal components of shape and of gray levels, and mixtures of the fine detail of all its hands;
no radiograph can be recovered from it (`docs/synthetic_hands.md` says why). Computed with
`python -m boneage synthetic` from training and validation images of the RSNA challenge, never from
its test images.

## Source and terms

Computed from the data of the [RSNA Pediatric Bone Age Challenge]({link}), for academic research,
education and other non-commercial purposes. If you share the models or hands drawn from them, give
this link and cite:

> {citation}
"""


@dataclass(frozen=True)
class Settings:
    """How the models are built.

    Attributes:
        per_group: at most this many radiographs a group, those closest to the nominal age, before
            outliers are dropped.
        least_contrast: share of a group that is left out for the lowest contrast, where enough
            remain.
        seed: of the draw among radiographs of the same bone age and contrast.
    """

    per_group: int = 80
    least_contrast: float = 0.25
    seed: int = 2017


def build_models(
    cache: str | Path,
    folder: str | Path,
    settings: Settings | None = None,
    workers: int = 2,
    progress: bool = True,
    atlas: str | Path | None = None,
) -> pd.DataFrame:
    """Build the models of synthetic hands from a cache of prepared radiographs.

    Interrupted at any moment, it goes on where it stopped: groups of the same cache, atlas and
    settings are kept. The result does not depend on the number of workers.

    Args:
        cache: folder of a cache of at least 600 px.
        folder: of the models; made where it does not exist.
        settings: those of `Settings()` by default.
        workers: processes.
        progress: whether to show a progress bar with the time left.
        atlas: folder of the atlas that the hands are registered to, by default the published one.

    Returns:
        The table of groups, see `boneage.synthetic.files.COLUMNS`.

    Raises:
        CacheError: the cache cannot be used, or no group has `MIN_HANDS` radiographs.
        BoneAgeError: the settings ask for fewer than that a group.
        ArtifactError: there is no atlas.
    """
    settings, folder = settings or Settings(), Path(folder)
    if settings.per_group < MIN_HANDS:
        raise BoneAgeError(
            f"A model of synthetic hands needs at least {MIN_HANDS} radiographs, so "
            f"{settings.per_group} per group are too few; use {2 * MIN_HANDS} or more."
        )
    source = open_cache(cache)
    if source.parameters.size < MIN_SIZE:
        raise CacheError(
            f"The images in {source.folder} are {source.parameters.size} px, too small for "
            "synthetic hands; make a larger cache with python -m boneage prepare --size 640."
        )
    drawn = find_groups(source.manifest, settings)
    build = _digest(source, settings, standards.table(atlas))
    groups = _kept(folder, build)
    done = set(zip(groups["sex"], groups["months"], strict=True))
    todo = {key: rows for key, rows in drawn.items() if key not in done}
    folder.mkdir(parents=True, exist_ok=True)
    with tqdm(
        total=len(drawn), initial=len(drawn) - len(todo), unit="group", disable=not progress,
        desc="synthetic hands",
    ) as bar:  # fmt: skip
        for (sex, months), rows, result in _fitted(source, todo, workers, atlas):
            if result is not None:
                used, model = result
                ages = source.manifest["reference_months"].to_numpy()[used]
                row = dict(
                    sex=sex,
                    months=months,
                    n=len(used),
                    dropped=len(rows) - len(used),
                    mean_age_months=ages.mean(),
                    sd_age_months=ages.std(),
                    file=files.file_name(sex, months),
                    build=build,
                )
                files.write_model(folder / row["file"], model)
                groups = pd.concat([groups, pd.DataFrame([row])], ignore_index=True)
                files.write_groups(folder, groups)
            bar.update()
    if groups.empty:
        raise CacheError(
            f"No sex and year in {cache} has {MIN_HANDS} radiographs: prepare more of them."
        )
    for path in folder.glob("*.npz"):
        if path.name not in set(groups["file"]):
            path.unlink()
    replace_file(folder / files.README, _readme(groups).encode())
    return files.read_groups(folder)


def find_groups(manifest: pd.DataFrame, settings: Settings) -> dict[tuple[str, int], np.ndarray]:
    """The radiographs of each group.

    Radiographs of the test set and those whose hand was not found by landmarks are left out; bone
    ages in [months - 6, months + 6) make a group.

    Args:
        manifest: of a cache.
        settings: of the draw.

    Returns:
        (sex, nominal months) -> row numbers.
    """
    groups = {}
    for key, candidates in _candidates(manifest):
        contrast = candidates["contrast"]
        good = candidates[contrast >= contrast.quantile(settings.least_contrast)]
        if len(good) < settings.per_group:
            good = candidates.nlargest(settings.per_group, "contrast")
        if len(good) < MIN_HANDS:
            continue
        shuffled = good.sort_values("id").sample(frac=1, random_state=settings.seed)
        away = (shuffled["reference_months"] - key[1]).abs()
        closest = away.sort_values(kind="stable").index[: settings.per_group]
        groups[key] = np.sort(closest.to_numpy())
    return groups


def find_others(manifest: pd.DataFrame, settings: Settings) -> dict[tuple[str, int], np.ndarray]:
    """Radiographs that would have suited a group and are not in it, to compare with.

    Args:
        manifest: of a cache.
        settings: of the draw of the groups.

    Returns:
        (sex, nominal months) -> row numbers, at most `MIN_HANDS` of them.
    """
    groups, others = find_groups(manifest, settings), {}
    for key, candidates in _candidates(manifest):
        rest = candidates.drop(groups.get(key, candidates.index))
        drawn = rest.sample(min(len(rest), MIN_HANDS), random_state=settings.seed)
        others[key] = np.sort(drawn.index.to_numpy())
    return others


def _candidates(manifest: pd.DataFrame) -> Iterator[tuple[tuple[str, int], pd.DataFrame]]:
    """(sex, nominal months) and the radiographs of that sex and year which may be used."""
    usable = manifest[(manifest["split"] != TEST) & (manifest["crop_method"] == MEDIAPIPE)]
    years = ((usable["reference_months"] + _YEAR / 2) // _YEAR).astype(int)
    for (sex, year), group in usable.groupby([usable["sex"], years]):
        yield (str(sex), int(year) * _YEAR), group


def registered(
    cache: str | Path, sex: str, rows: np.ndarray, atlas: str | Path | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Radiographs of a cache, registered to the standard nearest to their mean bone age.

    Args:
        cache: its folder.
        sex: of all of them.
        rows: of the cache.
        atlas: folder of the atlas, by default the published one.

    Returns:
        The rows used, views and displacements, see `boneage.synthetic.registering.register`; hands
        not found or unlike the rest are left out.
    """
    source = open_cache(cache)
    found = [(row, find_hand(source.images[row]).landmarks) for row in rows]
    found = [(row, points) for row, points in found if points is not None]
    if not found:
        return np.empty(0, int), np.empty(0), np.empty(0)
    used, points = map(np.array, zip(*found, strict=True))
    age = source.manifest["reference_months"].to_numpy()[used].mean()
    standard = standards.nearest_standard(sex, age, atlas)
    views, displacements, alike = register([source.images[row] for row in used], points, standard)
    return used[alike], views[alike], displacements[alike]


def _fitted(source: Cache, groups: dict, workers: int, atlas: str | Path | None) -> Iterator[tuple]:
    """(group, its rows, result of `_fit_rows`) in the order of groups."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, start_worker) as pool:
        futures = [
            (key, rows, pool.submit(_fit_rows, source.folder, key[0], rows, atlas))
            for key, rows in groups.items()
        ]
        try:
            for key, rows, future in futures:
                yield key, rows, future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _fit_rows(
    cache: Path, sex: str, rows: np.ndarray, atlas: str | Path | None
) -> tuple[np.ndarray, HandModel] | None:
    """(rows used, their model), or None where too few are alike."""
    used, views, displacements = registered(cache, sex, rows, atlas)
    return (used, fit_model(views, displacements)) if len(used) >= MIN_HANDS else None


def _kept(folder: Path, build: str) -> pd.DataFrame:
    """The groups of this very build that are there already."""
    try:
        groups = files.read_groups(folder)
    except ArtifactError:
        return pd.DataFrame(columns=files.COLUMNS)
    there = np.array([(folder / name).is_file() for name in groups["file"]])
    return groups[(groups["build"] == build) & there]


def _digest(cache: Cache, settings: Settings, atlas: pd.DataFrame) -> str:
    facts = [METHOD, cache.fingerprint, dataclasses.asdict(settings), atlas["build"].tolist()]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def _readme(groups: pd.DataFrame) -> str:
    return _README.format(
        groups=len(groups),
        least=groups["n"].min(),
        most=groups["n"].max(),
        link=LINK,
        citation=CITATION,
    )
