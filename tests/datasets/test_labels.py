import csv
import io
import logging

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boneage.datasets.columns import UnknownColumn, unit_named
from boneage.datasets.labels import (
    LabelError,
    columns_in_words,
    read_case_labels,
    read_labels,
    read_predictions_by_id,
    read_user_predictions,
    skipped_in_words,
)

READERS = (read_labels, read_user_predictions)
ENCODINGS = ("utf-8", "utf-8-sig", "latin-1")
# What a girl and a boy are called, and names of the column.
WORDS = [
    *[("female", "male"), ("F", "M"), ("f", "m"), ("Girl", "BOY"), ("weiblich", "männlich")],
    *[
        ("W", "M"),
        ("w", "m"),
        ("Mädchen", "Junge"),
        ("Féminin", "Masculin"),
        ("feminin", "masculin"),
    ],
    *[("fille", "garçon"), ("F", "H"), ("Femme", "Homme"), ("Maedchen", "maennlich")],
]
FLAGS = [("0", "1"), ("False", "True"), ("FALSE", "TRUE"), ("0.0", "1.0"), ("FALSCH", "WAHR")]
FLAGS += [("Faux", "Vrai")]
SEXES = [(column, *pair) for pair in WORDS for column in ("sex", "Gender", "male", "Sexe")]
SEXES += [("male", *pair) for pair in FLAGS] + [("Geschlecht", *WORDS[4]), ("female", *WORDS[1])]
SEXES += [("female", *reversed(pair)) for pair in FLAGS]
NAMES = [
    ("id", "boneage", "prediction"),
    ("Image ID", "Bone age (months)", "Predicted bone age (months)"),
    ("file", "reference_months", "predicted"),
    ("id", "reference_months", "prediction_months"),
    ("Bild", "Knochenalter (Monate)", "Vorhersage"),
    ("fichier", "Âge osseux", "Âge osseux prédit"),
]
TABLE = [("007", 120.0, "female", 123.5), ("b", 96.5, "male", -1.0), ("c", 0.0, "male", 300.25)]


def write(table, names, sex, separator=",", encoding="utf-8", decimal=".", **options) -> bytes:
    """A CSV file; sex: the name of its column, and what girls and boys are called."""
    column, girl, boy = sex
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator, **options)
    writer.writerow([names[0], names[1], column, names[2], "note"])
    for id_, age, sex_, prediction in table:
        numbers = [str(number).replace(".", decimal) for number in (age, prediction)]
        writer.writerow([id_, numbers[0], girl if sex_ == "female" else boy, numbers[1], "é, ß"])
    return file.getvalue().encode(encoding)


def values(labels: pd.DataFrame) -> list[tuple]:
    columns = ["id", "reference_months", "sex", "prediction_months"]
    return list(labels[[c for c in columns if c in labels]].itertuples(index=False, name=None))


def check(content: bytes, table) -> None:
    assert values(read_labels(content)) == [row[:3] for row in table]
    assert values(read_user_predictions(content)) == table


def refusal(content: bytes | str, read=read_labels, **options) -> str:
    content = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(LabelError) as caught:
        read(content, "labels.csv", **options)
    message = str(caught.value)
    assert "labels.csv" in message
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 400
    return message


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("names", NAMES, ids=", ".join)
def test_every_dialect_is_understood_by_both_readers(names, separator, encoding, decimal):
    sex = ("Geschlecht", "Mädchen", "Junge")
    check(write(TABLE, names, sex, separator, encoding, decimal), TABLE)


@pytest.mark.parametrize("sex", SEXES, ids=" ".join)
def test_every_name_of_the_sexes_is_understood_by_both_readers(sex):
    check(write(TABLE, NAMES[0], sex, ";"), TABLE)


# Latin-1 letters only: two of its signs in a row can be one letter of UTF-8.
ids = st.text("aZ09 éüßÇ,;\t\"'\n.-_/", min_size=1, max_size=8).map(str.strip).filter(bool)
months = st.integers(0, 3000).map(lambda tenths: tenths / 10)


@st.composite
def tables(draw):
    names = draw(st.lists(ids, min_size=1, max_size=12, unique=True))
    rows = [
        (id_, draw(months), draw(st.sampled_from(["female", "male"])), draw(months) - 10)
        for id_ in names
    ]
    return [(rows[0][0], 100.5, *rows[0][2:3], 99.0), *rows[1:]]  # not all below 25


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    table=tables(),
    names=st.sampled_from(NAMES),
    sex=st.sampled_from(SEXES),
    separator=st.sampled_from(",;\t"),
    encoding=st.sampled_from(ENCODINGS),
    decimal=st.sampled_from(".,"),
    lineterminator=st.sampled_from(["\n", "\r\n", "\n\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
def test_any_table_in_any_dialect_is_read_back(table, names, sex, **dialect):
    check(write(table, names, sex, **dialect), table)


@pytest.mark.parametrize(
    "text",
    [
        "id,boneage,male\n007,180,False\n8,12.5,True\n",
        "Image ID,male,Bone Age (months)\n007,FALSE,180\n8,TRUE,12.5\n",
        "Case ID,Sex,Ground truth bone age (months)\n007,F,180\n8,M,12.5\n",
        "\ufeffID , Male,BoneAge\n 007,false, 180\n8,1,12.5\n\n",
    ],
    ids=["training", "validation", "test", "spaces, case and byte order mark"],
)
def test_the_official_layouts_of_the_challenge_read_alike(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    labels = read_labels(path)
    expected = pd.DataFrame(
        {"id": ["007", "8"], "reference_months": [180.0, 12.5], "sex": ["female", "male"]}
    )
    pd.testing.assert_frame_equal(labels, expected, check_column_type=False)
    assert labels.attrs["skipped"] == []


def test_user_predictions_are_a_predictions_table():
    found = read_user_predictions(write(TABLE[:2], NAMES[0], SEXES[0]))
    expected = pd.DataFrame(
        {
            "id": ["007", "b"],
            "split": "own",
            "sex": ["female", "male"],
            "reference_months": [120, 96.5],
            "prediction_months": [123.5, -1],
            "crop_method": "unknown",
        }
    )
    pd.testing.assert_frame_equal(found, expected, check_column_type=False)


def test_the_projects_own_predictions_are_understood():
    header = "id,split,sex,reference_months,prediction_months,contrast,crop_method\n"
    found = read_user_predictions(f"{header}1377,train,female,180.00,188.63,60.91,x\n".encode())
    assert values(found) == [("1377", 180, "female", 188.63)]


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        *[("1377.png", "1377"), ("1377.DCM", "1377"), ("a.b.jpeg", "a.b"), ("x/y/7.png", "7")],
        *[("C:\\x\\7.tif", "7"), ("x/7", "x/7"), ("7.txt", "7.txt"), (".png", ".png")],
    ],
)
def test_ids_are_names_of_image_files_without_folder_and_suffix(text, id_):
    for read in READERS:
        assert read(f"file,boneage,sex,prediction\n{text},90,f,91\n".encode())["id"][0] == id_


# Rows that are left out ---------------------------------------------------------------------------

GAPS = (
    "id;boneage;sex;prediction\n"
    "1;120;M;118\n2;;M;1\n\n3;90;perhaps;90\n4;-5;F;2\n5;1200;F;1200\n6;60\n;70;F;70\n"
    '"7\n7";80;unknown;80\n8;120,5;girl;99\n'
)


def test_rows_that_cannot_be_used_are_left_out_and_named_alike(tmp_path, caplog):
    labels = tmp_path / "labels.csv"
    labels.write_text(GAPS, encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        found = read_labels(labels)
    assert found["id"].tolist() == ["1", "8"]
    assert found.index.tolist() == [0, 1]
    skipped = found.attrs["skipped"]
    assert skipped == [
        'row 3 (id "2"): no reference bone age',
        'row 5 (id "3"): sex "perhaps" is not understood',
        'row 6 (id "4"): reference bone age "-5" is not a number of months from 0 to 300',
        'row 7 (id "5"): reference bone age "1200" is not a number of months from 0 to 300',
        'row 8 (id "6"): no sex',
        'row 9 (id ""): no id',
        'row 10 (id "7 7"): sex "unknown" is not understood',
    ]
    assert f"7 rows skipped; the first: {skipped[0]}" in caplog.text
    predictions = read_user_predictions(GAPS.encode())
    assert predictions["id"].tolist() == ["1", "8"]
    assert predictions.attrs["skipped"][4] == 'row 8 (id "6"): no sex, no predicted bone age'
    assert len(predictions.attrs["skipped"]) == 7


@pytest.mark.parametrize("text", ["abc", "", "inf", "nan", "1.234,5"])
def test_a_row_without_a_prediction_is_left_out_of_the_analysis_only(text):
    content = f'id,boneage,sex,prediction\na,100,f,99\nb,100,m,"{text}"\n'.encode()
    assert len(read_labels(content)) == 2
    predictions = read_user_predictions(content)
    assert predictions["id"].tolist() == ["a"]
    (line,) = predictions.attrs["skipped"]
    said = f'predicted bone age "{text}" is not a number of months' if text else "no predicted bone"
    assert line.startswith(f'row 3 (id "b"): {said}')


def test_nothing_of_an_upload_is_logged(caplog):
    with caplog.at_level(logging.DEBUG):
        for read in READERS:
            assert read(GAPS.encode(), "secret.csv").attrs["skipped"]
    assert caplog.text == ""


def test_every_row_is_read_or_counted_in_words():
    assert skipped_in_words(read_labels(GAPS.encode()), most=1) == (
        '7 of 9 rows left out: row 3 (id "2"): no reference bone age; and 6 more.'
    )
    rows = "".join(f"{number},{100 if number % 2 else 'x'},f\n" for number in range(5000))
    words = skipped_in_words(read_labels(f"id,boneage,sex\n{rows}".encode()))
    assert words.startswith("2,500 of 5,000 rows left out: row 2 ")
    assert words.endswith("; and 2,497 more.")
    assert skipped_in_words(read_labels(b"id,boneage,sex\n1,100,f\n")) is None


def test_a_table_without_a_usable_row_is_refused_with_the_first_reason():
    message = refusal("id,boneage,sex\n1,old,f\n2,,f\n")
    assert 'no usable row: row 2 (id "1"): reference bone age "old" is not a number' in message
    assert f'"{"x" * 40}…"' in refusal(f"id,boneage,sex\na,{'x' * 5000},f\n")


def test_the_limits_of_age_are_allowed():
    content = b"id,boneage,sex,prediction\na,0,f,1\nb,300,f,290\nc,300.5,f,290\n"
    for read in READERS:
        assert read(content)["reference_months"].tolist() == [0, 300]


# Tables that are refused --------------------------------------------------------------------------


def test_a_missing_file_or_folder_is_one_sentence(tmp_path):
    with pytest.raises(LabelError, match="There is no label file .*nowhere.csv"):
        read_labels(tmp_path / "nowhere.csv")
    with pytest.raises(LabelError, match="cannot be read: Is a directory"):
        read_labels(tmp_path)


@pytest.mark.parametrize("read", READERS)
def test_ids_must_differ(read):
    header = "id,boneage,sex,prediction\n"
    message = refusal(f"{header}a,100,f,99\nb,100,f,99\na,90,m,99\n", read)
    assert 'Rows 2 and 4 of labels.csv have the same id "a"; give' in message
    message = refusal(f"{header}a.png,100,f,99\na.dcm,100,f,99\na,90,m,99\n", read)
    assert 'Rows 2 and 3 of labels.csv have the same id "a", and 1 more' in message


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("values", [("0", "1"), ("1", "2"), ("TRUE", "FALSE"), ("M", "1")])
@pytest.mark.parametrize("column", ["sex", "Gender"])
def test_numbers_in_a_column_that_is_named_after_no_sex_are_refused(column, values, read):
    rows = "".join(f"{value},100,{value},99\n" for value in values)
    message = refusal(f"id,boneage,{column},prediction\n{rows}", read)
    assert f"in the column {column}, which does not say who is female" in message
    assert "name the column male (1 for boys) or female (1 for girls)" in message


@pytest.mark.parametrize(
    ("column", "values", "letters"),
    [
        ("sex", "HM", "H and M"),  # hombre, mujer
        ("sex", "MJ", "J and M"),  # Mädchen, Junge
        ("sex", "VM", "M and V"),
        ("female", "TF", "F and T"),  # true, false
        ("male", "tf", "F and T"),
    ],
)
def test_letters_of_more_than_one_meaning_are_refused(column, values, letters):
    rows = "".join(f"{value},100,{value}\n" for value in values)
    message = refusal(f"id,boneage,{column}\n{rows}")
    assert f"the letters {letters} in the column {column}" in message


@pytest.mark.parametrize("values", ["MU", "FO", "FMX", "WMD", "FMJ"])
def test_a_letter_for_neither_sex_leaves_the_others_understood(values):
    rows = "".join(f"{value},100,{value}\n" for value in values)
    labels = read_labels(f"id,boneage,sex\n{rows}".encode())
    assert labels["id"].tolist() == list(values[:-1])
    assert len(labels.attrs["skipped"]) == 1


@pytest.mark.parametrize(("column", "sexes"), [("female", "fm"), ("male", "mf"), ("Boy", "mf")])
def test_one_and_zero_are_of_the_sex_that_the_column_is_named_after(column, sexes):
    labels = read_labels(f"id,boneage,{column}\na,100,1\nb,100,0\n".encode())
    assert [sex[0] for sex in labels["sex"]] == list(sexes)


YEARS = [3, 8.5, 12.25, 15, 17.5]
MONTHS = [36, 100, 144, 180, 216]


def rows(ages, predictions) -> str:
    pairs = enumerate(zip(ages, predictions, strict=True))
    body = "".join(f"{number},{age},f,{predicted}\n" for number, (age, predicted) in pairs)
    return f"id,boneage,sex,prediction\n{body}"


def test_years_are_told_from_months_by_both_readers():
    for read in READERS:
        message = refusal(rows(YEARS, MONTHS), read)
        assert "in the column boneage seem to be years; multiply them by 12" in message
    assert "in the column prediction seem" in refusal(rows(MONTHS, YEARS), read_user_predictions)
    both = refusal(rows(YEARS, YEARS), read_user_predictions)
    assert "in the column boneage and the column prediction seem to be years" in both
    assert len(read_labels(rows(MONTHS, YEARS).encode())) == 5


def test_months_of_infants_are_accepted_and_said_so(tmp_path, caplog):
    months = [3, 6, 9.5, 12, 18, 24]
    note = (
        "The ages in the column boneage are taken as months, although none is above 25; if they "
        "are years, multiply them by 12."
    )
    labels = read_labels(rows(months, months).encode())
    assert labels["reference_months"].tolist() == months
    assert labels.attrs["notes"] == [note]
    assert columns_in_words(labels, "a.csv").endswith(f"Not used: `prediction`. {note}")
    assert len(read_user_predictions(rows(months, months).encode()).attrs["notes"]) == 2
    path = tmp_path / "infants.csv"
    path.write_text(rows(months, months))
    read_labels(path)
    assert caplog.messages == [f"{path}: {note}"]
    assert read_labels(rows(MONTHS, MONTHS).encode()).attrs["notes"] == []


def test_predictions_twelve_times_the_reference_are_in_another_unit():
    whole = [3, 8, 12, 15, 17]
    assert "column boneage seem" in refusal(rows(whole, MONTHS), read_user_predictions)
    assert read_labels(rows(whole, MONTHS).encode()).attrs["notes"]  # may be infants
    infants = [3, 6, 9, 12, 18]  # a prediction that fails for one is no other unit
    assert len(read_user_predictions(rows(infants, [5, 7, 12, 12, 60]).encode())) == 5


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("boneage_months", "months"),
        ("Bone age (months)", "months"),
        ("BoneAgeMonths", "months"),
        ("Knochenalter in Monaten", "months"),
        ("boneage years", "years"),
        ("Bone age [yrs]", "years"),
        ("BoneAgeYears", "years"),
        ("Knochenalter (Jahre)", "years"),
        ("age osseux en ans", "years"),
        ("boneage", None),
        ("humans", None),
    ],
)
def test_the_name_of_a_column_decides_on_the_unit(column, unit):
    assert unit_named(column) == unit
    content = rows(YEARS, YEARS).replace("boneage", column).encode()
    if unit == "months":
        labels = read_labels(content, reference_column=column)
        assert labels["reference_months"].tolist() == YEARS
        assert labels.attrs["notes"] == []
    elif unit == "years":
        labels = read_labels(content, reference_column=column)
        assert labels["reference_months"].tolist() == [12 * age for age in YEARS]
        assert "are years and were multiplied by 12" in labels.attrs["notes"][0]
    else:
        assert "seem to be years" in refusal(content, reference_column=column)


def test_a_few_infants_or_one_older_child_are_no_years():
    for read in READERS:
        assert len(read(rows(YEARS[:4], YEARS[:4]).encode())) == 4
        assert len(read(rows([*YEARS, 26], [*YEARS, 30]).encode())) == 6


# Predictions that are compared by id --------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        # Columns as test scripts write them: an index without a name, sexes as 0 and 1.
        (",image_ID,sex,y_hat,sex_hat,y\n0,4360.png,1.0,151.5,0.9,150\n", ("4360", 150, 151.5)),
        ("filename,male,y,y_hat\nimages/4360.png,True,150,151.5\n", ("4360", 150, 151.5)),
        ("fileName,y_true,y_pred\n4360.dcm,150,151.5\n", ("4360", 150, 151.5)),
        ("Case ID,Ground truth bone age (months),Prediction\n4360,150,151.5", ("4360", 150, 151.5)),
        ("id;Knochenalter;Vorhersage\n4360;150,0;151,5\n", ("4360", 150, 151.5)),
        ("id,bone_age_years,predicted_bone_age_years\n4360,12.5,12.625", ("4360", 150, 151.5)),
        ("id,bone_age_months,bone_age_years,pred\n4360,150,12.5,151.5", ("4360", 150, 151.5)),
        ("image_id\tprediction\n4360\t151.5\n", ("4360", None, 151.5)),
        ("id,boneage,sex,prediction\n4360,n/a,?,151.5\n", ("4360", None, 151.5)),
    ],
)
def test_the_formats_of_published_predictions(content, expected):
    cases = read_predictions_by_id(content.encode())
    (case,) = cases[["id", "reference_months", "prediction_months"]].to_numpy().tolist()
    assert tuple(None if age != age else age for age in case) == expected
    assert cases.attrs["skipped"] == []


def test_a_submission_that_names_its_predictions_bone_age_is_asked_about():
    content = b"fileName,boneage\n4360.png,151.5\n"
    with pytest.raises(UnknownColumn) as asked:
        read_predictions_by_id(content)
    assert (asked.value.role, asked.value.candidates) == ("prediction", ["boneage"])
    cases = read_predictions_by_id(content, prediction_column="boneage")
    assert cases["prediction_months"].tolist() == [151.5]
    assert cases["reference_months"].isna().all()


def test_rows_of_a_repeated_id_are_all_left_out_and_listed():
    content = b"id,sex,prediction\na,f,1\nb.png,f,2\nb.jpg,f,3\nc,f,\n"
    cases = read_predictions_by_id(content)
    assert cases["id"].tolist() == ["a"]
    assert cases["sex"].tolist() == ["female"]
    assert cases.attrs["repeated"] == ["b"]
    assert cases.attrs["skipped"] == ['row 5 (id "c"): no predicted bone age']
    with pytest.raises(LabelError, match="every id more than once"):
        read_predictions_by_id(b"id,prediction\na,1\na,2\n")


def test_sexes_that_are_not_understood_are_no_reason_to_refuse_predictions():
    cases = read_predictions_by_id(b"id,sex,prediction\na,0,99\nb,1,98\n")
    assert cases["sex"].isna().all()
    assert "which does not say who is female" in cases.attrs["notes"][0]


# Which columns were used --------------------------------------------------------------------------

BOTH_AGES = b"id,age,boneage,male,prediction\n1,150,120,1,118\n2,90,100,0,101\n"


def test_a_named_bone_age_is_the_reference_and_not_the_age():
    assert read_labels(BOTH_AGES)["reference_months"].tolist() == [120, 100]
    assert read_user_predictions(BOTH_AGES)["reference_months"].tolist() == [120, 100]


def test_the_columns_used_are_said_in_words():
    assert columns_in_words(read_user_predictions(BOTH_AGES), "mine.csv") == (
        "Read from `mine.csv`: id from `id`, reference bone age from `boneage`, sex from `male`, "
        "predicted bone age from `prediction`. Not used: `age`."
    )
    odd = b"id,boneage,sex,a `b`\n1,100,f,2\n"
    assert columns_in_words(read_labels(odd), "x\ny.csv").endswith("Not used: `a b`.")


def test_a_column_that_was_chosen_is_the_reference():
    labels = read_labels(b"id,age,sex\n1,100,f\n", reference_column="age")
    assert labels["reference_months"].tolist() == [100]
    content = b"id,age,x,sex\n1,100,90,f\n"
    found = read_user_predictions(content, reference_column="age", prediction_column="x")
    assert values(found) == [("1", 100, "female", 90)]


@pytest.mark.parametrize(
    ("column", "cells", "months"),
    [
        ("chronological age years", ("10.5", "11"), [126, 132]),
        ("chronological_age_months", ("20", ""), [20, None]),
        ("Chronological age", ("126", "n/a"), [126, None]),  # in years nobody is that old
    ],
)
def test_case_labels_hold_the_chronological_age(column, cells, months):
    rows = "".join(f"\n{n},100,F,{cell}" for n, cell in enumerate(cells))
    labels = read_case_labels(f"id,boneage,sex,{column}{rows}".encode())
    ages = labels["chronological_age_months"]
    assert ages.astype(object).where(ages.notna(), None).tolist() == months
    assert labels.attrs["columns"]["chronological"] == column
    assert column not in labels.attrs["unused"]


def test_a_chronological_age_of_no_unit_is_not_used_and_that_is_said():
    labels = read_case_labels(b"id,boneage,sex,chronological age\n7,100,F,10")
    assert labels["chronological_age_months"].isna().all()
    assert "does not say whether its ages are years or months" in labels.attrs["notes"][0]


def test_case_labels_without_a_chronological_age():
    labels = read_case_labels(b"id,boneage,sex\n7,100,F")
    assert labels["chronological_age_months"].isna().all() and not labels.attrs["notes"]


def test_predictions_by_id_may_be_a_parquet_file_with_numbers():
    table = pd.DataFrame({"id": [4360, 7], "prediction": [151.0, 9.5], "male": [1, 0]})
    cases = read_predictions_by_id(table.to_parquet(index=False))
    assert cases["id"].tolist() == ["4360", "7"]
    assert cases["sex"].tolist() == ["male", "female"]
    assert cases["prediction_months"].tolist() == [151.0, 9.5]
    assert cases["reference_months"].isna().all()
