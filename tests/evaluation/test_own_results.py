import pandas as pd
import pytest

from boneage.evaluation.own_results import OwnResultsError, read_own_results

HEADER = "id,age_months,sex,prediction_months\n"


def refusal(text, encoding="utf-8"):
    with pytest.raises(OwnResultsError) as caught:
        read_own_results(text if isinstance(text, bytes) else text.encode(encoding))
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 400
    return message


def test_a_plain_file_becomes_a_predictions_table():
    found = read_own_results(f"{HEADER}007,120,female,123.5\nx y,96.5,male,-1\n".encode())
    expected = pd.DataFrame(
        {
            "id": ["007", "x y"],
            "split": "own",
            "sex": ["female", "male"],
            "age_months": [120, 96.5],
            "prediction_months": [123.5, -1],
            "crop_method": "unknown",
        }
    )
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_files_of_every_system_are_read(start, end):
    lines = [f"{start}Prediction ,note, BoneAge,Male,ID", "100.5,fine,99,TRUE,a", "90,,80,0,b"]
    found = read_own_results(end.join(lines).encode())
    assert found["id"].tolist() == ["a", "b"]
    assert found["sex"].tolist() == ["male", "female"]
    assert found["age_months"].tolist() == [99, 80]
    assert found["prediction_months"].tolist() == [100.5, 90]


def test_semicolons_come_with_decimal_commas():
    found = read_own_results(b"\nid;age;sex;prediction\na;120,25;f;99\nb;80.5;m;101,5\n")
    assert found["age_months"].tolist() == [120.25, 80.5]
    assert found["prediction_months"].tolist() == [99, 101.5]


def test_a_quoted_field_may_hold_the_separator():
    found = read_own_results(f'{HEADER}"Doe, J","120,5",f,99\n'.encode())
    assert found.loc[0, ["id", "age_months"]].tolist() == ["Doe, J", 120.5]


def test_words_for_the_sexes():
    words = ["female", "F", "Girl", "MALE", "m", " boy "]
    rows = "".join(f"{number},100,{word},100\n" for number, word in enumerate(words))
    sexes = read_own_results((HEADER + rows).encode())["sex"].tolist()
    assert sexes == ["female"] * 3 + ["male"] * 3


def test_empty_rows_are_left_out():
    found = read_own_results(f"\n{HEADER}\na,100,f,99\n,,,\n  \nb,90,m,91,,\n".encode())
    assert found["id"].tolist() == ["a", "b"]
    assert found.index.tolist() == [0, 1]


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfei\x00d\x00",
        b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\xe2\x9c",
        b"id,age\x00,sex",
        b'id,age,sex,prediction\n"' + b"x" * 200_000,
    ],
)
def test_what_is_no_csv_is_refused(content):
    assert "is not a CSV file" in refusal(content)


@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff", HEADER, "hello"])
def test_a_file_without_rows_is_refused(text):
    assert "has no rows of data" in refusal(text)


def test_missing_columns_are_named_with_what_is_understood():
    message = refusal("id,boneage,gender\na,100,f\n")
    assert "no column sex or male, and no column prediction_months or prediction" in message
    assert "its columns are id, boneage, gender" in message


def test_of_very_many_columns_only_some_are_listed():
    assert "x10, x11" in refusal(",".join(f"x{number}" for number in range(5000)) + "\n1,2\n")


def test_a_row_that_is_too_long_is_named():
    message = refusal(f"{HEADER}a,100,f,99\nb,100,5,m,99,5\n")
    assert "Row 3 has more fields than there are column names (4)" in message
    assert "separate the fields by semicolons" in message


@pytest.mark.parametrize("text", ["abc", "", "inf", "nan", "1_0", "True", "1,2,3"])
def test_what_is_not_a_number_is_quoted_with_its_row(text):
    message = refusal(f'{HEADER}a,100,f,99\n\nb,100,m,"{text}"\n')
    assert f'Row 4 has "{text}" in the column prediction_months' in message
    assert "not a number" in message


def test_a_row_that_is_too_short_lacks_its_last_cells():
    assert 'Row 2 has "" in the column prediction_months' in refusal(f"{HEADER}a,100,f\n")


def test_long_cells_are_quoted_short():
    assert f'"{"x" * 40}…"' in refusal(f"{HEADER}a,{'x' * 5000},f,99\n")


@pytest.mark.parametrize(
    ("column", "word", "advice"),
    [
        ("sex", "unknown", "write female, f, girl, male, m or boy"),
        ("sex", "", "write female"),
        ("sex", "1", "write female"),
        ("male", "yes", "write false, 0, true or 1"),
        ("male", "f", "write false"),
    ],
)
def test_unknown_sexes_are_quoted_with_their_row(column, word, advice):
    message = refusal(f"id,age,{column},prediction\na,100,{word},99\n")
    assert f'Row 2 has "{word}" in the column {column}; {advice}' in message


def test_ids_must_differ_and_be_there():
    message = refusal(f"{HEADER}a,100,f,99\nb,100,f,99\na,90,m,99\n")
    assert 'Rows 2 and 4 have the same id "a"' in message
    assert "Row 3 has no id" in refusal(f"{HEADER}a,100,f,99\n ,100,f,99\n")


def rows(ages, predictions):
    pairs = zip(ages, predictions, strict=True)
    return HEADER + "".join(f"{i},{age},f,{p}\n" for i, (age, p) in enumerate(pairs))


@pytest.mark.parametrize(
    ("ages", "predictions", "what"),
    [
        ([3, 8.5, 12, 15, 18], [40, 101, 140, 170, 200], "The ages look like years"),
        ([36, 100, 144, 180, 216], [3, 8.5, 12, 15, 25], "The predictions look like years"),
        ([3, 8.5, 12, 15, 18], [4, 8, 12, 15, 18], "The ages and predictions look like years"),
    ],
)
def test_years_are_told_from_months(ages, predictions, what):
    message = refusal(rows(ages, predictions))
    assert what in message
    assert "multiply them by 12" in message


def test_a_few_infants_or_one_older_child_are_no_years():
    assert len(read_own_results(rows([3, 8, 12, 15], [4, 8, 12, 15]).encode())) == 4
    assert len(read_own_results(rows([3, 8, 12, 15, 26], [4, 8, 12, 15, 30]).encode())) == 5


@pytest.mark.parametrize("age", [-0.5, 300.5, 4000])
def test_absurd_ages_are_refused(age):
    message = refusal(rows([100, age], [100, 100]))
    assert f"Row 3 has an age of {age:g} months; give ages in months from 0 to 300" in message


def test_the_limits_of_age_are_allowed():
    assert read_own_results(rows([0, 300], [1, 290]).encode())["age_months"].tolist() == [0, 300]
