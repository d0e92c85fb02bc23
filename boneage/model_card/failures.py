"""The largest errors, case by case, with what the data say about each."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from boneage.datasets.challenge import N_READINGS, READING_SD
from boneage.datasets.splits import TRAIN
from boneage.evaluation.limits import is_large
from boneage.inference.ensemble import side_by_side
from boneage.models.registry import ENSEMBLE

_ALIKE = 6  # months between the reference bone ages of cases of about the same age

_CASE = ["split", "id"]
_OF_CASE = ["sex", "reference_months", "crop_method", "block"]


def failures(
    tables: Mapping[str, pd.DataFrame], ensemble: pd.DataFrame, split: str, n: int
) -> pd.DataFrame:
    """The `n` largest absolute errors of the ensemble on a split of the RSNA data, largest first.

    Args:
        tables: the predictions table of each model, see `boneage.evaluation.metrics`.
        ensemble: that of the ensemble, with a column block (`datasets.blocks`); its training cases
            are what the worst cases are compared with.
        split: "train", "validation" or "test".
        n: how many, fewer where the split has fewer.

    Returns:
        Columns id, sex, reference_months, crop_method, block; a residual in months for each model
        and "ensemble"; label_sds, the absolute residual of the ensemble in SDs of the reference
        bone age; all_models, whether every model errs by more than 12 months in the same direction;
        less_contrast, the share (0..1) of training cases with less contrast; n_alike, the number of
        training cases of this sex with a reference bone age within 6 months.
    """
    cases = ensemble[ensemble["split"] == split].set_index(_CASE)
    months = side_by_side(tables).assign(
        **{ENSEMBLE: ensemble.set_index(_CASE)["prediction_months"]}
    )
    residuals = months.loc[cases.index].sub(cases["reference_months"], axis=0)
    # Stable, so that the same table gives the same order where errors are equal.
    worst = residuals[ENSEMBLE].abs().sort_values(ascending=False, kind="stable").index[:n]
    cases, residuals = cases.loc[worst], residuals.loc[worst]
    of_models = residuals[list(tables)]
    same_side = of_models.gt(0).all(axis=1) | of_models.lt(0).all(axis=1)
    train = ensemble[ensemble["split"] == TRAIN]
    compared = {
        "label_sds": residuals[ENSEMBLE].abs() / (READING_SD / N_READINGS[split] ** 0.5),
        "all_models": same_side & is_large(of_models.abs()).all(axis=1),
        "less_contrast": [np.mean(train["contrast"] < contrast) for contrast in cases["contrast"]],
        "n_alike": [
            _n_alike(train, case.sex, case.reference_months) for case in cases.itertuples()
        ],
    }
    table = cases[_OF_CASE].join(residuals).assign(**compared)
    return table.reset_index("id").reset_index(drop=True)


def _n_alike(train: pd.DataFrame, sex: str, reference_months: float) -> int:
    apart = (train.loc[train["sex"] == sex, "reference_months"] - reference_months).abs()
    return int((apart <= _ALIKE).sum())
