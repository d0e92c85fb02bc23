import pytest

from boneage import artifacts
from boneage.comparison.compared import of_file, of_model
from boneage.comparison.exported import all_tables
from boneage.comparison.head_to_head import head_to_head
from boneage.comparison.methods import methods
from boneage.comparison.report import report_html
from boneage.evaluation.citations import cited

COMPARED = of_file("<b>mine.csv", 1), of_model("resnet34_cbam")


@pytest.fixture(scope="module")
def found():
    first, second = (
        artifacts.read_predictions(artifacts.model_folder(name)).query("split == 'test'")
        for name in ("densenet121", "resnet34_cbam")
    )
    return head_to_head(first, second, (0.25, 0.75))


def test_every_table_has_its_numbers_and_its_words(found):
    tables = all_tables(found, COMPARED)
    assert list(tables) == [
        "Metrics", "Paired statistics", "Closer model by age and sex", "Bias by sex",
        "Published results",
    ]  # fmt: skip
    tables = {title: make() for title, make in tables.items()}
    for title, table in tables.items():
        assert len(table.texts), title
        assert table.as_latex().isascii(), title
        assert table.as_csv().count(b"\n") >= len(table.data) + 1, title
    data = tables["Metrics"].data.set_index("predictions")
    assert data.at["ResNet34+CBAM", "mae"] == found.comparison.second_mae
    assert data["mae_p"].iloc[0] == found.comparison.mae_p


def test_the_report_is_one_file_that_needs_nothing_else(found):
    html = report_html(found, COMPARED, "test", notes=("A note & more.",))
    assert "<h1>Comparison of b mine (own) and ResNet34+CBAM</h1>" in html
    assert "**" not in html[: html.index("<script")] and "<strong>Bias</strong>" in html
    assert "A note &amp; more." in html
    assert html.count("plotly-graph-div") == 3
    assert "Holm" in html and "@book{efron1993," in html
    for remote in ("<script src", "<link", "<img"):
        assert remote not in html


def test_the_methods_paragraph_names_the_sample_and_the_weights(found):
    text, _ = cited(methods(found, ("A", "B"), "test"))
    assert "the same 200 test radiographs of the RSNA" in text
    assert "(25% and 75%)" in text
    own, _ = cited(methods(found, ("A", "B"), "own", "female"))
    assert "the same 200 radiographs of girls." in own
