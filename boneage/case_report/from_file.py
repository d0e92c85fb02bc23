"""From a file to its case report, for the command line."""

from boneage.case_report.content import Case
from boneage.figures.images import reduce
from boneage.growth.entries import MAX_AGE_MONTHS
from boneage.growth.given_age import GivenAge
from boneage.inference.predictor import Predictor, PreparedRadiograph
from boneage.radiographs.manual_frame import ManualFrame
from boneage.radiographs.reading import Radiograph
from boneage.radiographs.text import which_hand


def predict_case(
    predictor: Predictor,
    radiograph: Radiograph,
    file: str,
    sex: str | None = None,
    label: str = "",
    frame: ManualFrame | None = None,
) -> Case:
    """Predict a radiograph for a report.

    Args:
        predictor: with the models.
        radiograph: to predict. Of a film of both hands the left one, on which bone age standards
            are based, where the thumbs tell which it is; else the first.
        file: its name.
        sex: "female" or "male"; by default as the DICOM header states it.
        label: what the user calls the case.
        frame: where the hand is; by default it is searched for.

    Returns:
        The case.

    Raises:
        ManualFrameError: the frame does not lie on the radiograph.
        UnknownSexError: the sex is neither given nor stated in the file.
    """
    hands = predictor.open_all(radiograph, frame)
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


def chronological_age(radiograph: Radiograph, given: GivenAge) -> float | None:
    """The chronological age on the day of the radiograph.

    Args:
        radiograph: whose DICOM header counts where nothing is given.
        given: what people say.

    Returns:
        Months; None where it is unknown. An age in the header of over 25 years counts as unknown.

    Raises:
        ImpossibleEntry: the radiograph was taken before birth or at over 25 years, or a date of
            birth comes without the date of the radiograph.
    """
    age = given.age_on(radiograph.study_date)
    if age is not None:
        return age
    stated = radiograph.age_months
    return None if stated is None or stated > MAX_AGE_MONTHS else stated
