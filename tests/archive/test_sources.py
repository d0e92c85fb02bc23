import os
from datetime import date

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from boneage.archive import sources
from boneage.archive.manifests import read_manifest
from boneage.archive.parts import as_text, parts_of
from boneage.archive.settings import Settings
from boneage.archive.sources import list_source
from boneage.archive.stores import StoreError
from boneage.cli import _files
from boneage.datasets.delimited import LabelError


def names(listing) -> list[str]:
    return [os.fsdecode(name) for name in listing.files["file"].to_pylist()]


@pytest.fixture
def folder(tmp_path):
    for name in ("b/2.png", "b/10.png", "a.dcm", "B.dcm", ".hidden/1.png", "b/.2.png", "ä.png"):
        path = tmp_path / "archive" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (tmp_path / "archive" / "b" / "again").symlink_to(tmp_path / "archive")
    (tmp_path / "archive" / "nowhere.png").symlink_to("missing.png")
    return tmp_path / "archive"


def test_a_folder_is_listed_as_predict_searches_it(folder, monkeypatch):
    assert names(list_source(str(folder))) == [str(path) for path in _files([str(folder)])]
    monkeypatch.chdir(folder)
    assert names(list_source(".")) == [str(path) for path in _files(["."])]
    assert names(list_source("./b/")) == [str(path) for path in _files(["./b/"])]


def test_a_link_to_itself_is_left_to_reading(tmp_path):
    (tmp_path / "loop.png").symlink_to("loop.png")
    assert list_source(str(tmp_path)).files["stamp"].to_pylist() == [None]


def test_no_file_is_lost_between_two_chunks(folder, monkeypatch):
    whole = names(list_source(str(folder)))
    monkeypatch.setattr(sources, "_CHUNK", 2)
    assert names(list_source(str(folder))) == whole


def test_the_parts_hold_every_file_once_and_are_the_same_each_time(folder):
    listing, settings = list_source(str(folder)), Settings("x", part_size=3)
    parts = list(parts_of(listing, settings))
    assert [entry.file for part in parts for entry in part.entries] == names(listing)
    assert [part.name for part in parts] == [p.name for p in parts_of(listing, settings)]
    other = Settings("x", part_size=3, sex="male")
    assert not {p.name for p in parts} & {p.name for p in parts_of(listing, other)}


def test_a_representation_of_a_part_names_no_file(folder):
    (part, *_) = parts_of(list_source(str(folder)), Settings("x"))
    assert "dcm" not in repr(part)


def test_a_name_that_is_no_text_can_be_opened_and_written(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.png"
    os.close(os.open(path, os.O_CREAT))
    (part,) = parts_of(list_source(str(tmp_path)), Settings("x"))
    assert os.fsencode(part.entries[0].address) == path
    assert as_text(part.entries[0].file).endswith("/\\xff.png")


def test_what_is_no_source_is_refused(tmp_path):
    with pytest.raises(StoreError, match="There is no folder .*; give a folder, a URL"):
        list_source(str(tmp_path / "missing"))
    with pytest.raises(StoreError, match="holds no files"):
        list_source(str(tmp_path))
    with pytest.raises(StoreError, match="cannot be used"):
        list_source("nonsense://here")


def test_a_manifest_states_sexes_and_ages(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(
        "path;sex;birth_date;study_date\n"
        "a.dcm;F;2010-01-01;2020-01-01\n"
        "sub/b.dcm;m;20100101;2010-07-02 08:00\n"
        "/c.dcm;;;\n"
        "s3://bucket/d.dcm;?;2010-01-01;2009-01-01\n"
    )
    table, notes = read_manifest(str(path))
    assert table["sex"].fillna("").tolist() == ["female", "male", "", ""]
    ages = table["chronological_age_months"]
    assert ages[:2].round(1).tolist() == [120.0, 6.0]
    assert ages[2:].isna().all()
    assert len(notes) == 2
    assert "1 of 4 rows" in notes[0] and 'no usable sex (row 5: "?")' in notes[0]
    assert 'row 5: "2010-01-01 to 2009-01-01"' in notes[1]

    (part,) = parts_of(list_source(str(path)), Settings("x"))
    assert [entry.file for entry in part.entries][:2] == ["a.dcm", "sub/b.dcm"]
    assert [entry.address for entry in part.entries] == [
        f"{tmp_path}/a.dcm", f"{tmp_path}/sub/b.dcm", "/c.dcm", "s3://bucket/d.dcm",
    ]  # fmt: skip
    assert part.entries[0].sex == "female" and part.entries[2].sex is None
    assert part.entries[2].chronological_age_months is None


def test_a_manifest_in_parquet_gives_the_same(tmp_path):
    columns = {
        "file": ["a.dcm", "b.dcm"],
        "male": [True, False],
        "birth_date": [date(2010, 1, 1), None],
        "study_date": pd.to_datetime(["2020-01-01", "2020-01-01"]),
    }
    pq.write_table(pa.table(columns), tmp_path / "list.parquet")
    table, notes = read_manifest(str(tmp_path / "list.parquet"))
    assert table["sex"].tolist() == ["male", "female"]
    assert table["chronological_age_months"].round().fillna(-1).tolist() == [120, -1]
    assert notes == []


@pytest.mark.parametrize(
    ("column", "age", "months"), [("age_months", "120", 120), ("Age (years)", "10,5", 126)]
)
def test_ages_are_in_the_unit_that_the_column_names(column, age, months, tmp_path):
    (tmp_path / "list.csv").write_text(f"path;{column}\na.png;{age}\n")
    table, _ = read_manifest(str(tmp_path / "list.csv"))
    assert table["chronological_age_months"].tolist() == [months]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("sex,age_months\nF,3\n", "no column for the files"),
        ("path,age\na,3\n", "does not say whether ages are in months or years"),
        ("path,birth_date\na,2010-01-01\n", "no date of the study; add the column study_date"),
        ("path,sex\na,F\n,M\n", "Row 3 of .* has no path"),
        ("path\na\nb\na\n", "Rows 2 and 4 of .* have the same path"),
        ("path,sex\na,1\n", "does not say who is female"),
    ],
)
def test_a_manifest_that_cannot_be_right_is_refused(text, fault, tmp_path):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(LabelError, match=fault):
        read_manifest(str(tmp_path / "list.csv"))


def test_a_manifest_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(LabelError, match="There is no manifest"):
        read_manifest(str(tmp_path / "missing.csv"))
    (tmp_path / "list.parquet").write_bytes(b"no table")
    with pytest.raises(LabelError, match="is not a Parquet file"):
        read_manifest(str(tmp_path / "list.parquet"))
