import math

from boneage.evaluation.published import SINGLE_READER, published_results


def test_every_system_has_its_figures_and_their_source():
    table = published_results()
    assert list(table) == [
        "system", "year", "test_mae", "test_mae_low", "test_mae_high", "test_rmse",
        "validation_mae", "input", "caveat", "source",
    ]  # fmt: skip
    assert len(table) == 12
    assert table["source"].notna().all()
    winner = table.set_index("system").loc["16 Bit (challenge winner)"]
    assert (winner["year"], winner["test_mae"], winner["validation_mae"]) == (2017, 4.265, 6.8)
    assert math.isnan(winner["test_rmse"])


def test_a_range_has_two_ends_and_no_single_figure():
    table = published_results().set_index("system")
    places = table.loc["Challenge second to fifth place"]
    assert (places["test_mae_low"], places["test_mae_high"]) == (4.4, 4.5)
    is_range = table["test_mae_low"].notna()
    assert is_range.tolist() == table["test_mae"].isna().tolist()
    assert is_range.tolist() == table["test_mae_high"].notna().tolist()
    assert is_range.sum() == 2


def test_figures_that_may_not_be_comparable_say_why():
    table = published_results().set_index("system")
    caveats = table["caveat"][table["caveat"] != ""].to_dict()
    assert len(caveats) == 5
    assert caveats["DenseNet121 (original report, same architecture)"] == "split not stated"


def test_a_single_reader_is_the_range_of_the_table_with_its_source():
    assert SINGLE_READER == (4.8, 7.0)
    row = published_results().set_index("system").loc["Single human reader (estimate)"]
    assert row["source"].startswith("Rassmann S et al., Scientific Reports 2025;15:32673, table 1")
