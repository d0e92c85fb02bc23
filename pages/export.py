"""Charts, tables, a report and a methods paragraph to take along, on both analysis pages."""

from collections.abc import Callable, Mapping

import plotly.graph_objects as go
import streamlit as st

from boneage.evaluation.citations import cited
from boneage.figures.files import CHART_FORMATS, TABLE_FORMATS, ExportedTable, stem_of, zipped

ALL = "All (ZIP)"
ZIP = "application/zip"
WIDTHS = {85: "85 mm", 174: "174 mm"}
DOWNLOAD = {"icon": ":material/download:", "on_click": "ignore"}


def show_export(
    charts: Mapping[str, Callable[[], go.Figure]],
    tables: Mapping[str, Callable[[], ExportedTable]],
    report: Callable[[], str],
    methods: str,
    name: str,
) -> None:
    """Everything of a page for a paper; files are made when their button is clicked.

    methods: with citations as `citations.cited` reads them; name: what names of files begin with.
    """
    show_charts(charts, name)
    show_tables(tables, name)
    st.download_button(
        "Report (HTML)",
        lambda: report().encode(),
        file_name=f"{name}-report.html",
        mime="text/html",
        help="All charts, tables and methods in one file, which opens without a connection.",
        key="export-report",
        **DOWNLOAD,
    )
    show_methods(methods, name)


def show_charts(charts: Mapping[str, Callable[[], go.Figure]], name: str) -> None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        title = st.selectbox("Chart", [ALL, *charts], key="export-chart", width=320)
        kind = choose("Format", {"svg": "SVG", "pdf": "PDF", "png": "PNG"}, "export-format")
        width = choose("Width", WIDTHS, "export-width", 174)
        chosen = {title: charts[title]} if title in charts else charts
        mime = CHART_FORMATS[kind]
        show_button("Download charts", lambda one: printed(one(), kind, width), chosen, name, kind,
                    mime)  # fmt: skip
    st.caption(
        "Charts for print on white, in the width of one or two columns of a journal; letters are "
        "outlines in SVG and embedded in PDF, PNG has 300 dots per inch."
    )


def show_tables(tables: Mapping[str, Callable[[], ExportedTable]], name: str) -> None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        title = st.selectbox("Table", [ALL, *tables], key="export-table", width=320)
        kind = choose("Format", {"csv": "CSV", "tex": "LaTeX"}, "export-table-format")
        chosen = {title: tables[title]} if title in tables else tables
        show_button("Download tables", lambda one: one().written(kind), chosen, name, kind,
                    TABLE_FORMATS[kind])  # fmt: skip
    st.caption(
        "CSV holds the numbers as computed, LaTeX (package booktabs) the table as it is shown."
    )


def show_button(
    label: str, write: Callable, chosen: Mapping, name: str, kind: str, mime: str
) -> None:
    """One file of the one chosen, or a ZIP file of all."""

    def content() -> bytes:
        files = {f"{name}-{stem_of(title)}.{kind}": write(one) for title, one in chosen.items()}
        return zipped(files) if len(chosen) > 1 else next(iter(files.values()))

    single = len(chosen) == 1
    stem = stem_of(next(iter(chosen))) if single else stem_of(label.removeprefix("Download "))
    st.download_button(
        label,
        content,
        file_name=f"{name}-{stem}.{kind if single else 'zip'}",
        mime=mime if single else ZIP,
        key=label,
        **DOWNLOAD,
    )


def show_methods(methods: str, name: str) -> None:
    text, bibtex = cited(methods)
    st.subheader("Methods", anchor=False)
    st.code(text, language=None, wrap_lines=True)
    with st.expander("References (BibTeX)", icon=":material/menu_book:"):
        st.download_button(
            "Download BibTeX",
            bibtex.encode(),
            file_name=f"{name}.bib",
            mime="application/x-bibtex",
            key="export-bibtex",
            **DOWNLOAD,
        )
        st.code(bibtex, language=None, wrap_lines=True)


def choose(label: str, options: dict, key: str, default: object = None):
    return st.segmented_control(
        label,
        list(options),
        default=next(iter(options)) if default is None else default,
        required=True,
        format_func=options.get,
        key=key,
    )


def printed(figure: go.Figure, kind: str, width: int) -> bytes:
    from boneage.figures.printing import print_figure  # Matplotlib takes a second to import

    return print_figure(figure, kind, width)
