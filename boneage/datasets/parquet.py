"""The cells of a Parquet file, which large tables come in."""

import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from boneage.datasets.delimited import LabelError

MAGIC = b"PAR1"  # the first bytes
# A small file may hold far more than memory does.
_MAX_ROWS = 5_000_000
_MAX_BYTES = 2 * 1024**3


def read_parquet_cells(content: bytes, title: str) -> pd.DataFrame:
    """Read the cells of a Parquet file.

    Args:
        content: the bytes of the file.
        title: what errors call the file.

    Returns:
        Numbers as numbers and all else as str, missing ones empty; the index holds the number of
        each row, from 1. Columns of lists or structures are left out.

    Raises:
        LabelError: The file is damaged, empty or too large, or two columns have the same name.
    """
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.num_row_groups))
        if file.metadata.num_rows > _MAX_ROWS or size > _MAX_BYTES:
            raise LabelError(
                f"{title} is too large ({file.metadata.num_rows:,} rows, {size / 1e9:.1f} GB); "
                f"at most {_MAX_ROWS:,} rows and {_MAX_BYTES / 1e9:.1f} GB are read. Leave out "
                "columns that are not needed, or split it."
            )
        schema = file.schema_arrow
        names = [field.name for field in schema if not pa.types.is_nested(field.type)]
        if len(set(names)) < len(names):
            raise LabelError(f"{title} has two columns of the same name; rename one.")
        table = file.read(columns=names)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise LabelError(
            f"{title} is a damaged Parquet file; please write or copy it again."
        ) from error
    if not len(table):
        raise LabelError(f"{title} has no rows of data.")
    cells = table.to_pandas(ignore_metadata=True)
    cells.index = pd.RangeIndex(1, len(cells) + 1)
    for name, column in cells.items():
        if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
            cells[name] = column.astype("str").where(column.notna(), "").str.strip()
    return cells
