"""Local calibrations of the models in BONEAGE_ARTIFACTS, as if fitted to readings of a site."""

from pathlib import Path

from boneage import artifacts
from boneage.inference.local_calibration import Gain, Line, LocalCalibration
from boneage.models.registry import ENSEMBLE


def local_calibration(
    girls: float | None = None, boys: float | None = None, factor: float | None = None
) -> LocalCalibration:
    """Of the ensemble.

    girls, boys: months added to their bone ages; None without readings of them. factor: by which
    the intervals grow; None where they stay as they are.
    """
    lines = {
        sex: Line(60, offset, 1.0, 100.0, 0.0, 228.0)
        for sex, offset in (("female", girls), ("male", boys))
        if offset is not None
    }
    n = 60
    return LocalCalibration(
        model=ENSEMBLE,
        model_sha256=artifacts.published_fingerprints()[ENSEMBLE],
        n=n,
        csv_sha256="c5" * 32,
        made_on="2026-01-31",
        software="boneage 1",
        cross_validation=Gain(9.0, 8.0, 1.0, 0.5, 1.5),
        lines=lines,
        interval_scores=() if factor is None else (factor,) * n,
    )


def write_site(path: Path, **changes: float) -> LocalCalibration:
    """Write the file of a local calibration."""
    found = local_calibration(**changes)
    found.save(path)
    return found
