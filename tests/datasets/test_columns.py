import pandas as pd
import pytest

from boneage.datasets.columns import UnknownColumn, find_columns
from boneage.datasets.delimited import LabelError

LABELS = ("id", "reference", "sex")
ALL = (*LABELS, "prediction")


def find(header: str, roles=LABELS, **chosen):
    """Columns of a table of one row of numbers."""
    names = header.split(";")
    cells = pd.DataFrame([["1"] * len(names)], columns=names, dtype=str)
    return find_columns(cells, roles, chosen, "labels.csv")


@pytest.mark.parametrize(
    "header",
    [
        "id;boneage;male",
        "Image ID;Bone Age (months);male",
        "Case ID;Ground truth bone age (months);Sex",
        "file;bone_age;GENDER",
        "filename;reference_months;female",
        "image;reference;sex",
        "id;age_months;sex",
        "case_id;BA;gender",
        "Bild-ID;Knochenalter (Monate);Geschlecht",
        "Datei;Referenz;männlich",
        "fichier;Âge osseux (mois);Sexe",
        "nom du fichier;âge osseux de référence;féminin",
    ],
)
def test_names_of_the_columns_of_labels(header):
    assert list(find(header).values()) == header.split(";")
    assert find(f"note;{header}") == find(header)


@pytest.mark.parametrize(
    "name",
    [
        *("prediction", "prediction_months", "Predicted", "predicted_bone_age", "pred"),
        *("Predicted bone age (months)", "Vorhersage (Monate)", "Âge osseux prédit (mois)"),
    ],
)
def test_names_of_the_prediction(name):
    assert find(f"id;boneage;sex;{name}", ALL)["prediction"] == name


@pytest.mark.parametrize(
    "age", ["age", "Age (months)", "age_months", "Alter", "ca", "âge", "age_years"]
)
def test_a_named_bone_age_wins_over_an_age(age):
    assert find(f"id;{age};boneage;male")["reference"] == "boneage"
    assert find(f"id;boneage;{age};male")["reference"] == "boneage"


def test_with_a_chronological_age_that_is_named_so_age_months_is_the_reference():
    assert find("id;chronological_age;age_months;sex")["reference"] == "age_months"


@pytest.mark.parametrize(
    ("header", "candidates"),
    [
        ("id;age;sex", ["age"]),
        ("id;Age (months);sex", ["Age (months)"]),
        ("id;Alter;sex;chronological_age", ["Alter"]),
        ("id;age_months;age;sex", ["age", "age_months"]),
        ("id;age_months;age_years;sex", ["age_months", "age_years"]),
        ("id;boneage;reference_months;age;sex", ["boneage", "reference_months"]),
        ("id;BoneAge;bone age;sex", ["BoneAge", "bone age"]),
        ("id;GP 1;sex;GP 2", ["GP 1", "GP 2"]),
        ("id;GP 1;sex;age", ["age", "GP 1"]),
    ],
)
def test_where_the_reference_cannot_be_known_the_columns_to_choose_from_are_given(
    header, candidates
):
    with pytest.raises(UnknownColumn) as caught:
        find(header)
    assert caught.value.role == "reference"
    assert sorted(caught.value.candidates) == sorted(candidates)
    message = str(caught.value)
    assert "does not say which column holds the reference bone age" in message
    assert all(name in message for name in candidates)
    assert message.endswith("name it with --reference-column.")
    for name in candidates:
        assert find(header, reference=name)["reference"] == name


def test_only_columns_of_numbers_are_offered():
    cells = pd.DataFrame([["a", "f", "left", "1,5"]], columns=["id", "sex", "side", "x"], dtype=str)
    with pytest.raises(UnknownColumn) as caught:
        find_columns(cells, LABELS, {}, "labels.csv")
    assert caught.value.candidates == ["x"]
    with pytest.raises(LabelError, match="no column for the reference bone age"):
        find_columns(cells.drop(columns="x"), LABELS, {}, "labels.csv")


def test_a_prediction_that_cannot_be_known_is_asked_for_too():
    with pytest.raises(UnknownColumn) as caught:
        find("id;boneage;age;sex;model A;model B", ALL)
    assert (caught.value.role, caught.value.candidates) == ("prediction", ["model A", "model B"])
    with pytest.raises(UnknownColumn) as caught:
        find("id;boneage;sex;prediction;predicted", ALL)
    assert caught.value.candidates == ["prediction", "predicted"]
    header = "id;reference;sex;bone_age"
    with pytest.raises(UnknownColumn) as caught:
        find(header, ALL)
    assert (caught.value.role, caught.value.candidates) == ("reference", ["bone_age", "reference"])
    with pytest.raises(UnknownColumn) as caught:
        find(header, ALL, reference="reference")
    assert (caught.value.role, caught.value.candidates) == ("prediction", ["bone_age"])


def test_a_column_is_chosen_by_its_name_in_any_case():
    assert find("id;Age;age;sex", reference="age")["reference"] == "age"
    assert find("id;Age;sex", reference="age")["reference"] == "Age"
    with pytest.raises(LabelError, match="no column bone; its columns are id, age, sex"):
        find("id;age;sex", reference="bone")


def test_missing_columns_are_named_with_names_that_are_understood():
    with pytest.raises(LabelError) as caught:
        find("who;boneage", ALL, prediction="who")
    assert "labels.csv has no column for the id (named id or file) and none for the sex" in str(
        caught.value
    )
    with pytest.raises(LabelError, match="none for the predicted bone age \\(named prediction\\)"):
        find("id;boneage", ALL)


def test_of_very_many_columns_only_some_are_listed():
    with pytest.raises(LabelError, match="x10, x11") as caught:
        find(";".join(f"x{number}" for number in range(100)))
    assert len(str(caught.value)) < 400
