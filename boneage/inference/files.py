"""From a file to its results, as the command line and archives ask for them."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from boneage.errors import BoneAgeError
from boneage.inference import results
from boneage.inference.conformal import LEVEL
from boneage.inference.predictor import Predictor, UnknownSexError
from boneage.inference.results import FileResult
from boneage.radiographs.manual_frame import ManualFrame
from boneage.radiographs.reading import UnreadableRadiograph


def predict_file(
    predictor: Predictor,
    source: bytes | Path,
    file: str,
    sex: str | None,
    force: bool,
    frame: ManualFrame | None = None,
    given_age: Callable[[date | None], float | None] = lambda study_date: None,
) -> list[FileResult]:
    """The result of a file, or of each hand on it.

    Args:
        predictor: of the models.
        source: content or path of the file.
        file: its name.
        sex: "female" or "male"; None for that of the DICOM header.
        force: give the bone age of a refused radiograph, too.
        frame: where the hand is; by default it is searched for.
        given_age: the chronological age that a person gave, months, of the date of the radiograph;
            what it raises becomes a note.

    Returns:
        One or two results; an unreadable file, or one without a sex, has one that says so.

    Raises:
        ManualFrameError: the frame does not lie on the radiograph.
        BoneAgeError: no file can be predicted, as a model is damaged or MediaPipe does not load.
    """
    try:
        hands = predictor.open_all(source, frame)
        predictions = [predictor.predict(hand, sex) for hand in hands]
    except (UnreadableRadiograph, UnknownSexError) as error:
        return [FileResult(file, results.UNREADABLE, str(error), sex)]
    note = age = None
    try:
        age = given_age(hands[0].study_date)
    except BoneAgeError as error:
        note = str(error)
    sex_source = results.GIVEN if sex else results.HEADER
    return [
        results.result_of(file, prediction, sex_source, LEVEL, force, age, note)
        for prediction in predictions
    ]
