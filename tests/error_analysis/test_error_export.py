import pytest

from boneage import artifacts
from boneage.datasets.blocks import acquisition_block
from boneage.error_analysis.analysis import analyze
from boneage.error_analysis.exported import all_tables
from boneage.error_analysis.methods import methods
from boneage.evaluation.citations import cited


@pytest.fixture(scope="module")
def found():
    cases = artifacts.read_predictions(artifacts.model_folder("densenet121"))
    cases = cases.assign(block=acquisition_block(cases))
    return analyze(cases[cases["split"] == "validation"].reset_index(drop=True))


def test_every_table_has_its_numbers_and_its_words(found):
    coverage = artifacts.read_coverage()
    tables = all_tables(found, "validation", coverage[coverage["model"] == "densenet121"])
    assert list(tables) == [
        "Metrics",
        "MAE by reference bone age and sex",
        "Worst-performing subgroups",
        "Disparity between groups",
        "By inferred acquisition block",
        "Interval coverage",
        "Published results",
    ]
    tables = {title: make() for title, make in tables.items()}
    for title, table in tables.items():
        assert len(table.texts), title
        assert table.caption.endswith("."), title
        assert table.as_latex().isascii(), title
        assert table.as_csv().count(b"\n") == len(table.data) + 1, title
    metrics = tables["Metrics"]
    assert metrics.data.set_index("metric").at["mae", "value"] == found.metrics["mae"]
    assert metrics.texts.iloc[0].tolist()[0] == "MAE"
    apart = tables["Disparity between groups"].data
    assert set(apart["groups"]) == {"sex", "age_band", "block"} | set(apart["groups"])
    assert "sex" in set(apart["within"])


def test_without_subgroups_and_intervals_their_tables_are_missing(found):
    few = analyze(found.cases[:30].drop(columns=["block", "residual_months", "absolute_error"]))
    tables = all_tables(few, "own")
    assert "Interval coverage" not in tables and "Published results" not in tables
    assert "By inferred acquisition block" not in tables
    assert "Worst-performing subgroups" not in tables


def test_the_methods_paragraph_names_the_sample_and_the_subgroup(found):
    text, bibtex = cited(methods(found, "DenseNet121", "validation", "girls, 5-10 years"))
    assert "1,425 radiographs from the RSNA Pediatric Bone Age Challenge kept out" in text
    assert "restricted to: girls, 5-10 years." in text
    assert "1,000 resamples" in text
    assert "(Bland and Altman 1986; Bland and Altman 1999)" in text
    assert "@software{boneage," in bibtex and "@article{halabi2019," in bibtex
    own, bibtex = cited(methods(found, "Your predictions", "own"))
    assert own.startswith("Predicted bone ages were compared")
    assert methods(found, "Ensemble", "test").startswith("Bone ages predicted by the ensemble were")
    assert "RSNA" not in own and "restricted" not in own and "halabi" not in bibtex
