"""The published models on changed pictures of labelled radiographs."""

from pathlib import Path

import pandas as pd
from tqdm import tqdm

from boneage.artifacts import fingerprints
from boneage.errors import BoneAgeError
from boneage.inference.ensemble import with_ensemble
from boneage.inference.predictor import Predictor
from boneage.radiographs.reading import Radiograph, UnreadableRadiograph, read_radiograph
from boneage.robustness.perturbations import CLEAN, PERTURBATIONS
from boneage.robustness.table import robustness_table

_BATCH = 32


def measure_robustness(predictor: Predictor, cases: pd.DataFrame) -> pd.DataFrame:
    """The error of every model and the ensemble under every perturbation; shows a progress bar.

    Every change is made to the radiograph as read, which is then written to a file and goes the way
    of any upload. "clean" is the file itself.

    Args:
        predictor: of the models.
        cases: columns id, sex, reference_months and path.

    Returns:
        The columns of `robustness_table`, and model_sha256 (see `artifacts.fingerprints`).

    Raises:
        BoneAgeError: no file can be read.
    """
    parts = []
    with tqdm(total=len(cases) * (1 + len(PERTURBATIONS)), desc="robustness", unit="image") as bar:
        for start in range(0, len(cases), _BATCH):
            batch = cases.iloc[start : start + _BATCH]
            clean = [_read(path) for path in batch["path"]]
            parts.append(_predict(predictor, batch, clean, CLEAN))
            bar.update(len(batch))
            for name, perturbation in PERTURBATIONS.items():
                changed = [r and _read(perturbation.file(r.pixels)) for r in clean]
                parts.append(_predict(predictor, batch, changed, name))
                bar.update(len(batch))
    if all(part.empty for part in parts):
        raise BoneAgeError("None of the labeled images could be read: check folder and labels.")
    table = robustness_table(pd.concat(parts, ignore_index=True))
    return table.assign(model_sha256=table["model"].map(fingerprints(predictor.facts)))


def _read(source: bytes | str | Path) -> Radiograph | None:
    try:
        return read_radiograph(source)
    except UnreadableRadiograph:
        return None


def _predict(
    predictor: Predictor, cases: pd.DataFrame, radiographs: list[Radiograph | None], name: str
) -> pd.DataFrame:
    """Columns perturbation, id, reference_months, and one for each model and "ensemble"."""
    readable = [radiograph is not None for radiograph in radiographs]
    rows = cases.loc[readable, ["id", "reference_months"]].assign(perturbation=name)
    if rows.empty:
        return rows
    hands = [predictor.prepare(radiograph) for radiograph in radiographs if radiograph]
    months = predictor.predict_prepared(hands, cases.loc[readable, "sex"])
    return rows.assign(**with_ensemble(months, predictor.weights))
