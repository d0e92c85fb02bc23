import re

import pytest
from apps import run, started, texts

from boneage import artifacts

PAGE = "pages/head_to_head.py"


@pytest.fixture(scope="module")
def densenet() -> bytes:
    """The stored test predictions of DenseNet121, as somebody else would hand them on."""
    cases = artifacts.read_predictions(artifacts.model_folder("densenet121"))
    columns = ["id", "sex", "reference_months", "prediction_months"]
    return cases[cases["split"] == "test"][columns].to_csv(index=False).encode()


def upload(page, *files: tuple[str, bytes]):
    uploader = next(u for u in page.file_uploader if u.label == "Your predictions")
    uploader.set_value([(name, content, "text/csv") for name, content in files])
    return run(page)


def printed(page) -> dict[str, list]:
    """Everything with a number: paragraphs, rows of the table of metrics, points of charts."""
    (html,) = [h.proto.body for h in page.html if ">Within 24 months<" in h.proto.body]
    rows = [re.sub("<[^>]+>", " ", f"<tr{row}").split() for row in html.split("<tr")]
    labels = ("MAE", "RMSE", "R²", "Bias", "Median", "Within")
    specs = [element.proto.spec for element in page.get("plotly_chart")]
    return {
        "paragraphs": [m.value for m in page.markdown if "MAE" in m.value or "**" in m.value],
        "rows": [row for row in rows if set(labels) & set(row[:1]) and "original" not in row],
        "charts": [spec for spec in specs if "Loss" not in spec],
    }


def as_built_in(spec: str) -> str:
    return (
        spec.replace("DenseNet121 (own)", "DenseNet121")
        .replace("#9B72DE", "#2F7FD6")
        .replace("rgba(155, 114, 222", "rgba(47, 127, 214")
    )


def test_stored_predictions_as_a_file_reproduce_the_comparison_to_the_printed_digit(densenet):
    page = started(PAGE)
    built_in, weights = printed(page), page.caption[0].value
    upload(page, ("DenseNet121.csv", densenet))
    assert page.segmented_control(key="first").value == "own-1"
    assert page.segmented_control(key="second").value == "resnet34_cbam"
    assert "200 radiographs in both." in texts(page)
    share = int(re.search(r"DenseNet121 (\d+)%", weights)[1])
    page.slider(key="weight").set_value(share)
    run(page)
    own = printed(page)
    assert len(built_in["rows"]) == 8
    assert own["rows"] == built_in["rows"]
    assert [as_built_in(one) for one in own["paragraphs"]] == built_in["paragraphs"]
    shown = [as_built_in(one) for one in own["charts"]]
    for spec in built_in["charts"][:3]:
        assert spec in shown
    assert "Training time" not in texts(page)
    assert not page.error


def test_two_files_and_what_they_lack(densenet):
    page = started(PAGE, first="nobody (own)", split="Validation")
    assert page.segmented_control(key="first").value == "densenet121"
    upload(page, ("a.csv", densenet), ("b.csv", b"id,y_hat\n4360.png,170\n4361,165\n7,9\n"))
    assert [page.segmented_control(key=key).value for key in ("first", "second")] == [
        "own-1",
        "own-2",
    ]
    assert "2 radiographs in both." in texts(page)
    (table,) = [d.value for d in page.dataframe if "problem" in d.value]
    assert len(table) == 199  # 198 of the first, and id 7 of the second
    upload(page, ("a.csv", densenet), ("c.csv", b"id,name\n1,x\n"))
    assert "no column for the predicted bone age" in page.error[0].value
    upload(page)
    assert page.segmented_control(key="first").value == "densenet121"
    assert not page.error
