"""The radiographs selected in a chart: a table, a download, and the images where they are."""

import pandas as pd
import streamlit as st

from boneage import formatting
from boneage.radiographs import text as hand_text
from pages.error_analysis_sections.selection import Choice


def show_selected(choice: Choice, selected: pd.DataFrame) -> None:
    selected = selected.sort_values("absolute_error", ascending=False, ignore_index=True)
    st.subheader(formatting.counted(len(selected), "selected radiograph"), anchor=False)
    case_table(selected)
    download("Download the selection", selected, "selected_cases.csv")
    # What predicts takes long to import, and no chart needs it.
    from pages.error_analysis_sections.images import show_radiographs

    show_radiographs(choice, selected)


def case_table(cases: pd.DataFrame) -> None:
    shown = pd.DataFrame(
        {
            "id": cases["id"],
            "sex": cases["sex"],
            "age": cases["reference_months"].map(formatting.age_in_short),
            "prediction": cases["prediction_months"].map(formatting.age_in_short),
            "residual": cases["residual_months"],
            "crop": cases["crop_method"].map(hand_text.hand_found_short, na_action="ignore"),
        }
    )
    st.dataframe(
        shown,
        hide_index=True,
        height=min(38 + 35 * len(shown), 320),
        column_config={
            "id": st.column_config.TextColumn("Radiograph", pinned=True),
            "sex": st.column_config.TextColumn("Sex"),
            "age": st.column_config.TextColumn("Reference bone age"),
            "prediction": st.column_config.TextColumn("Predicted bone age"),
            "residual": st.column_config.NumberColumn("Residual, months", format="%+.1f"),
            "crop": st.column_config.TextColumn("Hand detection"),
        },
        alt="The selected radiographs, largest error first",
    )


def download(label: str, cases: pd.DataFrame, file_name: str) -> None:
    st.download_button(
        label,
        lambda: cases.to_csv(index=False, float_format="%.2f").encode("utf-8-sig"),
        file_name=file_name,
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=file_name,
    )
