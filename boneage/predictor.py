"""From a radiograph's bytes to its bone age: one path for pages, command line and notebook."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from boneage import artifacts
from boneage.artifacts import ArtifactError, Facts
from boneage.evaluation.conformal import LEVEL, Calibration, calibrate
from boneage.models.registry import ENSEMBLE, find_model
from boneage.radiographs.preprocessing import (
    PreparedHand,
    Preprocessing,
    prepare,
    sex_to_model_input,
    to_model_input,
)
from boneage.radiographs.reading import Radiograph, read_radiograph


def with_ensemble(months: Mapping[str, float | np.ndarray]) -> dict[str, float | np.ndarray]:
    """Bone ages of the models, by name, and under "ensemble" their mean; numbers or (N,) each."""
    return {**months, ENSEMBLE: np.mean(list(months.values()), axis=0)}


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the models say about one radiograph.

    sex: "female" or "male", as used for the prediction.
    months: model name -> bone age in months.
    prepared: model name -> the hand as that model saw it.
    calibration: what knows how sure the models are.
    """

    radiograph: Radiograph
    sex: str
    months: dict[str, float]
    prepared: dict[str, PreparedHand]
    calibration: Calibration

    @property
    def ensemble_months(self) -> float:
        """Mean bone age of the models, in months."""
        return float(with_ensemble(self.months)[ENSEMBLE])

    def intervals(self, level: float = LEVEL) -> dict[str, tuple[float, float]]:
        """Prediction intervals (low, high) in months of each model and of "ensemble".

        Of 100 radiographs like those of the validation set, about 100 * level have their reference
        age within the interval. Empty where the models have too few validation predictions.
        """
        months = {name: [value] for name, value in with_ensemble(self.months).items()}
        limits = self.calibration.intervals(months, [self.sex], level)
        return {name: tuple(both.tolist()) for name, (both,) in limits.items()}

    def interval(self, name: str, level: float = LEVEL) -> tuple[float, float] | None:
        """The interval of one model or of "ensemble"; None where there is none."""
        return self.intervals(level).get(name)

    @property
    def is_beyond_calibration(self) -> bool:
        """Whether the models disagree more than on any radiograph their intervals come from."""
        return bool(np.ptp(list(self.months.values())) > self.calibration.most_disagreement)

    @property
    def hand(self):
        """Where the hand was found; every model looks at the same radiograph."""
        return next(iter(self.prepared.values())).hand


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where one model looked; every map is (S, S) float32 in [0, 1] on its prepared image.

    gradcam: the regions that move the predicted bone age in this direction most.
    direction: "raises" for a hand read older than the average training hand, else "lowers".
    spatial: CBAM stage -> spatial attention of the stage's last block; empty without CBAM.
    channel: CBAM stage -> (C,) channel attention in [0, 1].
    """

    gradcam: np.ndarray
    direction: str
    spatial: dict[int, np.ndarray]
    channel: dict[int, np.ndarray]


class Predictor:
    """The published models, loaded once; safe to share between threads.

    names: models to load, by default all that have an artifact; "ensemble" means all. One model
    alone has no other to disagree with, so its intervals may differ from those it has among all.
    Raises ArtifactError, with a sentence, when there is none or a file is damaged.
    """

    def __init__(self, names: str | Sequence[str] | None = None):
        names = [names] if isinstance(names, str) else names
        if names is None or ENSEMBLE in names:
            names = artifacts.available_models()
        if not names:
            raise ArtifactError(
                f"There is no trained model in {artifacts.artifacts_root()}: restore the folder "
                "with git checkout, or train one (python -m boneage train --help)."
            )
        loaded = {name: artifacts.load_model(artifacts.model_folder(name)) for name in names}
        self._models = {name: model for name, (model, _) in loaded.items()}
        self.facts: dict[str, Facts] = {name: facts for name, (_, facts) in loaded.items()}
        self._preprocessing = {
            name: Preprocessing(**facts.preprocessing) for name, facts in self.facts.items()
        }
        self.calibration = calibrate(
            {name: artifacts.read_predictions(artifacts.model_folder(name)) for name in names}
        )
        self._explainers: dict[str, tuple] = {}
        self._lock = threading.Lock()

    @property
    def names(self) -> list[str]:
        return list(self._models)

    def prepare(self, radiograph: Radiograph) -> dict[str, PreparedHand]:
        """The hand as each model wants it; models of one preparation share the result."""
        hands = {
            parameters: prepare(radiograph.pixels, parameters)
            for parameters in set(self._preprocessing.values())
        }
        return {name: hands[parameters] for name, parameters in self._preprocessing.items()}

    def predict(self, source: bytes | str | Path, sex: str) -> Prediction:
        """Bone age of one radiograph.

        source: the file's bytes or its path. Raises UnreadableRadiograph with a sentence.
        """
        radiograph = read_radiograph(source)
        prepared = self.prepare(radiograph)
        months = self.predict_prepared([prepared], [sex])
        months = {name: float(value[0]) for name, value in months.items()}
        return Prediction(radiograph, sex, months, prepared, self.calibration)

    def predict_prepared(
        self, hands: Sequence[dict[str, PreparedHand]], sexes: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Bone age in months, model name -> (N,) float32, of N results of `prepare`."""
        male = sex_to_model_input(sexes)
        months = {}
        for name, model in self._models.items():
            images = self._input(name, np.stack([hand[name].image for hand in hands]))
            with self._lock:
                months[name] = np.asarray(model.predict_on_batch([images, male]))[:, 0]
        return months

    def explain(self, prediction: Prediction, name: str) -> Explanation:
        """Grad-CAM and, for a model with CBAM, its attention, on the prepared image."""
        from boneage.explain.gradcam import telling_direction
        from boneage.explain.overlay import upsample

        direction = telling_direction(prediction.ensemble_months)  # one, so that maps compare
        entry, prepared = find_model(name), prediction.prepared[name].image
        image = self._input(name, prepared[np.newaxis])[0]
        with self._lock:
            gradcam, cbam = self._explainer(name)
            heat = gradcam(image, prediction.sex, direction)
            attention = cbam(image) if cbam else None
        # Maps lie on the image the model took, which may be smaller than the prepared one.
        size = len(prepared)
        factor = size / len(image)
        return Explanation(
            gradcam=upsample(heat, entry.last_grid.scaled(factor), size),
            direction=direction,
            spatial={
                stage: upsample(cells, entry.attention_grids[stage].scaled(factor), size)
                for stage, cells in (attention.spatial.items() if attention else ())
            },
            channel=attention.channel if attention else {},
        )

    def _input(self, name: str, images: np.ndarray) -> np.ndarray:
        return to_model_input(images, self.facts[name].build["input_size"])

    def _explainer(self, name: str) -> tuple:
        """(GradCam, CbamAttention or None) of a model, made at first use."""
        if name not in self._explainers:
            from boneage.explain.attention import CbamAttention
            from boneage.explain.gradcam import GradCam

            model = self._models[name]
            has_cbam = bool(find_model(name).attention_grids)
            self._explainers[name] = (GradCam(model), CbamAttention(model) if has_cbam else None)
        return self._explainers[name]
