"""Whether synthetic hands, or the stored parts of their models, give a radiograph away.

`artifacts/synthetic/privacy.csv` has one row for each group, measure and kind, see `COLUMNS`.
"""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from boneage import artifacts
from boneage.atlas.registration import hand_mask, same_exposure, trimmed_mean
from boneage.datasets.cache import open_cache
from boneage.errors import BoneAgeError
from boneage.synthetic import files, hands
from boneage.synthetic.building import Settings, find_groups, find_others, registered
from boneage.synthetic.drawing import CELL, draw_texture
from boneage.synthetic.model import HandModel

TABLE = "privacy.csv"
# Kinds of hands: those that the model was made of, others of the same sex and year, and drawn ones.
RADIOGRAPH, OTHER, SYNTHETIC = "radiograph", "other", "synthetic"
# Measures. The first two are distances to the nearest radiograph of the group.
GRAY_LEVELS, PATTERN, EXPLAINED = "gray_levels", "pattern", "explained"
# n: hands. least, low (5th percentile), median, most: of the measure among them. build: of the
# group, see `boneage.synthetic.files`.
COLUMNS = (
    "sex", "months", "measure", "kind", "n", "least", "low", "median", "most", "build",
)  # fmt: skip
_FINE = 2.5  # pixels; detail is what a Gaussian of this sigma takes away


def measure_privacy(
    cache: str | Path,
    root: str | Path | None = None,
    settings: Settings | None = None,
    atlas: str | Path | None = None,
) -> pd.DataFrame:
    """How near synthetic hands are to radiographs, and how much the models hold of a radiograph.

    Args:
        cache: the folder of prepared radiographs that the models were built from.
        root: folder of the models, by default the published one.
        settings: that they were built with.
        atlas: folder of the atlas that the radiographs are registered to, by default the published
            one.

    Returns:
        Columns `COLUMNS`.

    Raises:
        ArtifactError: the models or the atlas are missing or damaged.
        CacheError: the cache cannot be used.
        BoneAgeError: the models were built from another cache.
    """
    folder, settings = files.synthetic_folder(root), settings or Settings()
    manifest = open_cache(cache).manifest
    groups, others = find_groups(manifest, settings), find_others(manifest, settings)
    tables = []
    for row in tqdm(list(hands.groups(root).itertuples()), desc="privacy", unit="group"):
        key = row.sex, row.months
        used, views, _ = registered(cache, row.sex, groups.get(key, np.empty(0, int)), atlas)
        if len(used) != row.n:
            raise BoneAgeError(
                f"{folder} was not built from {cache}: give the cache that it was built from, or "
                f"{files.BUILD}."
            )
        model = files.read_model(folder / row.file)
        values = nearest_radiograph(views, model)
        values[EXPLAINED, RADIOGRAPH] = explained_detail(views, model)
        _, other_views, _ = registered(cache, row.sex, others.get(key, np.empty(0, int)), atlas)
        if len(other_views):
            values[EXPLAINED, OTHER] = explained_detail(other_views, model)
        tables.append(in_numbers(values).assign(sex=row.sex, months=row.months, build=row.build))
    return pd.concat(tables, ignore_index=True)[list(COLUMNS)]


def nearest_radiograph(views: np.ndarray, model: HandModel) -> dict[tuple[str, str], np.ndarray]:
    """The distance from each radiograph, and each synthetic hand, to the nearest radiograph.

    Compared on the canvas of the model, where bones lie on each other and only what is in them
    differs, with the exposure that fits best. A radiograph is not compared with itself.

    Args:
        views: (N, H, W) uint8, the registered radiographs of a group.
        model: fitted to them. N hands are drawn.

    Returns:
        (measure, kind) -> (N,) for `RADIOGRAPH` and `SYNTHETIC`. `GRAY_LEVELS`: root mean square of
        the difference within the hand, of 255. `PATTERN`: 1 minus the correlation of the deviations
        from the mean of each kind.
    """
    n = len(views)
    drawn = np.stack([draw_texture(model, np.random.default_rng(seed)) for seed in range(n)])
    mask = hand_mask(trimmed_mean(views))
    drawn_views = np.clip(np.rint(drawn), 0, 255).astype(np.uint8)
    values = same_exposure(np.concatenate([views, drawn_views]), mask)[:, mask > 0.5]
    black, white = np.percentile(trimmed_mean(values), (0.1, 99.9))
    values *= 255 / (white - black)
    products = values @ values.T
    squares = np.diag(products)
    gray = np.maximum(squares[:, None] + squares - 2 * products, 0) / values.shape[1]
    for kind in (slice(n), slice(n, None)):
        values[kind] -= values[kind].mean(axis=0)
    pattern = 1 - np.corrcoef(values)
    found = {}
    for measure, distances in ((GRAY_LEVELS, np.sqrt(gray)), (PATTERN, pattern)):
        np.fill_diagonal(distances, np.inf)
        nearest = distances[:, :n].min(axis=1)
        found[measure, RADIOGRAPH], found[measure, SYNTHETIC] = nearest[:n], nearest[n:]
    return found


def explained_detail(views: np.ndarray, model: HandModel) -> np.ndarray:
    """How much of the fine detail of radiographs the mixtures of a model can be made to give.

    The attempt of somebody who has the radiograph: in every cell of the size in which the mixing
    of a drawn hand changes, the weights of the mixtures that fit it best (least squares). Four
    weights a cell fit part of any image, so radiographs that the model was not made of are the
    comparison.

    Args:
        views: (N, H, W) uint8, registered radiographs.
        model: of the group they were registered with.

    Returns:
        (N,) share of the variance of the fine detail, after the detail of the mean was taken out in
        the same way.
    """
    details = [_fine(view.astype(np.float32)) for view in views]
    parts = [np.ones_like(model.mean), _fine(model.mean), *map(_fine, model.mixtures)]
    inside = hand_mask(model.mean) > 0.5
    height, width = inside.shape
    left = np.zeros((2, len(views)))  # sums of squares without and with the mixtures
    for top in range(0, height, CELL):
        for start in range(0, width, CELL):
            cell = slice(top, top + CELL), slice(start, start + CELL)
            if inside[cell].mean() < 0.5:
                continue
            wanted = np.stack([each[cell][inside[cell]] for each in details], axis=1)
            basis = np.stack([each[cell][inside[cell]] for each in parts], axis=1)
            for row, count in enumerate((2, len(parts))):
                weights, *_ = np.linalg.lstsq(basis[:, :count], wanted, rcond=None)
                left[row] += ((wanted - basis[:, :count] @ weights) ** 2).sum(axis=0)
    return 1 - left[1] / left[0]


def in_numbers(values: dict[tuple[str, str], np.ndarray]) -> pd.DataFrame:
    """(measure, kind) -> values, as the columns measure to most of `COLUMNS`."""
    rows = [
        (*key, len(found), found.min(), *np.quantile(found, (0.05, 0.5)), found.max())
        for key, found in values.items()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS[2:-1]))


def write_privacy(table: pd.DataFrame, root: str | Path | None = None) -> Path:
    """Write privacy.csv beside the models; the path."""
    path = files.synthetic_folder(root) / TABLE
    artifacts.write_table(path, table)
    return path


def read_privacy(root: str | Path | None = None) -> pd.DataFrame:
    """What was measured on the models that are there.

    Args:
        root: folder of the models, by default the published one.

    Returns:
        As of `measure_privacy`.

    Raises:
        ArtifactError: a file is missing or damaged.
    """
    texts = dict.fromkeys(("sex", "measure", "kind", "build"), str)
    path = files.synthetic_folder(root) / TABLE
    table = artifacts.read_table(path, COLUMNS, files.BUILD, dtype=texts)
    return table[table["build"].isin(hands.groups(root)["build"])]


def privacy_summary(table: pd.DataFrame) -> pd.DataFrame:
    """All groups together.

    Args:
        table: as of `measure_privacy`.

    Returns:
        One row for each measure and kind: n; low and median, means over the groups; most, the
        largest value of any group; groups_closer, in how many groups the least distance of a
        synthetic hand is below that of the radiographs, and NaN for other kinds.
    """
    least = table.pivot_table("least", ["sex", "months"], ["measure", "kind"])
    rows = table.groupby(["measure", "kind"]).agg(
        n=("n", "sum"), low=("low", "mean"), median=("median", "mean"), most=("most", "max")
    )
    closer = {
        key: (least[key] < least[key[0], RADIOGRAPH]).sum()
        for key in rows.index
        if key[1] == SYNTHETIC
    }
    rows["groups_closer"] = pd.Series(closer)
    return rows


def _fine(image: np.ndarray) -> np.ndarray:
    return image - cv2.GaussianBlur(image, (0, 0), _FINE)
