"""Bone ages of many files as one table: what a page shows and a CSV file holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from boneage.models.registry import ENSEMBLE
from boneage.wording import age_in_short, hand_found_short

OK, REFUSED, WAITING = "ok", "refused", "sex missing"


@dataclass(frozen=True)
class FileResult:
    """What became of one file.

    status: OK, REFUSED (then `reason` is a sentence) or WAITING for a sex. A picture that the gate
        refuses has ages only where the user looked at them all the same.
    months: model name -> bone age in months; mean_months their mean, or None.
    crop: how the hand was found, one of `boneage.radiographs.hand.CROP_METHODS`, or None.
    intervals: model name or "ensemble" -> prediction interval (low, high) in months.
    """

    file: str
    status: str
    reason: str | None = None
    sex: str | None = None
    months: dict[str, float] = field(default_factory=dict)
    mean_months: float | None = None
    crop: str | None = None
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)


def refused(result: FileResult, reason: str, with_ages: bool) -> FileResult:
    """The result of a picture that the gate refuses, with or without its ages."""
    if not with_ages:
        result = FileResult(result.file, REFUSED, sex=result.sex, crop=result.crop)
    return replace(result, status=REFUSED, reason=reason)


def results_table(
    results: Sequence[FileResult], models: Sequence[str], level: float
) -> pd.DataFrame:
    """One row a file: file, status, reason, sex, ages, interval_level, crop.

    Ages are <model>_months of each model and mean_months, each with the limits of its interval
    behind it (<model>_low_months, <model>_high_months), float with one decimal. interval_level is
    `level`, the share in 0..1 that the intervals were asked to hold. What a file does not have is
    missing.
    """
    rows = [
        {
            "file": result.file,
            "status": result.status,
            "reason": result.reason,
            "sex": result.sex,
            **_ages(result),
            "interval_level": level if result.intervals else None,
            "crop": result.crop,
        }
        for result in results
    ]
    ages = [f"{name}{end}_months" for name in [*models, "mean"] for end in ("", "_low", "_high")]
    columns = ["file", "status", "reason", "sex", *ages, "interval_level", "crop"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype(dict.fromkeys(ages, float)).round(dict.fromkeys(ages, 1))


def _ages(result: FileResult) -> dict[str, float]:
    ages = {f"{name}_months": age for name, age in result.months.items()}
    ages["mean_months"] = result.mean_months
    for name, (low, high) in result.intervals.items():
        title = "mean" if name == ENSEMBLE else name
        ages |= {f"{title}_low_months": low, f"{title}_high_months": high}
    return ages


def to_csv(table: pd.DataFrame) -> bytes:
    """The table as a CSV file that spreadsheets open with accents in file names intact.

    A file name that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    file = table["file"].map(lambda name: f"'{name}" if name[:1] in "=+-@\t\r" else name)
    return table.assign(file=file).to_csv(index=False).encode("utf-8-sig")


def as_people_read(table: pd.DataFrame) -> pd.DataFrame:
    """A results table with ages in years and months and the hand in words."""
    shown = table.copy()
    for column in [name for name in table if name.endswith("_months")]:
        shown[column] = table[column].map(age_in_short, na_action="ignore")
    shown["crop"] = table["crop"].map(hand_found_short, na_action="ignore")
    return shown


def stated_error(metrics: pd.DataFrame) -> float | None:
    """Mean absolute error in months on all test radiographs; None where no test was made.

    metrics: from `boneage.artifacts.read_metrics`.
    """
    rows = metrics[(metrics["split"] == "test") & (metrics["group"] == "all")]
    return float(rows["mae"].iloc[0]) if len(rows) else None
