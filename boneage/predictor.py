"""From a radiograph's bytes to its bone age: one path for pages, command line and notebook."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from boneage import artifacts
from boneage.artifacts import ArtifactError, Facts
from boneage.models.registry import ENSEMBLE, find_model
from boneage.radiographs.preprocessing import (
    PreparedHand,
    Preprocessing,
    prepare,
    sex_to_model_input,
    to_model_input,
)
from boneage.radiographs.reading import Radiograph, read_radiograph


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the models say about one radiograph.

    sex: "female" or "male", as used for the prediction.
    months: model name -> bone age in months.
    prepared: model name -> the hand as that model saw it.
    """

    radiograph: Radiograph
    sex: str
    months: dict[str, float]
    prepared: dict[str, PreparedHand]

    @property
    def ensemble_months(self) -> float:
        """Mean bone age of the models, in months."""
        return float(np.mean(list(self.months.values())))

    @property
    def hand(self):
        """Where the hand was found; every model looks at the same radiograph."""
        return next(iter(self.prepared.values())).hand


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where one model looked; every map is (S, S) float32 in [0, 1] on its prepared image.

    gradcam: the regions that raise the predicted bone age.
    spatial: CBAM stage -> spatial attention of the stage's last block; empty without CBAM.
    channel: CBAM stage -> (C,) channel attention in [0, 1].
    """

    gradcam: np.ndarray
    spatial: dict[int, np.ndarray]
    channel: dict[int, np.ndarray]


class Predictor:
    """The published models, loaded once; safe to share between threads.

    names: models to load, by default all that have an artifact; "ensemble" means all.
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
        return Prediction(
            radiograph, sex, {name: float(value[0]) for name, value in months.items()}, prepared
        )

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
        from boneage.explain.overlay import upsample

        entry, prepared = find_model(name), prediction.prepared[name].image
        image = self._input(name, prepared[np.newaxis])[0]
        with self._lock:
            gradcam, cbam = self._explainer(name)
            heat = gradcam(image, prediction.sex)
            attention = cbam(image) if cbam else None
        # Maps lie on the image the model took, which may be smaller than the prepared one.
        size = len(prepared)
        factor = size / len(image)
        return Explanation(
            gradcam=upsample(heat, entry.last_grid.scaled(factor), size),
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
