"""A manifest of an archive: a table in CSV or Parquet of files, sexes and ages or dates."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from boneage.archive.stores import file_system
from boneage.datasets.columns import (
    CHRONOLOGICAL_NAMES,
    MONTHS,
    NAMES,
    SEX,
    SOME_AGE_NAMES,
    YEARS,
    columns_named,
    unit_named,
)
from boneage.datasets.delimited import LabelError, read_cells, shortened, to_numbers
from boneage.datasets.labels import read_sexes
from boneage.growth.entries import DAYS_PER_MONTH, MAX_AGE_MONTHS

_FILE = (
    *("path", "file", "filepath", "filename", "imagepath", "imagefile", "image", "url", "uri"),
    *("pfad", "dateipfad", "datei", "dateiname", "chemin", "fichier", "nomdefichier"),
)
_BIRTH = (
    *("birthdate", "dateofbirth", "dob", "patientbirthdate", "birth", "geburtsdatum"),
    *("datedenaissance", "naissance"),
)
_STUDY = (
    *("studydate", "dateofstudy", "acquisitiondate", "examdate", "date", "untersuchungsdatum"),
    *("aufnahmedatum", "datum", "datedelexamen"),
)
_AGE = (*CHRONOLOGICAL_NAMES, *SOME_AGE_NAMES)


def read_manifest(source: str) -> tuple[pd.DataFrame, list[str]]:
    """Read a manifest.

    Columns are found by their names, in English, German or French: the path of each file; its sex;
    and the chronological age (in a column that ends with months or years) or the dates of birth and
    study, as 2015-03-31 or 20150331. Only the path is needed. Where a sex or an age is missing or
    not understood, that of a DICOM header counts.

    Args:
        source: path or URL of a file in CSV, of any separator, or Parquet.

    Returns:
        Columns file (str), sex ("female", "male" or missing) and chronological_age_months
        (float64, 0 to 300 or missing), in the order of the rows; and sentences on cells that were
        not understood.

    Raises:
        LabelError: the manifest cannot be read or misses a column, a row has no path, or two rows
            have the same one.
    """
    cells = _cells(source)
    header = list(cells.columns)
    paths = _column(header, _FILE)
    if paths is None:
        raise LabelError(
            f"{source} has no column for the files (named path or file); its columns are "
            f"{shortened(', '.join(header), 200)}."
        )
    files = cells[paths]
    _check_files(files, source)
    table = pd.DataFrame({"file": files})
    notes: list[str] = []
    table["sex"] = None
    if (sexes := _column(header, NAMES[SEX])) is not None:
        table["sex"] = read_sexes(cells[sexes], sexes, source)
        notes += _not_understood(cells[sexes], table["sex"].isna(), "sex", source)
    months, text = _months(cells, header, source)
    table["chronological_age_months"] = months.where(months.between(0, MAX_AGE_MONTHS))
    lacking = table["chronological_age_months"].isna()
    notes += _not_understood(text, lacking, "chronological age from 0 to 25 years", source)
    return table.reset_index(drop=True), notes


def _cells(source: str) -> pd.DataFrame:
    """The cells as text, the index being the number of the row as a spreadsheet shows it."""
    files, path = file_system(source)
    try:
        content = files.cat_file(path)
    except FileNotFoundError:
        raise LabelError(f"There is no manifest {source}.") from None
    except OSError as error:
        raise LabelError(f"The manifest {source} cannot be read ({error}).") from error
    if not source.lower().endswith(".parquet"):
        return read_cells(content, source)
    try:
        table = pq.read_table(io.BytesIO(content)).to_pandas()
    except pa.ArrowException as error:
        raise LabelError(f"{source} is not a Parquet file; write the manifest again.") from error
    if table.empty:
        raise LabelError(f"{source} has no rows; give one file in each row.")
    texts = {str(name): table[name].astype("str").where(table[name].notna(), "") for name in table}
    return pd.DataFrame(texts).set_axis(range(2, len(table) + 2))


def _column(header: list[str], names: tuple[str, ...]) -> str | None:
    return next(iter(columns_named(header, names)), None)


def _check_files(files: pd.Series, source: str) -> None:
    if (empty := files == "").any():
        raise LabelError(f"Row {empty.idxmax()} of {source} has no path; give one in every row.")
    if (again := files.duplicated()).any():
        row = again.idxmax()
        first = (files == files[row]).idxmax()
        raise LabelError(f"Rows {first} and {row} of {source} have the same path; remove one.")


def _months(cells: pd.DataFrame, header: list[str], source: str) -> tuple[pd.Series, pd.Series]:
    """Ages in months, missing where there are none; and the text that they come from."""
    birth, study = _column(header, _BIRTH), _column(header, _STUDY)
    if birth is not None and study is not None:
        days = (_dates(cells[study]) - _dates(cells[birth])).dt.days
        text = (cells[birth] + " to " + cells[study]).where(
            (cells[birth] != "") & (cells[study] != ""), ""
        )
        return days / DAYS_PER_MONTH, text
    age = _column(header, _AGE)
    if age is None:
        if birth is not None:
            raise LabelError(
                f"{source} has a date of birth but no date of the study; add the column study_date "
                "or remove the dates of birth."
            )
        nothing = pd.Series(np.nan, cells.index)
        return nothing, pd.Series("", cells.index)
    unit = unit_named(age)
    if unit not in (MONTHS, YEARS):
        raise LabelError(
            f"The column {shortened(age, 40)} of {source} does not say whether ages are in months "
            "or years; name it age_months or age_years."
        )
    return to_numbers(cells[age]) * (12 if unit == YEARS else 1), cells[age]


def _dates(texts: pd.Series) -> pd.Series:
    dates = pd.to_datetime(texts.str[:10], format="%Y-%m-%d", errors="coerce")
    return dates.fillna(pd.to_datetime(texts, format="%Y%m%d", errors="coerce"))


def _not_understood(texts: pd.Series, missing: pd.Series, what: str, source: str) -> list[str]:
    wrong = texts[missing & (texts != "")]
    if wrong.empty:
        return []
    first = shortened(" ".join(wrong.iloc[0].split()), 40)
    return [
        f"{len(wrong):,} of {len(texts):,} rows of {source} have no usable {what} (row "
        f'{wrong.index[0]}: "{first}"); that of the DICOM header counts, where there is one.'
    ]
