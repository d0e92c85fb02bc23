"""The error analysis of a model as one HTML file that needs nothing else, for reading and print."""

from collections.abc import Collection, Iterable
from html import escape
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from boneage import artifacts, error_text, wording
from boneage.artifacts import ArtifactError
from boneage.datasets.blocks import acquisition_block
from boneage.evaluation.analysis import Analysis, analyse
from boneage.evaluation.ensemble import ensemble_table
from boneage.evaluation.intervals import METRICS
from boneage.evaluation.published import PUBLISHED_COLUMN, SINGLE_READER, published_results
from boneage.figures import cards, errors, palette, style, tables
from boneage.figures.age_calibration import reference_on_predicted
from boneage.figures.yardsticks import yardsticks
from boneage.files import replace_file
from boneage.models.registry import ENSEMBLE

_N_SUBGROUPS = 10
_STYLE = """
body { font-family: system-ui, sans-serif; color: #1B2A31; max-width: 64rem; margin: 2rem auto;
       padding: 0 1rem; line-height: 1.5; }
.charts { display: grid; gap: 1rem;
          grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); }
.charts > *, tr { break-inside: avoid; min-width: 0; }
h2 { break-after: avoid; }
.wide { grid-column: 1 / -1; }
"""


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
    html = report_html(name, split, cases, notes)
    replace_file(Path(out), html.encode())


def report_html(name: str, split: str, cases: pd.DataFrame, notes: list[str]) -> str:
    """The report as a page of HTML; notes are sentences on the models' training.

    cases: predictions of one split, with a column block where there are acquisition blocks.
    """
    found, by_prediction = (analyse(cases, by) for by in style.AGES)
    title, colour = style.model_title(name), palette.model_colour(name)
    heading = f"Error analysis: {title}"
    parts = [
        f"<h1>{escape(heading)}</h1>",
        f"<p>{wording.SPLITS[split]} set, {wording.counted(len(cases), 'radiograph')}. "
        f"{escape(wording.ABOUT_SPLIT[split])}</p>",
        *(f"<p>{escape(note)}</p>" for note in notes),
        "<p><strong>Not a medical device; not for diagnosis or treatment.</strong></p>",
        cards.metric_tiles(found.metrics, METRICS, colour),
        f"<p>Below each metric its {wording.CI_95} (bootstrap). A residual is predicted minus "
        "reference bone age.</p>",
        _published(title, colour, split, found),
        _charts(found, by_prediction, colour),
        *_subgroups(found),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(heading)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
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


def _published(title: str, colour: str, split: str, found: Analysis) -> str:
    if split not in PUBLISHED_COLUMN:
        return ""
    column, published = PUBLISHED_COLUMN[split], published_results()
    own = tuple(found.metrics[figure] for figure in ("mae", "mae_low", "mae_high"))
    band = SINGLE_READER if split == "test" else None
    sources = "".join(
        f"<li>{escape(row.system)}: {escape(row.source)}</li>"
        for row in published.dropna(subset=[column]).itertuples()
    )
    shaded = f"{wording.about_reader_band(*band)} " if band else ""
    return (
        f"<h2>{error_text.PUBLISHED}</h2>"
        f"{yardsticks(title, own, colour, published, column, band)}"
        f"<p>Mean absolute error in months. {shaded}Sources:</p><ul>{sources}</ul>"
    )


def _charts(found: Analysis, by_prediction: Analysis, colour: str) -> str:
    cases = found.cases
    residuals = []
    for one in (found, by_prediction):
        wide = errors.residual_scatter(one.cases, one.running, one.by)
        residuals += [
            wide.update_layout(dragmode="zoom"),
            errors.residual_distributions(one.boxes, one.beyond_boxes, one.by),
            errors.mae_heatmap(one.by_band_and_sex, one.by),
        ]
    calibration = reference_on_predicted(cases, found.calibration_bins, found.calibration)
    agreement = (
        errors.predicted_against_age(cases),
        errors.bland_altman(cases, found.agreement),
        errors.error_histogram(cases, colour),
        errors.cumulative_error(found.cumulative, colour),
    )
    sentences = (
        error_text.calibration_slope(found.calibration),
        error_text.regression_to_the_mean(found.calibration),
    )
    return (
        f"<h2>{error_text.RESIDUALS}</h2>{_grid(residuals, wide=(0, 3), with_library=True)}"
        f"<h2>{error_text.CALIBRATION}</h2>{_grid([calibration], wide=(0,))}"
        f"{''.join(f'<p>{escape(sentence)}</p>' for sentence in sentences)}"
        f"<h2>{error_text.AGREEMENT}</h2>{_grid(agreement)}"
    )


def _subgroups(found: Analysis) -> list[str]:
    groups, age = found.subgroups, style.AGES[found.by][0]
    parts = [
        f"<h2>{error_text.WORST}</h2>",
        f"<p>{escape(error_text.worst_subgroups(groups, age))}</p>",
    ]
    if not groups.worst.empty:
        parts.append(tables.cohort_table(groups.worst.head(_N_SUBGROUPS)))
    parts += [
        f"<h2>{error_text.TREE}</h2>",
        f"<p>{escape(error_text.tree_subgroups(groups, age))}</p>",
    ]
    if not groups.tree.empty:
        parts.append(tables.cohort_table(groups.tree))
    if not found.by_block.empty:
        parts += [
            f"<h2>{error_text.BLOCKS}</h2>",
            f"<p>{escape(error_text.ABOUT_BLOCKS)}</p>",
            tables.block_table(found.by_block),
        ]
    return parts


def _grid(
    figures: Iterable[go.Figure], wide: Collection[int] = (), with_library: bool = False
) -> str:
    """Figures in two columns, those of these numbers as wide as both."""
    blocks = (
        f'<div class="{"wide" if number in wide else ""}">'
        f"{_chart(figure, with_library and number == 0)}</div>"
        for number, figure in enumerate(figures)
    )
    return f'<div class="charts">{"".join(blocks)}</div>'


def _chart(figure: go.Figure, with_library: bool = False) -> str:
    """The figure; one of them carries Plotly for all that follow."""
    options = {"displaylogo": False, "responsive": True}
    return figure.to_html(full_html=False, include_plotlyjs=with_library, config=options)
