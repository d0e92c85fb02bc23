"""The charts and tables of a comparison for export."""

from collections.abc import Callable, Sequence

import pandas as pd
import plotly.graph_objects as go

from boneage.comparison import figures as comparison
from boneage.comparison import table as shown
from boneage.comparison import text as comparison_text
from boneage.comparison.compared import Compared
from boneage.comparison.head_to_head import HeadToHead
from boneage.evaluation.published import published_results
from boneage.figures import style
from boneage.figures.files import ExportedTable
from boneage.formatting import CI_95, p_value, share

Charts = dict[str, Callable[[], go.Figure]]
Tables = dict[str, Callable[[], ExportedTable]]


def all_charts(found: HeadToHead, compared: Sequence[Compared]) -> Charts:
    """The charts of the errors by title, each drawn when it is called."""
    return {
        "Distribution of absolute errors": lambda: comparison.error_distributions(
            found.pairs, *compared
        ),
        "Closer model by age and sex": lambda: comparison.win_shares(
            found.wins.drop(columns="p"), *compared
        ),
        "Predicted bone age of both": lambda: comparison.prediction_against_prediction(
            found.pairs, *compared
        ),
    }


def all_tables(found: HeadToHead, compared: tuple[Compared, Compared]) -> Tables:
    """The tables by title, each made when it is called."""
    titles = compared[0].title, compared[1].title
    return {
        "Metrics": lambda: _metrics(found, compared),
        "Paired statistics": lambda: _statistics(found, titles),
        "Closer model by age and sex": lambda: _wins(found, titles),
        "Bias by sex": lambda: _bias(found, titles),
        "Published results": _published,
    }


def _published() -> ExportedTable:
    published = published_results()
    return ExportedTable(
        "Published results on the radiographs of the RSNA Pediatric Bone Age Challenge.",
        published,
        shown.published_table(published).texts().rename(columns={"": "System"}),
    )


def _metrics(found: HeadToHead, compared: tuple[Compared, Compared]) -> ExportedTable:
    rows = shown.metric_rows(found.metrics, found.differences)
    titles = dict(zip(("first", "second"), (one.title for one in compared), strict=True))
    data = found.metrics.rename_axis("predictions").reset_index()
    data["predictions"] = data["predictions"].map(titles | {"ensemble": "Ensemble of both"})
    tests = found.differences.set_index("metric")[["difference", "p"]]
    for metric, test in tests.iterrows():
        data[[f"{metric}_difference", f"{metric}_p"]] = [test["difference"], test["p"]]
    texts = shown.model_table(compared, {"": rows}).texts().rename(columns={"": "Metric"})
    n = found.comparison.n
    return ExportedTable(f"Errors on {n:,} radiographs, with {CI_95}.", data, texts)


def _statistics(found: HeadToHead, titles: tuple[str, str]) -> ExportedTable:
    rows = comparison_text.paired_statistics(found.comparison, titles)
    table = pd.DataFrame(rows, columns=["Statistic", "Value", "Interpretation"])
    return ExportedTable("Paired statistics.", table, table[["Statistic", "Value"]])


def _wins(found: HeadToHead, titles: tuple[str, str]) -> ExportedTable:
    texts = pd.DataFrame(
        {
            "Reference bone age": found.wins["age_band"].astype(str),
            "Sex": found.wins["sex"].map(style.GROUPS),
            "n": found.wins["n"].map("{:,}".format),
            f"{titles[0]} closer": found.wins["first"].map(share),
            f"{titles[1]} closer": found.wins["second"].map(share),
            "Equally close": found.wins["equal"].map(share),
            "p": found.wins["p"].map(lambda p: "not tested" if pd.isna(p) else p_value(p)),
        }
    )
    return ExportedTable("Closer predictions by age and sex, sign tests.", found.wins, texts)


def _bias(found: HeadToHead, titles: tuple[str, str]) -> ExportedTable:
    names = [*titles, "Ensemble of both"]
    data = found.bias.set_axis(names).rename_axis("predictions").reset_index()
    texts = data.set_index("predictions").map(style.signed).reset_index()
    words = {"predictions": "Predictions", "all": "All", **style.GROUPS}
    return ExportedTable(
        "Bias (mean residual, months, + overestimated).", data, texts.rename(columns=words)
    )
