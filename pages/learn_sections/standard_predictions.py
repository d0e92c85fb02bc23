"""The predictions of the models for all average hands."""

import pandas as pd
import streamlit as st

from boneage.atlas import evaluation as answers
from boneage.atlas.text import standards_accepted, standards_read
from boneage.formatting import age_in_short
from boneage.models.registry import ENSEMBLE


def show_standard_predictions() -> None:
    """Predictions for all average hands, and those with large errors."""
    predictions = answers.read_standard_predictions()
    n = (answers.accepted(predictions)["model"] == ENSEMBLE).sum()
    if not n:
        return
    beyond = answers.beyond_a_year(predictions)
    refused = len(answers.refused_standards(predictions))
    with st.expander("Predictions for all average hands", icon=":material/table:"):
        st.markdown(f"{standards_accepted(n + refused, refused)} {standards_read(n, len(beyond))}")
        if len(beyond):
            st.dataframe(
                pd.DataFrame(
                    {
                        "Average hand": beyond["id"],
                        "Ensemble": beyond["prediction_months"].map(age_in_short),
                        "Residual, months": beyond["residual_months"],
                    }
                ),
                hide_index=True,
                column_config={"Residual, months": st.column_config.NumberColumn(format="%+.1f")},
                alt="The average hands with an ensemble error of more than 12 months",
            )
