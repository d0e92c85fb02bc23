import math
import re

import pandas as pd
from plain import plain

from boneage.figures.tables import block_table, cohort_table


def words(html: str) -> list[str]:
    return [text.strip() for text in re.sub("<[^>]+>", "|", plain(html)).split("|") if text.strip()]


def test_a_subgroup_says_its_size_its_error_and_its_shares():
    cohorts = pd.DataFrame(
        {
            "cohort": ["girls, 5-10 years", "<b>"],
            "n": [1031, 1],
            "size": [0.156, 0.001],
            "mae": [12.04, 20.0],
            "mae_low": [9.0, math.nan],
            "mae_high": [15.6, math.nan],
            "mae_in_sample": [13.2, 20.0],
            "rate": [0.387, 1.0],
            "coverage": [0.3, math.nan],
        }
    )
    heads = ("Held-out MAE, months", "In-sample MAE, months", "Errors &gt; 12 months")
    assert words(cohort_table(cohorts).html()) == [
        *(*heads, "Share of large errors", "Share of radio\N{SOFT HYPHEN}graphs"),
        *("Girls, 5-10 years", "n = 1,031", "12.0", "9.0 to 15.6", "13.2"),
        *("39%", "30%", "16%"),
        *("&lt;b&gt;", "n = 1", "20.0", "no interval", "20.0", "100%", "–", "0.1%"),
    ]


def test_a_block_says_its_errors_its_contrast_and_its_labels():
    blocks = pd.DataFrame(
        {
            "block": ["ids 1377-4359"], "n": [282],
            "mae": [7.05], "mae_low": [6.18], "mae_high": [7.92],
            "bias": [-0.24], "bias_low": [-1.56], "bias_high": [0.99],
            "contrast": [40.4], "whole_years": [0.504],
        }
    )  # fmt: skip
    assert words(block_table(blocks).html()) == [
        *("MAE, months", "Bias, months", "Mean contrast", "Whole-year labels"),
        *("Ids 1377-4359", "n = 282", "7.0", "6.2 to 7.9", "−0.2", "−1.6 to +1.0", "40", "50%"),
    ]
