"""From a file to its case report, for the command line."""

from datetime import date

from boneage.case_report.content import Case
from boneage.errors import BoneAgeError
from boneage.figures.images import reduce
from boneage.growth.entries import MAX_AGE_MONTHS, age_on
from boneage.inference.predictor import Predictor, PreparedRadiograph
from boneage.radiographs.reading import Radiograph
from boneage.radiographs.text import which_hand


def predict_case(
    predictor: Predictor, radiograph: Radiograph, file: str, sex: str | None = None, label: str = ""
) -> Case:
    """Predict a radiograph for a report.

    Args:
        predictor: with the models.
        radiograph: to predict. Of a film of both hands the left one, on which bone age standards
            are based, where the thumbs tell which it is; else the first.
        file: its name.
        sex: "female" or "male"; by default as the DICOM header states it.
        label: what the user calls the case.

    Returns:
        The case.

    Raises:
        UnknownSexError: the sex is neither given nor stated in the file.
    """
    hands = predictor.open_all(radiograph)
    hand = next((each for each in hands if each.part and each.part.side == "left"), hands[0])
    return Case(
        predictor.predict(hand, sex),
        predictor.facts,
        reduce(radiograph.pixels),
        file,
        label,
        _which(hand),
        tuple(other.hand for other in hands if other is not hand),
    )


def _which(hand: PreparedRadiograph) -> str | None:
    return which_hand(hand.part.side, hand.part.position) if hand.part else None


def chronological_age(
    radiograph: Radiograph,
    years: float | None = None,
    birth: date | None = None,
    study: date | None = None,
) -> float | None:
    """The chronological age on the day of the radiograph.

    Args:
        radiograph: whose DICOM header counts where nothing is given.
        years: the age.
        birth: the date of birth.
        study: the date of the radiograph; by default as the DICOM header states it.

    Returns:
        Months; None where it is unknown. An age in the header of over 25 years counts as unknown.

    Raises:
        ImpossibleEntry: the radiograph was taken before birth or at over 25 years.
        BoneAgeError: a date of birth comes without the date of the radiograph.
    """
    if years is not None:
        return 12 * years
    if birth is not None:
        taken = study or radiograph.study_date
        if taken is None:
            raise BoneAgeError(
                "The file does not state when the radiograph was taken, which the date of birth "
                "needs: give --study-date as well, or --age instead."
            )
        return age_on(taken, birth)
    stated = radiograph.age_months
    return None if stated is None or stated > MAX_AGE_MONTHS else stated
