"""The tables of an error analysis for export, as numbers and as people read them."""

from collections.abc import Callable
from itertools import product

import pandas as pd

from boneage.error_analysis import text as error_text
from boneage.error_analysis.analysis import Analysis
from boneage.error_analysis.coverage_figures import coverage_rows
from boneage.error_analysis.disparity import disparity
from boneage.error_analysis.disparity_table import DISPARITY, disparity_table, factors_of
from boneage.evaluation.intervals import METRICS
from boneage.evaluation.published import PUBLISHED_COLUMN, published_results
from boneage.figures import style
from boneage.figures.files import ExportedTable
from boneage.figures.tables import block_table, cohort_table
from boneage.formatting import CI_95, METRIC_TITLES, metric_interval, metric_value, share
from boneage.inference.conformal import LEVEL

Tables = dict[str, Callable[[], ExportedTable]]


def all_tables(found: Analysis, split: str, coverage: pd.DataFrame | None = None) -> Tables:
    """Those of every section of the page by title, each made when it is called.

    What has no row is left out.

    Args:
        found: the analysis.
        split: "train", "validation", "test", or another for radiographs of a user.
        coverage: as of `coverage_figures`, of one model; None where there are no intervals.
    """
    age, _ = style.AGES[found.by]
    groups = found.subgroups
    tables: Tables = {
        "Metrics": lambda: metrics_table(found.metrics),
        f"MAE by {age} and sex": lambda: _by_band_and_sex(found, age),
    }
    if not groups.worst.empty:
        tables[error_text.WORST] = lambda: ExportedTable(
            f"{error_text.WORST} (bands are of {age}).",
            groups.worst,
            cohort_table(groups.worst).texts(),
        )
    if not groups.tree.empty:
        tables[error_text.TREE] = lambda: ExportedTable(
            f"{error_text.TREE} (ages are {age}s).", groups.tree, cohort_table(groups.tree).texts()
        )
    if factors_of(found.cases):
        tables[DISPARITY] = lambda: disparities(found)
    if not found.by_block.empty:
        tables[error_text.BLOCKS] = lambda: ExportedTable(
            f"Errors {error_text.BLOCKS.lower()}.",
            found.by_block,
            block_table(found.by_block).texts(),
        )
    if coverage is not None:
        tables["Interval coverage"] = lambda: _coverage(coverage)
    if split in PUBLISHED_COLUMN:
        tables[error_text.PUBLISHED] = lambda: _published(PUBLISHED_COLUMN[split], split)
    return tables


def metrics_table(metrics: dict[str, float]) -> ExportedTable:
    """A row a metric.

    Args:
        metrics: of `Analysis.metrics`.
    """
    rows = [
        (name, metrics[name], metrics[f"{name}_low"], metrics[f"{name}_high"]) for name in METRICS
    ]
    texts = [
        (METRIC_TITLES[name], metric_value(name, value), metric_interval(name, low, high))
        for name, value, low, high in rows
    ]
    return ExportedTable(
        f"Errors of {metrics['n']:,.0f} radiographs.",
        pd.DataFrame(rows, columns=["metric", "value", "low", "high"]).assign(n=int(metrics["n"])),
        pd.DataFrame(texts, columns=["Metric", "Value", CI_95]),
    )


def disparities(found: Analysis) -> ExportedTable:
    """Every factor of `factors_of`, of which there is one at least, alone and within each other."""
    factors = factors_of(found.cases)
    data, texts = [], []
    for by, control in product(factors, [None, *factors]):
        if by == control:
            continue
        apart = disparity(found.cases, by, control, found.n_resamples)
        if apart.empty:
            continue
        data.append(apart.assign(groups=by, within=control or ""))
        named = disparity_table(apart).texts()
        title = factors[by] + (f" within {factors[control].lower()}" if control else "")
        named[""] = f"{title}: " + named[""]
        texts.append(named)
    caption = f"{DISPARITY}, with {CI_95}."
    return ExportedTable(caption, pd.concat(data), pd.concat(texts))


def _by_band_and_sex(found: Analysis, age: str) -> ExportedTable:
    table = found.by_band_and_sex
    texts = [
        (
            row.age_band,
            style.GROUPS[row.sex],
            f"{row.n:,}",
            f"{metric_value('mae', row.mae, unit=False)} "
            f"({metric_interval('mae', row.mae_low, row.mae_high)})",
        )
        for row in table.itertuples()
    ]
    columns = [age.capitalize(), "Sex", "n", f"MAE (months, {CI_95})"]
    return ExportedTable(
        f"Mean absolute error by {age} and sex.", table, pd.DataFrame(texts, columns=columns)
    )


def _coverage(coverage: pd.DataFrame) -> ExportedTable:
    rows = coverage_rows(coverage, LEVEL)
    titles = {"group": "Subgroup", "width": "Median width (months)"}
    titles |= {split: f"Coverage, {split}" for split in ("validation", "test")}
    texts = rows.assign(width=rows["width"].map("{:.0f}".format)).rename(columns=titles)
    caption = f"Coverage of the {share(LEVEL)} prediction intervals, with {CI_95}."
    return ExportedTable(caption, coverage, texts)


def _published(column: str, split: str) -> ExportedTable:
    table = published_results().dropna(subset=[column])
    texts = table[["system", "year", column, "source"]].astype(str)
    texts.columns = ["System", "Year", "MAE (months)", "Source"]
    return ExportedTable(f"Published mean absolute errors on {split}.", table, texts)
