"""A comparison as one HTML file that needs nothing else, for reading and print."""

from boneage.comparison import table as tables
from boneage.comparison import text as comparison_text
from boneage.comparison.compared import Compared
from boneage.comparison.exported import all_charts
from boneage.comparison.head_to_head import HeadToHead
from boneage.comparison.methods import methods
from boneage.datasets.text import ABOUT_SPLIT
from boneage.evaluation.citations import cited
from boneage.figures.html import page
from boneage.formatting import CI_95


def report_html(
    found: HeadToHead,
    compared: tuple[Compared, Compared],
    split: str,
    sex: str | None = None,
    notes: tuple[str, ...] = (),
) -> str:
    """The report as a page of HTML.

    Args:
        found: the comparison.
        compared: what both sets of predictions are.
        split: "train", "validation", "test", or another for radiographs of a user.
        sex: "female" or "male"; None for both.
        notes: sentences on what was compared.
    """
    titles = compared[0].title, compared[1].title
    sample = comparison_text.sample_in_words(found.comparison.n, split, sex)
    conclusion = comparison_text.conclusion(
        found.comparison, found.differences, found.wins, titles, sample
    )
    described, references = cited(methods(found, titles, split, sex))
    rows = tables.metric_rows(found.metrics, found.differences)
    return page(
        "comparison",
        heading=f"Comparison of {titles[0]} and {titles[1]}",
        conclusion=[*conclusion, comparison_text.bias(found.bias, titles)],
        notes=[*filter(None, [ABOUT_SPLIT.get(split), *notes])],
        metrics=tables.model_table(compared, {"": rows}).html(),
        interval=CI_95,
        statistics=comparison_text.paired_statistics(found.comparison, titles),
        charts=[chart() for chart in all_charts(found, compared).values()],
        methods=described,
        references=references,
    )
