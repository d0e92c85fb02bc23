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
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from boneage.models.registry import ENSEMBLE, MODELS
from boneage.training.presets import PRESETS, find_preset

if TYPE_CHECKING:
    from boneage.gate.checks import Refusal

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
    verb.add_argument(
        "--anyway", action="store_true", help="give the age of refused pictures too; not to trust"
    )
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

    verb = _verb(
        verbs, "gate", _gate, "learn which pictures to refuse and measure it; see gate.csv"
    )
    verb.add_argument(
        "--data", required=True, metavar="DIR", help="holds the challenge's folders of radiographs"
    )

    _verb(verbs, "calibrate", _calibrate, "check the prediction intervals; writes coverage.csv")

    verb = _verb(
        verbs,
        "robustness",
        _robustness,
        "errors on changed pictures of the same hands; writes robustness.csv",
    )
    _add_labelled_images(verb)

    verb = _verb(
        verbs,
        "saliency",
        _saliency,
        "check the maps of where the models look; writes occlusion.csv and randomisation.csv",
    )
    verb.add_argument(
        "--images", required=True, metavar="DIR", help="where the validation images are"
    )

    verb = _verb(verbs, "prepare", _prepare, "crop and equalise a labelled data set into a cache")
    _add_labelled_images(verb)
    for split in ("validation", "test"):
        verb.add_argument(
            f"--{split}-images", metavar="DIR", help=f"folder of the official {split} images"
        )
        verb.add_argument(f"--{split}-labels", metavar="CSV", help=f"labels of the {split} images")
    verb.add_argument("--cache", required=True, metavar="DIR", help="folder for the result")
    verb.add_argument("--size", type=int, default=256, metavar="PX", help="side (default 256)")
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

    verb = _verb(verbs, "atlas", _atlas, "average hands of each sex and half year, from a cache")
    verb.add_argument("--cache", required=True, metavar="DIR", help="from prepare --size 640")
    verb.add_argument("--out", required=True, metavar="DIR", help="folder, such as artifacts/atlas")
    verb.add_argument(
        "--per-plate", type=int, default=60, metavar="N", help="radiographs a plate (default 60)"
    )
    verb.add_argument("--workers", type=int, default=2, metavar="N", help="processes (default 2)")

    verb = _verb(
        verbs,
        "atlas-answers",
        _atlas_answers,
        "the models on every plate; on test radiographs, how far off likeness to the plates is",
    )
    verb.add_argument("--test-images", metavar="DIR", help="the test images, named <id>.png etc.")
    verb.add_argument("--test-labels", metavar="CSV", help="columns id,boneage,male")

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
        help=f"{', '.join(_MODEL_NAMES)} or, by default, ensemble: their weighted mean",
    )


def _predict(options) -> int:
    from boneage.predictor import Predictor

    predictor = Predictor(options.model)
    all_ok = True
    for paths in _batches(_files(options.files)):
        for answer in _answers(predictor, paths, options):
            all_ok &= answer["status"] == "ok"
            print(json.dumps(answer), flush=True)
    for note in predictor.notes:
        print(note, file=sys.stderr)
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


class _Reading(NamedTuple):
    """What the models and the gate say of one file."""

    months: float
    interval: list[float] | None
    crop: str
    refusal: "Refusal | None"


def _answers(predictor, paths, options) -> list[dict]:
    """One JSON object a file, in order."""
    readings = _readings(predictor, paths, [options.sex] * len(paths), options.model)
    answers = []
    for path, reading in zip(paths, readings, strict=True):
        answer = {"file": str(path), "status": "ok", "reason": None}
        answer |= {"model": options.model, "sex": options.sex}
        answer |= dict.fromkeys(["bone_age_months", "interval_months", "crop"])
        if isinstance(reading, str):
            answer |= {"status": "error", "reason": reading}
        else:
            answer["crop"] = reading.crop
            if reading.refusal:
                answer |= {"status": "refused", "reason": reading.refusal.reason}
            if not reading.refusal or options.anyway:
                answer["bone_age_months"] = round(reading.months, 2)
                answer["interval_months"] = reading.interval
        answers.append(answer)
    return answers


def _readings(predictor, paths, sexes, name) -> list[_Reading | str]:
    """For every file its reading by a model or the ensemble, or why it cannot be read."""
    from boneage.evaluation.ensemble import with_ensemble
    from boneage.radiographs.reading import UnreadableRadiograph, read_radiograph

    faults, hands, looks = {}, [], []
    for path in paths:
        try:
            radiograph = read_radiograph(path)
        except UnreadableRadiograph as error:
            faults[path] = str(error)
            continue
        hands.append(predictor.prepare(radiograph))
        looks.append(predictor.look(radiograph, hands[-1]))
    if not hands:
        return [faults[path] for path in paths]
    sexes = [sex for path, sex in zip(paths, sexes, strict=True) if path not in faults]
    months, features = predictor.read_prepared(hands, sexes)
    months = with_ensemble(months, predictor.weights)
    limits = predictor.calibration.intervals(months, sexes).get(name)
    readings = zip(
        months[name].tolist(),
        [None] * len(hands) if limits is None else limits.round(1).tolist(),
        [next(iter(hand.values())).hand.method for hand in hands],
        predictor.gate.judge(looks, features),
        strict=True,
    )
    return [faults[path] if path in faults else _Reading(*next(readings)) for path in paths]


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
    rows, would_refuse = [], 0
    with tqdm(total=len(cases), desc="evaluate", unit="image") as bar:
        for batch in _batches(cases):
            cases_now, paths = zip(*batch, strict=True)
            sexes = [case.sex for case in cases_now]
            readings = _readings(predictor, paths, sexes, options.model)
            for case, reading in zip(cases_now, readings, strict=True):
                if not isinstance(reading, str):
                    rows.append((case.age_months, reading.months))
                    would_refuse += reading.refusal is not None
            bar.update(len(batch))
    if not rows:
        raise _Refusal(f"None of the {len(labels)} images of {options.labels} could be read.")
    figures = summarise(pd.DataFrame(rows, columns=["age_months", "prediction_months"])).iloc[0]
    result = {"model": options.model, "n": len(rows)}
    for name in ("mae", "rmse", "r2", "bias", "within_6", "within_12"):
        result[name] = _rounded(figures[name])
    result["mae_interval"] = [_rounded(figures["mae_low"]), _rounded(figures["mae_high"])]
    # Figures count every image that can be read, as published results do.
    result["refused"] = len(labels) - len(rows)
    result["would_refuse"] = would_refuse
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


def _gate(options) -> int:
    from boneage.gate.learning import learn_gate
    from boneage.predictor import Predictor

    path, table = learn_gate(Predictor(), options.data)
    print(table.to_string(index=False, na_rep="", float_format="%.3g"))
    print(f"The gate is stored beside {path}, which holds this table.")
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


def _saliency(options) -> int:
    from tqdm import tqdm

    from boneage import artifacts
    from boneage.saliency import check_saliency

    occlusion, randomisation = check_saliency(options.images, show=partial(tqdm, unit="image"))
    paths = [
        artifacts.write_saliency(artifacts.OCCLUSION, occlusion),
        artifacts.write_saliency(artifacts.RANDOMISATION, randomisation),
    ]
    shown = occlusion[occlusion["group"] == "all"]
    print(shown[["model", "region", "n", "change", "shift"]].round(1).to_string(index=False))
    print(randomisation[["model", "stage", "n", "similarity"]].round(2).to_string(index=False))
    print(f"With intervals and age bands in {paths[0]} and {paths[1]}.")
    return OK


def _labelled(images: str, labels: str):
    """The cases of a CSV file whose image is in the folder: columns id, sex, age_months, path."""
    from boneage.datasets.rsna import find_images, read_labels

    cases = read_labels(labels)
    cases["path"] = cases["id"].map(find_images(images, cases["id"]))
    return cases.dropna(subset="path")


def _robustness(options) -> int:
    from boneage import artifacts
    from boneage.predictor import Predictor
    from boneage.robustness import measure_robustness

    table = measure_robustness(Predictor(), _labelled(options.images, options.labels))
    path = artifacts.write_robustness(table)
    print(table.pivot(index="perturbation", columns="model", values="mae").round(2).to_string())
    print(f"MAE in months; intervals and differences are in {path}.")
    return OK


def _prepare(options) -> int:
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
    )
    cache = build_cache(table, options.cache, Preprocessing(size=options.size), options.workers)
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


def _atlas(options) -> int:
    from boneage.atlas.building import Settings, build_atlas

    settings = Settings(per_plate=options.per_plate)
    plates = build_atlas(options.cache, options.out, settings, options.workers)
    print(f"{len(plates)} plates of {plates['n'].sum()} radiographs are in {options.out}.")
    return OK


def _atlas_answers(options) -> int:
    from boneage.atlas import answers
    from boneage.predictor import Predictor

    if bool(options.test_images) != bool(options.test_labels):
        raise _Refusal("Give both --test-images and --test-labels, or neither.")
    path = answers.write(answers.PREDICTIONS, answers.predict_plates(Predictor()))
    beyond = answers.beyond_a_year(answers.read_plate_predictions())
    print(f"The models' ages of the plates are in {path}; more than a year off in their mean:")
    print(beyond[["id", "prediction_months", "residual_months"]].round(1).to_string(index=False))
    if options.test_images:
        table = answers.read_by_likeness(_labelled(options.test_images, options.test_labels))
        path = answers.write(answers.LIKENESS, table)
        figures = answers.likeness_figures()
        print(f"MAE by likeness: {figures['mae']:.2f} months, n = {figures['n']}; see {path}.")
    return OK


def _phantoms(options) -> int:
    from boneage.datasets.phantoms import write_phantoms

    folder = write_phantoms(options.out, options.train, options.test, options.seed)
    print(f"{options.train} training and {options.test} test phantoms are in {folder}.")
    return OK
