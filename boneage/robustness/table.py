"""How much larger errors are on changed images of the same hands."""

import pandas as pd

from boneage.evaluation.intervals import N_RESAMPLES, SEED, percentile_interval, resample_means
from boneage.robustness.perturbations import CLEAN

_CASE = ["perturbation", "id", "reference_months"]
_CLEAN = "_clean"  # ending of the columns without the change


def robustness_table(
    predictions: pd.DataFrame, n_resamples: int = N_RESAMPLES, seed: int = SEED
) -> pd.DataFrame:
    """The error of every model under every perturbation, against that on the clean images.

    A perturbation is judged on the cases that it and "clean" share.

    Args:
        predictions: columns perturbation ("clean" among them), id, reference_months, and one of
            predictions in months for each model.
        n_resamples: number of bootstrap resamples.
        seed: of the resamples.

    Returns:
        Columns perturbation, model, n, then with 95% CIs (_low, _high) the mae in months, its
        change (mae - clean mae) and its ratio (mae / clean mae). The intervals of change and ratio
        are paired: both errors are resampled together.
    """
    models = predictions.columns.drop(_CASE)
    errors = predictions[models].sub(predictions["reference_months"], axis=0).abs()
    errors.index = pd.MultiIndex.from_frame(predictions[_CASE[:2]])
    clean = errors.loc[CLEAN].add_suffix(_CLEAN)
    rows = []
    for perturbation in errors.index.unique("perturbation"):
        pairs = errors.loc[perturbation].join(clean, how="inner")
        drawn = pd.DataFrame(resample_means(pairs, n_resamples, seed), columns=pairs.columns)
        for model in models:
            found, resampled = _figures(pairs.mean(), model), _figures(drawn, model)
            row = {"perturbation": perturbation, "model": model, "n": len(pairs)}
            for name, value in found.items():
                low, high = percentile_interval(resampled[name], len(pairs))
                row |= {name: value, f"{name}_low": low, f"{name}_high": high}
            rows.append(row)
    return pd.DataFrame(rows)


def _figures(mae: pd.Series | pd.DataFrame, model: str) -> dict:
    """The figures of the table, from the MAE of all models with and without the change."""
    changed, clean = mae[model], mae[model + _CLEAN]
    return {"mae": changed, "change": changed - clean, "ratio": changed / clean}
