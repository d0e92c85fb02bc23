"""docs/MODEL_CARD.md: what the published models are, for readers and reviewers.

Its words are in card.md beside this file, its numbers come from `artifacts/`. Sections are
those of a model card (M. Mitchell et al., FAT* 2019:220-229).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from boneage import __version__, artifacts, formatting
from boneage.artifacts import ArtifactError, Facts
from boneage.atomic import replace_file
from boneage.comparison.label_noise import label_noise_variance, noise_shares
from boneage.datasets.blocks import BLOCKS, acquisition_block
from boneage.datasets.challenge import CITATION, READING_SD
from boneage.datasets.splits import TEST, TRAIN, VALIDATION
from boneage.datasets.text import SPLITS
from boneage.error_analysis import text as error_text
from boneage.error_analysis.analysis import Analysis, analyze
from boneage.error_analysis.conditions import block_in_words
from boneage.evaluation.limits import LARGE_ERROR
from boneage.evaluation.metrics import AGE_BANDS, age_band, error_metrics, metrics_table, summarize
from boneage.evaluation.published import PUBLISHED_COLUMN, SINGLE_READER, published_results
from boneage.inference import text as prediction_text
from boneage.inference.conformal import LEVEL
from boneage.inference.ensemble import ensemble_table, ensemble_weights
from boneage.model_card.failures import failures
from boneage.models.registry import ENSEMBLE
from boneage.radiographs import text as hand_text
from boneage.radiographs.hand import MEDIAPIPE
from boneage.robustness.perturbations import CLEAN, PERTURBATIONS

_TEMPLATE = Path(__file__).with_suffix(".md")
_EVALUATED = (VALIDATION, TEST)
_METRICS = ("mae", "rmse", "r2", "bias", "within_12")
_WINNER = "16 Bit (challenge winner)"
_N_FAILURES = 8
_LOW_CONTRAST, _FEW = 0.05, 100  # share of training radiographs with less; how many are few
_NOT_MEASURED = "Not measured for these weights."


@dataclass(frozen=True, eq=False)
class _Published:
    """What the card is made of.

    facts, tables: of each model by name. weights: of the ensemble. cases: predictions of the
    ensemble, with columns block and age_band. analyses: of the ensemble on validation and test.
    titles: of each model and the ensemble.
    """

    facts: Mapping[str, Facts]
    tables: Mapping[str, pd.DataFrame]
    weights: Mapping[str, float]
    cases: pd.DataFrame
    analyses: Mapping[str, Analysis]
    titles: Mapping[str, str]


def write_model_card(out: str | Path) -> None:
    """Write `model_card` to a file. Raises ArtifactError and NotWrittenError, one sentence each."""
    replace_file(Path(out), model_card().encode())


def model_card() -> str:
    """The card of all published models and their ensemble, in Markdown.

    Raises ArtifactError when there is no model, or one without training, validation or test cases.
    """
    card = _read()
    counts = card.cases["split"].value_counts()
    any_facts = next(iter(card.facts.values()))
    experiments = artifacts.read_table(
        artifacts.artifacts_root() / "models" / "experiments.csv",
        ("kept",),
        remedy="write down there what was tried",
    )
    train = card.cases[card.cases["split"] == TRAIN]
    young, mature = list(AGE_BANDS)[0], list(AGE_BANDS)[-1]
    return _TEMPLATE.read_text(encoding="utf-8").format(
        version=__version__,
        models=_models(card),
        level=formatting.share(LEVEL),
        citation=CITATION,
        reading_sd=f"{READING_SD:.0f}",
        n_available=f"{counts[TRAIN] + counts[VALIDATION]:,}",
        n_train=f"{counts[TRAIN]:,}",
        n_validation=f"{counts[VALIDATION]:,}",
        n_test=f"{counts[TEST]:,}",
        demographics=_demographics(card),
        size=any_facts.preprocessing["size"],
        hand_found=_hand_found(card),
        training=_training(card),
        augmentation=formatting.in_words(list(any_facts.preset["augmentation"])),
        training_notes="\n".join(f"- {f.title}: {f.training_note}" for f in card.facts.values()),
        weights=formatting.in_words(
            [f"{card.titles[name]} {formatting.share(part)}" for name, part in card.weights.items()]
        ),
        n_tried=len(experiments),
        n_kept=(experiments["kept"] == "yes").sum(),
        performance=_performance(card),
        mean_age=_mean_age(card),
        winner=_winner(),
        readers=formatting.metric_interval("mae", *SINGLE_READER),
        subgroups=_subgroups(card),
        worst="\n".join(_worst(split, found) for split, found in card.analyses.items()),
        calibration="\n".join(
            f"- {SPLITS[split]}: {error_text.calibration_slope(found.calibration)}"
            for split, found in card.analyses.items()
        ),
        about_interval=prediction_text.about_interval(LEVEL),
        coverage=_coverage(),
        quality_check=_quality_check(),
        robustness=_robustness(),
        failures="\n\n".join(_failures(card, split) for split in (TEST, VALIDATION)),
        n_young=f"{(train['age_band'] == young).sum():,}",
        n_mature_girls=f"{((train['age_band'] == mature) & (train['sex'] == 'female')).sum():,}",
        noise=_noise(card, VALIDATION),
        noise_test=_noise(card, TEST),
    )


def _read() -> _Published:
    names = artifacts.available_models()
    if not names:
        raise ArtifactError("There is no trained model to write a model card of: train one first.")
    folders = {name: artifacts.model_folder(name) for name in names}
    facts = {name: artifacts.read_facts(folder) for name, folder in folders.items()}
    tables = {name: artifacts.read_predictions(folder) for name, folder in folders.items()}
    weights = ensemble_weights(tables)
    cases = ensemble_table(tables, weights)
    for split in (TRAIN, *_EVALUATED):
        if not (cases["split"] == split).any():
            raise ArtifactError(f"The models share no predictions of the {split} set: train again.")
    cases = cases.assign(
        block=acquisition_block(cases), age_band=age_band(cases["reference_months"])
    )
    return _Published(
        facts=facts,
        tables=tables,
        weights=weights,
        cases=cases,
        analyses={split: analyze(cases[cases["split"] == split]) for split in _EVALUATED},
        titles={name: each.title for name, each in facts.items()} | {ENSEMBLE: "Ensemble"},
    )


# Model, data, training ----------------------------------------------------------------------


def _models(card: _Published) -> str:
    return "\n".join(
        f"- **{facts.title}**: {facts.architecture} {facts.parameters / 1e6:.1f} million "
        f"parameters; trained on {facts.trained_on}; SHA-256 of the weights "
        f"`{facts.weights_sha256[:12]}`."
        for facts in card.facts.values()
    )


def _demographics(card: _Published) -> str:
    rows = []
    for split in (TRAIN, *_EVALUATED):
        for sex, children in formatting.CHILDREN.items():
            cases = card.cases[(card.cases["split"] == split) & (card.cases["sex"] == sex)]
            age, bands = cases["reference_months"], cases["age_band"].value_counts()
            spread = f"{age.mean():.1f} ({age.std():.1f})"
            ends = f"{age.min():.0f} to {age.max():.0f}"
            n = [f"{bands[band]:,}" for band in AGE_BANDS]
            rows.append([f"{SPLITS[split]}, {children}", f"{len(cases):,}", spread, ends, *n])
    return _table(("", "n", "bone age, months: mean (SD)", "range", *AGE_BANDS), rows)


def _hand_found(card: _Published) -> str:
    counts = card.cases.groupby(["split", "crop_method"]).size()
    return "; ".join(
        f"{SPLITS[split].lower()}: "
        + ", ".join(
            f"{hand_text.hand_found_short(method)} {n:,}" for method, n in counts[split].items()
        )
        for split in (TRAIN, *_EVALUATED)
    )


def _training(card: _Published) -> str:
    facts = card.facts.values()

    def row(title: str, *settings: str) -> list[str]:
        return [title, *(", ".join(str(each.preset[s]) for s in settings) for each in facts)]

    starts = [
        f"earlier training, preset {each.warm_start['preset']}" if each.warm_start else "random"
        for each in facts
    ]
    software = [
        f"Keras {each.versions['keras']} on {backend} {each.versions[backend]}"
        if (backend := each.versions.get("backend", "")) in each.versions
        else f"Keras {each.versions['keras']}"
        for each in facts
    ]
    rows = [
        ["training radiographs", *(f"{each.n_train:,}" for each in facts)],
        row("preset, image size", "name", "image_size"),
        ["starting weights", *starts],
        row("epochs (last stage), batch size", "epochs", "batch_size"),
        row("learning rate, weight decay, dropout", "learning_rate", "weight_decay", "dropout"),
        row("Huber loss, linear beyond (months)", "huber_delta"),
        row("exponential moving average of weights", "ema_momentum"),
        ["all epochs, minutes", *(f"{each.training_seconds / 60:.0f}" for each in facts)],
        ["mean with the mirror image", *("yes" if each.mirrored else "no" for each in facts)],
        ["software", *software],
    ]
    return _table(("", *(each.title for each in facts)), rows)


# Performance --------------------------------------------------------------------------------


def _performance(card: _Published) -> str:
    rows = []
    for split in _EVALUATED:
        for name, table in [*card.tables.items(), (ENSEMBLE, card.cases)]:
            (found,) = summarize(table[table["split"] == split]).to_dict("records")
            title = f"{card.titles[name]}, {SPLITS[split].lower()} (n = {found['n']:,})"
            rows.append([title, *(_with_interval(found, metric) for metric in _METRICS)])
    return _table(("", *(formatting.METRIC_TITLES[metric] for metric in _METRICS)), rows)


def _mean_age(card: _Published) -> str:
    """The MAE of always predicting the mean age of the training set, on each set."""
    ages = {split: group["reference_months"] for split, group in card.cases.groupby("split")}
    mean = ages[TRAIN].mean()
    errors = [
        f"{error_metrics(ages[split], np.full(len(ages[split]), mean))['mae']:.1f} on {split}"
        for split in _EVALUATED
    ]
    return formatting.in_words(errors)


def _winner() -> str:
    row = published_results().set_index("system").loc[_WINNER]
    official = {VALIDATION: "the official validation set", TEST: "the test set"}
    errors = [f"{row[PUBLISHED_COLUMN[split]]:.1f} on {official[split]}" for split in _EVALUATED]
    return f"{_WINNER} {formatting.in_words(errors)}"


def _subgroups(card: _Published) -> str:
    found = metrics_table(card.cases[card.cases["split"].isin(_EVALUATED)])
    blocks = card.analyses[VALIDATION].by_block
    if not blocks.empty:
        found = pd.concat([found, blocks.assign(split=VALIDATION, group=blocks["block"])])
    rows = [
        [
            _group(group),
            *(
                cell
                for split in _EVALUATED
                for cell in _errors(of_group[of_group["split"] == split])
            ),
        ]
        for group, of_group in found.groupby("group", sort=False)
    ]
    titles = [f"{SPLITS[split]}: n" for split in _EVALUATED]
    return _table(("", titles[0], "MAE", "bias", titles[1], "MAE", "bias"), rows)


def _group(group: str) -> str:
    """A group of metrics.csv or coverage.csv, or an acquisition block, as people call it."""
    return (
        block_in_words([group])
        if group.startswith("ids ")
        else formatting.CHILDREN.get(group, group)
    )


def _errors(rows: pd.DataFrame) -> list[str]:
    """n, MAE and bias of a table of one row, or of none."""
    if rows.empty:
        return ["", "", ""]
    (row,) = rows.to_dict("records")
    return [f"{row['n']:,}", _with_interval(row, "mae"), _with_interval(row, "bias")]


def _worst(split: str, found: Analysis) -> str:
    each = [
        f"{row['cohort']} (n = {row['n']:,}) {_with_interval(row, 'mae')}"
        for row in found.subgroups.worst.to_dict("records")
    ]
    return f"- {SPLITS[split]}, of {found.subgroups.n_tested}: {'; '.join(each) or 'none'}."


def _noise(card: _Published, split: str) -> str:
    """The share of label noise in the residual variance of the ensemble."""
    noise = label_noise_variance(split)
    residuals = card.analyses[split].cases[["residual_months"]].to_numpy()
    shares = None if noise is None else noise_shares(residuals, noise)
    return formatting.share(shares[0]) if shares else "an unknown share"


# Intervals, quality check, robustness, failures ---------------------------------------------


def _coverage() -> str:
    coverage = artifacts.read_coverage()
    if coverage is None:
        return _NOT_MEASURED
    shown = coverage[(coverage["model"] == ENSEMBLE) & (coverage["level"] == LEVEL)]
    shown = shown[~shown["group"].str.contains(", ")]  # a sex and an age band
    rows = [
        [
            f"{SPLITS[row.cases]}, {_group(row.group)}",
            formatting.covered(row.n, row.coverage, row.low, row.high),
            f"{row.median_width:.0f} months",
        ]
        for row in shown.itertuples()
    ]
    title = f"{formatting.share(LEVEL)} intervals of the ensemble"
    return _table((title, f"coverage ({formatting.CI_95})", "median width"), rows)


def _quality_check() -> str:
    table = artifacts.read_quality_check_table()
    if table is None:
        return _NOT_MEASURED
    splits = table["kind"].str.split(",").str[0].isin(_EVALUATED)
    rows = [
        [
            row.group if row.kind == "all" else f"{row.group}, {row.kind}",
            formatting.covered(row.n, row.refused, row.low, row.high),
            f"{row.sources:,}",
            row.reasons if isinstance(row.reasons, str) else "",
        ]
        for row in table[splits | (table["kind"] == "all")].itertuples()
    ]
    columns = ("images", f"refused ({formatting.CI_95})", "independent sources", "reasons")
    return _table(columns, rows)


def _robustness() -> str:
    table = artifacts.read_robustness()
    if table is None:
        return _NOT_MEASURED
    table = table[(table["model"] == ENSEMBLE) & (table["perturbation"] != CLEAN)]
    largest = [
        f"{PERTURBATIONS[row.perturbation].title}: {row.ratio:.2f} "
        f"({row.ratio_low:.2f} to {row.ratio_high:.2f})"
        for row in table.nlargest(3, "ratio").itertuples()
    ]
    return (
        f"MAE of the ensemble on {table['n'].max()} test radiographs after each of {len(table)} "
        f"changes of the image, divided by that without ({formatting.CI_95}). The largest ratios: "
        f"{'; '.join(largest)}."
    )


def _failures(card: _Published, split: str) -> str:
    found = failures(card.tables, card.cases, split, _N_FAILURES)
    models = (ENSEMBLE, *card.tables)
    rows = [
        [
            row["id"],
            row["sex"],
            f"{row['reference_months']:.0f}",
            *(formatting.metric_value("bias", row[name], unit=False) for name in models),
            f"{row['label_sds']:.1f}",
            formatting.share(row["less_contrast"]),
            f"{row['n_alike']:,}",
            "; ".join(_remarks(row)) or "nothing in the data",
        ]
        for row in found.to_dict("records")
    ]
    columns = (
        "id", "sex", "reference", *(card.titles[name] for name in models),
        "label SDs", "contrast", "training n", "remarks",
    )  # fmt: skip
    by_landmarks = (found["crop_method"] == MEDIAPIPE).sum()
    sentence = (
        f"{SPLITS[split]}. Of these {len(found)}, {found['all_models'].sum()} have errors "
        f"of more than {LARGE_ERROR} months in the same direction by every model; the hand was "
        f"found by its joint landmarks in {by_landmarks}:"
    )
    return f"{sentence}\n\n{_table(columns, rows)}"


def _remarks(row: Mapping) -> Iterator[str]:
    """What sets a case of `failures` apart from most radiographs, in phrases."""
    if row["crop_method"] != MEDIAPIPE:
        yield f"hand found by {hand_text.hand_found_short(row['crop_method'])}"
    if row["less_contrast"] < _LOW_CONTRAST:
        yield "low contrast"
    if row["n_alike"] < _FEW:
        yield "few training radiographs of this age and sex"
    if row["block"] in BLOCKS:
        yield block_in_words([row["block"]])


# Markdown -----------------------------------------------------------------------------------


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _with_interval(row: Mapping, metric: str) -> str:
    interval = formatting.metric_interval(metric, row[f"{metric}_low"], row[f"{metric}_high"])
    return f"{formatting.metric_value(metric, row[metric], unit=False)} ({interval})"
