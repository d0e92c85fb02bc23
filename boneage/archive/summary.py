"""What the results of an archive add up to, read from its parts."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from boneage.archive.parts import PARTS, ROWS
from boneage.archive.stores import Store
from boneage.formatting import counted
from boneage.inference import results

SUMMARY, DUPLICATES = "summary.json", "duplicates.csv"
_MOST_REASONS = 20
_COLUMNS = ["file", "status", "reason", "sex", "assessment", "content_sha256"]


def summarize(store: Store, names: Sequence[str], n_files: int) -> dict[str, Any]:
    """Count the rows of parts and write summary.json and duplicates.csv.

    Args:
        store: where the parts are.
        names: of the parts, in their order.
        n_files: files in the archive.

    Returns:
        What summary.json says: files (of the archive), missing (files without a row), rows (a film
        of both hands has two), statuses, sexes and assessments (value -> rows), reasons (of rows
        without a bone age, the most frequent first -> rows) and duplicates (files with the content
        of an earlier file).
    """
    folder, files = store.data_set(PARTS)
    paths = [f"{folder}/{name}" for name in names]
    table = ds.dataset(paths, schema=ROWS, filesystem=files, format="parquet").to_table(_COLUMNS)
    duplicates = find_duplicates(table)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [["file", "duplicate_of"], *duplicates.to_numpy().tolist()]
    )
    store.write(DUPLICATES, text.getvalue().encode())
    refused = table.filter(pc.not_equal(table["status"], results.OK))
    summary = {
        "files": n_files,
        "missing": n_files - pc.count_distinct(table["file"]).as_py(),
        "rows": len(table),
        "statuses": _counts(table["status"]),
        "sexes": _counts(table["sex"]),
        "assessments": _counts(table["assessment"]),
        "reasons": dict(list(_counts(refused["reason"]).items())[:_MOST_REASONS]),
        "duplicates": len(duplicates),
    }
    store.write(SUMMARY, f"{json.dumps(summary, indent=2)}\n".encode())
    return summary


def find_duplicates(table: pa.Table) -> pd.DataFrame:
    """Files whose content another file has, byte by byte.

    Args:
        table: columns file and content_sha256, which may be missing; several rows may be of one
            file.

    Returns:
        Columns file and duplicate_of: each such file but the first, and the first.
    """
    known = table.select(["file", "content_sha256"]).to_pandas().dropna().drop_duplicates()
    alike = known[known.duplicated("content_sha256", keep=False)]
    first = alike.groupby("content_sha256", sort=False)["file"].transform("first")
    return (
        alike.assign(duplicate_of=first)
        .loc[alike["file"] != first, ["file", "duplicate_of"]]
        .reset_index(drop=True)
    )


def in_words(summary: dict[str, Any]) -> str:
    """A summary in a few lines."""
    statuses = ", ".join(f"{n:,} {status}" for status, n in summary["statuses"].items())
    lines = [f"{summary['files']:,} files, {summary['rows']:,} rows: {statuses}."]
    if summary["assessments"]:
        said = ", ".join(f"{n:,} {status}" for status, n in summary["assessments"].items())
        lines.append(f"Bone age for chronological age: {said}.")
    if summary["duplicates"]:
        files = counted(summary["duplicates"], "file")
        lines.append(f"{files} with the content of another, named in {DUPLICATES}.")
    if summary["missing"]:
        lines.append(f"{counted(summary['missing'], 'file')} without a result so far.")
    return "\n".join(lines)


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    """Value -> how often, the most frequent first; missing ones are left out."""
    found = pc.value_counts(column.drop_null()).to_pylist()
    found.sort(key=lambda each: (-each["counts"], each["values"]))
    return {each["values"]: each["counts"] for each in found}
