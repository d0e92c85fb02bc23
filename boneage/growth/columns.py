"""SD and adult height beside the bone ages of files: fields of JSON, columns of a table."""

from dataclasses import dataclass

import pandas as pd

from boneage.formatting import nearest_month
from boneage.growth.adult_height import predict_adult_height
from boneage.growth.deviation import deviation
from boneage.growth.entries import ImpossibleEntry
from boneage.growth.reference import BRUSH_FOUNDATION, OutsideTable
from boneage.growth.text import sd_in_words
from boneage.inference.results import FileResult
from boneage.models.registry import ENSEMBLE

# Columns that `with_sd` adds.
SD, SD_LOW, SD_HIGH, ASSESSMENT, NOTE = "sd_score", "sd_low", "sd_high", "assessment", "growth_note"


@dataclass(frozen=True)
class _Score:
    """sd, low, high: the difference from chronological age. note: why there is none."""

    sd: float | None = None
    low: float | None = None
    high: float | None = None
    assessment: str | None = None
    note: str | None = None


def growth_json(
    result: FileResult, model: str, sd_table: str = BRUSH_FOUNDATION, height_cm: float | None = None
) -> dict[str, object]:
    """What the bone age of a file means, for the object that the command line prints.

    Args:
        result: of one file.
        model: name of a model, or "ensemble".
        sd_table: of the SD, a key of `reference.SD_TABLES`.
        height_cm: of the child on the day of the radiograph; None for no adult height.

    Returns:
        sd_score, sd_interval (that of the prediction interval), assessment ("delayed", "normal" or
        "advanced"), sd_table and growth_note, sentences on what a table does not cover. With a
        height also adult_height_cm, adult_height_interval_cm and adult_height_group. None for what
        there is not.

    Raises:
        ImpossibleEntry: the height is impossible.

    Example:
        >>> result = FileResult("a.png", "ok", sex="male", chronological_age_months=144,
        ...                     months={"ensemble": 165}, intervals={"ensemble": (158, 174)})
        >>> fields = growth_json(result, "ensemble", height_cm=150)
        >>> fields["sd_score"], fields["assessment"], fields["adult_height_group"]
        (2.02, 'advanced', 'accelerated')
    """
    age, interval = result.months.get(model), result.intervals.get(model)
    chronological, sex = result.chronological_age_months, result.sex
    score = _score(age, interval, chronological, sex, sd_table)
    notes = [score.note]
    fields: dict[str, object] = {
        SD: _rounded(score.sd, 2),
        "sd_interval": None if score.low is None else [_rounded(score.low), _rounded(score.high)],
        ASSESSMENT: score.assessment,
        "sd_table": sd_table if score.sd is not None else None,
    }
    if height_cm is not None:
        height = None
        if age is not None and sex is not None and chronological is not None:
            try:
                height = predict_adult_height(height_cm, age, interval, chronological, sex)
            except OutsideTable as error:
                notes.append(str(error))
        limits = (
            None if height is None or height.low_cm is None else (height.low_cm, height.high_cm)
        )
        fields |= {
            "adult_height_cm": height and _rounded(height.cm, 1),
            "adult_height_interval_cm": limits and [_rounded(limit, 1) for limit in limits],
            "adult_height_group": height and height.group,
        }
    return fields | {NOTE: " ".join(filter(None, notes)) or None}


def with_sd(table: pd.DataFrame, sd_table: str = BRUSH_FOUNDATION) -> pd.DataFrame:
    """Add the difference in SD to a table of results.

    Args:
        table: of `boneage.inference.results.results_table`.
        sd_table: of the SD, a key of `reference.SD_TABLES`.

    Returns:
        The table with sd_score, sd_low and sd_high (those of the interval of the ensemble), all
        float64, assessment, and growth_note, a sentence where there is no SD though both ages are
        known; missing where there is nothing.
    """
    columns = [f"{ENSEMBLE}{end}_months" for end in ("", "_low", "_high")]
    columns += ["chronological_age_months", "sex"]
    scores = []
    for row in table[columns].astype(object).where(table[columns].notna(), None).itertuples(False):
        age, low, high, chronological, sex = row
        interval = None if low is None else (low, high)
        scores.append(_score(age, interval, chronological, sex, sd_table))
    added = {
        SD: [score.sd for score in scores],
        SD_LOW: [score.low for score in scores],
        SD_HIGH: [score.high for score in scores],
    }
    table = table.assign(**added).astype(dict.fromkeys(added, float))
    return table.assign(
        **{
            ASSESSMENT: [score.assessment for score in scores],
            NOTE: [score.note for score in scores],
        }
    )


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """A table of `with_sd` for people, with the chronological age in years and months.

    Args:
        table: of `with_sd`.

    Returns:
        The table with SDs and assessments in words, and the further columns years and months, Int64
        and missing where the age is.
    """
    age = table["chronological_age_months"].map(nearest_month, na_action="ignore").astype("Int64")
    return table.assign(
        years=age // 12,
        months=age % 12,
        **{SD: table[SD].map(sd_in_words, na_action="ignore")},
        **{ASSESSMENT: table[ASSESSMENT].map(str.capitalize, na_action="ignore")},
    )


def _score(
    age: float | None,
    interval: tuple[float, float] | None,
    chronological: float | None,
    sex: str | None,
    sd_table: str,
) -> _Score:
    if age is None or chronological is None or sex is None:
        return _Score()
    try:
        found = deviation(age, interval, chronological, sex, sd_table)
    except (OutsideTable, ImpossibleEntry) as error:
        return _Score(note=str(error))
    low, high = found.interval_z or (None, None)
    return _Score(found.z, low, high, found.status)


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(float(value), digits)
