"""The models together: their mean, weighted by what the validation set says of them.

The weights are chosen on the validation set, whose MAE of the ensemble is therefore optimistic: in
10-fold cross-validation of the weights it is 6.413 months, in-sample 6.406. Epoch and mirroring of
each model were chosen on the same set.

Tables are those of `boneage.evaluation.metrics`, one for each model's name.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import block_array, eye_array

from boneage.datasets.splits import VALIDATION
from boneage.errors import BoneAgeError
from boneage.models.registry import ENSEMBLE

MIN_SUBGROUP = 100  # validation cases; of fewer, chance would choose the weights
_CASE = ["split", "id"]


def with_ensemble(
    months: Mapping[str, float | np.ndarray], weights: Mapping[str, float]
) -> dict[str, float | np.ndarray]:
    """Bone ages of the models, by name, and under "ensemble" their mean; numbers or (N,) each."""
    return {**months, ENSEMBLE: sum(weights[name] * values for name, values in months.items())}


def ensemble_weights(tables: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """The weights, from 0 to 1 in whole percent and 1 together, with the least validation MAE.

    Least absolute deviations as a linear program (W. F. Sharpe, Journal of the American
    Statistical Association 1971;66:618-622). Without `MIN_SUBGROUP` validation cases that all
    tables have, the models weigh the same.
    """
    predictions = side_by_side(tables)
    predictions = predictions[predictions.index.get_level_values("split") == VALIDATION]
    n, n_models = predictions.shape
    if n < MIN_SUBGROUP:
        return dict.fromkeys(tables, 1 / n_models)
    age = next(iter(tables.values())).set_index(_CASE)["reference_months"].loc[predictions.index]
    residuals = predictions.sub(age, axis=0).to_numpy()
    # Of every case the parts above and below zero: residuals @ weights = above - below.
    solution = linprog(
        np.r_[np.zeros(n_models), np.ones(2 * n)],
        A_eq=block_array(
            [[residuals, -eye_array(n), eye_array(n)], [np.ones((1, n_models)), None, None]]
        ),
        b_eq=np.r_[np.zeros(n), 1],
    )
    weights = solution.x[:n_models].round(2)
    weights[weights.argmax()] += 1 - weights.sum()
    return dict(zip(tables, weights.round(2).tolist(), strict=True))


def ensemble_table(
    tables: Mapping[str, pd.DataFrame], weights: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Predictions of the mean of several models, on the cases that all of them have.

    `tables` holds one or more predictions tables; `weights` are `ensemble_weights(tables)`, worked
    out here unless given. The result has the columns and the order of the first table.

    Raises BoneAgeError when no case is in all tables.
    """
    predictions = side_by_side(tables)
    if predictions.empty:
        raise BoneAgeError(
            "The tables share no case (split and id); compare predictions for the same images."
        )
    mean = with_ensemble(predictions, weights or ensemble_weights(tables))[ENSEMBLE]
    first = next(iter(tables.values()))
    cases = first.set_index(_CASE).join(mean.rename("mean_months"), how="inner").reset_index()
    return cases.assign(prediction_months=cases["mean_months"])[first.columns]


def side_by_side(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Predictions in months, a column for each model, of the cases that all have.

    The index is split and id.
    """
    months = {name: table.set_index(_CASE)["prediction_months"] for name, table in tables.items()}
    return pd.concat(months, axis=1, join="inner")
