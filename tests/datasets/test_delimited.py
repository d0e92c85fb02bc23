import pytest

from boneage.datasets.delimited import LabelError, read_cells, to_numbers


def refusal(content: bytes) -> str:
    with pytest.raises(LabelError) as caught:
        read_cells(content, "labels.csv")
    message = str(caught.value)
    assert "labels.csv" in message
    assert message.endswith((".", '".'))
    assert "\n" not in message
    assert len(message) < 400
    return message


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_dialect_gives_the_same_cells(separator, encoding, end):
    lines = [["id", " Âge osseux", "sexe "], ["Zoë", "120", " f"], ["b", "", "m"]]
    content = end.join(separator.join(line) for line in lines).encode(encoding)
    cells = read_cells(content, "labels.csv")
    assert list(cells.columns) == ["id", "Âge osseux", "sexe"]
    assert cells.to_numpy().tolist() == [["Zoë", "120", "f"], ["b", "", "m"]]
    assert cells.index.tolist() == [2, 3]


def test_a_quoted_field_may_hold_separators_quotation_marks_and_line_ends():
    content = b'"id";"age, in\nmonths";note\n"a;b";"1,5";"says ""m"""\n'
    cells = read_cells(content, "labels.csv")
    assert list(cells.columns) == ["id", "age, in\nmonths", "note"]
    assert cells.to_numpy().tolist() == [["a;b", "1,5", 'says "m"']]


def test_a_space_may_stand_before_a_quoted_field():
    assert read_cells(b'id, age\na, "1,5"\n', "labels.csv")["age"].tolist() == ["1,5"]


def test_rows_have_the_numbers_that_a_spreadsheet_shows():
    content = b'\nid,age\n"a\nb",1\n\n ,\nc,2\n'
    assert read_cells(content, "labels.csv").index.tolist() == [3, 6]


def test_empty_columns_at_the_end_are_left_out():
    cells = read_cells(b"id;age;;\na;1;;\nb;2\nc;;;;;\n", "labels.csv")
    assert cells.to_numpy().tolist() == [["a", "1"], ["b", "2"], ["c", ""]]


def test_a_column_without_a_name_may_stand_before_others():
    assert read_cells(b",id,age\n0,a,1\n", "labels.csv")["id"].tolist() == ["a"]


@pytest.mark.parametrize(
    "content", [b"", b"\n \n", "\ufeff".encode(), b"id,age\n", b"hello", b",,\n"]
)
def test_a_file_without_rows_is_refused(content):
    assert "has no rows of data" in refusal(content)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("id,age\na,1\n".encode("utf-16"), "its encoding is UTF-16"),
        (b"\xfe\xff" + "id,age\na,1\n".encode("utf-16-be"), "its encoding is UTF-16"),
        ("id,age\na,1\n".encode("utf-16-le"), "it is not text"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\xe2\x9c", "it is a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "it is a workbook"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "it is not text"),
        (b"id,age\na,1\x00\n", "it is not text"),
    ],
)
def test_what_is_not_text_is_refused_with_what_to_do(content, kind):
    assert f'{kind}; save the table from the spreadsheet as "CSV UTF-8".' in refusal(content)


@pytest.mark.parametrize(
    "content",
    [
        b'id,age\na,1\n"b,2\nc,3\nd,4\n',
        b'id,age\na,1\n"b" or c,2\nd,4\n',
        b'id,age\na,1\n"' + b"x" * 200_000,
    ],
    ids=["not closed", "closed too early", "a field without an end"],
)
def test_a_quotation_mark_without_a_partner_swallows_no_rows(content):
    assert "a quotation mark in row 3 is out of place" in refusal(content)


def test_a_row_that_is_too_long_is_named():
    message = refusal(b"id,age,sex\na,100,f\nb,100,5,f\n")
    assert "Row 3 of labels.csv has more fields than there are column names (3)" in message
    assert "separate the fields by semicolons" in message
    assert "(2)" in refusal(b"id,age,\na,100,5\n")


def test_two_columns_of_one_name_are_refused():
    assert "has 2 columns named age; rename them" in refusal(b"id,age,age\na,100,5\n")


@pytest.mark.parametrize("text", ["1,5", "1.5", "+1.5", " 1.50", "15e-1"])
def test_numbers_have_a_decimal_point_or_comma(text):
    cells = read_cells(f"a;b\n{text};x".encode(), "labels.csv")
    assert to_numbers(cells["a"]).tolist() == [1.5]


@pytest.mark.parametrize("text", ["abc", "", "inf", "nan", "1_0", "True", "1,2,3", "0x10", "9 m"])
def test_other_text_is_no_number(text):
    cells = read_cells(f"a;b\n{text};x".encode(), "labels.csv")
    assert to_numbers(cells["a"]).isna().all()
