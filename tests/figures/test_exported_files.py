import io
import zipfile

import pandas as pd

from boneage.figures.files import ExportedTable, stem_of, zipped
from boneage.figures.tables import Cell, Row, Table


def test_a_table_is_csv_with_its_numbers_and_latex_with_its_words():
    texts = Table(
        [("MAE, months", None), ("n > 20 & p", "#2F7FD6")],
        {"Error": [Row("Girls_1", "n = 3", [Cell("−0.5", "−1.0 to 0.1"), Cell("5%")])]},
        30,
    ).texts()
    assert texts.iloc[0].tolist() == ["Error: Girls_1 (n = 3)", "−0.5 (−1.0 to 0.1)", "5%"]
    data = pd.DataFrame({"mae": [1.23456789], "group": ["Mädchen"]})
    table = ExportedTable("Errors of 5% of cases.", data, texts)
    assert table.written("csv").decode("utf-8-sig") == "mae,group\n1.23457,Mädchen\n"
    latex = table.written("tex").decode()
    for words in (
        r"\toprule", r"\caption{Errors of 5\% of cases.}", r"\label{tab:errors-of-5-of-cases}",
        r"MAE, months & n $>$ 20 \& p \\",
        r"Error: Girls\_1 (n = 3) & $-$0.5 ($-$1.0 to 0.1) & 5\%",
        r"\begin{tabular}{lrr}",
    ):  # fmt: skip
        assert words in latex
    assert latex.isascii()


def test_files_are_named_and_packed():
    assert stem_of("Metrics (95% CI), Überblick") == "metrics-95-ci-berblick"
    archive = zipfile.ZipFile(io.BytesIO(zipped({"a.csv": b"1", "b.tex": b"2"})))
    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()} == {
        "a.csv": b"1",
        "b.tex": b"2",
    }
