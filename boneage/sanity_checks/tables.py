"""What occlusion and weight randomization say of a model: cases to test, and tables of the results.

The measurements themselves are those of `boneage.sanity_checks.occlusion` and `.randomization`;
groups are bands of reference bone age, as everywhere.
"""

from collections.abc import Iterator

import pandas as pd

from boneage.evaluation.intervals import SEED, percentile_interval, resample_means
from boneage.evaluation.metrics import age_band

ALL = "all"


def balanced_sample(predictions: pd.DataFrame, n: int, seed: int = SEED) -> pd.DataFrame:
    """Cases of a predictions table, as many of each sex and age band as of any other.

    Bands at the ends of the range hold few of all children, and would say nothing in a plain
    sample. A cell with too few cases gives all it has.

    Args:
        predictions: a predictions table.
        n: at most this many cases.
        seed: of the sample; the same cases come out in any order of rows.

    Returns:
        The cases.
    """
    cases = predictions.sort_values("id").sample(frac=1, random_state=seed)
    cells = cases.groupby(["sex", age_band(cases["reference_months"])], observed=True)
    return cases[cells.cumcount() < n // max(1, cells.ngroups)]


def occlusion_table(shifts: pd.DataFrame) -> pd.DataFrame:
    """What hiding each region does to each model's answers, for all and by age band.

    Args:
        shifts: columns model, model_sha256, id, reference_months, region, area, shift_months,
            control_shift_months; see `boneage.sanity_checks.occlusion.occlusion_shifts`.

    Returns:
        Columns model, model_sha256, group ("all", "0-5 years", ...), region, n, and the means of
        area (share of the image, 0 to 1), change (absolute shift, months), control_change (the
        same of the region's control), shift (signed, months: positive when hiding makes the hand
        look older), change_per_area (months for each hundredth of the image hidden) and, with its
        95% bootstrap CI (_low, _high), difference (change minus control_change, paired by
        radiograph).
    """
    change, control = shifts["shift_months"].abs(), shifts["control_shift_months"].abs()
    shifts = shifts.assign(
        change=change,
        control_change=control,
        shift=shifts["shift_months"],
        change_per_area=change / (100 * shifts["area"]),
        difference=change - control,
    )
    means = ["area", "change", "control_change", "shift", "change_per_area"]
    rows = [
        {**key, **cases[means].mean(), **_mean(cases["difference"])}
        for key, cases in _groups(shifts, ["model", "model_sha256", "group", "region"])
    ]
    return pd.DataFrame(rows)


def randomization_table(similarities: pd.DataFrame) -> pd.DataFrame:
    """How much of each model's maps is left when more and more of its weights are random.

    Args:
        similarities: columns model, model_sha256, id, step, stage, similarity; see
            `boneage.explain.randomization.Randomization`.

    Returns:
        Columns model, model_sha256, step, stage, n, similarity (mean, -1 to 1) with its 95%
        bootstrap CI, and sd, the standard deviation over radiographs.
    """
    by = ["model", "model_sha256", "step", "stage"]
    rows = [
        {
            **dict(zip(by, key, strict=True)),
            **_mean(c["similarity"]),
            "sd": c["similarity"].std(),
        }
        for key, c in similarities.groupby(by, sort=False)
    ]
    return pd.DataFrame(rows)


def _groups(shifts: pd.DataFrame, by: list[str]) -> Iterator[tuple[dict, pd.DataFrame]]:
    """The cases of every group, all first; regions in the order of the table."""
    bands = age_band(shifts["reference_months"])
    parts = {ALL: shifts} | {
        band: shifts[bands == band] for band in bands.cat.categories if (bands == band).any()
    }
    for group, part in parts.items():
        for key, cases in part.assign(group=group).groupby(by, sort=False):
            yield dict(zip(by, key, strict=True)), cases


def _mean(values: pd.Series) -> dict:
    """n, and the mean of a column with its interval."""
    resampled = resample_means(values.to_numpy(float)[:, None])[:, 0]
    low, high = percentile_interval(resampled, len(values))
    name = values.name
    return {"n": len(values), name: values.mean(), f"{name}_low": low, f"{name}_high": high}
