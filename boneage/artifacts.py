"""The only reader and writer of `artifacts/`: trained weights, their facts and their results.

A folder `artifacts/models/<name>/` holds
    weights.safetensors  float16, keyed by variable path ("stage1_block1_conv1/kernel")
    model.onnx           the same weights in the graph that predicts, see `boneage.training.export`
    facts.json           what the weights are and how to build the model around them (`Facts`)
    history.csv          one row an epoch
    metrics.csv          figures of each split, see `boneage.evaluation.metrics.metrics_table`
    predictions.csv      one row a case
    paper/               the same without weights, of the reference recipe: what it gives
    unfinished/          the same of a training that goes on here, until `publish`
and `artifacts/coverage.csv` says how often prediction intervals cover the reference bone age.
`occlusion.csv` and `randomization.csv` say how far maps of where a model looked can be trusted.
What the image quality check compares an image with is in `quality_check.json` (limits, and the
models they belong to) and `quality_check.safetensors`; `quality_check.csv` says what it refuses.
`robustness.csv` says how much larger the errors are on changed images of the same hands.
Loading never runs code from a file: the architecture is built by the registry and safetensors
holds numbers only, as does ONNX. Keras is imported when a Keras model is loaded; tables and
exported models open without it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import numpy as np

from boneage.atomic import replace_file
from boneage.errors import BoneAgeError
from boneage.models.registry import ENSEMBLE, MODELS, build_model, find_model
from boneage.radiographs import preprocessing
from boneage.sexes import SEXES

if TYPE_CHECKING:
    import keras
    import pandas as pd

WEIGHTS, GRAPH, FACTS = "weights.safetensors", "model.onnx", "facts.json"
HISTORY, METRICS, PREDICTIONS = "history.csv", "metrics.csv", "predictions.csv"
COVERAGE = "coverage.csv"
ROBUSTNESS = "robustness.csv"
OCCLUSION, RANDOMIZATION = "occlusion.csv", "randomization.csv"
_FORMER_FILES = {RANDOMIZATION: "randomisation.csv"}  # names in earlier versions
QUALITY_CHECK_FACTS, QUALITY_CHECK_NUMBERS, QUALITY_CHECK_TABLE = (
    "quality_check.json",
    "quality_check.safetensors",
    "quality_check.csv",
)
BEST = "best"
UNFINISHED = "unfinished"
FILES = (WEIGHTS, GRAPH, FACTS, HISTORY, METRICS, PREDICTIONS)
# Raise it by one whenever `boneage.inference.ensemble.ensemble_weights` gives the same predictions
# other weights: what was measured on the ensemble then counts no longer.
ENSEMBLE_VERSION = 1

PREDICTION_COLUMNS = (
    "id",
    "split",
    "sex",
    "reference_months",
    "prediction_months",
    "contrast",
    "crop_method",  # last, so that a file cut within its last row is noticed
)
_FORMER_COLUMNS = {"age_months": "reference_months"}  # in tables of earlier versions
_PREDICTION_TEXTS = ("id", "split", "sex", "crop_method")
_PREDICTION_NUMBERS = ("reference_months", "prediction_months", "contrast")
_CROP_METHODS = {"mediapipe", "segmentation", "full_frame"}

_TRAIN = "train again"  # what to do where git does not have the file either
EXPORT = "export the model again (python -m boneage export)"
_FLOAT16_MAX = float(np.finfo(np.float16).max)  # 65504


class ArtifactError(BoneAgeError):
    """A file of an artifact cannot be used; the message is one sentence for people."""


@dataclasses.dataclass(frozen=True)
class Facts:
    """What a set of weights is. All fields survive JSON, so tuples inside come back as lists.

    Attributes:
        name: registry name.
        title: the name people read.
        architecture: one line on the network.
        preset: the training preset, its name and all its fields.
        preprocessing: fields of the `Preprocessing` every image of the model must go through.
        build: keyword arguments of `boneage.models.registry.build_model` besides the name:
            input_size, output_scale, output_offset, dropout, l2.
        mirrored: whether an answer is the mean over the image and its mirror image.
        data_fingerprint: fingerprint of the cache the model was trained on.
        n_train: number of training cases.
        parameters: number of weights, trained and not.
        versions: package name -> version used in training.
        weights_sha256: SHA-256 of weights.safetensors, 64 hexadecimal digits.
        trained_on: date, ISO 8601 ("2025-01-31").
        training_seconds: time spent in all epochs, those of the weights it started from included.
        training_note: one sentence for people saying what these weights are.
        warm_start: of the weights that training started from their weights_sha256 (None where
            they were not kept), preset and trained_on; empty for fresh weights.
        graph_sha256: SHA-256 of model.onnx, 64 hexadecimal digits; empty before the export.
    """

    name: str
    title: str
    architecture: str
    preset: dict
    preprocessing: dict
    build: dict
    mirrored: bool
    data_fingerprint: str
    n_train: int
    parameters: int
    versions: dict
    weights_sha256: str
    trained_on: str
    training_seconds: float
    training_note: str
    warm_start: dict = dataclasses.field(default_factory=dict)
    graph_sha256: str = ""


def artifacts_root() -> Path:
    """The folder that BONEAGE_ARTIFACTS names, else that of the package, else of the checkout.

    An installed package has it inside, where the wheel puts it (pyproject.toml); in a checkout, or
    installed from one with `pip install -e`, it is the repository's `artifacts/`.
    """
    if named := os.environ.get("BONEAGE_ARTIFACTS"):
        return Path(named)
    package = Path(__file__).resolve().parent
    installed = package / "_artifacts"
    return installed if installed.is_dir() else package.parent / "artifacts"


def model_folder(name: str) -> Path:
    """Where the artifact of a registered model lies, whether it is there or not.

    Args:
        name: of the model.

    Returns:
        Its folder in `artifacts_root()`.

    Raises:
        ArtifactError: the name is not in the registry.

    Example:
        >>> model_folder("densenet121").name
        'densenet121'
    """
    try:
        return artifacts_root() / "models" / find_model(name).name
    except ValueError as error:
        raise ArtifactError(str(error)) from error


def available_models(root: str | Path | None = None) -> list[str]:
    """Names of the models all of whose files are there, in registry order; no file is opened.

    Args:
        root: an artifacts folder, by default `artifacts_root()`.

    Returns:
        The names.

    Example:
        >>> available_models("nowhere")
        []
    """
    models = Path(root or artifacts_root()) / "models"
    return [name for name in MODELS if all((models / name / file).is_file() for file in FILES)]


def incomplete_models() -> dict[str, list[str]]:
    """Model name -> its missing files, of the models that have some of their files but not all."""
    missing = {
        name: [file for file in FILES if not (model_folder(name) / file).is_file()]
        for name in MODELS
    }
    return {name: files for name, files in missing.items() if 0 < len(files) < len(FILES)}


def recipe_folders(name: str) -> dict[str, Path]:
    """Where the results of each training recipe of a published model lie.

    Args:
        name: of the model.

    Returns:
        Recipe -> folder, "best" first: what is published and has weights. A folder inside it named
        after another recipe ("paper") holds the facts and tables of that one, for comparison.
    """
    published = model_folder(name)
    others = [f for f in sorted(published.iterdir()) if (f / PREDICTIONS).is_file()]
    return {BEST: published} | {f.name: f for f in others if f.name != UNFINISHED}


def publish(folder: str | Path) -> None:
    """Put a whole artifact in the place of the one before it.

    facts.json goes first and comes last: a crash in between leaves an artifact that counts as
    incomplete, never a mixture of two.

    Args:
        folder: of the artifact; the files of its folder `UNFINISHED` take the place of its own.
    """
    folder = Path(folder)
    (folder / FACTS).unlink(missing_ok=True)
    for file in sorted(FILES, key=lambda file: file == FACTS):
        (folder / UNFINISHED / file).replace(folder / file)


# Weights ------------------------------------------------------------------------------------


def write_weights(folder: str | Path, model: keras.Model) -> str:
    """Write the weights of a model as float16.

    BatchNorm statistics are included, states of random generators are not. A tensor with values
    beyond the range of float16 (65,504), as a moving variance may have, is kept as float32.

    Args:
        folder: of the artifact.
        model: whose weights to write.

    Returns:
        SHA-256 of the file, 64 hexadecimal digits.

    Raises:
        ArtifactError: a weight is not finite, or two weights share a path.
    """
    from safetensors.numpy import save

    path = Path(folder) / WEIGHTS
    tensors = {}
    for variable in model.weights:
        value = np.asarray(variable.numpy(), dtype=np.float32)
        if not np.isfinite(value).all():
            raise ArtifactError(
                f"The weight {variable.path} holds values that are not finite, so {path} was not "
                "written; train again with a lower learning rate."
            )
        if variable.path in tensors:
            raise ArtifactError(
                f"Two weights are called {variable.path}, so {path} was not written; "
                "give the layers of the model different names."
            )
        fits = np.abs(value).max(initial=0) <= _FLOAT16_MAX
        tensors[variable.path] = np.ascontiguousarray(value, np.float16 if fits else np.float32)
    content = save(tensors)
    replace_file(path, content)
    return hashlib.sha256(content).hexdigest()


def load_model(folder: str | Path) -> tuple[keras.Model, Facts]:
    """Build the model that an artifact describes and give it its weights.

    Args:
        folder: of the artifact.

    Returns:
        The model, not compiled, and its facts. The model takes image (B, S, S, 1) float32 in [0, 1]
        and sex (B, 1) float32 (male = 1) and returns bone age (B, 1) in months.

    Raises:
        ArtifactError: a file is missing, altered or does not fit.

    Example:
        >>> name = available_models()[0]
        >>> model, facts = load_model(model_folder(name))
        >>> facts.name == name, model.output_shape
        (True, (None, 1))
    """
    folder = Path(folder)
    facts = read_facts(folder)
    _check_weights(folder, facts)  # before the seconds that building takes
    try:
        model = build_model(facts.name, **facts.build)
    except (ValueError, TypeError, KeyError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise unusable(
            folder / FACTS, f"describes a model that cannot be built ({reason[0]})"
        ) from error
    load_weights(folder, model)
    return model, facts


def load_weights(folder: str | Path, model: keras.Model) -> None:
    """Give a model the weights of an artifact.

    Args:
        folder: of the artifact.
        model: of the same architecture; it may be built for another input size.

    Raises:
        ArtifactError: a file is missing, altered or does not fit.
    """
    folder = Path(folder)
    content = _check_weights(folder, read_facts(folder))
    _assign(model, _parse_weights(folder / WEIGHTS, content), folder / WEIGHTS)


def _check_weights(folder: Path, facts: Facts) -> bytes:
    """The content of the weights file, which is looked into only when it is the one written."""
    content = _read(folder / WEIGHTS)
    if hashlib.sha256(content).hexdigest() != facts.weights_sha256:
        raise unusable(
            folder / WEIGHTS, f"is truncated, altered or not the file {FACTS} was written for"
        )
    return content


def _parse_weights(path: Path, content: bytes) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(content)
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise unusable(path, "is not a safetensors file of floating-point numbers") from error


def _assign(model: keras.Model, tensors: dict[str, np.ndarray], path: Path) -> None:
    variables = {variable.path: variable for variable in model.weights}
    if missing := sorted(variables.keys() - tensors.keys()):
        raise unusable(path, f"lacks {len(missing)} weights of the model, first {missing[0]}")
    if unknown := sorted(tensors.keys() - variables.keys()):
        raise unusable(path, f"holds {len(unknown)} weights the model lacks, first {unknown[0]}")
    for name, variable in variables.items():
        value = tensors[name]
        if value.shape != tuple(variable.shape):
            raise unusable(
                path,
                f"holds {name} with shape {value.shape} where the model needs "
                f"{tuple(variable.shape)}",
            )
    # All shapes are checked first, so a model is never left half loaded.
    for name, variable in variables.items():
        variable.assign(tensors[name].astype(np.float32))


# Exported graph -----------------------------------------------------------------------------


def write_graph(folder: str | Path, facts: Facts, content: bytes) -> Facts:
    """Write the exported model, and its hash into the facts.

    Args:
        folder: of the artifact.
        facts: of the artifact.
        content: ONNX file, see `boneage.training.export`.

    Returns:
        The facts with the hash.
    """
    facts = dataclasses.replace(facts, graph_sha256=hashlib.sha256(content).hexdigest())
    replace_file(Path(folder) / GRAPH, content)
    write_facts(folder, facts)
    return facts


def graph_file(folder: str | Path, facts: Facts | None = None) -> Path:
    """The exported model of an artifact.

    Args:
        folder: of the artifact.
        facts: of the artifact, where they were read already.

    Returns:
        The path of an ONNX file, the one that the facts name.

    Raises:
        ArtifactError: a file is missing, altered or does not fit.
    """
    path = Path(folder) / GRAPH
    facts = facts or read_facts(folder)
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error, EXPORT) from error
    if digest != facts.graph_sha256:
        raise unusable(
            path, f"is truncated, altered or not the file {FACTS} was written for", EXPORT
        )
    return path


# Facts --------------------------------------------------------------------------------------


def write_facts(folder: str | Path, facts: Facts) -> None:
    """Write facts.json.

    Args:
        folder: of the artifact.
        facts: to write.

    Raises:
        ArtifactError: a field has the wrong type or is not JSON.
    """
    path = Path(folder) / FACTS
    values = dataclasses.asdict(facts)
    if fault := _fault(values):
        raise ArtifactError(f"The facts for {path} cannot be written: {fault}.")
    try:
        text = json.dumps(values, indent=2, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ArtifactError(f"The facts for {path} cannot be written as JSON: {error}.") from error
    replace_file(path, f"{text}\n".encode())


def read_facts(folder: str | Path) -> Facts:
    """Read facts.json.

    Args:
        folder: of the artifact.

    Returns:
        What its weights are.

    Raises:
        ArtifactError: the file is missing, not JSON or lacks a field.

    Example:
        >>> read_facts(model_folder("resnet34_cbam")).title
        'ResNet34+CBAM'
    """
    path = Path(folder) / FACTS
    content = _read(path)
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise unusable(path, "is not valid JSON") from error
    if not isinstance(values, dict):
        raise unusable(path, "is not a JSON object")
    if fault := _fault(values):
        raise unusable(path, f"cannot be used: {fault}")
    return Facts(**values)


def _fault(values: dict) -> str | None:
    """What is wrong with the fields of facts, in words, or None."""
    fields = dataclasses.fields(Facts)
    types = get_type_hints(Facts)
    needed = [
        field.name
        for field in fields
        if field.default is field.default_factory is dataclasses.MISSING
    ]
    if missing := [name for name in needed if name not in values]:
        return f"it lacks {', '.join(missing)}"
    if unknown := [str(name) for name in values if name not in types]:
        return f"it has unknown fields {', '.join(unknown)}"
    for name, value in values.items():
        if type(value) is not types[name]:
            return f"{name} must be {types[name].__name__}, not {type(value).__name__}"
    digest = values["weights_sha256"]
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        return "weights_sha256 is not 64 lower-case hexadecimal digits"
    try:
        date.fromisoformat(values["trained_on"])
    except ValueError:
        return f"trained_on is not a date like 2025-01-31 but {values['trained_on']!r}"
    return None


def fingerprints(facts: Mapping[str, Facts]) -> dict[str, str]:
    """What tells the answers of models from those of any others.

    That is the weights, the model around them, whether the mirror image is read, the parameters of
    the preparation and, as its code is no parameter, PREPROCESSING_VERSION. What was measured on a
    model, column model_sha256 of a table, holds for these alone.

    Args:
        facts: model name -> its facts.

    Returns:
        Model name -> SHA-256 (hex); "ensemble" -> that of them all and of what its weights come
        from: their predictions.csv and ENSEMBLE_VERSION.
    """
    each = {
        name: _fingerprint(
            [
                known.weights_sha256,
                known.build,
                known.mirrored,
                known.preprocessing,
                preprocessing.PREPROCESSING_VERSION,
            ]
        )
        for name, known in facts.items()
    }
    of_ensemble = [each, {name: _predictions_digest(name) for name in each}, ENSEMBLE_VERSION]
    return each | {ENSEMBLE: _fingerprint(of_ensemble)}


def published_fingerprints() -> dict[str, str]:
    """The `fingerprints` of the models as published now.

    Returns:
        Model name and "ensemble" -> SHA-256 (hex).

    Raises:
        ArtifactError: facts are damaged.
    """
    return fingerprints({name: read_facts(model_folder(name)) for name in available_models()})


def _predictions_digest(name: str) -> str | None:
    """SHA-256 (hex) of a model's predictions.csv, whichever line ends Git gave it, or None."""
    try:
        content = (artifacts_root() / "models" / name / PREDICTIONS).read_bytes()
    except OSError:  # which `read_predictions` explains
        return None
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def _fingerprint(values: list | dict) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


# Tables -------------------------------------------------------------------------------------


def write_history(folder: str | Path, history: pd.DataFrame) -> None:
    """Write history.csv.

    Args:
        folder: of the artifact.
        history: one row an epoch, columns as given (epoch, loss, val_mae, ...).
    """
    write_table(Path(folder) / HISTORY, history, "%.6g")


def read_history(folder: str | Path) -> pd.DataFrame:
    """Read history.csv.

    Args:
        folder: of the artifact.

    Returns:
        One row an epoch.

    Raises:
        ArtifactError: the file is missing, empty or not a table.
    """
    return read_table(Path(folder) / HISTORY)


def write_metrics(folder: str | Path, metrics: pd.DataFrame) -> None:
    """Write metrics.csv with four decimals.

    Args:
        folder: of the artifact.
        metrics: of `boneage.evaluation.metrics.metrics_table`.
    """
    write_table(Path(folder) / METRICS, metrics, "%.4f")


def read_metrics(folder: str | Path) -> pd.DataFrame:
    """Read metrics.csv.

    Args:
        folder: of the artifact.

    Returns:
        See `boneage.evaluation.metrics.metrics_table`.

    Raises:
        ArtifactError: the file is missing, empty or lacks a column.
    """
    path = Path(folder) / METRICS
    return read_table(path, ("split", "group", "n", "mae"), dtype={"split": str, "group": str})


def write_predictions(folder: str | Path, predictions: pd.DataFrame) -> None:
    """Write predictions.csv, numbers with two decimals.

    Args:
        folder: of the artifact.
        predictions: with `PREDICTION_COLUMNS`; other columns are left out.

    Raises:
        ArtifactError: `read_predictions` would refuse the table.
    """
    path = Path(folder) / PREDICTIONS
    if missing := [column for column in PREDICTION_COLUMNS if column not in predictions]:
        raise ArtifactError(f"The predictions for {path} have no column {', '.join(missing)}.")
    table = predictions[list(PREDICTION_COLUMNS)].astype({"id": str})
    if fault := _prediction_fault(table):
        raise ArtifactError(f"The predictions for {path} cannot be written: {fault}.")
    write_table(path, table, "%.2f")


def read_predictions(folder: str | Path) -> pd.DataFrame:
    """Read predictions.csv.

    Args:
        folder: of the artifact.

    Returns:
        One row a radiograph, columns `PREDICTION_COLUMNS`, texts as str, months as float64.

    Raises:
        ArtifactError: the file is missing, lacks a column or holds values it cannot hold.

    Example:
        >>> predictions = read_predictions(model_folder("densenet121"))
        >>> list(predictions.columns) == list(PREDICTION_COLUMNS)
        True
        >>> predictions["split"].value_counts()["validation"]
        np.int64(1425)
    """
    import pandas as pd

    path = Path(folder) / PREDICTIONS
    # Ids like "0012" or "NA" are texts, not numbers or gaps.
    texts = dict.fromkeys(_PREDICTION_TEXTS, str)
    table = read_table(path, PREDICTION_COLUMNS, dtype=texts, keep_default_na=False)
    table = table[list(PREDICTION_COLUMNS)]
    for column in _PREDICTION_NUMBERS:
        table[column] = pd.to_numeric(table[column], errors="coerce").astype(np.float64)
    if fault := _prediction_fault(table):
        raise unusable(path, f"cannot be used: {fault}")
    return table


def write_coverage(coverage: pd.DataFrame) -> Path:
    """Write coverage.csv.

    Args:
        coverage: of `boneage.inference.conformal.coverage_table`, with a column model_sha256.

    Returns:
        The path of the file.
    """
    path = artifacts_root() / COVERAGE
    write_table(path, coverage, "%.6g")  # pages round it once more
    return path


def read_coverage() -> pd.DataFrame | None:
    """Read coverage.csv.

    Returns:
        See `boneage.inference.conformal.coverage_table`; None where there is none for the
        models as published now.

    Raises:
        ArtifactError: the file is no table or does not say what it was measured on.
    """
    return _read_measured(COVERAGE, "run python -m boneage coverage")


def write_robustness(robustness: pd.DataFrame) -> Path:
    """Write robustness.csv.

    Args:
        robustness: of `boneage.robustness.measurement.measure_robustness`.

    Returns:
        The path of the file.
    """
    path = artifacts_root() / ROBUSTNESS
    write_table(path, robustness)
    return path


def read_robustness() -> pd.DataFrame | None:
    """Read robustness.csv.

    Returns:
        See `boneage.robustness.measurement.measure_robustness`; None where there is none for the
        models as published now.

    Raises:
        ArtifactError: the file is no table or does not say what it was measured on.
    """
    return _read_measured(ROBUSTNESS, "run python -m boneage robustness")


def _read_measured(file: str, remedy: str) -> pd.DataFrame | None:
    path = artifacts_root() / file
    if not path.exists():
        return None
    table = read_table(path, ("model", "model_sha256"), remedy)
    measured = dict(zip(table["model"], table["model_sha256"], strict=True))
    return table if measured == published_fingerprints() else None


def write_saliency(file: str, table: pd.DataFrame) -> Path:
    """Write a table of the sanity checks of maps.

    Args:
        file: OCCLUSION or RANDOMIZATION.
        table: see `boneage.sanity_checks.tables`.

    Returns:
        The path of the file.
    """
    path = artifacts_root() / file
    write_table(path, table)
    return path


def read_saliency(file: str, facts: Mapping[str, Facts]) -> pd.DataFrame:
    """The rows of a table of the sanity checks that were measured on these very models.

    Args:
        file: OCCLUSION or RANDOMIZATION.
        facts: model name -> its facts.

    Returns:
        Rows of the same `fingerprints`; none where the file was never written.

    Raises:
        ArtifactError: the file is no table or does not say what it was measured on.
    """
    import pandas as pd

    path = artifacts_root() / file
    if not path.exists():
        path = path.with_name(_FORMER_FILES.get(file, file))
    if not path.exists():
        return pd.DataFrame(columns=["model", "model_sha256"])
    table = read_table(path, ("model", "model_sha256"))
    now = table["model"].map(fingerprints(facts))
    return table[now == table["model_sha256"]].reset_index(drop=True)


def _prediction_fault(table: pd.DataFrame) -> str | None:
    """What is wrong with a predictions table that has all columns, in words, or None."""
    if not np.isfinite(table[list(_PREDICTION_NUMBERS)].to_numpy(np.float64)).all():
        return "some ages or predictions are not numbers"
    if table[["id", "split"]].isin(["", np.nan]).any(axis=None):
        return "some cases have no id or split"
    if not table["sex"].isin(SEXES).all():
        return f"some sexes are not {' or '.join(SEXES)}"
    if not table["crop_method"].isin(_CROP_METHODS).all():
        return f"some crop methods are none of {', '.join(sorted(_CROP_METHODS))}"
    if table.duplicated(["split", "id"]).any():
        return "some cases stand in it twice"
    return None


def write_table(path: Path, table: pd.DataFrame, float_format: str = "%.4g") -> None:
    """Write a CSV table.

    Args:
        path: of the file.
        table: to write, without its index.
        float_format: of numbers, by default four digits.

    Raises:
        NotWrittenError: the file cannot be written.
    """
    text = table.to_csv(index=False, float_format=float_format, lineterminator="\n")
    replace_file(path, text.encode())


def read_table(
    path: Path, columns: Sequence[str] = (), remedy: str = _TRAIN, **options: Any
) -> pd.DataFrame:
    """Read a CSV table.

    Args:
        path: of the file.
        columns: that it must have.
        remedy: what errors advise besides restoring the file.
        **options: of `pd.read_csv`.

    Returns:
        The table, of at least one row.

    Raises:
        ArtifactError: the file is missing, no table, empty or lacks a column.
    """
    import pandas as pd

    content = _read(path, remedy)
    try:
        table = pd.read_csv(io.BytesIO(content), **options)
    except ValueError as error:  # parser, decoding and empty-file errors are all ValueErrors
        raise unusable(path, "is not a CSV table", remedy) from error
    table = table.rename(columns=_FORMER_COLUMNS)
    if table.empty:
        raise unusable(path, "has no rows", remedy)
    if missing := [column for column in columns if column not in table]:
        raise unusable(path, f"has no column {', '.join(missing)}", remedy)
    return table


# QualityCheck
# ---------------------------------------------------------------------------------------


def write_quality_check(facts: dict, numbers: dict[str, np.ndarray], table: pd.DataFrame) -> Path:
    """Write what the image quality check goes by, and the table of what it refuses.

    Args:
        facts: JSON values, see `boneage.quality.quality_check.QualityCheck`.
        numbers: float arrays by name.
        table: see `boneage.quality.learning.measure_quality_check`.

    Returns:
        The path of the table.
    """
    from safetensors.numpy import save

    content = save({name: np.ascontiguousarray(value) for name, value in numbers.items()})
    facts = facts | {"numbers_sha256": hashlib.sha256(content).hexdigest()}
    root = artifacts_root()
    replace_file(root / QUALITY_CHECK_NUMBERS, content)
    replace_file(
        root / QUALITY_CHECK_FACTS, f"{json.dumps(facts, indent=2, allow_nan=False)}\n".encode()
    )
    write_table(root / QUALITY_CHECK_TABLE, table)
    return root / QUALITY_CHECK_TABLE


def read_quality_check() -> tuple[dict, dict[str, np.ndarray]] | None:
    """Read what the image quality check goes by.

    Returns:
        Facts and numbers as `write_quality_check` took them; None where they were never written.

    Raises:
        ArtifactError: a file is damaged or does not fit the other.
    """
    path = artifacts_root() / QUALITY_CHECK_FACTS
    if not path.exists():
        return None
    try:
        facts = json.loads(_read(path))
        digest = facts["numbers_sha256"]
    except (ValueError, TypeError, KeyError) as error:
        raise unusable(path, "is not a JSON object with the hash of its numbers") from error
    content = _read(artifacts_root() / QUALITY_CHECK_NUMBERS)
    if hashlib.sha256(content).hexdigest() != digest:
        raise unusable(
            artifacts_root() / QUALITY_CHECK_NUMBERS,
            f"is not the file {QUALITY_CHECK_FACTS} was written for",
        )
    return facts, _parse_weights(artifacts_root() / QUALITY_CHECK_NUMBERS, content)


def read_quality_check_table() -> pd.DataFrame | None:
    """Read the table of what the image quality check refuses.

    Returns:
        See `boneage.quality.learning.measure_quality_check`; None where it was never written.

    Raises:
        ArtifactError: the file is no table or lacks a column.
    """
    path = artifacts_root() / QUALITY_CHECK_TABLE
    if not path.exists():
        return None
    return read_table(path, ("group", "kind", "n", "sources", "refused", "low", "high"))


# Files --------------------------------------------------------------------------------------


def unusable(path: Path, fault: str, remedy: str = _TRAIN) -> ArtifactError:
    """The error to raise for a file of an artifact.

    Args:
        path: of the file.
        fault: what is wrong with it, in words.
        remedy: what to do besides restoring the file.

    Returns:
        The error, one sentence.
    """
    return ArtifactError(f"{path} {fault}; restore it with git checkout or {remedy}.")


def _read(path: Path, remedy: str = _TRAIN) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error, remedy) from error


def _unreadable(path: Path, error: OSError, remedy: str) -> ArtifactError:
    if isinstance(error, FileNotFoundError):
        return unusable(path, "is missing", remedy)
    return unusable(path, f"cannot be read ({error.strerror})", remedy)
