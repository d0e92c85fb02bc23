"""Occlusion and weight randomization of the published models on their validation radiographs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from boneage import artifacts
from boneage.datasets.labeled_images import labeled_images
from boneage.datasets.rsna import find_images
from boneage.datasets.splits import VALIDATION
from boneage.errors import BoneAgeError
from boneage.explain.gradcam import Direction, telling_direction
from boneage.inference.ensemble import with_ensemble
from boneage.inference.predictor import Predictor
from boneage.models.registry import ENSEMBLE
from boneage.radiographs.hand import MEDIAPIPE
from boneage.radiographs.preprocessing import PreparedHand
from boneage.sanity_checks.occlusion import occlusion_shifts
from boneage.sanity_checks.tables import balanced_sample, occlusion_table, randomization_table

N_OCCLUSION, N_RANDOMIZATION = 200, 32

Hands = dict[str, Mapping[str, PreparedHand]]  # id -> model name -> the hand as that model sees it


def check_saliency(
    folder: str | Path,
    n_occlusion: int = N_OCCLUSION,
    n_randomization: int = N_RANDOMIZATION,
    progress: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run both checks on every published model.

    Cases are validation radiographs whose hand is found by its landmarks, as many of each sex and
    age band; the randomization, which takes longer, has some of them.

    Args:
        folder: with the images `<id>.png` etc.
        n_occlusion: number of cases of the occlusion.
        n_randomization: number of cases of the randomization.
        progress: whether to show progress bars.

    Returns:
        The tables of `evaluation.saliency`: `occlusion_table` and `randomization_table`.

    Raises:
        ArtifactError: there are no models.
        LabelError: the folder does not exist.
        BoneAgeError: the folder holds no readable validation radiograph of the models, or a model's
            maps never show anything.
    """
    predictor = Predictor()
    cases = artifacts.read_predictions(artifacts.model_folder(predictor.names[0]))
    cases = cases[(cases["split"] == VALIDATION) & (cases["crop_method"] == MEDIAPIPE)]
    images = find_images(folder, cases["id"])
    cases = balanced_sample(cases[cases["id"].isin(list(images))], n_occlusion)
    if cases.empty:
        raise BoneAgeError(
            f"The folder {folder} holds none of the models' validation radiographs: name the one "
            "that they were trained from."
        )
    shifts = []
    hands: Hands = {}
    cases = cases.assign(path=cases["id"].map(images))
    for case, radiograph in labeled_images(cases, title="occlusion" if progress else None):
        hands[case.id] = predictor.prepare(radiograph)
        shifts.append(_shifts(predictor, hands[case.id], case))
    cases = cases[cases["id"].isin(list(hands))]
    if cases.empty:
        raise BoneAgeError(f"None of the radiographs in {folder} can be read.")
    few = list(balanced_sample(cases, n_randomization).itertuples())
    directions = _directions(predictor, hands, few)
    similarities = [
        _similarities(
            name,
            tqdm(few, desc=f"randomization of {name}", unit="image", disable=not progress),
            hands,
            directions,
        )
        for name in predictor.names
    ]
    digests = artifacts.fingerprints(predictor.facts)
    return (
        occlusion_table(_with_digests(pd.concat(shifts), digests)),
        randomization_table(_with_digests(pd.concat(similarities), digests)),
    )


def _shifts(predictor: Predictor, hands: Mapping[str, PreparedHand], case: Any) -> pd.DataFrame:
    def predict(variants: Sequence[Mapping[str, PreparedHand]]) -> dict[str, np.ndarray]:
        return predictor.predict_prepared(variants, [case.sex] * len(variants))

    return occlusion_shifts(hands, predict).assign(
        id=case.id, reference_months=case.reference_months
    )


def _directions(predictor: Predictor, hands: Hands, cases: Sequence) -> dict[str, Direction]:
    """id -> the direction of its maps, which is one for all models as on the page."""
    months = predictor.predict_prepared(
        [hands[case.id] for case in cases], [case.sex for case in cases]
    )
    means = with_ensemble(months, predictor.weights)[ENSEMBLE]
    return {case.id: telling_direction(mean) for case, mean in zip(cases, means, strict=True)}


def _similarities(
    name: str, cases: Iterable, hands: Hands, directions: Mapping[str, Direction]
) -> pd.DataFrame:
    """Of one model: model, id, step, stage, similarity."""
    from boneage.sanity_checks.randomization import Randomization

    # Loaded anew, as its weights are to be lost.
    model, facts = artifacts.load_model(artifacts.model_folder(name))
    randomization = Randomization(model, facts.mirrored)
    parts = []
    for case in cases:
        table = randomization(hands[case.id][name].image, case.sex, directions[case.id])
        parts.append(table.assign(model=name, id=case.id))
    table = pd.concat(parts)
    if table.empty:
        raise BoneAgeError(
            f"Every Grad-CAM map of {facts.title} is even on these radiographs, so there is "
            "nothing to compare: train it first, or on larger images."
        )
    return table


def _with_digests(table: pd.DataFrame, digests: Mapping[str, str]) -> pd.DataFrame:
    """Says which models the rows were measured on, so that later ones do not get their credit."""
    return table.assign(model_sha256=table["model"].map(digests))
