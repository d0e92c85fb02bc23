"""The models together: their mean, weighted by what the validation set says of them.

The weights are chosen on the validation set, whose MAE of the ensemble is therefore optimistic: in
10-fold cross-validation of the weights it is 6.413 months, in-sample 6.406. Epoch and mirroring of
each model were chosen on the same set.

Tables are those of `boneage.evaluation.metrics`, one for each model's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from boneage.datasets.splits import VALIDATION
from boneage.errors import BoneAgeError
from boneage.models.registry import ENSEMBLE

if TYPE_CHECKING:
    import pandas as pd

MIN_SUBGROUP = 100  # validation cases; of fewer, chance would choose the weights
_CASE = ["split", "id"]

Months = TypeVar("Months", float, np.ndarray)


def with_ensemble(months: Mapping[str, Months], weights: Mapping[str, float]) -> dict[str, Months]:
    """Bone ages of the models, and under "ensemble" their weighted mean.

    Args:
        months: model name -> bone age in months, a number or (N,).
        weights: model name -> its weight, 1 together.

    Returns:
        `months` and "ensemble".

    Example:
        >>> with_ensemble({"a": 100.0, "b": 110.0}, {"a": 0.5, "b": 0.5})
        {'a': 100.0, 'b': 110.0, 'ensemble': 105.0}
    """
    mean: Any = sum(weights[name] * values for name, values in months.items())
    return {**months, ENSEMBLE: mean}


def ensemble_weights(tables: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """The weights with the smallest MAE of the ensemble on the validation set.

    Least absolute deviations as a linear program (W. F. Sharpe, Journal of the American Statistical
    Association 1971;66:618-622).

    Args:
        tables: model name -> its predictions table.

    Returns:
        Model name -> weight, 0 to 1 in whole percent and 1 together. Without `LEAST_CASES`
        validation cases that all tables have, the models weigh the same.

    Example:
        >>> from boneage import artifacts
        >>> names = ["densenet121", "resnet34_cbam"]
        >>> tables = {
        ...     name: artifacts.read_predictions(artifacts.model_folder(name)) for name in names
        ... }
        >>> weights = ensemble_weights(tables)
        >>> round(sum(weights.values()), 2)
        1.0
    """
    predictions = side_by_side(tables)
    predictions = predictions[predictions.index.get_level_values("split") == VALIDATION]
    n, n_models = predictions.shape
    if n < MIN_SUBGROUP:
        return dict.fromkeys(tables, 1 / n_models)
    age = next(iter(tables.values())).set_index(_CASE)["reference_months"].loc[predictions.index]
    residuals = predictions.sub(age, axis=0).to_numpy()
    if n_models == 2:  # pages wait for these weights, and would for the import of SciPy
        percent = np.arange(101)
        shares = np.stack([percent, 100 - percent]) / 100
        weights = shares[:, np.abs(residuals @ shares).sum(axis=0).argmin()]
    else:
        weights = _least_absolute(residuals).round(2)
        weights[weights.argmax()] += 1 - weights.sum()
    return dict(zip(tables, weights.round(2).tolist(), strict=True))


def _least_absolute(residuals: np.ndarray) -> np.ndarray:
    """Weights (k,) of the smallest mean of |residuals (n, k) @ weights|, 1 together."""
    from scipy.optimize import linprog
    from scipy.sparse import block_array, eye_array

    n, n_models = residuals.shape
    # Of every case the parts above and below zero: residuals @ weights = above - below.
    solution = linprog(
        np.r_[np.zeros(n_models), np.ones(2 * n)],
        A_eq=block_array(
            [[residuals, -eye_array(n), eye_array(n)], [np.ones((1, n_models)), None, None]]
        ),
        b_eq=np.r_[np.zeros(n), 1],
    )
    return solution.x[:n_models]


def ensemble_table(
    tables: Mapping[str, pd.DataFrame], weights: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Predictions of the ensemble of several models, on the cases that all of them have.

    Args:
        tables: model name -> its predictions table, one or more.
        weights: model name -> its weight; by default `ensemble_weights(tables)`.

    Returns:
        A predictions table with the columns and the order of the first.

    Raises:
        BoneAgeError: no case is in all tables.

    Example:
        >>> from boneage import artifacts
        >>> table = artifacts.read_predictions(artifacts.model_folder("densenet121"))
        >>> ensemble = ensemble_table({"a": table, "b": table}, {"a": 0.5, "b": 0.5})
        >>> ensemble.equals(table)
        True
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
    """Predictions of the models side by side, on the cases that all have.

    Args:
        tables: model name -> its predictions table.

    Returns:
        Months, a column for each model; the index is split and id.
    """
    import pandas as pd

    months = {name: table.set_index(_CASE)["prediction_months"] for name, table in tables.items()}
    return pd.concat(months, axis=1, join="inner")
