"""Learn the quality check from real radiographs, and measure what it refuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from boneage import artifacts
from boneage.datasets.labeled_images import read_in_order
from boneage.datasets.rsna import find_split_images
from boneage.datasets.splits import TEST, TRAIN, VALIDATION, split_train_validation
from boneage.errors import BoneAgeError
from boneage.evaluation.intervals import wilson_interval
from boneage.quality.checks import ALL, CHECKS, REAL, QualityMeasures, features_check
from boneage.quality.density import DensityModel
from boneage.quality.out_of_distribution import negatives
from boneage.quality.quality_check import QualityCheck, to_arrays
from boneage.quality.shapes import aligned
from boneage.radiographs.reading import UnreadableRadiograph, read_radiograph

if TYPE_CHECKING:
    from boneage.inference.predictor import Predictor

# The share of the validation radiographs that all checks together may refuse.
MAX_REFUSED = 0.01
OTHER_HALF = "validation, limits from the other half"
_N_TRAIN, _N_CHANGED = 1000, 20
_SHAPE_AXES, _FEATURE_AXES = 16, 128


@dataclass
class Sample:
    """N readable files: their quality measures, and model -> (N, D) features."""

    quality: list[QualityMeasures] = field(default_factory=list)
    features: dict[str, np.ndarray] = field(default_factory=dict)
    unreadable: int = 0

    def measures(self, quality_check: QualityCheck) -> list[dict[str, float]]:
        return quality_check.measure(self.quality, self.features) if self.quality else []

    def part(self, cases: slice) -> Sample:
        """Some of the readable files."""
        features = {name: values[cases] for name, values in self.features.items()}
        return Sample(self.quality[cases], features)


def learn_quality_check(predictor: Predictor, root: str | Path) -> tuple[Path, pd.DataFrame]:
    """Learn the quality check of all published models, measure it and store both in `artifacts/`.

    The density models are fitted to training radiographs, a sample stratified by sex and year of
    age; limits are chosen on all validation radiographs; the test radiographs are left to measure
    with. Splits are those of the stored predictions. Takes a quarter of a second of two CPU cores
    an image, of which there are 3,149 with the challenge's data.

    Args:
        predictor: of them all; it has a quality check itself and so is built above this module.
        root: folder with the challenge's boneage-training-dataset and boneage-test-dataset.

    Returns:
        The path and the content of quality_check.csv, see `measure_quality_check`.

    Raises:
        BoneAgeError: radiographs or packages are missing.
    """
    cases = artifacts.read_predictions(artifacts.model_folder(predictor.names[0]))
    files = {split: _files(root, cases, split) for split in (TRAIN, VALIDATION, TEST)}
    every = max(1, len(files[TEST]) // _N_CHANGED)
    changed = [read_radiograph(path).pixels for path in files[TEST][::every][:_N_CHANGED]]
    ood = list(negatives(changed))  # first of all: a missing package is told at once
    samples = {split: measure_sample(predictor, paths, split) for split, paths in files.items()}
    quality_check = fit_quality_check(samples[TRAIN], samples[VALIDATION])
    kinds = {(REAL, split): samples[split] for split in (VALIDATION, TEST)}
    for key, items in groupby(ood, itemgetter(0, 1)):
        kinds[key] = measure_sample(predictor, [content for *_, content in items], key[1])
    sources: dict[tuple[str, str], set[str]] = {}
    for group, kind, source, _ in ood:
        sources.setdefault((group, kind), set()).add(source)
    by_other_half = refused_by_other_half(samples[TRAIN], samples[VALIDATION])
    table = measure_quality_check(quality_check, kinds, by_other_half, sources)
    fingerprints = artifacts.fingerprints(predictor.facts)
    facts = {
        "limits": quality_check.limits,
        "model_sha256": {name: fingerprints[name] for name in predictor.names},
        "n_train": len(files[TRAIN]),
        "n_validation": len(files[VALIDATION]),
    }
    return artifacts.write_quality_check(facts, to_arrays(quality_check), table), table


def _files(root: str | Path, cases: pd.DataFrame, split: str) -> list[Path]:
    """The radiographs of a split, of the training set a sample."""
    cases = cases[cases["split"] == split]
    if split == TRAIN and len(cases) > _N_TRAIN:
        cases = cases[split_train_validation(cases, _N_TRAIN) == VALIDATION]
    found = find_split_images(root, split, cases["id"])
    if len(found) < len(cases) or not found:
        raise BoneAgeError(
            f"{root} holds {len(found)} of the {len(cases)} {split} radiographs that the stored "
            "predictions are of; name the folder of that data set."
        )
    return [found[id_] for id_ in cases["id"]]


def measure_sample(predictor: Predictor, sources: Iterable[bytes | Path], title: str) -> Sample:
    """Measure radiographs, with a progress bar; the sex does not change the image features."""
    sample, features = Sample(), []

    def look(source: bytes | Path) -> tuple[QualityMeasures, dict[str, np.ndarray]]:
        opened = predictor.open(source)
        return opened.quality, predictor.read_prepared([opened.hands], ["female"])[1]

    with tqdm(sources, desc=title, unit="image") as bar:
        for seen in read_in_order(bar, look, predictor.workers):
            if isinstance(seen, UnreadableRadiograph):
                sample.unreadable += 1
            else:
                sample.quality.append(seen[0])
                features.append(seen[1])
    if features:
        sample.features = {
            n: np.concatenate([part[n] for part in features]) for n in predictor.names
        }
    return sample


def fit_quality_check(training: Sample, validation: Sample) -> QualityCheck:
    """A quality check fitted to the training cases that passes 99% of the validation cases.

    Every limit lets the same share of cases fail, the largest with which all checks together, those
    with fixed limits included, refuse at most MAX_REFUSED of the validation cases. What rare cases
    measure is known better the more there are, so training cases count too, but for the features:
    those are training data of the models.
    """
    hands = (each.landmarks for each in training.quality)
    shapes = np.stack([aligned(points) for points in hands if points is not None])
    densities = {
        name: DensityModel.fit(values, _FEATURE_AXES) for name, values in training.features.items()
    }
    quality_check = QualityCheck({}, DensityModel.fit(shapes, _SHAPE_AXES), densities)
    cases = validation.measures(quality_check)
    cases_of = {
        c.measure: cases + training.measures(quality_check) for c in CHECKS if c.most is None
    }
    cases_of |= {features_check(name).measure: cases for name in densities}
    falling = {
        measure: sorted((case.get(measure, 0.0) for case in some), reverse=True)
        for measure, some in cases_of.items()
    }
    allowed = int(MAX_REFUSED * len(cases))
    for failing in reversed(range(allowed + 1)):
        limits = {m: values[failing * len(values) // len(cases)] for m, values in falling.items()}
        quality_check = replace(quality_check, limits=limits)
        if sum(quality_check.refusal(case) is not None for case in cases) <= allowed:
            break
    return quality_check


def refused_by_other_half(training: Sample, validation: Sample) -> Counter:
    """Kind of refusal -> number, of each half of the validation cases with limits from the other.

    So no case helps to choose the limits that it is held against, as it is with new radiographs.
    """
    halves = [validation.part(slice(first, None, 2)) for first in (0, 1)]
    pairs = zip(halves, halves[::-1], strict=True)
    return sum(
        (_refusals(fit_quality_check(training, one), other) for one, other in pairs), Counter()
    )


def _refusals(quality_check: QualityCheck, sample: Sample) -> Counter:
    refusals = filter(None, map(quality_check.refusal, sample.measures(quality_check)))
    return Counter(refusal.kind for refusal in refusals)


def measure_quality_check(
    quality_check: QualityCheck,
    kinds: dict[tuple[str, str], Sample],
    by_other_half: Counter,
    sources: Mapping[tuple[str, str], set[str]] | None = None,
) -> pd.DataFrame:
    """What a quality check refuses: one row for each kind of image and one for each group of kinds.

    Args:
        quality_check: to measure.
        kinds: (group, kind) -> what was seen; validation and test radiographs, (REAL, VALIDATION)
            and (REAL, TEST), must be among them.
        by_other_half: see `refused_by_other_half`; becomes a row of its own.
        sources: (group, kind) -> the source images of a kind, by default
            as many as images.

    Returns:
        Columns group, kind, n, sources (their number), refused (share; files that cannot be read
        count) with its 95% CI low and high (Wilson's, of as many independent images as there are
        sources, which is wider than that of n images), auc (area under the ROC curve of
        `QualityCheck.ood_score` against the test radiographs; missing for real ones) and reasons
        (each kind of refusal and its number).
    """
    ood_score, reasons = {}, {}
    sources = dict(sources or {})
    for key, sample in kinds.items():
        known = map(quality_check.ood_score, sample.measures(quality_check))
        ood_score[key] = [*known, *[np.inf] * sample.unreadable]
        reasons[key] = _refusals(quality_check, sample) + Counter({"unreadable": sample.unreadable})
        if key == (REAL, VALIDATION):
            ood_score[REAL, OTHER_HALF] = ood_score[key]
            reasons[REAL, OTHER_HALF] = by_other_half
    for group in dict.fromkeys(group for group, _ in kinds):
        if group != REAL:
            members = [key for key in kinds if key[0] == group]
            ood_score[group, ALL] = sum((ood_score[key] for key in members), [])
            reasons[group, ALL] = sum((reasons[key] for key in members), Counter())
            sources[group, ALL] = set().union(*(sources.get(key, ()) for key in members))
    real, rows = ood_score[REAL, TEST], []
    for key, values in ood_score.items():
        group, kind = key
        n_sources = len(sources.get(key, ())) or len(values)
        refused = reasons[key].total() / len(values)
        low, high = wilson_interval(refused, n_sources)
        rows.append(
            {
                "group": group,
                "kind": kind,
                "n": len(values),
                "sources": n_sources,
                "refused": refused,
                "low": low,
                "high": high,
                "auc": np.nan if group == REAL else _auc(real, values),
                "reasons": ", ".join(
                    f"{reason} {count}" for reason, count in reasons[key].most_common()
                ),
            }
        )
    return pd.DataFrame(rows)


def _auc(real: list[float], ood: list[float]) -> float:
    """Chance that an out-of-distribution image has the larger value."""
    labels = np.repeat([0, 1], [len(real), len(ood)])
    return float(roc_auc_score(labels, np.minimum([*real, *ood], 1e9)))
