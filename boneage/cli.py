"""The command line: `python -m boneage VERB`.

Each verb imports what it needs when it runs, so that `--help` answers at once.
"""

import argparse
import dataclasses
import json
import logging
import math
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from boneage.models.registry import ENSEMBLE, MODELS
from boneage.training.presets import PRESETS, find_preset

OK, FAILED = 0, 2
_MODEL_NAMES = [entry.name for entry in MODELS.values() if not entry.hidden]
_BATCH = 32


class _Refusal(Exception):
    """Something the user can mend; its text is one sentence."""


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; returns the exit status: 0 when all went well, 2 otherwise."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("Stopped; run the same command again to go on.", file=sys.stderr)
    except BrokenPipeError:  # the reader of our output has gone, as in `... | head`
        sys.stderr.close()
    except (_Refusal, ValueError, RuntimeError, OSError) as error:
        # The package's own errors are ValueErrors and RuntimeErrors made of one sentence.
        print(" ".join(str(error).split()), file=sys.stderr)
    return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m boneage",
        description="Bone age from hand radiographs. Not a medical device.",
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    verb = _verb(verbs, "predict", _predict, "bone age of radiographs, one JSON object a line")
    verb.add_argument("files", nargs="+", metavar="FILE", help="radiographs, or folders of them")
    verb.add_argument("--sex", required=True, choices=("female", "male"))
    _add_model_or_ensemble(verb)
    verb.add_argument("--json", action="store_true", help="JSON lines, as is the default")

    verb = _verb(verbs, "evaluate", _evaluate, "errors on labelled radiographs")
    _add_labelled_images(verb)
    _add_model_or_ensemble(verb)
    verb.add_argument("--json", action="store_true", help="one JSON object instead of lines")

    verb = _verb(verbs, "report", _report, "error analysis of stored predictions as an HTML file")
    _add_model_or_ensemble(verb)
    verb.add_argument("--recipe", default="best", help="training recipe (default best)")
    verb.add_argument("--split", choices=("train", "validation", "test"), default="test")
    verb.add_argument("--out", required=True, metavar="FILE", help="the HTML file to write")

    _verb(verbs, "calibrate", _calibrate, "check the prediction intervals; writes coverage.csv")

    verb = _verb(verbs, "prepare", _prepare, "crop and equalise a labelled data set into a cache")
    _add_labelled_images(verb)
    for split in ("validation", "test"):
        verb.add_argument(
            f"--{split}-images", metavar="DIR", help=f"folder of the official {split} images"
        )
        verb.add_argument(f"--{split}-labels", metavar="CSV", help=f"labels of the {split} images")
    verb.add_argument("--cache", required=True, metavar="DIR", help="folder for the result")
    verb.add_argument("--workers", type=int, metavar="N", help="processes (default: one per CPU)")

    verb = _verb(verbs, "train", _train, "train a model on a cache and write its artifact")
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
    verb.add_argument("--resume", action="store_true", help="go on from the last finished epoch")
    verb.add_argument("--warm-start", metavar="DIR", help="artifact whose weights to start from")
    verb.add_argument("--epochs", type=int, help="instead of the preset's")
    verb.add_argument("--images-per-epoch", type=int, help="instead of the preset's")
    verb.add_argument("--seed", type=int, help="instead of the preset's")
    verb.add_argument("--note", help="a sentence for people about these weights")

    verb = _verb(verbs, "phantoms", _phantoms, "draw a synthetic data set in the same layout")
    verb.add_argument("--out", required=True, metavar="DIR", help="folder for the result")
    verb.add_argument("--train", type=int, default=60, help="training images (default 60)")
    verb.add_argument("--test", type=int, default=12, help="test images (default 12)")
    verb.add_argument("--seed", type=int, default=0)
    return parser


def _verb(verbs, name: str, run, description: str) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=description, description=description.capitalize() + ".")
    parser.set_defaults(run=run)
    return parser


def _add_labelled_images(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--images", required=True, metavar="DIR", help="images named <id>.png etc.")
    parser.add_argument("--labels", required=True, metavar="CSV", help="columns id,boneage,male")


def _add_model_or_ensemble(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        choices=[*MODELS, ENSEMBLE],
        default=ENSEMBLE,
        metavar="NAME",
        help=f"{', '.join(_MODEL_NAMES)} or, by default, ensemble: their mean",
    )


def _predict(options) -> int:
    from boneage.predictor import Predictor

    predictor = Predictor(options.model)
    all_ok = True
    for paths in _batches(_files(options.files)):
        for answer in _answers(predictor, paths, options):
            all_ok &= answer["status"] == "ok"
            print(json.dumps(answer), flush=True)
    return OK if all_ok else FAILED


def _files(names: list[str]) -> Iterator[Path]:
    """The files named, and those lying in the folders named, hidden ones left out."""
    for path in map(Path, names):
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.is_file() and p.name[0] != ".")
            if not inside:
                raise _Refusal(f"The folder {path} holds no files: name one with radiographs.")
            yield from inside
        else:
            yield path


def _batches(items) -> Iterator[list]:
    items = iter(items)
    while batch := list(islice(items, _BATCH)):
        yield batch


def _answers(predictor, paths, options) -> list[dict]:
    """One JSON object a file, in order."""
    hands, reasons = _prepare_files(predictor, paths)
    ages = iter(_predicted(predictor, hands, [options.sex] * len(hands), options.model))
    methods = iter(next(iter(hand.values())).hand.method for hand in hands)
    answers = []
    for path, reason in zip(paths, reasons, strict=True):
        answer = {"file": str(path), "status": "error", "reason": reason}
        answer |= {"model": options.model, "sex": options.sex}
        answer |= dict.fromkeys(["bone_age_months", "interval_months", "crop"])
        if reason is None:
            months, interval = next(ages)
            answer |= {"status": "ok", "bone_age_months": round(months, 2)}
            answer |= {"interval_months": interval, "crop": next(methods)}
        answers.append(answer)
    return answers


def _prepare_files(predictor, paths) -> tuple[list[dict], list[str | None]]:
    """The prepared hands of the readable files, and for every file None or why it is not."""
    from boneage.radiographs.reading import UnreadableRadiograph, read_radiograph

    hands, reasons = [], []
    for path in paths:
        try:
            hands.append(predictor.prepare(read_radiograph(path)))
            reasons.append(None)
        except UnreadableRadiograph as error:
            reasons.append(str(error))
    return hands, reasons


def _predicted(predictor, hands, sexes, name) -> list[tuple[float, list[float] | None]]:
    """Bone age of every hand by a model or the ensemble, and its interval where there is one."""
    from boneage.predictor import with_ensemble

    if not hands:
        return []
    months = with_ensemble(predictor.predict_prepared(hands, sexes))
    limits = predictor.calibration.intervals(months, sexes).get(name)
    intervals = [None] * len(hands) if limits is None else limits.round(1).tolist()
    return list(zip(months[name].tolist(), intervals, strict=True))


def _evaluate(options) -> int:
    import pandas as pd
    from tqdm import tqdm

    from boneage.datasets.rsna import find_images, read_labels
    from boneage.evaluation.metrics import summarise
    from boneage.predictor import Predictor

    labels = read_labels(options.labels)
    found = find_images(options.images, labels["id"])
    predictor = Predictor(options.model)
    cases = [(case, found[case.id]) for case in labels.itertuples() if case.id in found]
    rows = []
    with tqdm(total=len(cases), desc="evaluate", unit="image") as bar:
        for batch in _batches(cases):
            hands, reasons = _prepare_files(predictor, [path for _, path in batch])
            usable = [case for (case, _), reason in zip(batch, reasons, strict=True) if not reason]
            ages = _predicted(predictor, hands, [case.sex for case in usable], options.model)
            rows += [(c.age_months, months) for c, (months, _) in zip(usable, ages, strict=True)]
            bar.update(len(batch))
    if not rows:
        raise _Refusal(f"None of the {len(labels)} images of {options.labels} could be read.")
    figures = summarise(pd.DataFrame(rows, columns=["age_months", "prediction_months"])).iloc[0]
    result = {"model": options.model, "n": len(rows)}
    for name in ("mae", "rmse", "r2", "bias", "within_6", "within_12"):
        result[name] = _rounded(figures[name])
    result["mae_interval"] = [_rounded(figures["mae_low"]), _rounded(figures["mae_high"])]
    result["refused"] = len(labels) - len(rows)
    if options.json:
        print(json.dumps(result))
    else:
        print("\n".join(f"{name:13} {value}" for name, value in result.items()))
    return OK


def _rounded(value: float) -> float | None:
    """JSON has no NaN, which stands for a figure that one case does not have."""
    return None if math.isnan(value) else round(float(value), 4)


def _report(options) -> int:
    from boneage.report import write_report

    write_report(options.out, options.model, options.recipe, options.split)
    print(f"The report is in {options.out}.")
    return OK


def _calibrate(options) -> int:
    from boneage import artifacts
    from boneage.evaluation.conformal import LEAST_CALIBRATION, LEVEL, coverage_table

    names = artifacts.available_models()
    if not names:
        raise _Refusal(f"There is no trained model in {artifacts.artifacts_root()}: train one.")
    table = coverage_table(
        {name: artifacts.read_predictions(artifacts.model_folder(name)) for name in names}
    )
    if table.empty:
        raise _Refusal(
            f"Intervals need {LEAST_CALIBRATION} girls and as many boys in half of the validation "
            "set: train on more radiographs."
        )
    path = artifacts.write_coverage(table)
    shown = table[(table["level"] == LEVEL) & (table["group"] == "all")]
    print(shown.drop(columns=["level", "group"]).round(3).to_string(index=False))
    print(f"Coverage of the {100 * LEVEL:.0f} % intervals; all levels and groups are in {path}.")
    return OK


def _prepare(options) -> int:
    from boneage.datasets.cache import build_cache
    from boneage.datasets.rsna import cases

    table = cases(
        options.images,
        options.labels,
        test_images=options.test_images,
        test_labels=options.test_labels,
        validation_images=options.validation_images,
        validation_labels=options.validation_labels,
    )
    cache = build_cache(table, options.cache, workers=options.workers)
    counts = cache.manifest.groupby(["split", "crop_method"]).size()
    print(f"{len(cache.images)} images in {options.cache}, by split and how the hand was found:")
    print(counts.unstack(fill_value=0).to_string())
    print(f"{len(table) - len(cache.images)} skipped; fingerprint {cache.fingerprint}")
    return OK


def _train(options) -> int:
    from boneage.datasets.cache import open_cache
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


def _phantoms(options) -> int:
    from boneage.datasets.phantoms import write_phantoms

    folder = write_phantoms(options.out, options.train, options.test, options.seed)
    print(f"{options.train} training and {options.test} test phantoms are in {folder}.")
    return OK
