"""What is measured on synthetic hands: predictions, and how far they are from real radiographs.

`artifacts/synthetic/` holds, beside the models,
    predictions.csv   the bone age of `PER_GROUP` hands of every group by every model and by their
                      mean, and whether the image quality check refused the hand
    distances.csv     how far each radiograph and each synthetic hand of every group is from the
                      nearest radiograph
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from boneage import artifacts
from boneage.atlas import standards
from boneage.atlas.registration import hand_mask, same_exposure, trimmed_mean
from boneage.datasets.cache import open_cache
from boneage.errors import BoneAgeError
from boneage.evaluation.limits import is_large
from boneage.evaluation.metrics import summarize
from boneage.inference.ensemble import with_ensemble
from boneage.models.registry import ENSEMBLE
from boneage.synthetic import files, hands
from boneage.synthetic.building import Settings, find_groups, registered
from boneage.synthetic.drawing import draw_texture
from boneage.synthetic.model import HandModel

if TYPE_CHECKING:
    from boneage.inference.predictor import Predictor

PREDICTIONS, DISTANCES = "predictions.csv", "distances.csv"
PER_GROUP = 7  # hands with a prediction
RADIOGRAPH, SYNTHETIC = "radiograph", "synthetic"
_CASE_COLUMNS = ("id", "sex", "months", "seed", "reference_months", "build")
_PREDICTION_COLUMNS = (
    *_CASE_COLUMNS[:-1], "model", "prediction_months", "refused", "model_sha256", "build",
)  # fmt: skip
_DISTANCE_COLUMNS = ("sex", "months", "kind", "gray_levels", "pattern", "build")


def cases(per_group: int = PER_GROUP, root: str | Path | None = None) -> pd.DataFrame:
    """Synthetic hands as cases of known age, the same ones at every call.

    Args:
        per_group: hands of each group, seeds 0 and up.
        root: folder of the models of hands, by default the published one.

    Returns:
        Columns id, sex, months (nominal age of the group), seed, reference_months (its mean bone
        age) and build.

    Raises:
        ArtifactError: the models are missing or damaged.

    Example:
        >>> cases(per_group=2)["id"].head(2).tolist()
        ['female-024-0', 'female-024-1']
    """
    rows = [
        (f"{row.sex}-{row.months:03d}-{seed}", row.sex, row.months, seed, row.mean_age_months,
         row.build)
        for row in hands.groups(root).itertuples()
        for seed in range(per_group)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(_CASE_COLUMNS))


def predict_hands(
    predictor: "Predictor", per_group: int = PER_GROUP, root: str | Path | None = None
) -> pd.DataFrame:
    """Bone age of synthetic hands by every model and "ensemble", each hand read like any file.

    Args:
        predictor: of the published models.
        per_group: hands of each group.
        root: folder of the models of hands, by default the published one.

    Returns:
        Columns id, model, prediction_months, refused (by the image quality check), model_sha256 and
        those of `cases`.

    Raises:
        ArtifactError: the models are missing or damaged.
    """
    fingerprints = artifacts.published_fingerprints()
    table = cases(per_group, root)
    rows = []
    for case in tqdm(list(table.itertuples()), desc="predictions", unit="hand"):
        hand = hands.synthetic_hand(case.sex, case.reference_months, case.seed, root)
        read = predictor.predict(standards.png(hand.image), case.sex)
        refused = read.refusal is not None
        rows += [
            (case.id, model, age, refused, fingerprints[model])
            for model, age in with_ensemble(read.months, predictor.weights).items()
        ]
    columns = ["id", "model", "prediction_months", "refused", "model_sha256"]
    return pd.DataFrame(rows, columns=columns).merge(table, on="id")[list(_PREDICTION_COLUMNS)]


def measure_distances(
    cache: str | Path,
    root: str | Path | None = None,
    settings: Settings | None = None,
    atlas: str | Path | None = None,
) -> pd.DataFrame:
    """How far radiographs and synthetic hands are from the nearest radiograph.

    Args:
        cache: the folder of prepared radiographs that the models were built from.
        root: folder of the models, by default the published one.
        settings: that they were built with.
        atlas: folder of the atlas that the radiographs are registered to, by default the published
            one.

    Returns:
        One row for each radiograph and for as many synthetic hands, with the columns of
        `nearest_radiograph`, sex, months and build.

    Raises:
        ArtifactError: the models or the atlas are missing or damaged.
        CacheError: the cache cannot be used.
        BoneAgeError: the models were built from another cache.
    """
    folder = files.synthetic_folder(root)
    drawn = find_groups(open_cache(cache).manifest, settings or Settings())
    tables = []
    for row in tqdm(list(hands.groups(root).itertuples()), desc="distances", unit="group"):
        rows = drawn.get((row.sex, row.months), np.empty(0, int))
        used, views, _ = registered(cache, row.sex, rows, atlas)
        if len(used) != row.n:
            raise BoneAgeError(
                f"{folder} was not built from {cache}: give the cache that it was built from, or "
                f"{files.BUILD}."
            )
        table = nearest_radiograph(views, files.read_model(folder / row.file))
        tables.append(table.assign(sex=row.sex, months=row.months, build=row.build))
    return pd.concat(tables, ignore_index=True)[list(_DISTANCE_COLUMNS)]


def nearest_radiograph(views: np.ndarray, model: HandModel) -> pd.DataFrame:
    """The distance from each radiograph, and each synthetic hand, to the nearest radiograph.

    Compared on the canvas of the model, where bones lie on each other and only what is in them
    differs, with the exposure that fits best.

    Args:
        views: (N, H, W) uint8, the registered radiographs of a group.
        model: fitted to them. N hands are drawn.

    Returns:
        Columns kind (`RADIOGRAPH` or `SYNTHETIC`), gray_levels (root mean square of the difference
        within the hand, of 255) and pattern (1 minus the correlation of the deviations from the
        mean of each kind), both to the nearest other radiograph. 2 N rows.
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
    return pd.DataFrame(
        {
            "kind": np.repeat([RADIOGRAPH, SYNTHETIC], n),
            "gray_levels": np.sqrt(_nearest(gray[:, :n])),
            "pattern": _nearest(pattern[:, :n]),
        }
    )


def write(name: str, table: pd.DataFrame, root: str | Path | None = None) -> Path:
    """Write a table beside the models; name: PREDICTIONS or DISTANCES."""
    path = files.synthetic_folder(root) / name
    artifacts.write_table(path, table)
    return path


def read_predictions(root: str | Path | None = None) -> pd.DataFrame:
    """The predictions of these hands by the published models.

    Args:
        root: folder of the models of hands, by default the published one.

    Returns:
        As of `predict_hands`; without rows of other models or other hands.

    Raises:
        ArtifactError: a file is missing or damaged.
    """
    path = files.synthetic_folder(root) / PREDICTIONS
    texts = dict.fromkeys(("id", "sex", "model", "model_sha256", "build"), str)
    table = artifacts.read_table(path, _PREDICTION_COLUMNS, files.BUILD, dtype=texts)
    current = table["model"].map(artifacts.published_fingerprints()) == table["model_sha256"]
    return table[current & table["build"].isin(hands.groups(root)["build"])]


def usable_cases(root: str | Path | None = None) -> pd.DataFrame:
    """The hands, but those known to be refused or to be read more than a year off.

    Args:
        root: folder of the models of hands, by default the published one.

    Returns:
        As of `cases`.

    Raises:
        ArtifactError: a file is damaged.
    """
    table = cases(root=root)
    if not (files.synthetic_folder(root) / PREDICTIONS).exists():
        return table
    read = read_predictions(root)
    error = (read["prediction_months"] - read["reference_months"]).abs()
    left_out = read[read["refused"] | ((read["model"] == ENSEMBLE) & is_large(error))]
    return table[~table["id"].isin(left_out["id"])]


def read_distances(root: str | Path | None = None) -> pd.DataFrame:
    """As `measure_distances`; raises ArtifactError where the file is missing or damaged."""
    path = files.synthetic_folder(root) / DISTANCES
    texts = dict.fromkeys(("sex", "kind", "build"), str)
    table = artifacts.read_table(path, _DISTANCE_COLUMNS, files.BUILD, dtype=texts)
    return table[table["build"].isin(hands.groups(root)["build"])]


def prediction_metrics(predictions: pd.DataFrame) -> Mapping[str, float]:
    """The error of the ensemble on the hands that the image quality check accepts.

    Args:
        predictions: as `predict_hands` returns them.

    Returns:
        The metrics of `summarize`, and accepted, the share of hands that were.
    """
    ensemble = predictions[predictions["model"] == ENSEMBLE]
    metrics = summarize(ensemble[~ensemble["refused"]]).iloc[0].to_dict()
    return metrics | {"accepted": 1 - ensemble["refused"].mean()}


def distance_summary(distances: pd.DataFrame) -> pd.DataFrame:
    """Distances to the nearest radiograph in a few numbers.

    Args:
        distances: as `measure_distances` returns them.

    Returns:
        One row a measure, gray_levels and pattern; columns for each kind (low: 5th percentile, and
        median), and too_close: the share of synthetic hands closer to a radiograph than any two
        radiographs of their group are to each other.
    """
    rows = {}
    for measure in ("gray_levels", "pattern"):
        row = {}
        for kind, values in distances.groupby("kind")[measure]:
            row[f"{kind}_low"], row[f"{kind}_median"] = values.quantile([0.05, 0.5])
        least = distances[distances["kind"] == RADIOGRAPH].groupby(["sex", "months"])[measure].min()
        drawn = distances[distances["kind"] == SYNTHETIC].set_index(["sex", "months"])[measure]
        row["too_close"] = (drawn < least.reindex(drawn.index)).mean()
        rows[measure] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def _nearest(distances: np.ndarray) -> np.ndarray:
    """(2 N, N) -> (2 N,): the least in each row; a radiograph is not compared with itself."""
    distances = distances.copy()
    np.fill_diagonal(distances, np.inf)
    return distances.min(axis=1)
