"""The published models on changed images of labeled radiographs."""

from collections.abc import Sequence

import pandas as pd
from tqdm import tqdm

from boneage.artifacts import fingerprints
from boneage.datasets.labeled_images import in_batches, labeled_images, read_in_order
from boneage.errors import BoneAgeError
from boneage.inference.ensemble import with_ensemble
from boneage.inference.predictor import Predictor
from boneage.radiographs.reading import Radiograph, UnreadableRadiograph, read_radiograph
from boneage.robustness.perturbations import CLEAN, PERTURBATIONS
from boneage.robustness.table import robustness_table


def measure_robustness(predictor: Predictor, cases: pd.DataFrame) -> pd.DataFrame:
    """The error of every model and the ensemble under every perturbation; shows a progress bar.

    Every change is made to the radiograph as read, which is then written to a file and goes the way
    of any upload. "clean" is the file itself.

    Args:
        predictor: of the models.
        cases: columns id, sex, reference_months and path, see `labeled_cases`.

    Returns:
        The columns of `robustness_table`, and model_sha256 (see `artifacts.fingerprints`).

    Raises:
        BoneAgeError: no file can be read.
    """
    parts = []
    n_images = int(cases["path"].notna().sum()) * (1 + len(PERTURBATIONS))
    with tqdm(total=n_images, desc="robustness", unit="image") as bar:
        for batch in in_batches(labeled_images(cases)):
            rows = pd.DataFrame([row for row, _ in batch])
            clean = [radiograph for _, radiograph in batch]
            parts.append(_predict(predictor, rows, clean, CLEAN))
            bar.update(len(batch))
            for name, perturbation in PERTURBATIONS.items():
                files = [perturbation.file(radiograph.pixels) for radiograph in clean]
                changed = list(read_in_order(files, read_radiograph))
                parts.append(_predict(predictor, rows, changed, name))
                bar.update(len(batch))
    if not parts:
        raise BoneAgeError("None of the labeled images could be read: check folder and labels.")
    table = robustness_table(pd.concat(parts, ignore_index=True))
    return table.assign(model_sha256=table["model"].map(fingerprints(predictor.facts)))


def _predict(
    predictor: Predictor,
    cases: pd.DataFrame,
    radiographs: Sequence[Radiograph | UnreadableRadiograph],
    name: str,
) -> pd.DataFrame:
    """Columns perturbation, id, reference_months, and one for each model and "ensemble"."""
    readable = [isinstance(radiograph, Radiograph) for radiograph in radiographs]
    rows = cases.loc[readable, ["id", "reference_months"]].assign(perturbation=name)
    if rows.empty:
        return rows
    hands = [predictor.prepare(each) for each in radiographs if isinstance(each, Radiograph)]
    months = predictor.predict_prepared(hands, cases.loc[readable, "sex"])
    return rows.assign(**with_ensemble(months, predictor.weights))
