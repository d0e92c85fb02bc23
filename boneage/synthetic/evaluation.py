"""Synthetic hands as cases of known bone age, and the predictions of the models for them.

`artifacts/synthetic/predictions.csv` holds the bone age of `PER_GROUP` hands of every group by
every model and by their mean, and whether the image quality check refused the hand.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from tqdm.auto import tqdm

from boneage import artifacts
from boneage.atlas import standards
from boneage.evaluation.metrics import summarize
from boneage.inference.ensemble import with_ensemble
from boneage.models.registry import ENSEMBLE
from boneage.synthetic import files, hands

if TYPE_CHECKING:
    from boneage.inference.predictor import Predictor

PREDICTIONS = "predictions.csv"
PER_GROUP = 7  # hands with a prediction
_CASE_COLUMNS = ("id", "sex", "months", "seed", "reference_months", "build")
_PREDICTION_COLUMNS = (
    *_CASE_COLUMNS[:-1], "model", "prediction_months", "refused", "model_sha256", "build",
)  # fmt: skip


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


def write_predictions(table: pd.DataFrame, root: str | Path | None = None) -> Path:
    """Write predictions.csv beside the models of hands; the path."""
    path = files.synthetic_folder(root) / PREDICTIONS
    artifacts.write_table(path, table)
    return path


def read_predictions(root: str | Path | None = None) -> pd.DataFrame:
    """The predictions of these hands by the published models.

    Args:
        root: folder of the models of hands, by default the published one.

    Returns:
        As of `predict_hands`; without rows of other models or other hands, and empty before the
        hands were evaluated.

    Raises:
        ArtifactError: the models of hands are missing, or a file is damaged.
    """
    path = files.synthetic_folder(root) / PREDICTIONS
    if not path.exists():
        return pd.DataFrame(columns=_PREDICTION_COLUMNS).astype({"refused": bool})
    texts = dict.fromkeys(("id", "sex", "model", "model_sha256", "build"), str)
    table = artifacts.read_table(path, _PREDICTION_COLUMNS, files.BUILD, dtype=texts)
    current = table["model"].map(artifacts.published_fingerprints()) == table["model_sha256"]
    return table[current & table["build"].isin(hands.groups(root)["build"])]


def accepted_cases(root: str | Path | None = None) -> pd.DataFrame:
    """The hands, but those that the image quality check is known to refuse.

    Args:
        root: folder of the models of hands, by default the published one.

    Returns:
        As of `cases`.

    Raises:
        ArtifactError: a file is damaged.
    """
    table, read = cases(root=root), read_predictions(root)
    return table[~table["id"].isin(read["id"][read["refused"]])]


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
