import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from boneage.datasets import parquet
from boneage.datasets.labels import LabelError, read_labels, read_user_predictions

TABLE = pd.DataFrame(
    {
        "id": [1377, 1378, 1379, 1380],
        "boneage": [180.0, 12.5, None, 94.0],
        "male": [False, True, False, True],
        "prediction": [176.25, 14.0, 90.0, 99.5],
        "remark": ["", "late, ", None, "x"],
    }
)


def as_parquet(table):
    content = io.BytesIO()
    pq.write_table(
        pa.Table.from_pandas(table) if isinstance(table, pd.DataFrame) else table, content
    )
    return content.getvalue()


@pytest.mark.parametrize("read", [read_labels, read_user_predictions])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"id": ["a/1.png", " b", "3.2", "4"]},
        {"male": [0, 1, 0, 1]},
        {"male": [0.0, 1.0, None, 1.0]},
        {"male": pd.Categorical(["F", "M", "F", "?"])},
        {"boneage": pd.array([180, 12, None, 94], dtype="Int16")},
        {"boneage": np.float32([180, 12.5, np.inf, np.nan])},
        {"prediction": ["176.25", "14", "90", "much"]},
    ],
)
def test_a_parquet_file_is_read_as_the_same_table_in_csv(read, change):
    table = TABLE.assign(**change)
    found, expected = read(as_parquet(table)), read(table.to_csv(index=False).encode())
    assert found.attrs["columns"] == expected.attrs["columns"]
    assert len(found.attrs["skipped"]) == len(expected.attrs["skipped"]) == 4 - len(found) > 0
    pd.testing.assert_frame_equal(found, expected, check_flags=False)


def test_whole_numbers_that_are_ids_have_no_fraction_and_rows_are_counted_from_1():
    found = read_labels(as_parquet(TABLE.assign(id=[1.0, 2.0, 3.0, None])))
    assert found["id"].tolist() == ["1", "2"]
    assert found.attrs["skipped"] == [
        'row 3 (id "3"): no reference bone age',
        'row 4 (id ""): no id',
    ]


def test_lists_are_left_out_and_an_index_is_a_column():
    table = TABLE.drop(columns="id").assign(features=[[1, 2]] * 4)
    table.index = pd.Index(["a", "b", "c", "d"], name="id")
    found = read_labels(as_parquet(table))
    assert found["id"].tolist() == ["a", "b", "d"]
    assert found.attrs["unused"] == ["prediction", "remark"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PAR1 and no more", "own is a damaged Parquet file"),
        (as_parquet(TABLE)[:-9], "own is a damaged Parquet file"),
        (as_parquet(TABLE[:0]), "own has no rows of data"),
        (as_parquet(pa.table([["1"], ["2"]], ["id", "id"])), "two columns of the same name"),
        (as_parquet(TABLE[["id", "male"]]), "reference bone age"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_sentence(content, said):
    with pytest.raises(LabelError, match=said):
        read_labels(content, "own")


def test_a_small_file_that_holds_more_than_memory_is_refused(monkeypatch):
    content = as_parquet(TABLE)
    monkeypatch.setattr(parquet, "_MAX_ROWS", 3)
    with pytest.raises(LabelError, match=r"is too large \(4 rows"):
        read_labels(content, "own")
