"""Evaluation with the atlas: predictions for the standards, and the image-similarity estimate.

`artifacts/atlas/` holds, beside the standards,
    predictions.csv   the bone age of every standard by every model and by their mean, and whether
    the
                      image quality check refused the standard
    image_similarity.csv  the bone age of test radiographs, none of which is in a standard

Both say what they were worked out from, so that what belongs to other weights, other standards or
another preprocessing is left out.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from boneage import artifacts
from boneage.atlas import standards
from boneage.atlas.files import atlas_folder, read_table
from boneage.atlas.landmarks import landmarks_on
from boneage.datasets.labeled_images import labeled_images
from boneage.evaluation.limits import is_large
from boneage.evaluation.metrics import summarize
from boneage.evaluation.residuals import with_residuals
from boneage.formatting import children_aged
from boneage.inference.ensemble import with_ensemble
from boneage.models.registry import ENSEMBLE
from boneage.radiographs import preprocessing
from boneage.radiographs.hand import Hand
from boneage.radiographs.preprocessing import PreparedHand, Preprocessing, prepare

if TYPE_CHECKING:
    from boneage.inference.predictor import Predictor

PREDICTIONS, SIMILARITY = "predictions.csv", "image_similarity.csv"
# Side of the image that is compared with the standards and shown beside them, whatever the models
# take: a hand on a standard is about as large.
SIZE = 512
_CASE_COLUMNS = ["id", "sex", "reference_months", "prediction_months"]
_PREDICTION_COLUMNS = [
    "sex",
    "months",
    "model",
    "prediction_months",
    "refused",
    "model_sha256",
    "build",
]


def prepare_to_compare(pixels: np.ndarray, hand: Hand | None = None) -> PreparedHand:
    """The hand of a radiograph as it is compared with standards.

    Args:
        pixels: (H, W) uint8, bones bright.
        hand: where it is, if it was found before.

    Returns:
        The prepared hand, an image of `SIZE` pixels.
    """
    return prepare(pixels, Preprocessing(size=SIZE), hand)


# The models on the standards
# -----------------------------------------------------------------------


def predict_standards(predictor: "Predictor", root: str | Path | None = None) -> pd.DataFrame:
    """Bone age of every standard by every model and "ensemble", each standard read like any file.

    Args:
        predictor: of the models.
        root: folder of the atlas, by default the published one.

    Returns:
        Columns sex, months (nominal), model, prediction_months, refused (by the image quality
        check), model_sha256, build (of the standard).

    Raises:
        ArtifactError: there is no atlas.
    """
    fingerprints = artifacts.fingerprints(predictor.facts)
    rows = []
    for row in tqdm(list(standards.table(root).itertuples()), desc="standards", unit="standard"):
        content = standards.png(standards.standard(row.sex, row.months, root).image)
        read = predictor.predict(content, row.sex)
        refused = read.refusal is not None
        rows += [
            (row.sex, row.months, model, age, refused, fingerprints[model], row.build)
            for model, age in with_ensemble(read.months, predictor.weights).items()
        ]
    return pd.DataFrame(rows, columns=_PREDICTION_COLUMNS)


def read_standard_predictions(root: str | Path | None = None) -> pd.DataFrame:
    """Predictions of the standards by the published weights, with residuals.

    Args:
        root: folder of the atlas, by default the published one.

    Returns:
        Columns sex, months, model, refused, and those of `as_cases` and of `with_residuals`. Rows
        of other weights or of a standard built anew are left out; empty where nothing was ever
        written.

    Raises:
        ArtifactError: a file or the atlas is damaged.
    """
    path = atlas_folder(root) / PREDICTIONS
    table = pd.DataFrame(columns=_PREDICTION_COLUMNS)
    if path.exists():
        table = read_table(path, _PREDICTION_COLUMNS)
    names = artifacts.available_models()
    published = {name: artifacts.read_facts(artifacts.model_folder(name)) for name in names}
    table = table[table["model"].map(artifacts.fingerprints(published)) == table["model_sha256"]]
    table = table.astype({"months": int, "prediction_months": float, "refused": bool})
    return with_residuals(table.merge(as_cases(root), on=["sex", "months", "build"]))


def as_cases(root: str | Path | None = None) -> pd.DataFrame:
    """The standards as cases of known age.

    Args:
        root: folder of the atlas, by default the published one.

    Returns:
        Their table with reference_months, the mean bone age, and id, sex and that age in words,
        such as "Girls, 5 years".

    Raises:
        ArtifactError: there is no atlas.
    """
    table = standards.table(root).rename(columns={"mean_age_months": "reference_months"})
    titles = [children_aged(row.sex, row.reference_months) for row in table.itertuples()]
    return table.assign(id=titles)


def accepted(predictions: pd.DataFrame) -> pd.DataFrame:
    """The predictions of the standards that passed the image quality check.

    Args:
        predictions: as `read_standard_predictions` returns them.

    Returns:
        Their rows.
    """
    return predictions[~predictions["refused"]]


def refused_standards(predictions: pd.DataFrame) -> list[str]:
    """The standards that the image quality check refused.

    Args:
        predictions: as `read_standard_predictions` returns them.

    Returns:
        Their ids, by sex and age.
    """
    refused = predictions[predictions["refused"]].sort_values(["sex", "months"])
    return refused["id"].unique().tolist()


def beyond_a_year(predictions: pd.DataFrame) -> pd.DataFrame:
    """The accepted standards for which the ensemble is off by more than a year.

    Args:
        predictions: as `read_standard_predictions` returns them.

    Returns:
        The ensemble's rows of them, by sex and age.
    """
    read = accepted(predictions)
    beyond = (read["model"] == ENSEMBLE) & is_large(read["absolute_error"])
    return read[beyond].sort_values(["sex", "months"], ignore_index=True)


def usable_standards(root: str | Path | None = None) -> pd.DataFrame:
    """The standards, but those known to be refused or read more than a year off.

    Args:
        root: folder of the atlas, by default the published one.

    Returns:
        Columns as of `as_cases`.

    Raises:
        ArtifactError: a file or the atlas is damaged.
    """
    predictions = read_standard_predictions(root)
    left_out = [*refused_standards(predictions), *beyond_a_year(predictions)["id"]]
    cases = as_cases(root)
    return cases[~cases["id"].isin(left_out)]


# Image similarity --------------------------------------------------------------------------------


def estimate_by_similarity(cases: pd.DataFrame, root: str | Path | None = None) -> pd.DataFrame:
    """The image-similarity estimate of radiographs, which needs no neural network.

    Args:
        cases: columns id, sex, reference_months and path, see `labeled_cases`.
        root: folder of the atlas, by default the published one.

    Returns:
        The first three columns, prediction_months, atlas, which tells the standards from any
        others, and preprocessing_version. Radiographs that cannot be read or whose hand is not
        found by its landmarks are left out.

    Raises:
        ArtifactError: there is no atlas.
    """
    rows = []
    for case, radiograph in labeled_images(cases, title="image similarity"):
        hand = prepare_to_compare(radiograph.pixels)
        landmarks = landmarks_on(hand)
        if landmarks is not None:
            months = standards.similarity_estimate(
                standards.compare(case.sex, hand.image, landmarks, root)
            )
            rows.append((case.id, case.sex, case.reference_months, months))
    table = pd.DataFrame(rows, columns=_CASE_COLUMNS)
    return table.assign(
        atlas=atlas_digest(root), preprocessing_version=preprocessing.PREPROCESSING_VERSION
    )


def similarity_metrics(root: str | Path | None = None) -> Mapping[str, float] | None:
    """The error of the image-similarity estimate.

    Args:
        root: folder of the atlas, by default the published one.

    Returns:
        A row of `summarize`; None where it was not measured on these standards with this version of
        the preprocessing.

    Raises:
        ArtifactError: a file or the atlas is damaged.
    """
    path = atlas_folder(root) / SIMILARITY
    if not path.exists():
        return None
    table = read_table(path, [*_CASE_COLUMNS, "atlas"])
    if set(table["atlas"]) != {atlas_digest(root)}:
        return None
    if set(table.get("preprocessing_version", ())) != {preprocessing.PREPROCESSING_VERSION}:
        return None
    return summarize(table).iloc[0].to_dict()


def write(name: str, table: pd.DataFrame, root: str | Path | None = None) -> Path:
    """Write a table beside the standards.

    Args:
        name: PREDICTIONS or SIMILARITY.
        table: of `predict_standards` or `estimate_by_similarity`.
        root: folder of the atlas, by default the published one.

    Returns:
        The path of the file.
    """
    path = atlas_folder(root) / name
    artifacts.write_table(path, table)
    return path


def atlas_digest(root: str | Path | None = None) -> str:
    """What tells this set of standards from any other.

    Args:
        root: folder of the atlas, by default the published one.

    Returns:
        12 hexadecimal digits.

    Raises:
        ArtifactError: there is no atlas.
    """
    facts = standards.table(root)[["sex", "months", "build"]].to_csv(index=False)
    return hashlib.sha256(facts.encode()).hexdigest()[:12]
