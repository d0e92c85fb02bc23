"""Published results on the RSNA bone age challenge, to place one's own beside."""

from pathlib import Path

import pandas as pd

_FILE = Path(__file__).with_name("published_results.csv")
# Split -> the column of `published_results` with the same reference standard.
PUBLISHED_COLUMN = {"test": "test_mae", "validation": "validation_mae"}
_SINGLE_READER_ROW = "Single human reader (estimate)"
_COLUMNS = {
    "test200_mae_months": "test_mae",
    "test200_rmse_months": "test_rmse",
    "validation_mae_months": "validation_mae",
}


def published_results() -> pd.DataFrame:
    """Published errors on the 200 test and 1,425 validation radiographs, one row a system.

    Returns:
        Columns, errors in months: system, year, test_mae, test_mae_low, test_mae_high, test_rmse,
        validation_mae, input, caveat (why the figures may not be comparable, else ""), source. What
        was not published is nan. A figure published as a range ("4.8-7.0") stands in test_mae_low
        and test_mae_high, and its test_mae is nan.
    """
    table = pd.read_csv(_FILE, dtype={"test200_mae_months": str}).rename(columns=_COLUMNS)
    table["caveat"] = table["caveat"].fillna("")
    ends = table["test_mae"].str.split("-", expand=True).astype(float)
    is_range = ends[1].notna()
    table["test_mae"] = ends[0].where(~is_range)
    place = table.columns.get_loc("test_mae") + 1
    table.insert(place, "test_mae_low", ends[0].where(is_range))
    table.insert(place + 1, "test_mae_high", ends[1])
    return table


def _single_reader() -> tuple[float, float]:
    table = published_results().set_index("system")
    low, high = table.loc[_SINGLE_READER_ROW, ["test_mae_low", "test_mae_high"]]
    return float(low), float(high)


# MAE in months of single human readers on the 200 test radiographs, an estimated range (source in
# the table).
SINGLE_READER = _single_reader()
