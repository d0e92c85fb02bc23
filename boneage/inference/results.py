"""Bone ages of files: what the command line prints, a page shows and a CSV file holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from boneage import formatting
from boneage.inference import text as prediction_text
from boneage.models.registry import ENSEMBLE
from boneage.radiographs import text as hand_text
from boneage.sexes import SEXES

if TYPE_CHECKING:
    import pandas as pd

    from boneage.inference.local_calibration import LocalCalibration
    from boneage.inference.predictor import Prediction
    from boneage.radiographs.file_info import FileInfo
    from boneage.radiographs.manual_frame import ManualFrame

OK, REFUSED, UNREADABLE, WAITING = "ok", "refused", "unreadable", "sex missing"
GIVEN, HEADER = "given", "header"


@dataclass(frozen=True)
class FileResult:
    """What became of one file, or of one hand on a film of both hands.

    Attributes:
        file: its name.
        status: OK, REFUSED by the quality check, UNREADABLE, or WAITING for a sex.
        reason: sentences on a status other than OK, on a sex or an age that the DICOM header
            contradicts, and on a file or a manually drawn box that may change the prediction.
        sex: "female" or "male", as used for the prediction.
        sex_source: GIVEN or HEADER, the DICOM header.
        chronological_age_months: as given, else as the DICOM header states it.
        months: model name, and "ensemble" for their weighted mean -> bone age in months. Empty
            without a bone age; of a refused radiograph there is one only where it was asked for all
            the same.
        crop: how the hand was found, one of `boneage.radiographs.hand.CROP_METHODS` or MANUAL.
        intervals: model name or "ensemble" -> prediction interval (low, high) in months.
        info: how the file stores the radiograph, where it was read.
        hand: of a film of both hands, which one it probably is, "left" or "right".
        position: of such a film, where the hand lies, see `FilmPart.position`.
        frame: the box that a person drew.
        chronological_age_source: GIVEN or HEADER; None without an age.
        local: the local calibration that `months` and `intervals` went through; None without.
        local_change: months by which it changes the bone age of its model; None without.
    """

    file: str
    status: str
    reason: str | None = None
    sex: str | None = None
    sex_source: str | None = None
    chronological_age_months: float | None = None
    months: dict[str, float] = field(default_factory=dict)
    crop: str | None = None
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    info: FileInfo | None = None
    hand: str | None = None
    position: str | None = None
    frame: ManualFrame | None = None
    chronological_age_source: str | None = None
    local: LocalCalibration | None = None
    local_change: float | None = None


def result_of(
    file: str,
    prediction: Prediction,
    sex_source: str,
    level: float,
    show_refused: bool,
    chronological_age_months: float | None = None,
    note: str | None = None,
) -> FileResult:
    """The result of a file that was predicted.

    Args:
        file: its name.
        prediction: of the file.
        sex_source: GIVEN or HEADER.
        level: share, 0 to 1, that the prediction intervals are asked to hold.
        show_refused: give the bone age of a refused radiograph, too, without an interval.
        chronological_age_months: as a person gave it; by default that of the DICOM header.
        note: a further sentence for `reason`.

    Returns:
        The result, with all models and the ensemble.
    """
    refusal, source = prediction.refusal, prediction.source
    reasons = [refusal.reason] if refusal else []
    if source.sex and prediction.contradicts_header:
        reasons.append(prediction_text.other_sex_in_header(source.sex, prediction.sex))
    age, age_source = chronological_age_months, GIVEN
    if age is None:
        age, age_source = source.age_months, HEADER
    elif sentence := prediction_text.other_age_in_header(source.age_months, age):
        reasons.append(sentence)
    reasons += filter(None, (source.warning, note))
    shown = show_refused or not refusal
    return FileResult(
        file,
        REFUSED if refusal else OK,
        " ".join(reasons) or None,
        prediction.sex,
        sex_source,
        age,
        prediction.ages if shown else {},
        source.hand.method,
        prediction.intervals(level),
        source.info,
        source.part.side if source.part else None,
        source.part.position if source.part else None,
        source.frame,
        None if age is None else age_source,
        prediction.local,
        prediction.local_change if shown else None,
    )


def as_json(result: FileResult, model: str, verbose: bool = False) -> dict:
    """The result by one model as the command line prints it.

    Args:
        result: of one file.
        model: name of a model, or "ensemble".
        verbose: also say how the file stores the radiograph and what reading it changed.

    Returns:
        The object: file, hand, position, status, reason, model, sex, sex_source,
        chronological_age_months, chronological_age_source, bone_age_months, interval_months and
        crop; where a person drew a box, also box and rotation, see `ManualFrame`; with a local
        calibration, local_calibration, its label, and local_change_months. `verbose` adds read, the
        attributes of `FileInfo`. None for what the file does not have.

    Example:
        >>> as_json(FileResult("a.png", UNREADABLE, "The file is empty."), "ensemble")["status"]
        'unreadable'
    """
    age, interval = result.months.get(model), result.intervals.get(model)
    chronological = result.chronological_age_months
    answer: dict[str, object] = {
        "file": result.file,
        "hand": result.hand,
        "position": result.position,
        "status": result.status,
        "reason": result.reason,
        "model": model,
        "sex": result.sex,
        "sex_source": result.sex_source,
        "chronological_age_months": None if chronological is None else round(chronological, 1),
        "chronological_age_source": result.chronological_age_source,
        "bone_age_months": None if age is None else round(age, 2),
        "interval_months": None if interval is None else [round(end, 1) for end in interval],
        "crop": result.crop,
    }
    if result.frame:
        answer |= {"box": list(result.frame.box), "rotation": result.frame.rotation}
    if result.local:
        change = result.local_change
        answer["local_calibration"] = result.local.label
        answer["local_change_months"] = None if change is None else round(change, 2)
    if verbose:
        answer["read"] = asdict(result.info) if result.info else None
    return answer


def results_table(
    results: Sequence[FileResult], models: Sequence[str], level: float
) -> pd.DataFrame:
    """The results of files as a table.

    Args:
        results: of the files.
        models: names of the models to show, besides the ensemble.
        level: share, 0 to 1, that the prediction intervals were asked to hold.

    Returns:
        One row a result: file, hand, position, status, reason, sex, chronological_age_months, bone
        ages, interval_level, crop, box and rotation, where a person drew a box for one of them
        (see `ManualFrame`), and local_calibration, where there is one, its label.
        hand and position are missing but for films of both hands. Ages are
        <model>_months of each model and ensemble_months, each with the limits of its interval
        behind it (<model>_low_months, <model>_high_months), unrounded floats. interval_level is
        `level`. What a file does not have is missing.

    Example:
        >>> months = {"densenet121": 98.2, "ensemble": 99.0}
        >>> result = FileResult("a.png", OK, sex="male", months=months)
        >>> table = results_table([result], ["densenet121"], level=0.9)
        >>> table[["file", "densenet121_months", "ensemble_months"]].to_numpy().tolist()
        [['a.png', 98.2, 99.0]]
    """
    import pandas as pd

    rows = [
        {
            "file": result.file,
            "hand": result.hand,
            "position": result.position,
            "status": result.status,
            "reason": result.reason,
            "sex": result.sex,
            "chronological_age_months": result.chronological_age_months,
            **_ages(result),
            "interval_level": level if result.intervals else None,
            "crop": result.crop,
            "box": result.frame and ",".join(f"{edge:g}" for edge in result.frame.box),
            "rotation": result.frame and result.frame.rotation,
            "local_calibration": result.local and result.local.label,
        }
        for result in results
    ]
    ages = [f"{name}{end}_months" for name in [*models, ENSEMBLE] for end in ("", "_low", "_high")]
    columns = [
        "file",
        "hand",
        "position",
        "status",
        "reason",
        "sex",
        "chronological_age_months",
        *ages,
        "interval_level",
        "crop",
        *(("box", "rotation") if any(result.frame for result in results) else ()),
        *(("local_calibration",) if any(result.local for result in results) else ()),
    ]
    floats = ["chronological_age_months", *ages]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(floats, float))


def _ages(result: FileResult) -> dict[str, float]:
    ages = {f"{name}_months": age for name, age in result.months.items()}
    for name, (low, high) in result.intervals.items():
        ages |= {f"{name}_low_months": low, f"{name}_high_months": high}
    return ages


def to_csv(table: pd.DataFrame) -> bytes:
    """The table as a CSV file that spreadsheets open with accents in file names intact.

    Months have one decimal, SDs two. A file name that a spreadsheet would take for a formula gets
    an apostrophe in front.

    Args:
        table: of `results_table`, with further columns or without.

    Returns:
        The file, UTF-8 with a byte order mark.
    """
    file = table["file"].map(lambda name: f"'{name}" if name[:1] in "=+-@\t\r" else name)
    digits = {name: 1 for name in table if name.endswith("_months")}
    digits |= {name: 2 for name in table if name.startswith("sd_")}
    table = table.assign(file=file).round(digits)
    return table.to_csv(index=False).encode("utf-8-sig")


def as_people_read(table: pd.DataFrame) -> pd.DataFrame:
    """A results table with ages in years and months and the hand in words."""
    shown = table.copy()
    for column in [name for name in table if name.endswith("_months")]:
        shown[column] = table[column].map(formatting.age_in_short, na_action="ignore")
    which = table[["hand", "position"]].astype(object).where(table.notna(), None)
    shown["hand"] = [
        place and hand_text.which_hand(hand, place) for hand, place in which.itertuples(index=False)
    ]
    shown["crop"] = table["crop"].map(hand_text.hand_found_short, na_action="ignore")
    return shown


def stated_bias(metrics: pd.DataFrame) -> dict[str, tuple[float, float, float]]:
    """Bias of a model on the test set, for people.

    Args:
        metrics: from `boneage.artifacts.read_metrics`.

    Returns:
        Group, "all", "female" or "male" -> mean residual with the ends of its 95% CI, months. Empty
        where no test was made.
    """
    rows = metrics[(metrics["split"] == "test") & metrics["group"].isin(["all", *SEXES])]
    columns = rows[["bias", "bias_low", "bias_high"]].to_numpy().tolist()
    return dict(zip(rows["group"], map(tuple, columns), strict=True))


def stated_error(metrics: pd.DataFrame) -> float | None:
    """Mean absolute error of a model on the test set.

    Args:
        metrics: from `boneage.artifacts.read_metrics`.

    Returns:
        In months, on all test radiographs; None where no test was made.
    """
    rows = metrics[(metrics["split"] == "test") & (metrics["group"] == "all")]
    return float(rows["mae"].iloc[0]) if len(rows) else None
