"""The command line: `python -m boneage VERB`.

Each verb imports what it needs when it runs, so that `--help` answers at once. Exit status: 0 when
all went well, 1 when some image was refused or unreadable, 2 when the command was used wrongly,
130 when it was interrupted.
"""

import argparse
import dataclasses
import json
import logging
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boneage import __version__
from boneage.case_report.command import add_options
from boneage.errors import BoneAgeError
from boneage.growth.options import add_child_options, given_age
from boneage.local_calibration.command import add_calibrate_options, add_calibration
from boneage.models.registry import ENSEMBLE, MODELS
from boneage.radiographs.folders import files_in
from boneage.radiographs.frame_options import add_frame_options, given_frame
from boneage.sexes import SEXES
from boneage.training.presets import PRESETS, find_preset

if TYPE_CHECKING:
    from boneage.datasets.labeled_images import InOrder
    from boneage.growth.given_age import GivenAge
    from boneage.inference.predictor import Predictor
    from boneage.inference.results import FileResult
    from boneage.radiographs.manual_frame import ManualFrame

OK, NOT_ALL_OK, USED_WRONGLY, INTERRUPTED = 0, 1, 2, 130
_MODEL_NAMES = [entry.name for entry in MODELS.values() if not entry.hidden]
# Names of verbs in earlier versions, which still work.
_OLD_VERBS = {"atlas-answers": "atlas-evaluate", "gate": "quality", "saliency": "sanity-checks"}
# Extras of pyproject.toml: what each is for, and its modules.
_EXTRAS = {
    "train": ("training", ("tensorflow", "keras", "tf_keras_vis", "onnx", "jax", "skimage")),
    "archive": ("archives", ("dask", "distributed", "bokeh", "cryptography", "pyarrow", "fsspec")),
}
_FROM_THE_BEGINNING = "Stopped; nothing was written. The same command starts from the beginning."
_GO_ON = "Stopped; run the same command again to continue."


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; returns the exit status."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    verb, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    options = _parser().parse_args([_OLD_VERBS.get(verb, verb), *rest] if verb else [])
    try:
        return options.run(options)
    except KeyboardInterrupt:
        said = options.when_stopped
        print(said if isinstance(said, str) else said(options), file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as in `... | head`
        sys.stderr.close()
        return NOT_ALL_OK
    except BoneAgeError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return USED_WRONGLY
    except ModuleNotFoundError as error:
        for extra, (purpose, packages) in _EXTRAS.items():
            if error.name in packages:
                print(
                    f"This command needs {error.name}, which comes with the extra for {purpose}: "
                    f'pip install "boneage[{extra}]", in a checkout pip install -r '
                    "tests/requirements.txt.",
                    file=sys.stderr,
                )
                return USED_WRONGLY
        raise


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="boneage" if Path(sys.argv[0]).stem == "boneage" else "python -m boneage",
        description="Bone age from hand radiographs. Not a medical device.",
    )
    parser.add_argument("--version", action="version", version=f"boneage {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    verb = _verb(
        verbs,
        "predict",
        _predict,
        "bone age of radiographs, one JSON object a line and hand",
        "Stopped; every line printed is complete. The same command starts from the beginning.",
    )
    verb.add_argument(
        "files",
        nargs="+",
        metavar="FILE|DIR",
        help="radiographs, or folders, which are searched recursively",
    )
    verb.add_argument("--sex", choices=SEXES, help="default: as stated in each DICOM header")
    _add_model_or_ensemble(verb)
    add_calibration(verb)
    add_child_options(verb)
    _add_force(verb)
    verb.add_argument(
        "--verbose",
        action="store_true",
        help="add the field read: file type, compression, size, polarity, borders removed",
    )
    add_frame_options(verb)
    verb.add_argument("--anyway", action="store_true", dest="force", help=argparse.SUPPRESS)
    verb.add_argument("--json", action="store_true", help=argparse.SUPPRESS)  # always so

    verb = _verb(
        verbs,
        "predict-archive",
        _predict_archive,
        "bone age of an archive as Parquet files, on this machine or a Dask cluster",
        _GO_ON,
    )
    verb.add_argument(
        "source",
        metavar="SOURCE",
        help="a folder, a URL such as s3://bucket/folder, or a manifest in CSV or Parquet",
    )
    verb.add_argument(
        "--out", required=True, metavar="DIR", help="folder or s3:// URL for the results"
    )
    verb.add_argument(
        "--sex", choices=SEXES, help="default: of the manifest, else as stated in each DICOM header"
    )
    _add_model_or_ensemble(verb)
    add_calibration(verb)
    _add_force(verb)
    verb.add_argument(
        "--workers",
        type=_at_least(1),
        metavar="N",
        help="processes on this machine, about 0.7 GB each (default: one per CPU)",
    )
    _add_scheduler(verb)
    verb.add_argument(
        "--part-size",
        type=_at_least(1),
        default=64,
        metavar="N",
        help="files in a part, which is done again after a crash (default 64)",
    )

    verb = _verb(verbs, "evaluate", _evaluate, "metrics on labeled radiographs")
    _add_labeled_images(verb)
    _add_model_or_ensemble(verb)
    verb.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    _add_processes(verb)

    verb = _verb(verbs, "report", _report, "error analysis of stored predictions as an HTML file")
    _add_model_or_ensemble(verb)
    verb.add_argument("--recipe", default="best", help="training recipe (default best)")
    verb.add_argument("--split", choices=("train", "validation", "test"), default="test")
    verb.add_argument("--out", required=True, metavar="FILE", help="the HTML file to write")

    verb = _verb(
        verbs, "report-case", _report_case, "report on one radiograph, a PDF of one page to print"
    )
    add_options(verb)
    _add_model_or_ensemble(verb)
    add_calibration(verb)

    verb = _verb(verbs, "model-card", _model_card, "what the published models are, in Markdown")
    verb.add_argument(
        "--out",
        default="docs/MODEL_CARD.md",
        metavar="FILE",
        help="the file to write (default docs/MODEL_CARD.md)",
    )

    verb = _verb(
        verbs,
        "quality",
        _quality,
        "fit the image quality check and measure what it refuses; writes quality_check.csv",
    )
    verb.add_argument(
        "--data",
        required=True,
        metavar="DIR",
        help="folder with the RSNA training and test radiographs",
    )

    _verb(verbs, "coverage", _coverage, "coverage of the prediction intervals; writes coverage.csv")

    verb = _verb(
        verbs, "calibrate", _calibrate, "local calibration of bone ages and intervals to one site"
    )
    add_calibrate_options(verb)
    _add_model_or_ensemble(verb)
    _add_reference_column(verb)

    verb = _verb(
        verbs,
        "robustness",
        _robustness,
        "errors after image changes; writes robustness.csv",
    )
    _add_labeled_images(verb)
    _add_processes(verb)

    verb = _verb(
        verbs,
        "sanity-checks",
        _sanity_checks,
        "sanity checks of the saliency maps; writes occlusion.csv and randomization.csv",
    )
    verb.add_argument(
        "--images", required=True, metavar="DIR", help="folder of the validation images"
    )

    verb = _verb(
        verbs, "prepare", _prepare, "crop and equalize a labeled data set into a cache", _GO_ON
    )
    _add_labeled_images(verb)
    for split in ("validation", "test"):
        verb.add_argument(
            f"--{split}-images", metavar="DIR", help=f"folder of the official {split} images"
        )
        verb.add_argument(f"--{split}-labels", metavar="CSV", help=f"labels of the {split} images")
    verb.add_argument("--cache", required=True, metavar="DIR", help="folder for the result")
    verb.add_argument(
        "--size", type=_at_least(32), default=256, metavar="PX", help="side (default 256)"
    )
    verb.add_argument(
        "--workers", type=_at_least(1), metavar="N", help="processes (default: one per CPU)"
    )
    _add_scheduler(verb)

    verb = _verb(
        verbs, "train", _train, "train a model on a cache and write its artifact", _how_to_resume
    )
    verb.add_argument(
        "--model",
        required=True,
        choices=list(MODELS),
        metavar="NAME",
        help=f"one of: {', '.join(_MODEL_NAMES)}",
    )
    verb.add_argument("--preset", required=True, choices=list(PRESETS))
    verb.add_argument("--cache", required=True, metavar="DIR", help="folder made by prepare")
    verb.add_argument("--out", required=True, metavar="DIR", help="folder for the artifact")
    verb.add_argument("--resume", action="store_true", help="continue from the last finished epoch")
    verb.add_argument("--warm-start", metavar="DIR", help="artifact whose weights to start from")
    verb.add_argument("--epochs", type=_at_least(1), help="instead of the preset's")
    verb.add_argument("--images-per-epoch", type=_at_least(1), help="instead of the preset's")
    verb.add_argument("--seed", type=_at_least(0), help="instead of the preset's")
    verb.add_argument("--note", help="a sentence about the training, shown with the model")

    verb = _verb(
        verbs,
        "export",
        _export,
        "write the graph that predicts, model.onnx, of trained weights; `train` does so by itself",
    )
    verb.add_argument("folders", nargs="+", metavar="DIR", help="folders of trained models")

    verb = _verb(
        verbs, "atlas", _atlas, "average hands of each sex and half year, from a cache", _GO_ON
    )
    verb.add_argument("--cache", required=True, metavar="DIR", help="from prepare --size 640")
    verb.add_argument("--out", required=True, metavar="DIR", help="folder, such as artifacts/atlas")
    verb.add_argument(
        "--per-standard",
        type=_at_least(1),
        default=60,
        metavar="N",
        help="radiographs per standard (default 60)",
    )
    verb.add_argument("--per-plate", type=_at_least(1), dest="per_standard", help=argparse.SUPPRESS)
    verb.add_argument("--workers", type=_at_least(1), metavar="N", help="processes (default 2)")
    _add_scheduler(verb)

    verb = _verb(
        verbs,
        "atlas-evaluate",
        _atlas_evaluate,
        "predictions for the standards and, on test radiographs, the error of the "
        "image-similarity estimate",
    )
    verb.add_argument("--test-images", metavar="DIR", help="the test images, named <id>.png etc.")
    verb.add_argument("--test-labels", metavar="CSV", help="columns id,boneage,sex")
    _add_reference_column(verb)

    verb = _verb(verbs, "synthetic", _synthetic, "models of synthetic hands, from a cache", _GO_ON)
    verb.add_argument("--cache", required=True, metavar="DIR", help="from prepare --size 640")
    verb.add_argument(
        "--out", required=True, metavar="DIR", help="folder, such as artifacts/synthetic"
    )
    verb.add_argument(
        "--per-group",
        type=_at_least(1),
        default=80,
        metavar="N",
        help="radiographs per sex and year of bone age (default 80)",
    )
    verb.add_argument(
        "--workers", type=_at_least(1), default=2, metavar="N", help="processes (default 2)"
    )

    verb = _verb(
        verbs,
        "synthetic-evaluate",
        _synthetic_evaluate,
        "predictions for synthetic hands and, with the cache, how near they are to radiographs",
    )
    verb.add_argument("--cache", metavar="DIR", help="that they were built from")

    verb = _verb(verbs, "phantoms", _phantoms, "draw a synthetic data set in the same layout")
    verb.add_argument("--out", required=True, metavar="DIR", help="folder for the result")
    verb.add_argument("--train", type=_at_least(1), default=60, help="training images (default 60)")
    verb.add_argument("--test", type=_at_least(0), default=12, help="test images (default 12)")
    verb.add_argument("--seed", type=_at_least(0), default=0)
    return parser


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], int],
    description: str,
    when_stopped: str | Callable[[argparse.Namespace], str] = _FROM_THE_BEGINNING,
) -> argparse.ArgumentParser:
    """A verb; when_stopped: what Ctrl-C prints, a sentence or a function of the options."""
    sentence = f"{description[0].upper()}{description[1:]}."
    parser = verbs.add_parser(name, help=description, description=sentence)
    parser.set_defaults(run=run, when_stopped=when_stopped)
    return parser


def _at_least(least: int) -> Callable[[str], int]:
    """The type of an option that is a whole number of at least this much."""

    def whole_number(text: str) -> int:
        if not text.lstrip("-").isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
        return int(text)

    return whole_number


def _add_labeled_images(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--images", required=True, metavar="DIR", help="images named <id>.png etc.")
    parser.add_argument("--labels", required=True, metavar="CSV", help="columns id,boneage,sex")
    _add_reference_column(parser)


def _add_reference_column(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--reference-column",
        metavar="NAME",
        help="column of the reference bone age, where the names in the CSV file do not say",
    )


def _add_processes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workers",
        type=_at_least(1),
        metavar="N",
        help="processes with models of their own, about 0.7 GB each, instead of threads of one; "
        "needs the extra archive",
    )
    _add_scheduler(parser)


def _add_scheduler(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of a Dask cluster, or its scheduler file (.json); needs the extra archive",
    )


def _add_force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--force",
        action="store_true",
        help="also predict radiographs that the quality check refuses; not reliable",
    )


def _add_model_or_ensemble(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        choices=[*MODELS, ENSEMBLE],
        default=ENSEMBLE,
        metavar="NAME",
        help=f"{', '.join(_MODEL_NAMES)} or, by default, ensemble: their weighted mean",
    )


def _predict(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from boneage.datasets.labeled_images import in_order
    from boneage.growth.columns import growth_json
    from boneage.inference import results
    from boneage.inference.predictor import Predictor

    paths = list(_files(options.files))
    frame, given = given_frame(options, options.files), given_age(options)
    predictor = Predictor(options.model, workers=len(paths), local=options.calibration)
    predict = partial(_results, predictor, options, frame, given)
    all_ok = True
    # The bar is drawn on a terminal only, and where there is something to wait for.
    with tqdm(total=len(paths), unit="image", disable=None if len(paths) > 1 else True) as bar:
        for of_file in in_order(paths, predict, predictor.workers):
            for result in of_file:
                all_ok &= result.status == results.OK
                answer = results.as_json(result, options.model, options.verbose)
                answer |= growth_json(result, options.model, options.sd_table, options.height)
                bar.write(json.dumps(answer), file=sys.stdout)
            sys.stdout.flush()
            bar.update()
    for note in predictor.notes:
        print(note, file=sys.stderr)
    return OK if all_ok else NOT_ALL_OK


def _predict_archive(options: argparse.Namespace) -> int:
    from boneage.archive.command import predict_archive
    from boneage.archive.summary import in_words
    from boneage.inference import results
    from boneage.inference.runtime import cores

    _check_processes(options)
    summary = predict_archive(
        options.source,
        options.out,
        sex=options.sex,
        model=options.model,
        force=options.force,
        part_size=options.part_size,
        workers=options.workers or cores(),
        scheduler=options.scheduler,
        calibration=options.calibration,
    )
    print(f"{in_words(summary)}\nThe results are in {options.out}.")
    return OK if set(summary["statuses"]) == {results.OK} and not summary["missing"] else NOT_ALL_OK


def _files(names: list[str]) -> Iterator[Path]:
    """The files named, and all that lie in the folders named, but for hidden ones."""
    for path in map(Path, names):
        if not path.is_dir():
            yield path
            continue
        inside = [Path(file) for file, _ in files_in(path)]
        if not inside:
            raise BoneAgeError(f"The folder {path} holds no files: name one with radiographs.")
        yield from inside


def _results(
    predictor: "Predictor",
    options: argparse.Namespace,
    frame: "ManualFrame | None",
    given: "GivenAge",
    path: Path,
) -> "list[FileResult]":
    from boneage.inference.files import predict_file

    return predict_file(predictor, path, str(path), options.sex, options.force, frame, given.age_on)


def _evaluate(options: argparse.Namespace) -> int:
    import pandas as pd

    from boneage.datasets.labeled_images import labeled_images
    from boneage.datasets.rsna import labeled_cases
    from boneage.evaluation.metrics import summarize
    from boneage.inference.predictor import Predictor

    labels = labeled_cases(options.images, options.labels, options.reference_column)
    predictor = Predictor(options.model, workers=len(labels))
    rows, refused = [], 0
    with _side_by_side(options, predictor, options.model, _predicted) as (predict, each):
        for case, (months, is_refused) in labeled_images(labels, predict, "evaluate", each):
            refused += is_refused
            rows.append((case.reference_months, months[options.model]))
    if not rows:
        raise BoneAgeError(f"None of the {len(labels)} images of {options.labels} could be read.")
    cases = pd.DataFrame(rows, columns=["reference_months", "prediction_months"])
    figures = summarize(cases).iloc[0]
    summary: dict[str, Any] = {"model": options.model, "n": len(rows)}
    for name in ("mae", "rmse", "r2", "bias", "within_6", "within_12"):
        summary[name] = _rounded(figures[name])
    summary["mae_interval"] = [_rounded(figures["mae_low"]), _rounded(figures["mae_high"])]
    # Metrics count every image that can be read, as published results do.
    summary["refused"] = refused
    summary["unreadable"] = len(labels) - len(rows)
    summary["skipped_rows"] = len(labels.attrs["skipped"])  # of the label file
    if options.json:
        print(json.dumps(summary))
    else:
        print("\n".join(f"{name:13} {value}" for name, value in summary.items()))
    return OK if summary["unreadable"] == refused == 0 else NOT_ALL_OK


def _predicted(predictor: "Predictor", case: Any) -> tuple[dict[str, Any], bool]:
    """Bone age of each model and the ensemble, and whether the quality check refuses the image."""
    from boneage.inference.ensemble import with_ensemble

    prediction = predictor.predict(case.path, case.sex)
    months = with_ensemble(prediction.months, prediction.weights)
    return months, prediction.refusal is not None


@contextmanager
def _side_by_side(
    options: argparse.Namespace,
    predictor: "Predictor",
    model: str,
    work: "Callable[[Predictor, Any], Any]",
) -> "Iterator[tuple[Callable[[Any], Any], InOrder]]":
    """What calls `work` with a predictor, and what does so for many cases: threads, or Dask."""
    if not (options.workers or options.scheduler):
        from boneage.datasets.labeled_images import in_order

        yield partial(work, predictor), partial(in_order, workers=predictor.workers)
        return
    from boneage.archive.side_by_side import with_predictor

    with _dask(options) as each:
        yield with_predictor(model, work), each


def _dask(options: argparse.Namespace) -> "AbstractContextManager[InOrder]":
    """The processes or the cluster that were asked for."""
    from boneage.archive.side_by_side import in_order_on

    _check_processes(options)
    return in_order_on(options.scheduler, options.workers)


def _cluster(options: argparse.Namespace) -> "AbstractContextManager[InOrder | None]":
    """The cluster that was asked for, or None."""
    return _dask(options) if options.scheduler else nullcontext()


def _check_processes(options: argparse.Namespace) -> None:
    if options.scheduler and options.workers:
        raise BoneAgeError("Give --workers for this machine, or --scheduler for a cluster.")


def _rounded(value: float) -> float | None:
    """JSON has no NaN, which stands for a figure that one case does not have."""
    return None if math.isnan(value) else round(float(value), 4)


def _report(options: argparse.Namespace) -> int:
    from boneage.error_analysis.report import write_report

    write_report(options.out, options.model, options.recipe, options.split)
    print(f"The report is in {options.out}.")
    return OK


def _report_case(options: argparse.Namespace) -> int:
    from boneage.case_report.command import write_case_report

    return OK if write_case_report(options) else NOT_ALL_OK


def _model_card(options: argparse.Namespace) -> int:
    from boneage.model_card.card import write_model_card

    write_model_card(options.out)
    print(f"The model card is in {options.out}.")
    return OK


def _quality(options: argparse.Namespace) -> int:
    from boneage.inference.predictor import Predictor
    from boneage.inference.runtime import cores
    from boneage.quality.learning import learn_quality_check

    path, table = learn_quality_check(Predictor(workers=cores()), options.data)
    print(table.to_string(index=False, na_rep="", float_format="%.3g"))
    print(f"The quality check is stored in {path.parent}; this table is in {path}.")
    return OK


def _calibrate(options: argparse.Namespace) -> int:
    from boneage.local_calibration.command import calibrate_locally

    return OK if calibrate_locally(options) else NOT_ALL_OK


def _coverage(options: argparse.Namespace) -> int:
    from boneage import artifacts
    from boneage.formatting import share
    from boneage.inference.conformal import LEVEL, MIN_CALIBRATION, coverage_table

    names = artifacts.available_models()
    if not names:
        raise BoneAgeError(f"There is no trained model in {artifacts.artifacts_root()}: train one.")
    table = coverage_table(
        {name: artifacts.read_predictions(artifacts.model_folder(name)) for name in names}
    )
    if table.empty:
        raise BoneAgeError(
            f"Intervals need {MIN_CALIBRATION} girls and as many boys in the validation set: "
            "train on more radiographs."
        )
    table["model_sha256"] = table["model"].map(artifacts.published_fingerprints())
    path = artifacts.write_coverage(table)
    shown = table[(table["level"] == LEVEL) & (table["group"] == "all")]
    columns = ["model", "cases", "n", "coverage", "sd", "low", "high", "median_width"]
    print(shown[columns].round(3).to_string(index=False, na_rep=""))
    print(f"Coverage of the {share(LEVEL)} intervals; all levels and groups are in {path}.")
    return OK


def _sanity_checks(options: argparse.Namespace) -> int:
    from boneage import artifacts
    from boneage.sanity_checks.run import check_saliency

    occlusion, randomization = check_saliency(options.images)
    paths = [
        artifacts.write_saliency(artifacts.OCCLUSION, occlusion),
        artifacts.write_saliency(artifacts.RANDOMIZATION, randomization),
    ]
    shown = occlusion[occlusion["group"] == "all"]
    columns = ["model", "region", "n", "change", "control_change", "difference"]
    print(shown[columns].round(1).to_string(index=False))
    print(randomization[["model", "stage", "n", "similarity"]].round(2).to_string(index=False))
    print(f"With intervals and age bands in {paths[0]} and {paths[1]}.")
    return OK


def _robustness(options: argparse.Namespace) -> int:
    from boneage import artifacts
    from boneage.datasets.rsna import labeled_cases
    from boneage.inference.predictor import Predictor
    from boneage.robustness.measurement import measure_robustness, predict_changed

    cases = labeled_cases(options.images, options.labels, options.reference_column)
    predictor = Predictor(workers=len(cases))
    with _side_by_side(options, predictor, ENSEMBLE, predict_changed) as (predict, each):
        table = measure_robustness(predictor, cases, predict, each)
    path = artifacts.write_robustness(table)
    print(table.pivot(index="perturbation", columns="model", values="mae").round(2).to_string())
    print(f"MAE in months; intervals and differences are in {path}.")
    return OK


def _prepare(options: argparse.Namespace) -> int:
    from boneage.datasets.cache import build_cache
    from boneage.datasets.rsna import cases
    from boneage.radiographs.preprocessing import Preprocessing

    table = cases(
        options.images,
        options.labels,
        test_images=options.test_images,
        test_labels=options.test_labels,
        validation_images=options.validation_images,
        validation_labels=options.validation_labels,
        reference_column=options.reference_column,
    )
    parameters = Preprocessing(size=options.size)
    with _cluster(options) as each:
        cache = build_cache(table, options.cache, parameters, options.workers, each=each)
    counts = cache.manifest.groupby(["split", "crop_method"]).size()
    print(f"{len(cache.images)} images in {options.cache}, by split and how the hand was found:")
    print(counts.unstack(fill_value=0).to_string())
    print(f"{len(table) - len(cache.images)} skipped; fingerprint {cache.fingerprint}")
    return OK


def _train(options: argparse.Namespace) -> int:
    from boneage.datasets.cache import open_cache
    from boneage.quiet import quiet_libraries

    with quiet_libraries():
        from boneage.training.fit import train

    changes = {
        name: getattr(options, name)
        for name in ("epochs", "images_per_epoch", "seed")
        if getattr(options, name) is not None
    }
    preset = dataclasses.replace(find_preset(options.preset), **changes)
    folder = train(
        options.model,
        preset,
        open_cache(options.cache),
        options.out,
        resume=options.resume,
        warm_start=options.warm_start,
        note=options.note,
    )
    print(f"The trained model is in {folder}.")
    return OK


def _export(options: argparse.Namespace) -> int:
    from boneage.quiet import quiet_libraries

    with quiet_libraries():
        from boneage.training.export import export_artifact

        for folder in options.folders:
            facts = export_artifact(folder)
            print(f"The exported {facts.title} is in {folder}.")
    return OK


def _how_to_resume(options: argparse.Namespace) -> str:
    """What to say when a training is stopped."""
    from boneage.training.checkpoint import CHECKPOINT

    if (Path(options.out) / CHECKPOINT).exists():
        return "Stopped; run the same command with --resume to continue from the last epoch."
    return "Stopped before the end of the first epoch. The same command starts from the beginning."


def _atlas(options: argparse.Namespace) -> int:
    from boneage.atlas.building import Settings, build_atlas

    settings = Settings(per_standard=options.per_standard)
    with _cluster(options) as each:
        standards = build_atlas(
            options.cache, options.out, settings, options.workers or 2, each=each
        )
    print(f"{len(standards)} standards of {standards['n'].sum()} radiographs are in {options.out}.")
    return OK


def _synthetic(options: argparse.Namespace) -> int:
    from boneage.synthetic.building import Settings, build_models

    settings = Settings(per_group=options.per_group)
    groups = build_models(options.cache, options.out, settings, options.workers)
    print(
        f"{len(groups)} groups of {groups['n'].min()} to {groups['n'].max()} hands in {options.out}"
    )
    return OK


def _synthetic_evaluate(options: argparse.Namespace) -> int:
    from boneage.inference.predictor import Predictor
    from boneage.synthetic import evaluation, privacy

    if options.cache:
        table = privacy.measure_privacy(options.cache)
        path = privacy.write_privacy(table)
        print(f"Distances to the nearest radiograph and share of fine detail explained, in {path}:")
        print(privacy.privacy_summary(table).round(3).to_string())
    predictions = evaluation.predict_hands(Predictor())
    path = evaluation.write_predictions(predictions)
    metrics = evaluation.prediction_metrics(predictions)
    print(
        f"{metrics['accepted']:.1%} of the hands accepted by the image quality check, MAE of the "
        f"ensemble {metrics['mae']:.2f} months, n = {metrics['n']}; see {path}."
    )
    return OK


def _atlas_evaluate(options: argparse.Namespace) -> int:
    from boneage.atlas import evaluation as answers
    from boneage.atlas.text import standards_refused
    from boneage.datasets.rsna import labeled_cases
    from boneage.inference.predictor import Predictor

    if bool(options.test_images) != bool(options.test_labels):
        raise BoneAgeError("Give both --test-images and --test-labels, or neither.")
    path = answers.write(answers.PREDICTIONS, answers.predict_standards(Predictor()))
    predictions = answers.read_standard_predictions()
    beyond = answers.beyond_a_year(predictions)
    if refused := answers.refused_standards(predictions):
        print(standards_refused(refused))
    print(f"Predictions for the standards are in {path}. Ensemble errors > 12 months:")
    print(beyond[["id", "prediction_months", "residual_months"]].round(1).to_string(index=False))
    if options.test_images:
        cases = labeled_cases(options.test_images, options.test_labels, options.reference_column)
        table = answers.estimate_by_similarity(cases)
        path = answers.write(answers.SIMILARITY, table)
        if figures := answers.similarity_metrics():
            print(
                f"MAE of the image-similarity estimate: {figures['mae']:.2f} months, "
                f"n = {figures['n']}; see {path}."
            )
    return OK


def _phantoms(options: argparse.Namespace) -> int:
    from boneage.datasets.phantoms import write_phantoms

    folder = write_phantoms(options.out, options.train, options.test, options.seed)
    print(f"{options.train} training and {options.test} test phantoms are in {folder}.")
    return OK
