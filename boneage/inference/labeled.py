"""Bone ages of files beside their reference bone ages, where a label file came with them."""

from collections.abc import Iterable

import pandas as pd

from boneage.datasets.labels import image_id
from boneage.evaluation.metrics import summarize
from boneage.formatting import CI_95, counted, metric_interval, metric_value
from boneage.models.registry import ENSEMBLE

REFERENCE, RESIDUAL = "reference_months", "residual_months"
_MOST_NAMED = 5


def with_reference(table: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Add the reference bone age and the residual of the ensemble to a table of results.

    Args:
        table: of `boneage.inference.results.results_table`.
        labels: of `boneage.datasets.labels.read_case_labels`.

    Returns:
        The table with reference_months and residual_months (predicted minus reference), float64,
        missing where a file has no label or no bone age.
    """
    reference = table["file"].map(image_id).map(labels.set_index("id")[REFERENCE]).astype(float)
    residual = table[f"{ENSEMBLE}_months"] - reference
    return table.assign(**{REFERENCE: reference, RESIDUAL: residual})


def errors_in_words(table: pd.DataFrame) -> str | None:
    """The errors of the ensemble on labeled files.

    Args:
        table: of `with_reference`.

    Returns:
        One sentence or two of Markdown; None where no file has a label and a bone age.
    """
    cases = table[table[RESIDUAL].notna()]
    if cases.empty:
        return None
    cases = cases.rename(columns={f"{ENSEMBLE}_months": "prediction_months"})
    metrics = summarize(cases).iloc[0]
    mae, bias = (
        f"{metric_value(name, metrics[name])} "
        f"({CI_95} {metric_interval(name, metrics[f'{name}_low'], metrics[f'{name}_high'])})"
        for name in ("mae", "bias")
    )
    left_out = int(table[REFERENCE].notna().sum()) - len(cases)
    said = f"**MAE {mae}**, bias {bias}, n = {len(cases):,}."
    if left_out:
        said += f" Without a bone age, and so left out: {counted(left_out, 'labeled radiograph')}."
    return said


def unmatched_in_words(files: Iterable[str], labels: pd.DataFrame) -> str | None:
    """Which files have no label, and how many labels no file.

    Args:
        files: names of the radiographs.
        labels: of `read_case_labels`.

    Returns:
        One sentence or two; None where every file has a label.
    """
    ids, known = {image_id(name): name for name in files}, set(labels["id"])
    lacking = [name for id_, name in ids.items() if id_ not in known]
    if not lacking:
        return None
    more = f" and {len(lacking) - _MOST_NAMED} more" if len(lacking) > _MOST_NAMED else ""
    said = (
        f"No label for {', '.join(lacking[:_MOST_NAMED])}{more}: the id of a label is the name of "
        "its image file."
    )
    unused = len(known - set(ids))
    return f"{said} {counted(unused, 'label')} without a radiograph." if unused else said
