"""Evaluation with the atlas: predictions for the plates, and the image-similarity estimate.

`artifacts/atlas/` holds, beside the plates,
    predictions.csv   the bone age of every plate by every model and by their mean, and whether the
                      image quality check refused the plate
    image_similarity.csv  the bone age of test radiographs, none of which is in a plate

Both say what they were worked out from, so that what belongs to other weights or to other plates
is left out.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from tqdm.auto import tqdm

from boneage import artifacts
from boneage.atlas import plates
from boneage.atlas.files import atlas_folder, read_table
from boneage.atlas.landmarks import landmarks_on
from boneage.evaluation.ensemble import with_ensemble
from boneage.evaluation.limits import is_large
from boneage.evaluation.metrics import summarise
from boneage.evaluation.residuals import with_residuals
from boneage.models.registry import ENSEMBLE
from boneage.radiographs.hand import Hand
from boneage.radiographs.preprocessing import PreparedHand, Preprocessing, prepare
from boneage.radiographs.reading import UnreadableRadiograph, read_radiograph
from boneage.wording import children_aged

if TYPE_CHECKING:
    from boneage.predictor import Predictor

PREDICTIONS, SIMILARITY = "predictions.csv", "image_similarity.csv"
# Side of the picture that is compared with the plates and shown beside them, whatever the models
# take: a hand on a plate is about as large.
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


def prepare_to_compare(pixels, hand: Hand | None = None) -> PreparedHand:
    """The hand of a radiograph, (H, W) uint8, as it is compared with plates.

    hand: where it is, if it was found before.
    """
    return prepare(pixels, Preprocessing(size=SIZE), hand)


# The models on the plates -----------------------------------------------------------------------


def predict_plates(predictor: "Predictor", root: str | Path | None = None) -> pd.DataFrame:
    """Bone age of every plate by every model and "ensemble", each plate read like any file.

    Columns sex, months (nominal), model, prediction_months, refused (by the image quality check),
    model_sha256, build (of the plate). Raises ArtifactError without an atlas.
    """
    fingerprints = artifacts.fingerprints(predictor.facts)
    rows = []
    for row in tqdm(list(plates.table(root).itertuples()), desc="plates", unit="plate"):
        content = plates.png(plates.plate(row.sex, row.months, root).image)
        read = predictor.predict(content, row.sex)
        refused = read.refusal is not None
        rows += [
            (row.sex, row.months, model, age, refused, fingerprints[model], row.build)
            for model, age in with_ensemble(read.months, predictor.weights).items()
        ]
    return pd.DataFrame(rows, columns=_PREDICTION_COLUMNS)


def read_plate_predictions(root: str | Path | None = None) -> pd.DataFrame:
    """Predictions of the plates by the published weights, with residuals.

    Columns sex, months, model, refused, and those of `as_cases` and of `with_residuals`. Rows of
    other weights or of a plate built anew are left out; empty where nothing was ever written.
    Raises ArtifactError for a file or an atlas that is damaged.
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
    """The plates as cases with a reference bone age, which is their mean bone age.

    Their table with reference_months, and with id: sex and age in words, such as "Girls, 5 years".

    Raises ArtifactError without an atlas.
    """
    table = plates.table(root).rename(columns={"mean_age_months": "reference_months"})
    titles = [children_aged(row.sex, row.reference_months) for row in table.itertuples()]
    return table.assign(id=titles)


def accepted(predictions: pd.DataFrame) -> pd.DataFrame:
    """The predictions of the plates that passed the image quality check.

    predictions: as `read_plate_predictions` returns them.
    """
    return predictions[~predictions["refused"]]


def refused_plates(predictions: pd.DataFrame) -> list[str]:
    """Ids of the plates that the image quality check refused, by sex and age."""
    refused = predictions[predictions["refused"]].sort_values(["sex", "months"])
    return refused["id"].unique().tolist()


def beyond_a_year(predictions: pd.DataFrame) -> pd.DataFrame:
    """The accepted plates for which the ensemble is off by more than a year, by sex and age.

    predictions: as `read_plate_predictions` returns them.
    """
    read = accepted(predictions)
    beyond = (read["model"] == ENSEMBLE) & is_large(read["absolute_error"])
    return read[beyond].sort_values(["sex", "months"], ignore_index=True)


def usable_plates(root: str | Path | None = None) -> pd.DataFrame:
    """The plates as `as_cases`, but those known to be refused or read more than a year off.

    Raises ArtifactError as `read_plate_predictions`.
    """
    predictions = read_plate_predictions(root)
    left_out = [*refused_plates(predictions), *beyond_a_year(predictions)["id"]]
    cases = as_cases(root)
    return cases[~cases["id"].isin(left_out)]


# Image similarity --------------------------------------------------------------------------------


def estimate_by_similarity(cases: pd.DataFrame, root: str | Path | None = None) -> pd.DataFrame:
    """The image-similarity estimate of radiographs, which needs no neural network.

    cases: columns id, sex, reference_months and path. Returns the first three, prediction_months,
    and atlas, which tells the plates from any others. Radiographs that cannot be read or whose
    hand is not found by its landmarks are left out. Raises ArtifactError without an atlas.
    """
    rows = []
    for case in tqdm(list(cases.itertuples()), desc="image similarity", unit="image"):
        try:
            hand = prepare_to_compare(read_radiograph(case.path).pixels)
        except UnreadableRadiograph:
            continue
        landmarks = landmarks_on(hand)
        if landmarks is not None:
            months = plates.similarity_estimate(
                plates.compare(case.sex, hand.image, landmarks, root)
            )
            rows.append((case.id, case.sex, case.reference_months, months))
    table = pd.DataFrame(rows, columns=_CASE_COLUMNS)
    return table.assign(atlas=atlas_digest(root))


def similarity_metrics(root: str | Path | None = None) -> Mapping[str, float] | None:
    """A row of `summarise`: the error of the image-similarity estimate.

    None where it was not measured on these plates.

    Raises ArtifactError for a file or an atlas that is damaged.
    """
    path = atlas_folder(root) / SIMILARITY
    if not path.exists():
        return None
    table = read_table(path, [*_CASE_COLUMNS, "atlas"])
    if set(table["atlas"]) != {atlas_digest(root)}:
        return None
    return summarise(table).iloc[0].to_dict()


def write(name: str, table: pd.DataFrame, root: str | Path | None = None) -> Path:
    """Write PREDICTIONS or SIMILARITY; returns its path."""
    path = atlas_folder(root) / name
    artifacts.write_table(path, table)
    return path


def atlas_digest(root: str | Path | None = None) -> str:
    """What tells this set of plates from any other. Raises ArtifactError without an atlas."""
    facts = plates.table(root)[["sex", "months", "build"]].to_csv(index=False)
    return hashlib.sha256(facts.encode()).hexdigest()[:12]
