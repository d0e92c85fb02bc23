"""The comparison as files for a paper."""

from boneage import artifacts
from boneage.comparison import text as comparison_text
from boneage.comparison.exported import all_charts, all_tables
from boneage.comparison.head_to_head import HeadToHead
from boneage.comparison.methods import methods
from boneage.figures.files import stem_of
from pages import export, shared
from pages.head_to_head_sections.charts import robustness_chart, training_chart
from pages.head_to_head_sections.selection import Choice


def show_export(choice: Choice, found: HeadToHead) -> None:
    sex = None if choice.sex == shared.ALL else choice.sex
    charts = all_charts(found, choice.compared)
    if choice.are_models:
        files = shared.prediction_files(choice.recipe)
        charts["Training curves"] = lambda: training_chart(files, choice.names, choice.recipe)[0]
    robustness = artifacts.read_robustness()
    if robustness is not None:
        charts["Robustness to image changes"] = lambda: robustness_chart(robustness)
    export.show_export(
        charts,
        all_tables(found, choice.compared),
        lambda: report(choice, found, sex),
        methods(found, choice.titles, choice.split, sex),
        stem_of(f"{choice.titles[0]} {choice.titles[1]} {choice.split}"),
    )


def report(choice: Choice, found: HeadToHead, sex: str | None) -> str:
    from boneage.comparison.report import report_html

    note = comparison_text.ABOUT_FILES if choice.has_file else comparison_text.ABOUT_TRAINING_RUNS
    return report_html(found, choice.compared, choice.split, sex, (note,))
