import pandas as pd
import pytest

from boneage.comparison import matching
from boneage.comparison.compared import of_file, of_model
from boneage.comparison.head_to_head import head_to_head
from boneage.datasets.labels import read_predictions_by_id
from boneage.errors import BoneAgeError

MINE, THEIRS, MODEL = of_file("mine.csv", 1), of_file("theirs.csv", 2), of_model("densenet121")


@pytest.fixture
def known():
    """Six radiographs of the data set, three of them test."""
    return pd.DataFrame(
        {
            "id": ["1377", "1378", "1379", "4360", "4361", "4362"],
            "split": ["train", "validation", "validation", "test", "test", "test"],
            "sex": ["female", "male"] * 3,
            "reference_months": [20.0, 30.0, 40.0, 50.0, 60.0, 70.0],
            "prediction_months": [21.0, 31.0, 41.0, 51.0, 61.0, 71.0],
            "contrast": 50.0,
            "crop_method": "mediapipe",
        }
    )


def read(text: str) -> pd.DataFrame:
    return read_predictions_by_id(text.replace(" ", "\n").encode())


def listed(problems: pd.DataFrame) -> list[tuple[str, str, str]]:
    return sorted(problems.itertuples(index=False, name=None))


def test_rsna_ids_take_split_sex_and_reference_from_the_data_set(known):
    own = read("image_ID,y_hat 4360.png,55 04361,66 4362.0,77 1378,33")
    found = matching.match_by_split((own, known), (MINE, MODEL), known)
    assert list(found) == ["test", "validation"]
    test = found["test"]
    assert test.first["id"].tolist() == test.second["id"].tolist() == ["4360", "4361", "4362"]
    assert test.first["prediction_months"].tolist() == [55, 66, 77]
    assert test.first["reference_months"].tolist() == [50, 60, 70]
    assert test.first["sex"].tolist() == ["male", "female", "male"]
    assert test.problems.empty
    assert head_to_head(test.first, test.second).comparison.first_mae == pytest.approx(6)
    assert listed(found["validation"].problems) == [
        ("1379", "DenseNet121", "not in the other predictions")
    ]


def test_what_does_not_match_is_counted_and_listed(known):
    own = read("id,boneage,prediction 4360,50.4,55 4361,90,66 4362,70,1 4362,70,2 4,9,9 5,9,9")
    matched = matching.match_by_split((known, own), (MODEL, MINE), known)["test"]
    assert matched.second["id"].tolist() == ["4360", "4361"]
    unknown = "not an RSNA id, or not one of this app"
    assert listed(matched.problems) == [
        ("4", "mine (own)", unknown),
        ("4361", "mine (own)", "another reference bone age in the file, not used"),
        ("4362", "DenseNet121", "not in the other predictions"),
        ("4362", "mine (own)", "several rows in the file, none used"),
        ("5", "mine (own)", unknown),
    ]
    said = matching.problems_in_words(matched.problems, len(matched.first))
    assert said.startswith("2 radiographs in both.")
    assert f"mine (own): 2 {unknown}." in said


def test_one_number_written_twice_is_no_prediction(known):
    own = read("id,prediction 4360,55 04360,56 4361,66")
    matched = matching.match_by_split((own, known), (MINE, MODEL), known)["test"]
    assert matched.first["id"].tolist() == ["4361"]
    assert ("04360", "mine (own)", "several rows in the file, none used") in listed(
        matched.problems
    )


def test_other_radiographs_under_rsna_ids_are_refused(known):
    own = read("id,boneage,prediction 4360,120,55 4361,130,66 4362,70,70")
    with pytest.raises(BoneAgeError, match=r"2 of 3 RSNA ids .* \(id 4360: 120.0 instead of 50.0"):
        matching.match_by_split((own, known), (MINE, MODEL), known)


def test_two_files_are_compared_on_the_reference_of_their_own(known):
    mine = read("id,boneage,sex,prediction a,100,f,104 b,90,m,93 c,80,m,81 d,,m,81")
    theirs = read("id,boneage,prediction a,100,99 b,96,95 e,10,10")
    for tables, sides, column in (
        ((mine, theirs), (MINE, THEIRS), "first_mae"),
        ((theirs, mine), (THEIRS, MINE), "second_mae"),
    ):
        found = matching.match_by_split(tables, sides, known)
        assert list(found) == ["own"]
        matched = found["own"]
        compared = head_to_head(matched.first, matched.second).comparison
        assert compared.n == 2
        assert getattr(compared, column) == pytest.approx(3.5)  # of mine: 4 and 3
        assert listed(matched.problems) == [
            ("b", "theirs (own)", "another reference bone age in the file, not used"),
            ("c", "mine (own)", "not in the other predictions"),
            ("d", "mine (own)", "no reference bone age or no sex in the file"),
            ("e", "theirs (own)", "not in the other predictions"),
        ]


def test_two_files_of_rsna_ids_are_compared_either_way(known):
    mine = read("id,boneage,sex,prediction 4360,50,m,55 4361,60,f,66")
    theirs = read("id,prediction 4360,51 4361,62")
    found = matching.match_by_split((mine, theirs), (MINE, THEIRS), known)
    assert list(found) == ["test", "own"]


@pytest.mark.parametrize("theirs", ["id,prediction x,1", "id,prediction a,1"])
def test_files_without_a_common_radiograph_or_reference_are_refused(known, theirs):
    mine = read("id,prediction a,104 b,93")
    with pytest.raises(BoneAgeError, match="share no radiograph: both need the same ids and at"):
        matching.match_by_split((mine, read(theirs)), (MINE, THEIRS), known)


def test_weights_are_chosen_on_validation_where_both_have_enough_of_it(known):
    cases = pd.concat([known.iloc[[1]]] * 120).assign(id=[str(n) for n in range(5000, 5120)])
    cases = cases.assign(prediction_months=[29.0, 34.0] * 60)
    text = "id,prediction " + " ".join(f"{number},30" for number in cases["id"])
    sides = (MINE, MODEL)
    assert matching.ensemble_weights_of((read(text), cases), sides, cases) == (1.0, 0.0)
    few = (read("id,prediction 5000,30"), cases)
    assert matching.ensemble_weights_of(few, sides, cases) is None


def test_a_template_holds_all_but_the_predictions(known):
    table = matching.template(known, "validation")
    assert table.to_csv(index=False).split() == [
        "id,sex,boneage,prediction",
        "1378,male,30.0,",
        "1379,female,40.0,",
    ]
