"""Two models on the same radiographs: who is closer, where, and what their mean gains.

Tables are those of `boneage.evaluation.metrics`. All intervals are 95 % percentile bootstrap
intervals of paired resamples: both models are judged on the same drawn cases.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from boneage.evaluation.intervals import (
    FIGURES,
    N_RESAMPLES,
    SEED,
    percentile_interval,
    resample_figures,
    resample_means,
)
from boneage.evaluation.limits import TOLERANCE, is_large
from boneage.evaluation.metrics import age_band, figures

_CASE = ["split", "id"]
_LARGER_IS_BETTER = {"r2", "within_6", "within_12", "within_24"}
_EQUAL = TOLERANCE  # months; errors closer than this are the same


def pair(
    first: pd.DataFrame, second: pd.DataFrame, weights: Sequence[float] = (0.5, 0.5)
) -> pd.DataFrame:
    """Two predictions tables side by side, on the cases that both have.

    Result columns: id, split, sex, age_months, age_band, crop_method (of the first table),
    first_months, second_months and ensemble_months (predictions, the last the mean of the two with
    these weights, whose sum is 1), first_error and second_error (absolute, months), closer
    ("first", "second" or "equal").

    Raises ValueError when they share no case.
    """
    second = second[[*_CASE, "prediction_months"]]
    both = first.merge(second, on=_CASE, suffixes=("", "_second"))
    if both.empty:
        raise ValueError(
            "The tables share no case (split and id); compare predictions for the same images."
        )
    age = both["age_months"]
    first_months, second_months = both["prediction_months"], both["prediction_months_second"]
    first_error, second_error = (first_months - age).abs(), (second_months - age).abs()
    difference = first_error - second_error
    columns = ["id", "split", "sex", "age_months", "age_band", "crop_method"]
    return both.assign(age_band=age_band(age))[columns].assign(
        first_months=first_months,
        second_months=second_months,
        ensemble_months=weights[0] * first_months + weights[1] * second_months,
        first_error=first_error,
        second_error=second_error,
        closer=np.select([difference < -_EQUAL, difference > _EQUAL], ["first", "second"], "equal"),
    )


@dataclass(frozen=True)
class Comparison:
    """Two models, and the mean of both, on the same n cases; errors in months.

    mae_difference: first - second, negative when the first is closer.
    wilcoxon_p: two-sided signed-rank test of the absolute errors (Wilcoxon, Biometrics Bulletin
        1945;1:80-83); None when the errors are all equal.
    large_errors: cases more than 12 months off, for "both", "first_only", "second_only" and
        "neither".
    mcnemar_p: two-sided exact test of first_only against second_only (McNemar, Psychometrika
        1947;12:153-157); None when there is neither.
    residual_correlation: Pearson's, between the residuals of the two; None when one of them has
        no spread.
    ensemble_mae: of the mean of both predictions.
    ensemble_gain: MAE of the better single model on these cases - ensemble_mae.
    ensemble_sd_ratio: standard deviation of the residual of the mean, as a fraction of that of
        one model, for two models of equal spread whose residuals are correlated like these,
        sqrt((1 + rho) / 2); None without a correlation.

    Intervals are (low, high), (nan, nan) for a single case.
    """

    n: int
    first_mae: float
    second_mae: float
    mae_difference: float
    mae_difference_interval: tuple[float, float]
    wilcoxon_p: float | None
    large_errors: dict[str, int]
    mcnemar_p: float | None
    residual_correlation: float | None
    ensemble_mae: float
    ensemble_gain: float
    ensemble_gain_interval: tuple[float, float]
    ensemble_sd_ratio: float | None


def compare(pairs: pd.DataFrame, n_resamples: int = N_RESAMPLES, seed: int = SEED) -> Comparison:
    """What there is to say of two models on all cases of a table from `pair`."""
    first, second = pairs["first_error"].to_numpy(), pairs["second_error"].to_numpy()
    age = pairs["age_months"].to_numpy()
    residuals = pairs[["first_months", "second_months"]].to_numpy() - age[:, None]
    ensemble = (pairs["ensemble_months"] - pairs["age_months"]).abs().to_numpy()
    better = first if first.mean() <= second.mean() else second
    columns = np.column_stack([first - second, better - ensemble])
    difference, gain = columns.mean(axis=0).tolist()
    difference_interval, gain_interval = _mean_intervals(columns, n_resamples, seed)
    large_errors = _large_errors(first, second)
    correlation = _correlation(residuals)
    return Comparison(
        n=len(pairs),
        first_mae=float(first.mean()),
        second_mae=float(second.mean()),
        mae_difference=difference,
        mae_difference_interval=difference_interval,
        wilcoxon_p=_wilcoxon_p(first - second),
        large_errors=large_errors,
        mcnemar_p=_mcnemar_p(large_errors["first_only"], large_errors["second_only"]),
        residual_correlation=correlation,
        ensemble_mae=float(ensemble.mean()),
        ensemble_gain=gain,
        ensemble_gain_interval=gain_interval,
        ensemble_sd_ratio=None if correlation is None else ((1 + correlation) / 2) ** 0.5,
    )


def resample_models(
    pairs: pd.DataFrame, n_resamples: int = N_RESAMPLES, seed: int = SEED
) -> dict[str, dict[str, np.ndarray]]:
    """`resample_figures` of "first", "second" and "ensemble", all on the same drawn cases."""
    return {
        name: resample_figures(pairs["age_months"], months, n_resamples, seed)
        for name, months in predictions(pairs).items()
    }


def predictions(pairs: pd.DataFrame) -> dict[str, pd.Series]:
    """Months of "first", "second" and "ensemble" in a table from `pair`."""
    return {name: pairs[f"{name}_months"] for name in ("first", "second", "ensemble")}


def figure_differences(
    pairs: pd.DataFrame, drawn: Mapping[str, Mapping[str, np.ndarray]]
) -> pd.DataFrame:
    """Every figure of both models, and whether they differ by more than chance.

    `pairs` is from `pair`, `drawn` is `resample_models(pairs)`. Result columns: figure (each of
    FIGURES), first and second in the units of `metrics.figures`, difference (first - second; of
    the bias, that of the absolute biases), low and high (its interval, nan for a single case),
    better ("first" or "second"; None while the interval includes zero).
    """
    first, second = (
        figures(pairs["age_months"], pairs[months]) for months in ("first_months", "second_months")
    )
    differences = _difference(first, second)
    resampled = _difference(drawn["first"], drawn["second"])
    rows = []
    for name in FIGURES:
        low, high = percentile_interval(resampled[name], len(pairs))
        better = None
        if low > 0 or high < 0:
            better = "first" if (low > 0) == (name in _LARGER_IS_BETTER) else "second"
        rows.append(
            {
                "figure": name,
                "first": first[name],
                "second": second[name],
                "difference": float(differences[name]),
                "low": low,
                "high": high,
                "better": better,
            }
        )
    table = pd.DataFrame(rows)
    # As texts, pandas would turn None into nan.
    return table.assign(better=pd.Series([row["better"] for row in rows], dtype=object))


def wins(pairs: pd.DataFrame, by: str | Sequence[str] = ("age_band", "sex")) -> pd.DataFrame:
    """How often each model is the closer one, in each group that has cases.

    `pairs` is from `pair`. Result columns: those of `by`, n, then first, second and equal, shares
    of the group in 0..1; groups are sorted.
    """
    by = [by] if isinstance(by, str) else list(by)
    shares = {name: pairs["closer"] == name for name in ("first", "second", "equal")}
    groups = pairs[by].assign(n=1, **shares).groupby(by, observed=True)
    return groups.agg({"n": "size"} | dict.fromkeys(shares, "mean")).reset_index()


def _difference(first: Mapping, second: Mapping) -> dict:
    """Of each figure, first - second; of a bias only its size counts."""
    differences = {name: first[name] - second[name] for name in FIGURES}
    return differences | {"bias": np.abs(first["bias"]) - np.abs(second["bias"])}


def _mean_intervals(columns: np.ndarray, n_resamples: int, seed: int) -> list[tuple[float, float]]:
    means = resample_means(columns, n_resamples, seed)
    return [percentile_interval(column, len(columns)) for column in means.T]


def _wilcoxon_p(differences: np.ndarray) -> float | None:
    differences = differences[np.abs(differences) > _EQUAL]
    return float(stats.wilcoxon(differences).pvalue) if len(differences) else None


def _large_errors(first: np.ndarray, second: np.ndarray) -> dict[str, int]:
    first, second = is_large(first), is_large(second)
    counts = {
        "both": first & second,
        "first_only": first & ~second,
        "second_only": ~first & second,
        "neither": ~first & ~second,
    }
    return {name: int(is_one.sum()) for name, is_one in counts.items()}


def _mcnemar_p(first_only: int, second_only: int) -> float | None:
    discordant = first_only + second_only
    return float(stats.binomtest(first_only, discordant).pvalue) if discordant else None


def _correlation(residuals: np.ndarray) -> float | None:
    """Of two columns (n, 2), each of which must spread by more than rounding."""
    if residuals.std(axis=0).min() < _EQUAL:
        return None
    return float(np.corrcoef(residuals.T)[0, 1])
