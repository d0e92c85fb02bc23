"""Files of predictions of the user's own, and templates to fill in."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from boneage.comparison import matching
from boneage.comparison.compared import Compared, of_file
from boneage.datasets.labels import read_predictions_by_id
from boneage.datasets.text import SPLITS
from boneage.figures import palette
from boneage.formatting import counted
from pages import shared

MOST_FILES = len(palette.OWN)


@dataclass(frozen=True, eq=False)
class OwnFile:
    """cases: of `labels.read_predictions_by_id`."""

    upload_id: str
    compared: Compared
    cases: pd.DataFrame


def read_files(known: pd.DataFrame) -> list[OwnFile] | None:
    """The files uploaded; None while a column of one has to be chosen. Raises LabelError.

    known: predictions table of a published model.
    """
    with st.expander("Compare your own predictions", icon=":material/upload_file:"):
        st.markdown(
            f"Up to {counted(MOST_FILES, 'CSV or Parquet file')} with the columns `id` and "
            "`prediction`, compared with a published model or with each other. RSNA ids take "
            "their reference bone age and sex from the data set; for radiographs of your own, two "
            "files with the same ids are compared, of which one needs the columns `boneage` (the "
            "reference bone age) and `sex`. Ages in months, or in years in a column whose name "
            "ends with `years`. Files stay in memory while this page is open."
        )
        show_templates(known)
        uploads = st.file_uploader(
            "Your predictions", accept_multiple_files=True, label_visibility="collapsed"
        )
        if len(uploads) > MOST_FILES:
            st.warning(
                f"Only the first {MOST_FILES} files are used: remove one to use another.",
                icon=":material/filter_alt:",
            )
        files = [read_file(upload, n) for n, upload in enumerate(uploads[:MOST_FILES], 1)]
    return None if None in files else [file for file in files if file]


def read_file(upload, number: int) -> OwnFile | None:
    cases = shared.read_upload(read_predictions_by_id, upload)
    return None if cases is None else OwnFile(upload.file_id, of_file(upload.name, number), cases)


def show_templates(known: pd.DataFrame) -> None:
    with st.container(horizontal=True):
        for split in ("test", "validation"):
            table = matching.template(known, split)
            st.download_button(
                f"Template, {SPLITS[split].lower()} ({counted(len(table), 'radiograph')})",
                lambda table=table: table.to_csv(index=False).encode("utf-8-sig"),
                file_name=f"predictions_{split}.csv",
                mime="text/csv",
                icon=":material/download:",
                on_click="ignore",
                key=f"template-{split}",
            )
