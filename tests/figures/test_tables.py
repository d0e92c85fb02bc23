import math
import re

import pandas as pd
from plain import plain

from boneage.figures.tables import cohort_table


def words(html: str) -> list[str]:
    return [text.strip() for text in re.sub("<[^>]+>", "|", plain(html)).split("|") if text.strip()]


def test_a_cohort_says_its_size_its_error_and_its_shares():
    cohorts = pd.DataFrame(
        {
            "cohort": ["girls, 5-10 years", "<b>"],
            "n": [1031, 1],
            "size": [0.156, 0.001],
            "rate": [0.387, 1.0],
            "coverage": [0.3, math.nan],
            "mae": [12.04, 20.0],
            "mae_low": [9.0, math.nan],
            "mae_high": [15.6, math.nan],
        }
    )
    assert words(cohort_table(cohorts)) == [
        *("MAE, months", "Rate", "Coverage", "Size"),
        *("Girls, 5-10 years", "n = 1,031", "12.0", "9.0 to 15.6", "39 %", "30 %", "16 %"),
        *("&lt;b&gt;", "n = 1", "20.0", "no interval", "100 %", "–", "0.1 %"),
    ]
