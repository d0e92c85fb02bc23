"""The published models on changed images of labeled radiographs."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pandas as pd

from boneage.artifacts import fingerprints
from boneage.datasets.labeled_images import InOrder, in_order, labeled_images
from boneage.errors import BoneAgeError
from boneage.inference.ensemble import with_ensemble
from boneage.inference.predictor import Predictor
from boneage.radiographs.reading import UnreadableRadiograph, read_radiograph
from boneage.robustness.perturbations import CLEAN, PERTURBATIONS
from boneage.robustness.table import robustness_table


def measure_robustness(
    predictor: Predictor,
    cases: pd.DataFrame,
    predict: Callable[[Any], list[dict[str, Any]]] | None = None,
    each: InOrder | None = None,
) -> pd.DataFrame:
    """The error of every model and the ensemble under every perturbation; shows a progress bar.

    Every change is made to the radiograph as read, which is then written to a file and goes the way
    of any upload. "clean" is the file itself.

    Args:
        predictor: of the models.
        cases: columns id, sex, reference_months and path, see `labeled_cases`.
        predict: `predict_changed` with a predictor; by default that above.
        each: what works through the cases, by default `in_order` on the predictor's threads.

    Returns:
        The columns of `robustness_table`, and model_sha256 (see `artifacts.fingerprints`).

    Raises:
        BoneAgeError: no file can be read.
    """
    measured = labeled_images(
        cases,
        predict or partial(predict_changed, predictor),
        "robustness",
        each or partial(in_order, workers=predictor.workers),
    )
    rows = [row for _, rows in measured for row in rows]
    if not rows:
        raise BoneAgeError("None of the labeled images could be read: check folder and labels.")
    table = robustness_table(pd.DataFrame(rows))
    return table.assign(model_sha256=table["model"].map(fingerprints(predictor.facts)))


def predict_changed(predictor: Predictor, case: Any) -> list[dict[str, Any]]:
    """Predict a case under every perturbation.

    Args:
        predictor: of the models.
        case: with id, sex, reference_months and path.

    Returns:
        Rows of perturbation, id, reference_months, and a bone age of each model and "ensemble".

    Raises:
        UnreadableRadiograph: the file cannot be read.
    """
    clean = read_radiograph(case.path)
    changed = {CLEAN: clean}
    for name, perturbation in PERTURBATIONS.items():
        with suppress(UnreadableRadiograph):
            changed[name] = read_radiograph(perturbation.file(clean.pixels))
    hands = [predictor.prepare(radiograph) for radiograph in changed.values()]
    months = predictor.predict_prepared(hands, [case.sex] * len(hands))
    rows = pd.DataFrame(with_ensemble(months, predictor.weights)).assign(
        perturbation=list(changed), id=case.id, reference_months=case.reference_months
    )
    return rows.to_dict("records")
