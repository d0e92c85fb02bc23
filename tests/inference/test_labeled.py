import pandas as pd

from boneage.datasets.labels import read_case_labels
from boneage.inference.labeled import errors_in_words, unmatched_in_words, with_reference
from boneage.inference.results import OK, REFUSED, FileResult, results_table

LABELS = read_case_labels(b"id,boneage,sex\na.png,100,F\nb,90,M\nc,80,M\nd,70,F\n")
TABLE = results_table(
    [
        FileResult("folder/a.png", OK, months={"ensemble": 106.0}),
        FileResult("b.dcm", OK, months={"ensemble": 88.0}),
        FileResult("c.png", REFUSED),
        FileResult("x.png", OK, months={"ensemble": 50.0}),
    ],
    [],
    0.9,
)


def test_files_find_their_labels_by_name():
    table = with_reference(TABLE, LABELS)
    assert table["reference_months"].tolist()[:3] == [100, 90, 80]
    assert table["residual_months"].tolist()[:2] == [6, -2]
    assert pd.isna(table.loc[3, "reference_months"])
    assert table.loc[2:, "residual_months"].isna().all()


def test_errors_of_those_with_a_label_and_a_bone_age():
    words = errors_in_words(with_reference(TABLE, LABELS))
    assert words.startswith("**MAE 4.0 months (95% CI")  # of 6 and 2
    assert "bias +2.0 months" in words and "n = 2." in words
    assert words.endswith("left out: 1 labeled radiograph.")
    assert errors_in_words(with_reference(TABLE[3:], LABELS)) is None


def test_files_without_a_label_are_named():
    assert unmatched_in_words(["a.png", "b.dcm"], LABELS) is None
    words = unmatched_in_words(["a.png", "x.png"], LABELS)
    assert words == (
        "No label for x.png: the id of a label is the name of its image file. 3 labels without a "
        "radiograph."
    )
    many = unmatched_in_words([f"{n}.png" for n in range(7)], LABELS)
    assert "4.png and 2 more: the id" in many
