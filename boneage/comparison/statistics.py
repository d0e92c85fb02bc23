"""Two models on the same radiographs: which has the smaller error, where, and their ensemble.

Tables are those of `boneage.evaluation.metrics`. All tests are paired; which of them count, and how
p values are adjusted for their number, is written in `boneage.comparison.significance`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from boneage.comparison.label_noise import (
    corrected_correlation,
    label_noise_variance,
    noise_shares,
)
from boneage.comparison.significance import (
    ALPHA,
    MIN_CASES,
    holm,
    paired_t,
    sign_test,
    spearman,
    wald_p,
)
from boneage.errors import BoneAgeError
from boneage.evaluation.intervals import METRICS, N_RESAMPLES, SEED, resample_metrics
from boneage.evaluation.limits import TOLERANCE, is_large
from boneage.evaluation.metrics import age_band, error_metrics

_CASE = ["split", "id"]
_LARGER_IS_BETTER = {"r2", "within_6", "within_12", "within_24"}


def pair(
    first: pd.DataFrame, second: pd.DataFrame, weights: Sequence[float] = (0.5, 0.5)
) -> pd.DataFrame:
    """Two predictions tables side by side, on the cases that both have.

    Args:
        first: predictions table of one model.
        second: predictions table of the other.
        weights: of the first and the second in the ensemble, 1 together.

    Returns:
        Columns id, split, sex, reference_months, age_band, crop_method (of the first table),
        first_months, second_months and ensemble_months (predictions, the last the weighted mean),
        first_error and second_error (absolute, months), closer ("first", "second" or "equal").

    Raises:
        BoneAgeError: they share no case.
    """
    second = second[[*_CASE, "prediction_months"]]
    both = first.merge(second, on=_CASE, suffixes=("", "_second"))
    if both.empty:
        raise BoneAgeError(
            "The tables share no case (split and id); compare predictions for the same images."
        )
    age = both["reference_months"]
    first_months, second_months = both["prediction_months"], both["prediction_months_second"]
    first_error, second_error = (first_months - age).abs(), (second_months - age).abs()
    difference = first_error - second_error
    columns = ["id", "split", "sex", "reference_months", "age_band", "crop_method"]
    return both.assign(age_band=age_band(age))[columns].assign(
        first_months=first_months,
        second_months=second_months,
        ensemble_months=weights[0] * first_months + weights[1] * second_months,
        first_error=first_error,
        second_error=second_error,
        closer=np.select(
            [difference < -TOLERANCE, difference > TOLERANCE], ["first", "second"], "equal"
        ),
    )


@dataclass(frozen=True)
class Comparison:
    """Two models, and their ensemble, on the same n cases; errors in months.

    Intervals are 95% CIs by Student's t, (low, high), (nan, nan) for a single case.

    Attributes:
        n: number of cases.
        first_mae: of the first model.
        second_mae: of the second model.
        mae_difference: first - second, negative when the first has the smaller error.
        mae_difference_interval: its CI.
        mae_p: p of the paired t test; None below `MIN_CASES` cases.
        wilcoxon_p: two-sided signed-rank test of the absolute errors (Wilcoxon, Biometrics Bulletin
            1945;1:80-83); None below `MIN_CASES` cases and when the errors are all equal.
        large_errors: cases more than 12 months off, for "both", "first_only", "second_only" and
            "neither".
        residual_correlation: Pearson's, between the residuals of the two; None when one of them has
            no spread.
        corrected_correlation: the same without the label noise that the two share, see
            `label_noise`; None where the noise is not known or the correlation not defined.
        noise_shares: label noise as a fraction of the residual variance of the first and the
            second; None where it is not known.
        ensemble_mae: of the ensemble.
        ensemble_gain: MAE of the better single model on these cases - ensemble_mae.
        ensemble_gain_interval: its CI.
        gain_p: p of the paired t test; None below `MIN_CASES` cases.
        disagreement: Spearman's correlation of how far the two predictions lie apart with the
            absolute error of the ensemble, and its 95% CI: (rho, low, high), see
            `significance.spearman`.
    """

    n: int
    first_mae: float
    second_mae: float
    mae_difference: float
    mae_difference_interval: tuple[float, float]
    mae_p: float | None
    wilcoxon_p: float | None
    large_errors: dict[str, int]
    residual_correlation: float | None
    corrected_correlation: float | None
    noise_shares: list[float] | None
    ensemble_mae: float
    ensemble_gain: float
    ensemble_gain_interval: tuple[float, float]
    gain_p: float | None
    disagreement: tuple[float, float, float] | None


def compare(pairs: pd.DataFrame) -> Comparison:
    """Compare two models on all cases of a table.

    Args:
        pairs: of `pair`, cases of one split.

    Returns:
        MAEs, their difference with its 95% CI and p, correlations of the errors and what the
        ensemble gains.

    Example:
        >>> from boneage import artifacts
        >>> first, second = (
        ...     artifacts.read_predictions(artifacts.model_folder(name)).query("split == 'test'")
        ...     for name in ("densenet121", "resnet34_cbam")
        ... )
        >>> found = compare(pair(first, second))
        >>> low, high = found.mae_difference_interval
        >>> low < found.mae_difference < high
        True
    """
    first, second = pairs["first_error"].to_numpy(), pairs["second_error"].to_numpy()
    age = pairs["reference_months"].to_numpy()
    residuals = pairs[["first_months", "second_months"]].to_numpy() - age[:, None]
    ensemble = (pairs["ensemble_months"] - pairs["reference_months"]).abs().to_numpy()
    better = first if first.mean() <= second.mean() else second
    noise = label_noise_variance(pairs["split"].iloc[0])
    is_tested = len(pairs) >= MIN_CASES
    low, high, mae_p = paired_t(first - second)
    gain_low, gain_high, gain_p = paired_t(better - ensemble)
    correlation = _correlation(residuals)
    corrected = None
    if noise is not None and correlation is not None:
        corrected = corrected_correlation(residuals, noise)
    return Comparison(
        n=len(pairs),
        first_mae=float(first.mean()),
        second_mae=float(second.mean()),
        mae_difference=float((first - second).mean()),
        mae_difference_interval=(low, high),
        mae_p=mae_p if is_tested else None,
        wilcoxon_p=_wilcoxon_p(first - second) if is_tested else None,
        large_errors=_large_errors(first, second),
        residual_correlation=correlation,
        corrected_correlation=corrected,
        noise_shares=None if noise is None else noise_shares(residuals, noise),
        ensemble_mae=float(ensemble.mean()),
        ensemble_gain=float((better - ensemble).mean()),
        ensemble_gain_interval=(gain_low, gain_high),
        gain_p=gain_p if is_tested else None,
        disagreement=spearman(np.abs(np.diff(residuals, axis=1))[:, 0], ensemble),
    )


def bias_by_sex(pairs: pd.DataFrame) -> pd.DataFrame:
    """Mean residual of both models and the ensemble.

    Args:
        pairs: of `pair`.

    Returns:
        Months; rows first, second and ensemble, a column all and one a sex.
    """
    residuals = pd.DataFrame(predictions(pairs)).sub(pairs["reference_months"], axis=0)
    by_sex = residuals.groupby(pairs["sex"]).mean().T
    by_sex.insert(0, "all", residuals.mean())
    return by_sex.rename_axis(columns=None)


def resample_models(
    pairs: pd.DataFrame, n_resamples: int = N_RESAMPLES, seed: int = SEED
) -> dict[str, dict[str, np.ndarray]]:
    """The metrics of both models and the ensemble in every resample, all on the same drawn cases.

    Args:
        pairs: of `pair`.
        n_resamples: number of resamples.
        seed: of the draw.

    Returns:
        "first", "second" and "ensemble" -> `resample_metrics`.
    """
    return {
        name: resample_metrics(pairs["reference_months"], months, n_resamples, seed)
        for name, months in predictions(pairs).items()
    }


def predictions(pairs: pd.DataFrame) -> dict[str, pd.Series]:
    """Predictions of both models and the ensemble.

    Args:
        pairs: of `pair`.

    Returns:
        "first", "second" and "ensemble" -> (n,), months.
    """
    return {name: pairs[f"{name}_months"] for name in ("first", "second", "ensemble")}


def metric_differences(
    pairs: pd.DataFrame, drawn: Mapping[str, Mapping[str, np.ndarray]]
) -> pd.DataFrame:
    """Every metric of both models, and whether they differ significantly.

    The tests are paired: Student's t of the absolute errors (MAE), of the squared errors (RMSE, and
    R², which on the same cases says the same) and of the residuals, each with the sign of its mean
    (bias); McNemar's of the cases within so many months; for the median absolute error Student's t
    with the bootstrap standard error.

    Args:
        pairs: of `pair`.
        drawn: `resample_models(pairs)`.

    Returns:
        Columns figure (each of METRICS), first and second in the units of `metrics.error_metrics`,
        difference (first - second; of the bias, that of the absolute biases), p (of the MAE as it
        is, of the others together by `significance.holm`; nan below `MIN_CASES` cases), better
        ("first" or "second" where p is below 5%, else None).
    """
    first, second = (
        error_metrics(pairs["reference_months"], pairs[months])
        for months in ("first_months", "second_months")
    )
    p = pd.Series(float("nan"), index=METRICS)
    if len(pairs) >= MIN_CASES:
        p = pd.Series(_p_values(pairs, drawn))[list(METRICS)]
        others = p.index != "mae"
        p[others] = holm(p[others])
    rows = []
    for name in METRICS:
        difference = first[name] - second[name]
        if name == "bias":
            difference = abs(first[name]) - abs(second[name])
        ahead = "first" if (difference > 0) == (name in _LARGER_IS_BETTER) else "second"
        better = ahead if p[name] < ALPHA else None
        rows.append((name, first[name], second[name], difference, float(p[name]), better))
    table = pd.DataFrame(rows, columns=["metric", "first", "second", "difference", "p", "better"])
    # As texts, pandas would turn None into nan.
    return table.assign(better=pd.Series([row[-1] for row in rows], dtype=object))


def _p_values(
    pairs: pd.DataFrame, drawn: Mapping[str, Mapping[str, np.ndarray]]
) -> dict[str, float]:
    """p of every figure, one by one."""
    first, second = pairs["first_error"].to_numpy(), pairs["second_error"].to_numpy()
    residuals = (
        pairs[["first_months", "second_months"]].sub(pairs["reference_months"], axis=0).to_numpy()
    )
    towards = residuals * np.sign(residuals.mean(axis=0))
    median = np.median(first) - np.median(second)
    median_error = (drawn["first"]["median_ae"] - drawn["second"]["median_ae"]).std(ddof=1)
    p = {
        "mae": paired_t(first - second)[-1],
        "rmse": paired_t(first**2 - second**2)[-1],
        "bias": paired_t(towards[:, 0] - towards[:, 1])[-1],
        "median_ae": wald_p(median, median_error, len(pairs)),
    }
    p["r2"] = p["rmse"] if np.ptp(pairs["reference_months"]) > 0 else float("nan")
    for name in ("within_6", "within_12", "within_24"):
        limit = float(name.removeprefix("within_"))
        only = [(first <= limit) & (second > limit), (first > limit) & (second <= limit)]
        p[name] = sign_test(*(int(cases.sum()) for cases in only))
    return p


def wins(pairs: pd.DataFrame, by: str | Sequence[str] = ("age_band", "sex")) -> pd.DataFrame:
    """How often each model is the closer one, in each group that has cases.

    Args:
        pairs: of `pair`.
        by: columns that make the groups.

    Returns:
        Columns: those of `by`, n, then first, second and equal, shares of the group, 0 to 1; groups
        are sorted.
    """
    by = [by] if isinstance(by, str) else list(by)
    shares = {name: pairs["closer"] == name for name in ("first", "second", "equal")}
    groups = pairs[by].assign(n=1, **shares).groupby(by, observed=True)
    return groups.agg({"n": "size"} | dict.fromkeys(shares, "mean")).reset_index()


def _wilcoxon_p(differences: np.ndarray) -> float | None:
    differences = differences[np.abs(differences) > TOLERANCE]
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


def _correlation(residuals: np.ndarray) -> float | None:
    """Of two columns (n, 2), each of which must spread by more than rounding."""
    if residuals.std(axis=0).min() < TOLERANCE:
        return None
    return float(np.corrcoef(residuals.T)[0, 1])
