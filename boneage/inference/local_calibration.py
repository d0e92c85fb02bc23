"""A local calibration: how the bone ages and intervals of one model are adapted to one site.

It is fitted by `boneage.local_calibration` and saved as a small JSON file without any reading or
identifier. It belongs to the one model, told by its fingerprint, that it was fitted for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from boneage.atomic import replace_file
from boneage.errors import BoneAgeError
from boneage.inference.conformal import LEVEL, Calibration, conformal_margins
from boneage.models.registry import ENSEMBLE, MODELS

FORMAT, VERSION = "boneage local calibration", 1
MIN_READINGS = 30
_LABEL_DIGITS = 12  # of the SHA-256 of the readings, enough to tell files apart


class LocalCalibrationError(BoneAgeError):
    """A file is no local calibration, or not one of the models in use."""


@dataclass(frozen=True)
class Line:
    """The calibrated bone age of one sex, a line in the prediction.

    Attributes:
        n: local readings of this sex.
        offset_months: calibrated minus predicted at `center_months`.
        scale: slope of the line, 1 where the difference is the same at all ages.
        center_months: a predicted bone age.
        low_months: the youngest prediction among the readings; below, the difference is that here.
        high_months: the oldest one; above, the difference is that here.
    """

    n: int
    offset_months: float
    scale: float
    center_months: float
    low_months: float
    high_months: float

    def __call__(self, months: float | np.ndarray) -> np.ndarray:
        """Calibrated bone ages, 0 or more, of predictions in months."""
        within = np.clip(months, self.low_months, self.high_months) - self.center_months
        return np.maximum(months + self.offset_months + (self.scale - 1) * within, 0)


@dataclass(frozen=True)
class Gain:
    """What the lines gain on readings that they were not fitted to; months.

    Attributes:
        mae_before: MAE without the lines.
        mae_after: cross-validated MAE with them.
        gain: `mae_before` minus `mae_after`.
        low: lower limit of the 95% CI of the gain.
        high: upper limit.
    """

    mae_before: float
    mae_after: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class LocalCalibration:
    """A local calibration.

    Attributes:
        model: the model whose answers change, or "ensemble".
        model_sha256: see `boneage.artifacts.fingerprints`.
        n: number of local readings.
        csv_sha256: of the file of readings.
        made_on: date, as YYYY-MM-DD.
        software: which version made it.
        cross_validation: what the lines gain, whether they are in use or not.
        lines: sex -> its line. Empty where they gain nothing: bone ages then stay as they are.
        interval_scores: absolute errors of the readings, each divided by the margin of the 90%
            prediction interval of its radiograph; ascending. Empty where intervals stay as they
            are.
    """

    model: str
    model_sha256: str
    n: int
    csv_sha256: str
    made_on: str
    software: str
    cross_validation: Gain
    lines: dict[str, Line]
    interval_scores: tuple[float, ...]

    @property
    def label(self) -> str:
        """What names it in results: "3f2a9c1b4d5e (n = 120)"."""
        return f"{self.csv_sha256[:_LABEL_DIGITS]} (n = {self.n:,})"

    @property
    def title(self) -> str:
        """The model in words: "the ensemble" or the title of one."""
        if self.model == ENSEMBLE:
            return "the ensemble"
        return MODELS[self.model].title if self.model in MODELS else self.model

    @property
    def is_no_change(self) -> bool:
        """Whether neither bone ages nor intervals change."""
        return not self.lines and not self.interval_scores

    def age(self, months: float, sex: str) -> float:
        """The calibrated bone age of a prediction in months.

        It is the prediction itself for a sex of which there were no readings.
        """
        line = self.lines.get(sex)
        return float(line(months)) if line else months

    def interval(
        self, calibration: Calibration, name: str, months: float, sex: str, level: float
    ) -> tuple[float, float]:
        """The prediction interval around the calibrated bone age.

        The margins of the model, which depend on sex and predicted age, are multiplied by a factor:
        the conformal limit of the readings' normalized errors (H. Papadopoulos, A. Gammerman and
        V. Vovk, Normalized nonconformity measures for regression conformal prediction, AIA 2008).

        Args:
            calibration: the model's intervals.
            name: of them.
            months: the prediction before local calibration.
            sex: "female" or "male".
            level: the share, from 0 to 0.95.

        Returns:
            (low, high) in months, 0 or more.
        """
        own = not self.interval_scores
        margin = calibration.margins(name, [months], [sex], level if own else LEVEL)[0]
        if not own:
            margin *= conformal_margins(np.array(self.interval_scores), [level])[0]
        age = self.age(months, sex)
        return float(max(age - margin, 0)), float(max(age + margin, 0))

    def check_fits(self, models: Mapping[str, str]) -> None:
        """Check that it is for a model in use.

        Args:
            models: name of each model whose answers are asked for -> its fingerprint.

        Raises:
            LocalCalibrationError: it was fitted for another model or other weights.
        """
        title = self.title
        found = models.get(self.model)
        if found is None:
            raise LocalCalibrationError(
                f"The local calibration {self.label} is for {title}, which is not in use: choose "
                "that model, or calibrate this one."
            )
        if found != self.model_sha256:
            raise LocalCalibrationError(
                f"The local calibration {self.label} was made for other weights of {title} or "
                "another version of its preparation: run boneage calibrate again with predictions "
                "of the present models."
            )

    def as_json(self) -> str:
        """The content of its file."""
        values = {"format": FORMAT, "version": VERSION} | asdict(self)
        return f"{json.dumps(values, indent=1, allow_nan=False)}\n"

    def save(self, path: str | Path) -> None:
        """Write the JSON file. Raises NotWrittenError."""
        replace_file(Path(path), self.as_json().encode())


def read_local_calibration(
    source: str | Path | bytes, models: Mapping[str, str]
) -> LocalCalibration:
    """Read a local calibration for models in use.

    Args:
        source: the path of its JSON file, or its content.
        models: see `LocalCalibration.check_fits`.

    Returns:
        The calibration.

    Raises:
        LocalCalibrationError: the file cannot be read, is none, or is for another model.
    """
    title = "The file" if isinstance(source, bytes) else str(source)
    try:
        content = source if isinstance(source, bytes) else Path(source).read_bytes()
    except OSError as error:
        raise LocalCalibrationError(
            f"{title} cannot be read ({error.strerror}): name a file written by boneage calibrate."
        ) from error
    try:
        values = json.loads(content)
        is_one = values.pop("format") == FORMAT
        version = values.pop("version")
    except (ValueError, KeyError, TypeError, AttributeError):
        is_one, version = False, None
    if not is_one:
        raise LocalCalibrationError(
            f"{title} is no local calibration: give a JSON file written by boneage calibrate."
        )
    if version != VERSION:
        raise LocalCalibrationError(
            f"{title} is a local calibration of version {version}, and this software reads version "
            f"{VERSION}: run boneage calibrate again."
        )
    try:
        found = _parse(values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LocalCalibrationError(
            f"{title} is a damaged local calibration: run boneage calibrate again."
        ) from error
    found.check_fits(models)
    return found


def _parse(values: dict) -> LocalCalibration:
    """Raises one of ValueError, KeyError, TypeError and AttributeError."""
    lines = {sex: Line(**line) for sex, line in values.pop("lines").items()}
    gain = Gain(**values.pop("cross_validation"))
    scores = tuple(map(float, values.pop("interval_scores")))
    found = LocalCalibration(**values, cross_validation=gain, lines=lines, interval_scores=scores)
    numbers = [found.n, *scores, *asdict(gain).values()]
    numbers += [number for line in lines.values() for number in asdict(line).values()]
    if not all(isinstance(n, int | float) and np.isfinite(n) for n in numbers):
        raise ValueError("a number is not finite")
    texts = (found.model, found.model_sha256, found.csv_sha256, found.made_on, found.software)
    if not all(isinstance(text, str) for text in texts) or found.n < MIN_READINGS:
        raise ValueError("a value is of another type")
    if scores and (len(scores) != found.n or min(scores) < 0):
        raise ValueError("the scores are not those of the readings")
    return found
