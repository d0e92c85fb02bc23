"""The error analysis as files for a paper."""

from boneage.error_analysis.analysis import Analysis
from boneage.error_analysis.charts import all_charts
from boneage.error_analysis.exported import all_tables
from boneage.error_analysis.methods import methods
from boneage.figures.files import stem_of
from pages import export
from pages.error_analysis_sections.coverage import coverage_of
from pages.error_analysis_sections.selection import Choice


def show_export(choice: Choice, found: Analysis) -> None:
    coverage = coverage_of(choice)
    export.show_export(
        all_charts(found, choice.color, coverage),
        all_tables(found, choice.split, coverage),
        lambda: report(choice),
        methods(found, choice.title, choice.split, choice.restriction),
        stem_of(f"{choice.title} {choice.split}"),
    )


def report(choice: Choice) -> str:
    from boneage.error_analysis.report import report_html

    notes = [choice.note] if choice.note else []
    return report_html(
        choice.title, choice.color, choice.split, choice.cases, notes, choice.restriction
    )
