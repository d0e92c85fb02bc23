"""The verb calibrate of the command line, and the option --calibration of those that predict.

Imports what it needs when it runs, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from boneage.errors import BoneAgeError

if TYPE_CHECKING:
    import pandas as pd


def add_calibration(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a local calibration to use."""
    parser.add_argument(
        "--calibration",
        metavar="FILE",
        help="local calibration to apply, a file written by the verb calibrate",
    )


def add_calibrate_options(parser: argparse.ArgumentParser) -> None:
    """Add all options of calibrate but the choice of the model and the reference column."""
    parser.add_argument(
        "csv",
        metavar="CSV",
        help="readings of your site, 30 or more: columns id, sex, boneage (the reading) and, "
        "without --images, prediction; bone ages in months",
    )
    parser.add_argument(
        "--images",
        metavar="DIR",
        help="predict these radiographs, named <id>.png etc., instead of reading predictions; "
        "those that the quality check refuses are left out",
    )
    parser.add_argument(
        "--out", required=True, metavar="FILE", help="the JSON file to write, for --calibration"
    )


def calibrate_locally(options: argparse.Namespace) -> bool:
    """Fit a local calibration, write it and print what it is.

    Args:
        options: csv, images, out, model and reference_column.

    Returns:
        Whether all radiographs named were used.

    Raises:
        BoneAgeError: a file cannot be used or written, or there are too few readings.
    """
    import hashlib

    from boneage import artifacts
    from boneage.inference.conformal import calibrate
    from boneage.local_calibration.fit import fit_local_calibration
    from boneage.local_calibration.text import fit_in_words

    try:
        content = Path(options.csv).read_bytes()
    except OSError as error:
        raise BoneAgeError(f"{options.csv} cannot be read ({error.strerror}).") from error
    cases, left_out = _cases(options)
    names = artifacts.available_models()
    tables = {name: artifacts.read_predictions(artifacts.model_folder(name)) for name in names}
    fingerprint = artifacts.published_fingerprints().get(options.model)
    if not names or fingerprint is None:
        raise BoneAgeError(f"There is no trained model {options.model}: train one.")
    fit = fit_local_calibration(
        cases,
        options.model,
        fingerprint,
        calibrate(tables),
        hashlib.sha256(content).hexdigest(),
    )
    fit.calibration.save(options.out)
    print("\n".join([*left_out, *fit_in_words(fit), f"The calibration is in {options.out}."]))
    return not left_out


def _cases(options: argparse.Namespace) -> tuple[pd.DataFrame, list[str]]:
    """The readings with their predictions, and sentences on radiographs left out."""
    from boneage.datasets.labels import read_user_predictions

    if options.images:
        return _predicted(options)
    cases = read_user_predictions(options.csv, reference_column=options.reference_column)
    return cases, []


def _predicted(options: argparse.Namespace) -> tuple[pd.DataFrame, list[str]]:
    import pandas as pd

    from boneage.datasets.labeled_images import in_order, labeled_images
    from boneage.datasets.rsna import labeled_cases
    from boneage.formatting import counted
    from boneage.inference.predictor import Predictor

    labels = labeled_cases(options.images, options.csv, options.reference_column)
    predictor = Predictor(options.model, workers=len(labels))
    read = labeled_images(
        labels,
        lambda case: predictor.predict(case.path, case.sex),
        "calibrate",
        partial(in_order, workers=predictor.workers),
    )
    rows, refused = [], 0
    for case, prediction in read:
        if prediction.refusal:
            refused += 1
        else:
            rows.append((case.sex, case.reference_months, prediction.ages[options.model]))
    unread = len(labels) - len(rows) - refused
    sentences = [
        f"Left out: {counted(n, 'radiograph')} {why}."
        for n, why in ((refused, "refused by the quality check"), (unread, "missing or unreadable"))
        if n
    ]
    columns = ["sex", "reference_months", "prediction_months"]
    return pd.DataFrame(rows, columns=columns), sentences
