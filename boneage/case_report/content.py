"""What a case report says: the one source of the PDF and of the DICOM structured report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from boneage import __version__, artifacts
from boneage.artifacts import Facts
from boneage.atlas import standards
from boneage.atlas.standards import Standard
from boneage.figures.images import ShownRadiograph
from boneage.formatting import age_in_short, age_in_words, in_words, share
from boneage.growth import text as growth_text
from boneage.growth.adult_height import AdultHeight, predict_adult_height, target_height
from boneage.growth.deviation import Deviation, deviation
from boneage.growth.entries import check_age, check_height
from boneage.growth.reference import BRUSH_FOUNDATION, SD_TABLES, OutsideTable
from boneage.inference import text as prediction_text
from boneage.inference.conformal import LEVEL
from boneage.inference.predictor import Prediction
from boneage.models.registry import ENSEMBLE
from boneage.radiographs.hand import Hand
from boneage.radiographs.text import hand_found, hand_found_short

SOFTWARE = f"boneage {__version__}"
DISCLAIMER = (
    "For teaching and research. Not a medical device; not for diagnosis or treatment. "
    "Made by software and not verified by a physician."
)
NOT_RELIABLE = "Refused by the image quality check; the bone age is not reliable."
NO_BONE_AGE = "No bone age: refused by the image quality check."
_NO_GROUP = (
    "No adult height is predicted, as the chronological age, which tells the group of the "
    "Bayley-Pinneau tables, is not stated."
)
_FINGERPRINT_DIGITS = 12  # of SHA-256, enough to tell models apart


@dataclass(frozen=True)
class Child:
    """What is known of the child besides the sex.

    Attributes:
        chronological_age_months: on the day of the radiograph; None where it is unknown.
        sd_table: of the SD for age, a key of `boneage.growth.reference.SD_TABLES`.
        height_cm: on the day of the radiograph; None where it is unknown.
        mother_cm: the mother's height; None where it is unknown.
        father_cm: the father's height; None where it is unknown.
        feet: whether to write heights in feet and inches.
    """

    chronological_age_months: float | None = None
    sd_table: str = BRUSH_FOUNDATION
    height_cm: float | None = None
    mother_cm: float | None = None
    father_cm: float | None = None
    feet: bool = False


@dataclass(frozen=True, eq=False)
class Case:
    """One radiograph and what it was called.

    Attributes:
        prediction: of the radiograph.
        facts: model name -> what its weights are.
        shown: the whole film, for the page.
        file: name of the file.
        label: what the user calls the case; empty without.
        which: of a film of both hands, which one is meant, in words.
        others: further hands on the film.
    """

    prediction: Prediction
    facts: Mapping[str, Facts]
    shown: ShownRadiograph
    file: str
    label: str = ""
    which: str | None = None
    others: Sequence[Hand] = ()


@dataclass(frozen=True, eq=False)
class CaseReport:
    """A case report, complete but for its layout.

    Attributes:
        case: the radiograph.
        child: what is known of the child.
        bone_age_months: None of a refused radiograph, unless it was asked for all the same.
        interval: its prediction interval (low, high) in months; None where there is none.
        level: of the interval, in 0..1.
        deviation: from the chronological age; None without one, or where the table has no SD.
        adult_height: predicted; None without a height, or where there is no table.
        statements: sentences on what the bone age means, in Markdown.
        remarks: sentences on what to know of this radiograph.
        standards: "younger", "nearest", "older" -> average hand about this bone age.
        made_on: date of the report.
    """

    case: Case
    child: Child
    bone_age_months: float | None
    interval: tuple[float, float] | None
    level: float
    deviation: Deviation | None
    adult_height: AdultHeight | None
    statements: tuple[str, ...]
    remarks: tuple[str, ...]
    standards: Mapping[str, Standard]
    made_on: date

    @property
    def refusal(self) -> str | None:
        """Why the quality check refused the radiograph; None where it did not."""
        refusal = self.case.prediction.refusal
        return refusal.reason if refusal else None

    @property
    def warning(self) -> str | None:
        """The heading over the reason of a refusal; None where there is none."""
        if self.refusal is None:
            return None
        return NO_BONE_AGE if self.bone_age_months is None else NOT_RELIABLE

    @property
    def rows(self) -> list[tuple[str, str]]:
        """(label, value) of the findings and how they were made, for a table."""
        prediction, found = self.case.prediction, self.deviation
        age = self.child.chronological_age_months
        rows = [
            ("Sex", prediction.sex.capitalize()),
            ("Chronological age", "Not stated" if age is None else age_in_words(age)),
        ]
        if found:
            rows += [
                (
                    "Standard deviation for age",
                    f"{found.sd_months:.1f} months ({SD_TABLES[found.table]})",
                ),
                (
                    "Bone age determination",
                    f"{found.status.capitalize()} ({growth_text.sd_in_words(found.z)} SD)",
                ),
            ]
        if self.bone_age_months is not None and len(prediction.months) > 1:
            rows += [
                (self.case.facts[name].title, age_in_short(prediction.ages[name]))
                for name in prediction.months
            ]
        return [
            *rows,
            ("Image quality check", "Refused" if self.refusal else "Passed"),
            ("Hand detection", hand_found_short(prediction.hand.method).capitalize()),
            *([("Local calibration", prediction.local.label)] if prediction.local else []),
        ]

    @property
    def method(self) -> str:
        """What predicted the bone age: the title of a model, or the ensemble of several."""
        titles = [facts.title for facts in self.case.facts.values()]
        return titles[0] if len(titles) == 1 else f"Ensemble of {in_words(titles)}"

    @property
    def fingerprints(self) -> dict[str, str]:
        """Model name, and "ensemble" -> the first digits of its SHA-256."""
        every = artifacts.fingerprints(self.case.facts)
        return {name: digits[:_FINGERPRINT_DIGITS] for name, digits in every.items()}

    @property
    def methods(self) -> list[str]:
        """Sentences on models, interval and tables."""
        prints = self.fingerprints
        each = [
            f"{facts.title} (trained {facts.trained_on}, fingerprint {prints[name]})"
            for name, facts in self.case.facts.items()
        ]
        sentences = [f"Software: {SOFTWARE}. Models: {in_words(each)}."]
        if len(each) > 1:
            sentences.append(f"Fingerprint of the ensemble: {prints[ENSEMBLE]}.")
            titles = {self.case.facts[n].title: w for n, w in self.case.prediction.weights.items()}
            sentences.append(prediction_text.ensemble_weights(titles) or "")
        sentences.append(hand_found(self.case.prediction.hand.method))
        prediction = self.case.prediction
        if prediction.local and prediction.local_change is not None:
            sentences.append(
                prediction_text.locally_calibrated(
                    prediction.local, prediction.sex, prediction.local_change
                )
            )
        if self.interval:
            sentences.append(prediction_text.about_interval(self.level))
        if self.deviation:
            sentences.append(growth_text.about_deviation(self.deviation.table))
        if self.child.height_cm is not None or self.child.mother_cm is not None:
            sentences.append(growth_text.ABOUT_HEIGHT)
        if self.bone_age_months is not None:
            sentences.append("Terms: RadElement RDES14 (pediatric bone age).")
        return sentences


def case_report(
    case: Case,
    child: Child | None = None,
    *,
    level: float = LEVEL,
    force: bool = False,
    made_on: date | None = None,
) -> CaseReport:
    """Put together what a report says.

    Args:
        case: the radiograph.
        child: what is known of the child.
        level: of the prediction interval, in 0..1.
        force: also give the bone age of a radiograph that the quality check refuses.
        made_on: date of the report; by default today.

    Returns:
        The report.

    Raises:
        ImpossibleEntry: the chronological age is none of a child, or a height is impossible.
        ArtifactError: the atlas is damaged.
    """
    child = child or Child()
    prediction, age = case.prediction, child.chronological_age_months
    if age is not None:
        check_age(age)
    shown = force or not prediction.refusal
    months = prediction.ensemble_months if shown else None
    interval = prediction.interval(ENSEMBLE, level)
    found, adult_height, statements = None, None, []
    if months is not None:
        if age is not None:
            found, sentence = _deviation(months, interval, age, prediction.sex, child, level)
            statements.append(sentence)
        adult_height, sentences = _heights(months, interval, prediction.sex, child, level)
        statements += sentences
    return CaseReport(
        case,
        child,
        months,
        interval,
        level,
        found,
        adult_height,
        tuple(statements),
        tuple(_remarks(case, months, age)),
        _standards(prediction.sex, months),
        made_on or date.today(),
    )


def _deviation(
    months: float,
    interval: tuple[float, float] | None,
    age: float,
    sex: str,
    child: Child,
    level: float,
) -> tuple[Deviation | None, str]:
    """The comparison with the chronological age, and its sentences."""
    try:
        found = deviation(months, interval, age, sex, child.sd_table)
    except OutsideTable as error:
        return None, f"{growth_text.ahead_or_behind(months, age)} {error}"
    return found, growth_text.deviation_in_words(found, level)


def _heights(
    months: float, interval: tuple[float, float] | None, sex: str, child: Child, level: float
) -> tuple[AdultHeight | None, list[str]]:
    """The predicted adult height, and sentences on it and on the target height."""
    predicted, sentences = None, []
    age = child.chronological_age_months
    if child.height_cm is not None:
        check_height(child.height_cm)
        if age is None:
            sentences.append(_NO_GROUP)
        else:
            try:
                predicted = predict_adult_height(child.height_cm, months, interval, age, sex)
            except OutsideTable as error:
                sentences.append(str(error))
            else:
                sentences.append(growth_text.adult_height_in_words(predicted, level, child.feet))
    if child.mother_cm is not None and child.father_cm is not None:
        target = target_height(child.mother_cm, child.father_cm, sex)
        sentences.append(growth_text.target_height_in_words(target, predicted, child.feet))
    return predicted, sentences


def _remarks(case: Case, months: float | None, age: float | None) -> list[str]:
    prediction = case.prediction
    remarks = []
    if prediction.source.sex and prediction.contradicts_header:
        remarks.append(prediction_text.other_sex_in_header(prediction.source.sex, prediction.sex))
    if prediction.source.warning:
        remarks.append(prediction.source.warning)
    if months is not None:
        remarks += prediction_text.unusual_ages(months, age)
        if prediction.is_beyond_calibration and not prediction.refusal:
            remarks.append(prediction_text.BEYOND_CALIBRATION)
    return remarks


def _standards(sex: str, months: float | None) -> dict[str, Standard]:
    if months is None or not standards.available():
        return {}
    return standards.around(sex, months)


def interval_lines(report: CaseReport) -> list[str]:
    """The prediction interval in two lines, or that there is none."""
    if report.interval is None:
        return ["No prediction interval"]
    low, high = map(age_in_words, report.interval)
    return [f"{low} to {high}", f"({share(report.level)} prediction interval)"]
