"""The error analysis of a model as one HTML file that needs nothing else, for reading and print."""

from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from boneage import artifacts, formatting
from boneage.artifacts import ArtifactError
from boneage.atomic import replace_file
from boneage.datasets.blocks import acquisition_block
from boneage.datasets.text import ABOUT_SPLIT, SPLITS
from boneage.error_analysis import text as error_text
from boneage.error_analysis.analysis import Analysis, analyze
from boneage.error_analysis.benchmarks import benchmarks
from boneage.error_analysis.charts import agreement_charts, calibration_charts, residual_charts
from boneage.error_analysis.methods import methods
from boneage.evaluation.citations import cited
from boneage.evaluation.intervals import METRICS
from boneage.evaluation.published import PUBLISHED_COLUMN, SINGLE_READER, published_results
from boneage.figures import cards, palette, style, tables
from boneage.figures.html import page
from boneage.inference.ensemble import ensemble_table
from boneage.models.registry import ENSEMBLE


def write_report(out: str | Path, name: str, recipe: str, split: str) -> None:
    """Write the analysis of the stored predictions of a model of the registry, or "ensemble".

    recipe: of `artifacts.recipe_folders`; split: "train", "validation" or "test".
    Raises ArtifactError, one sentence, when there are no such predictions, and NotWrittenError.
    """
    names = artifacts.available_models() if name == ENSEMBLE else [name]
    tables = {one: _predictions(one, recipe) for one in names}
    if not tables:
        raise ArtifactError("There is no trained model to report on: train one first.")
    cases = ensemble_table(tables)
    cases = cases[cases["split"] == split]
    if cases.empty:
        raise ArtifactError(f"The predictions of {name} hold no {split} radiographs.")
    notes = [
        f"{facts.title}: {facts.training_note}"
        for facts in map(artifacts.read_facts, [_folder(one, recipe) for one in names])
    ]
    cases = cases.assign(block=acquisition_block(cases))
    html = report_html(style.model_title(name), palette.model_color(name), split, cases, notes)
    replace_file(Path(out), html.encode())


def report_html(
    title: str, color: str, split: str, cases: pd.DataFrame, notes: list[str], subgroup: str = ""
) -> str:
    """The report as a page of HTML.

    Args:
        title: what predicted the ages.
        color: of its charts, "#rrggbb".
        split: "train", "validation", "test", or another for radiographs of a user.
        cases: predictions of the split, with a column block where there are acquisition blocks.
        notes: sentences, such as on the models' training.
        subgroup: what the cases were restricted to, in words; "" where they were not.
    """
    found, by_prediction = (analyze(cases, by) for by in style.AGES)
    described, references = cited(methods(found, title, split, subgroup))
    return page(
        "report",
        heading=f"Error analysis: {title}",
        split_title=f"{SPLITS[split]} set" if split in SPLITS else "Own radiographs",
        about_split=ABOUT_SPLIT.get(split, ""),
        notes=[*notes, *([f"Restricted to: {subgroup}."] if subgroup else [])],
        methods=described,
        references=references,
        found=found,
        groups=found.subgroups,
        age=style.AGES[found.by][0],
        tiles=cards.metric_tiles(found.metrics, METRICS, color),
        **_published(title, color, split, found),
        **_charts(found, by_prediction, color),
        formatting=formatting,
        text=error_text,
        tables=tables,
    )


def _folder(name: str, recipe: str) -> Path:
    if name not in artifacts.available_models():
        raise ArtifactError(f"There is no trained {name}: train it first.")
    folders = artifacts.recipe_folders(name)
    if recipe not in folders:
        known = ", ".join(folders)
        raise ArtifactError(f"There is no recipe {recipe!r} of {name}; choose one of: {known}.")
    return folders[recipe]


def _predictions(name: str, recipe: str) -> pd.DataFrame:
    return artifacts.read_predictions(_folder(name, recipe))


def _published(title: str, color: str, split: str, found: Analysis) -> dict:
    """The own error among the published ones; without bars where none are published."""
    if split not in PUBLISHED_COLUMN:
        return {"bars": ""}
    column = PUBLISHED_COLUMN[split]
    published = published_results().dropna(subset=[column])
    own = (found.metrics["mae"], found.metrics["mae_low"], found.metrics["mae_high"])
    band = SINGLE_READER if split == "test" else None
    bars = benchmarks(title, own, color, published, column, band)
    return {"bars": bars, "band": band, "published": published}


def _charts(found: Analysis, by_prediction: Analysis, color: str) -> dict[str, list[go.Figure]]:
    """The figures of each section; of the residuals three by either age."""
    sections = {
        "residuals": [*residual_charts(found).values(), *residual_charts(by_prediction).values()],
        "calibration": calibration_charts(found).values(),
        "agreement": agreement_charts(found, color).values(),
    }
    drawn = {section: [chart() for chart in charts] for section, charts in sections.items()}
    for place in (0, 3):  # where points can be selected on the page
        drawn["residuals"][place].update_layout(dragmode="zoom")
    return drawn
