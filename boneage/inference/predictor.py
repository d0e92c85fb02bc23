"""From a radiograph's bytes to its bone age: one path for pages, command line and notebook.

The quality check is part of the path: no bone age comes without its answer.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np

from boneage import artifacts, formatting
from boneage.artifacts import ArtifactError, Facts
from boneage.errors import BoneAgeError
from boneage.explain.explanation import Explanation, explain, outputs_to_explain
from boneage.explain.gradcam import telling_direction
from boneage.inference.conformal import LEVEL, Calibration, calibrate
from boneage.inference.ensemble import ensemble_weights, with_ensemble
from boneage.inference.local_calibration import LocalCalibration, read_local_calibration
from boneage.inference.runtime import Runtime, cores
from boneage.models.registry import ENSEMBLE, find_model
from boneage.quality.checks import QualityMeasures, Refusal, measure_quality
from boneage.quality.quality_check import load_quality_check
from boneage.radiographs.both_hands import FilmPart, split_film
from boneage.radiographs.file_info import FileInfo
from boneage.radiographs.hand import Hand, load_landmarker
from boneage.radiographs.manual_frame import ManualFrame
from boneage.radiographs.preprocessing import (
    PreparedHand,
    Preprocessing,
    prepare,
)
from boneage.radiographs.reading import Radiograph, read_radiograph
from boneage.radiographs.text import not_upright

_PREDICTION = ("bone_age", "pooled_features")  # outputs of an exported model


@dataclass(frozen=True, eq=False)
class PreparedRadiograph:
    """A radiograph ready for the models and the quality check: read once, its hand found once.

    Attributes:
        hands: model name -> the hand as that model sees it.
        quality: what the quality check looks at.
        sex: "female" or "male" as the DICOM header states it, or None.
        age_months: chronological age as the DICOM header states it, or None.
        inverted: whether the file was black on white.
        info: how the file stores it; None of a radiograph that was not read from a file.
        part: the part of the film that shows this hand, where it shows both hands; None otherwise.
        frame: the box that a person drew; None where the hand was searched for.
        study_date: when the radiograph was taken as the DICOM header states it, or None.
    """

    hands: dict[str, PreparedHand]
    quality: QualityMeasures
    sex: str | None
    age_months: float | None
    inverted: bool
    info: FileInfo | None = None
    part: FilmPart | None = None
    frame: ManualFrame | None = None
    study_date: date | None = None

    @property
    def warning(self) -> str | None:
        """For people: what about the file or the box drawn may change the prediction; or None."""
        of_file = self.info.warning if self.info else None
        return " ".join(filter(None, (of_file, not_upright(self.hand)))) or None

    @property
    def hand(self) -> Hand:
        """Where the hand was found; every model looks at the same radiograph."""
        return next(iter(self.hands.values())).hand


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the models say about one radiograph.

    Where the quality check refuses the radiograph, `refusal` says why; the bone ages are then not
    reliable and have no prediction intervals.

    Attributes:
        source: the radiograph as the models saw it.
        sex: "female" or "male", as used for the prediction.
        months: model name -> bone age in months.
        calibration: prediction intervals.
        weights: model name -> its share in the ensemble, 1 together.
        refusal: the quality check's reason for refusing the radiograph, or None.
        outputs: model name -> what `Predictor.explain` needs, where it was worked out already.
        local: a local calibration of one of the models or of the ensemble; None without. It
            changes `ages`, `ensemble_months` and the intervals, but not `months`.
    """

    source: PreparedRadiograph
    sex: str
    months: dict[str, float]
    calibration: Calibration
    weights: dict[str, float]
    refusal: Refusal | None = None
    outputs: dict[str, dict[str, np.ndarray]] = field(default_factory=dict, repr=False)
    local: LocalCalibration | None = None

    @property
    def prepared(self) -> dict[str, PreparedHand]:
        """Model name -> the hand as that model saw it."""
        return self.source.hands

    @property
    def hand(self) -> Hand:
        """Where the hand was found."""
        return self.source.hand

    @property
    def ages(self) -> dict[str, float]:
        """Bone ages in months of each model and of "ensemble", after any local calibration."""
        ages = self._uncalibrated
        return ages | {
            name: local.age(ages[name], self.sex) for name, local in self._calibrated.items()
        }

    @property
    def ensemble_months(self) -> float:
        """Weighted mean of the models' bone ages, in months, after any local calibration."""
        return float(self.ages[ENSEMBLE])

    @property
    def local_change(self) -> float | None:
        """Months by which the local calibration changes its model's bone age; None without."""
        if self.local is None:
            return None
        return self.ages[self.local.model] - self._uncalibrated[self.local.model]

    @property
    def model_ages(self) -> dict[str, float]:
        """Bone ages in months of each model alone, after any local calibration."""
        ages = self.ages
        return {name: ages[name] for name in self.months}

    @property
    def _uncalibrated(self) -> dict[str, float]:
        return with_ensemble(self.months, self.weights)

    @property
    def _calibrated(self) -> dict[str, LocalCalibration]:
        """The local calibration under the names that it concerns; the mean of one model is it."""
        if self.local is None:
            return {}
        names = [self.local.model, *([ENSEMBLE] if len(self.months) == 1 else [])]
        return dict.fromkeys(names, self.local)

    @property
    def contradicts_header(self) -> bool:
        """Whether the DICOM header states the other sex."""
        return self.source.sex not in (None, self.sex)

    def intervals(self, level: float = LEVEL) -> dict[str, tuple[float, float]]:
        """Prediction intervals of each model and of "ensemble".

        For radiographs similar to those of the validation set, about a share `level` of clinical
        readings lie within.

        Args:
            level: the share, from 0 to 0.95.

        Returns:
            Name -> (low, high) in months. Empty where the models have too few validation
            predictions, and for a radiograph that the quality check refuses, which is not similar.
        """
        if self.refusal:
            return {}
        months = self._uncalibrated
        each = {name: [value] for name, value in months.items()}
        limits = self.calibration.intervals(each, [self.sex], level)
        intervals = {name: (float(low), float(high)) for name, ((low, high),) in limits.items()}
        for name, local in self._calibrated.items():
            if name in intervals:
                intervals[name] = local.interval(
                    self.calibration, name, months[name], self.sex, level
                )
        return intervals

    def interval(self, name: str, level: float = LEVEL) -> tuple[float, float] | None:
        """The prediction interval of one model or of "ensemble".

        Args:
            name: of the model, or "ensemble".
            level: see `intervals`.

        Returns:
            (low, high) in months, or None where there is none.
        """
        return self.intervals(level).get(name)

    @property
    def is_beyond_calibration(self) -> bool:
        """Whether the models disagree more than on any radiograph their intervals come from."""
        return bool(np.ptp(list(self.months.values())) > self.calibration.most_disagreement)


class UnknownSexError(BoneAgeError):
    """The sex of a radiograph is neither given nor stated in its file."""

    def __init__(self) -> None:
        super().__init__(
            "The file does not state the sex, which the models need; give female or male."
        )


def _preprocessing(name: str, facts: Facts) -> Preprocessing:
    """How the model of an artifact wants its images; ArtifactError where it cannot be told."""
    path = artifacts.model_folder(name) / artifacts.FACTS
    advice = "restore the folder with git checkout or train again."
    if facts.name != name:
        raise ArtifactError(f"{path} describes the model {facts.name}, not {name}; {advice}")
    try:
        return Preprocessing(**facts.preprocessing)
    except TypeError as error:
        raise ArtifactError(
            f"{path} was written by another version, which prepared images otherwise; {advice}"
        ) from error


def _weights_and_calibration(folders: Mapping[str, Path]) -> tuple[dict[str, float], Calibration]:
    """What the models' predictions tables tell: shares in the ensemble, prediction intervals."""
    tables = {name: artifacts.read_predictions(folder) for name, folder in folders.items()}
    weights = ensemble_weights(tables)
    return weights, calibrate(tables, weights)


def _incomplete() -> list[str]:
    """A sentence on each model that has some of its files but not all."""
    return [
        f"{find_model(name).title} is left out, because {formatting.in_words(files)} "
        f"{'is' if len(files) == 1 else 'are'} missing in {artifacts.model_folder(name)}; "
        "restore the folder with git checkout, or "
        f"{artifacts.EXPORT if files == [artifacts.GRAPH] else 'train the model'}."
        for name, files in artifacts.incomplete_models().items()
    ]


class Predictor:
    """The published models, loaded once; safe to share between threads.

    Args:
        names: models to load, by default all that have an artifact; "ensemble" means all.
        workers: how many radiographs are going to be predicted side by side, each on a thread of
            the caller. They share the cores, which is faster than one radiograph on all cores.
        local: file of a local calibration for all predictions, its path or its content; of the
            model or the ensemble that `names` names.

    Attributes:
        facts: model name -> what its weights are.
        weights: model name -> its share in the ensemble, 1 together.
        calibration: prediction intervals.
        quality_check: the image quality check.
        workers: as given, but at most one for each core.
        local: the local calibration, or None.

    Raises:
        ArtifactError: there is no trained model, or a file is damaged.
        LocalCalibrationError: the local calibration cannot be used, or not for these models.

    Example:
        >>> from boneage.datasets.phantoms import draw_phantom
        >>> predictor = Predictor()
        >>> prediction = predictor.predict(Radiograph(draw_phantom(120, "female"), "PNG"), "female")
        >>> list(prediction.months) == predictor.names
        True
        >>> low, high = min(prediction.months.values()), max(prediction.months.values())
        >>> low <= prediction.ensemble_months <= high
        True
    """

    def __init__(
        self,
        names: str | Sequence[str] | None = None,
        workers: int = 1,
        local: str | Path | bytes | None = None,
    ):
        names = [names] if isinstance(names, str) else names
        asked = [ENSEMBLE] if names is None or ENSEMBLE in names else names
        if names is None or ENSEMBLE in names:
            names = artifacts.available_models()
        if not names:
            raise ArtifactError(
                " ".join(_incomplete())
                or f"There is no trained model in {artifacts.artifacts_root()}: restore the folder "
                "with git checkout, or train one (python -m boneage train --help)."
            )
        self.workers = max(1, min(workers, cores()))
        folders = {name: artifacts.model_folder(name) for name in names}
        self.facts: dict[str, Facts] = {
            name: artifacts.read_facts(folder) for name, folder in folders.items()
        }
        fingerprints = artifacts.fingerprints(self.facts)
        # Before the models: a file that cannot be used is told at once.
        self.local = None
        if local is not None:
            self.local = read_local_calibration(local, {name: fingerprints[name] for name in asked})
        # Pandas with the tables, then MediaPipe, beside the models, as these are Python and those
        # C++. Loading takes three times the memory of a loaded model: the models one after the
        # other, the largest first and before MediaPipe.
        beside = ThreadPoolExecutor(1)
        calibrated = beside.submit(_weights_and_calibration, folders)
        sizes = {name: facts.parameters for name, facts in self.facts.items()}
        loaded: dict[str, Runtime] = {}
        for name in sorted(names, key=sizes.__getitem__, reverse=True):
            loaded[name] = Runtime.load(folders[name], cores() // self.workers, self.facts[name])
            if len(loaded) == 1:
                beside.submit(load_landmarker)
        self._runtimes = {name: loaded[name] for name in names}
        self._preprocessing = {
            name: _preprocessing(name, facts) for name, facts in self.facts.items()
        }
        self.weights, self.calibration = calibrated.result()
        self.quality_check = load_quality_check({name: fingerprints[name] for name in names})

    @property
    def names(self) -> list[str]:
        """Names of the models that are loaded."""
        return list(self._runtimes)

    @property
    def notes(self) -> list[str]:
        """What to tell people: models left out as not whole, what the quality check lacks."""
        notes = _incomplete()
        return [*notes, self.quality_check.note] if self.quality_check.note else notes

    def prepare(
        self,
        radiograph: Radiograph,
        part: FilmPart | None = None,
        frame: ManualFrame | None = None,
    ) -> dict[str, PreparedHand]:
        """Prepare the hand as each model wants it; models of one preparation share the result.

        Args:
            radiograph: as `read_radiograph` returns it.
            part: see `boneage.radiographs.preprocessing.prepare`.
            frame: the same.

        Returns:
            Model name -> the prepared hand.

        Raises:
            HandModelError: MediaPipe or its landmark model does not load.
            ManualFrameError: the frame does not lie on the radiograph.
        """
        hands = {
            parameters: prepare(radiograph.pixels, parameters, part=part, frame=frame)
            for parameters in set(self._preprocessing.values())
        }
        return {name: hands[parameters] for name, parameters in self._preprocessing.items()}

    def open(
        self, source: bytes | str | Path | Radiograph, frame: ManualFrame | None = None
    ) -> PreparedRadiograph:
        """Read a radiograph, find its hand and look at it, once for all that follows.

        Args:
            source: a file's content, its path, or a radiograph that is read already.
            frame: where a person says that the hand is, instead of searching for it.

        Returns:
            What `predict` and `predict_all` take.

        Raises:
            UnreadableRadiograph: the file cannot be used.
            ManualFrameError: the frame does not lie on the radiograph.

        Example:
            >>> from boneage.datasets.phantoms import write_phantoms
            >>> folder = write_phantoms("phantoms", n_train=1, n_test=0)
            >>> opened = Predictor().open(folder / "boneage-training-dataset" / "1001.png")
            >>> opened.hand.method
            'mediapipe'
        """
        radiograph = source if isinstance(source, Radiograph) else read_radiograph(source)
        return self._open(radiograph, frame=frame)

    def open_all(
        self, source: bytes | str | Path | Radiograph, frame: ManualFrame | None = None
    ) -> list[PreparedRadiograph]:
        """Read a film of one hand or of both, each hand a radiograph of its own.

        Both hands are told apart where the film can be cut between them. A film of one hand gives
        what `open` returns, and so does one of several hands that cannot be cut, which the quality
        check then refuses.

        Args:
            source: as for `open`.
            frame: the same; it holds one hand.

        Returns:
            One or two radiographs, from left to right or from top to bottom; of two, each with its
            `part` of the film, and with its hand in pixels of the whole film.

        Raises:
            UnreadableRadiograph: the file cannot be used.
            ManualFrameError: the frame does not lie on the radiograph.

        Example:
            >>> from boneage.datasets.phantoms import draw_phantom
            >>> (hand,) = Predictor().open_all(Radiograph(draw_phantom(120, "female"), "PNG"))
            >>> hand.part is None
            True
        """
        radiograph = source if isinstance(source, Radiograph) else read_radiograph(source)
        whole = self._open(radiograph, frame=frame)
        if frame:
            return [whole]
        found, other = whole.hand.landmarks, self.quality_check.other_hand(whole.quality)
        if found is None or other is None:
            return [whole]
        parts = split_film(radiograph.pixels, found, other)
        return [self._open(radiograph, part) for part in parts] if parts else [whole]

    def _open(
        self,
        radiograph: Radiograph,
        part: FilmPart | None = None,
        frame: ManualFrame | None = None,
    ) -> PreparedRadiograph:
        if part:
            radiograph = replace(radiograph, pixels=part.alone(radiograph.pixels))
        hands = self.prepare(radiograph, part, frame)
        if frame:  # what lies beside it, another hand too, is no matter of the quality check
            radiograph = replace(radiograph, pixels=frame.alone(radiograph.pixels))
        return PreparedRadiograph(
            hands,
            measure_quality(radiograph, next(iter(hands.values()))),
            radiograph.sex,
            radiograph.age_months,
            radiograph.inverted,
            radiograph.info,
            part,
            frame,
            radiograph.study_date,
        )

    def predict(
        self,
        source: bytes | str | Path | Radiograph | PreparedRadiograph,
        sex: str | None = None,
        frame: ManualFrame | None = None,
    ) -> Prediction:
        """Bone age of one radiograph, after the quality check.

        Args:
            source: as for `open`, or what it returned.
            sex: "female" or "male"; by default as the DICOM header states it.
            frame: as for `open`, which alone can take it.

        Returns:
            The bone ages in months; where the quality check refuses the radiograph, `refusal` says
            why.

        Raises:
            UnreadableRadiograph: the file cannot be used.
            UnknownSexError: the sex is neither given nor stated in the file.
            ManualFrameError: the frame does not lie on the radiograph.
            ValueError: a frame for what was opened without it.

        Example:
            >>> from boneage.datasets.phantoms import draw_phantom
            >>> radiograph = Radiograph(draw_phantom(120, "female"), "PNG")
            >>> predictor = Predictor()
        >>> prediction = predictor.predict(radiograph, sex="female")
            >>> prediction.ensemble_months > 0
            True
            >>> predictor.predict(radiograph)
            Traceback (most recent call last):
            boneage.inference.predictor.UnknownSexError: The file does not state the sex, ...
        """
        if not isinstance(source, PreparedRadiograph):
            source = self.open(source, frame)
        elif frame not in (None, source.frame):
            raise ValueError("The radiograph is open already: give the frame to open.")
        (prediction,) = self._predict([source], [sex or source.sex], keep_outputs=True)
        return prediction

    def predict_all(
        self, opened: Sequence[PreparedRadiograph], sexes: Sequence[str | None]
    ) -> list[Prediction]:
        """Bone ages of N opened radiographs in one pass, each after the quality check.

        Args:
            opened: as `open` returns them.
            sexes: "female" or "male" of each.

        Returns:
            N predictions, in the order of the radiographs.

        Raises:
            UnknownSexError: one of the sexes is None.

        Example:
            >>> from boneage.datasets.phantoms import draw_phantom
            >>> predictor = Predictor()
            >>> opened = [
            ...     predictor.open(Radiograph(draw_phantom(months, "male"), "PNG"))
            ...     for months in (60, 180)
            ... ]
            >>> [prediction.sex for prediction in predictor.predict_all(opened, ["male", "male"])]
            ['male', 'male']
        """
        return self._predict(opened, sexes, keep_outputs=False)

    def _predict(
        self,
        opened: Sequence[PreparedRadiograph],
        sexes: Sequence[str | None],
        keep_outputs: bool,
    ) -> list[Prediction]:
        """Predict; outputs to explain the answer can be kept for a single radiograph."""
        known = [sex for sex in sexes if sex is not None]
        if len(known) < len(sexes):
            raise UnknownSexError()
        if not opened:
            return []
        hands = [each.hands for each in opened]
        outputs = {
            name: self._run(
                name,
                hands,
                known,
                [*_PREDICTION, *(outputs_to_explain(find_model(name)) if keep_outputs else ())],
            )
            for name in self.names
        }
        features = {name: of_model["pooled_features"] for name, of_model in outputs.items()}
        refusals = self.quality_check.judge([each.quality for each in opened], features)
        return [
            Prediction(
                each,
                sex,
                {name: float(of_model["bone_age"][number]) for name, of_model in outputs.items()},
                self.calibration,
                self.weights,
                refusal,
                outputs if keep_outputs else {},
                self.local,
            )
            for number, (each, sex, refusal) in enumerate(zip(opened, known, refusals, strict=True))
        ]

    def predict_prepared(
        self, hands: Sequence[Mapping[str, PreparedHand]], sexes: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Bone ages of N prepared hands, without the quality check.

        Args:
            hands: N results of `prepare`.
            sexes: "female" or "male" of each.

        Returns:
            Model name -> (N,) float32, bone age in months.
        """
        return self.read_prepared(hands, sexes)[0]

    def read_prepared(
        self, hands: Sequence[Mapping[str, PreparedHand]], sexes: Sequence[str]
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Bone ages of N prepared hands as `predict_prepared`, and features of the same pass.

        Args:
            hands: N results of `prepare`.
            sexes: "female" or "male" of each.

        Returns:
            Model name -> (N,) float32, bone age in months; and model name -> (N, D) float32, the
            pooled features that the quality check looks at.
        """
        outputs = {name: self._run(name, hands, sexes, _PREDICTION) for name in self.names}
        months, features = (
            {name: of_model[output] for name, of_model in outputs.items()} for output in _PREDICTION
        )
        return months, features

    def explain(self, prediction: Prediction, name: str) -> Explanation:
        """Grad-CAM and, for a model with CBAM, its attention, of the answer given.

        Args:
            prediction: of this predictor.
            name: of the model.

        Returns:
            The maps, (S, S) float32 in [0, 1] on the prepared image, and the channel attention.

        Example:
            >>> from boneage.datasets.phantoms import draw_phantom
            >>> predictor = Predictor()
            >>> prediction = predictor.predict(Radiograph(draw_phantom(120, "male"), "PNG"), "male")
            >>> name = predictor.names[0]
            >>> explanation = predictor.explain(prediction, name)
            >>> explanation.gradcam.shape == prediction.prepared[name].image.shape
            True
        """
        entry, size = find_model(name), len(prediction.prepared[name].image)
        direction = telling_direction(prediction.ensemble_months)  # one, so that maps compare
        outputs = prediction.outputs.get(name) or self._run(
            name, [prediction.prepared], [prediction.sex], outputs_to_explain(entry)
        )
        return explain(outputs, entry, direction, self._runtimes[name].size, size)

    def _run(
        self,
        name: str,
        hands: Sequence[Mapping[str, PreparedHand]],
        sexes: Sequence[str],
        outputs: Sequence[str],
    ) -> dict[str, np.ndarray]:
        return self._runtimes[name](np.stack([hand[name].image for hand in hands]), sexes, outputs)
