"""Labels of radiographs, and user predictions, from CSV files of any dialect.

A row that has no usable id, sex, age or prediction is left out, counted and named with its reason,
because tables from a clinic have gaps; whoever reads a table shows what was left out. A table
that could be misread as a whole (a column or code of more than one meaning, ages that seem to be
years, an id twice, cells that do not fit the columns) is refused. Ages in a column whose name ends
with years become months. Ages that may be in years or in months of infants are taken as months.
Both is said.
"""

import logging
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from boneage.datasets.columns import (
    CHRONOLOGICAL,
    ID,
    PREDICTION,
    REFERENCE,
    SEX,
    TITLES,
    YEARS,
    find_chronological_age,
    find_columns,
    fold,
    sex_named,
    unit_named,
)
from boneage.datasets.delimited import LabelError, read_cells, shortened, to_numbers
from boneage.datasets.parquet import MAGIC, read_parquet_cells
from boneage.radiographs.raster import IMAGE_SUFFIXES

logger = logging.getLogger(__name__)

CHRONOLOGICAL_AGE = "chronological_age_months"
_SUFFIX = re.compile(
    rf"(?i)^(?:.*[/\\])?([^/\\]+)\.(?:{'|'.join(suffix[1:] for suffix in IMAGE_SUFFIXES)})$"
)

_TABLE_COLUMNS = {
    ID: "id",
    REFERENCE: "reference_months",
    SEX: "sex",
    PREDICTION: "prediction_months",
}
OLDEST_MONTHS = 300
# In so many rows without an age above 25 the unit has to be found out: in months that is a study
# of infants, in years it is every study.
_MAX_YEARS, _ENOUGH_ROWS = 25, 5
# Reference standards end at 19 years. Months are mostly whole numbers, years mostly are not.
_MAX_BONE_AGE_YEARS, _SHARE_OF_FRACTIONS = 20, 0.5

_FEMALE = (
    *("female", "f", "girl", "woman", "weiblich", "w", "madchen", "maedchen", "frau"),
    *("feminin", "fille", "femme"),
)
_MALE = (
    *("male", "m", "boy", "man", "mannlich", "maennlich", "junge", "knabe", "mann"),
    *("masculin", "garcon", "homme", "h"),
)
_SEXES = dict.fromkeys(_FEMALE, "female") | dict.fromkeys(_MALE, "male")
_TRUE = ("true", "1", "1.0", "wahr", "vrai")
_FALSE = ("false", "0", "0.0", "falsch", "faux")
# English and French, German, French. A letter is understood where its partner is one of these: in
# a column of H and M the M is a Spanish girl's, in one of F and T the F says False.
_LETTERS = ({"f", "m"}, {"w", "m"}, {"f", "h"})
_NEITHER = {"d", "o", "u", "x"}  # diverse, other, unknown


def read_labels(
    csv: str | Path | bytes, name: str | None = None, reference_column: str | None = None
) -> pd.DataFrame:
    r"""Read the reference bone age and sex of radiographs from a CSV file.

    Args:
        csv: its path, or its content. Rows left out of a file on disk are logged; nothing of an
            upload is.
        name: what errors call the file; by default its path.
        reference_column: name of the column of the reference bone age, where it is not clear.

    Returns:
        Columns `id` (str, of an image file without folder and suffix), `reference_months` (float64,
        0 to 300) and `sex` ("female" or "male"). `attrs["columns"]` is role -> column it was read
        from, `attrs["unused"]` the other columns, `attrs["skipped"]` one sentence for every row
        left out, `attrs["notes"]` sentences on what was assumed.

    Raises:
        UnknownColumn: The names do not say which column holds the reference bone age.
        LabelError: The file cannot be used.

    Example:
        >>> labels = read_labels(b"id,boneage,male\n1377,180,False\n1378,?,True")
        >>> labels.to_numpy().tolist()
        [['1377', 180.0, 'female']]
        >>> labels.attrs["skipped"]
        ['row 3 (id "1378"): reference bone age "?" is not a number of months from 0 to 300']
    """
    return _read(csv, name, (ID, REFERENCE, SEX), {REFERENCE: reference_column})


def read_case_labels(
    csv: str | Path | bytes, name: str | None = None, reference_column: str | None = None
) -> pd.DataFrame:
    r"""Read labels as `read_labels` does, and the chronological age where a column holds it.

    Args:
        csv: its path, or its content.
        name: what errors call the file; by default its path.
        reference_column: name of the column of the reference bone age, where it is not clear.

    Returns:
        The columns of `read_labels`, and `chronological_age_months` (float64, missing where it is
        not stated); `attrs` as of `read_labels`.

    Raises:
        UnknownColumn: The names do not say which column holds the reference bone age.
        LabelError: The file cannot be used.

    Example:
        >>> labels = read_case_labels(b"id,boneage,sex,chronological age years\n7,120,F,10.5")
        >>> labels["chronological_age_months"].tolist()
        [126.0]
    """
    return _read(csv, name, (ID, REFERENCE, SEX), {REFERENCE: reference_column}, True)


def image_id(name: str) -> str:
    """The id by which labels name an image file: its name without folder and suffix.

    Args:
        name: of the file, or its id.

    Returns:
        The id, as in the tables of `read_labels`.
    """
    return _SUFFIX.sub(r"\1", name)


def read_user_predictions(
    csv: str | Path | bytes,
    name: str | None = None,
    reference_column: str | None = None,
    prediction_column: str | None = None,
) -> pd.DataFrame:
    r"""Read a table of predictions from a CSV file: labels as in `read_labels` and predictions.

    Args:
        csv: its path, or its content.
        name: what errors call the file; by default its path.
        reference_column: name of the column of the reference bone age, where it is not clear.
        prediction_column: name of the column of the predicted bone age, where it is not clear.

    Returns:
        Columns `id`, `split` ("own"), `sex`, `reference_months`, `prediction_months` (float64,
        finite) and `crop_method` ("unknown"); `attrs` as of `read_labels`.

    Raises:
        UnknownColumn: The names do not say which column holds the reference or the prediction.
        LabelError: The file cannot be used.

    Example:
        >>> cases = read_user_predictions(b"id,boneage,sex,prediction\n7,120,F,126.5")
        >>> cases["prediction_months"].tolist()
        [126.5]
    """
    chosen = {REFERENCE: reference_column, PREDICTION: prediction_column}
    return _as_predictions(_read(csv, name, (ID, REFERENCE, SEX, PREDICTION), chosen))


def read_predictions_by_id(
    csv: str | Path | bytes,
    name: str | None = None,
    reference_column: str | None = None,
    prediction_column: str | None = None,
) -> pd.DataFrame:
    r"""Read predictions that are compared with others by id: reference and sex may be missing.

    Args:
        csv: its path, or its content.
        name: what errors call the file; by default its path.
        reference_column: name of the column of the reference bone age, where it is not clear.
        prediction_column: name of the column of the predicted bone age, where it is not clear.

    Returns:
        The columns of `read_user_predictions`, `reference_months` and `sex` missing where the file
        does not state them; `attrs` as of `read_labels`, and `attrs["repeated"]`, the ids that
        stand in several rows: none of these rows is used, for none is the right one.

    Raises:
        UnknownColumn: The names do not say which column holds the reference or the prediction.
        LabelError: The file cannot be used.

    Example:
        >>> cases = read_predictions_by_id(b"image_ID,y_hat\n4360.png,151\n7.png,9\n7.png,8")
        >>> cases["id"].tolist(), cases.attrs["repeated"]
        (['4360'], ['7'])
    """
    chosen = {REFERENCE: reference_column, PREDICTION: prediction_column}
    roles = (ID, PREDICTION, REFERENCE, SEX)
    return _as_predictions(_read(csv, name, roles, chosen, optional=(REFERENCE, SEX)))


def columns_in_words(table: pd.DataFrame, name: str) -> str:
    """Which columns of a file a table was read from, as Markdown."""
    columns = table.attrs["columns"].items()
    used = ", ".join(f"{TITLES[role]} from {_code(column)}" for role, column in columns)
    unused = ", ".join(_code(column) for column in table.attrs["unused"][:20])
    said = f"Read from {_code(name)}: {used}." + (f" Not used: {unused}." if unused else "")
    return " ".join([said, *table.attrs["notes"]])


def skipped_in_words(table: pd.DataFrame, most: int = 3) -> str | None:
    """How many rows were left out of a table, with the first reasons; None for none."""
    skipped = table.attrs["skipped"]
    if not skipped:
        return None
    n = len(skipped)
    more = f"; and {n - most:,} more" if n > most else ""
    return f"{n:,} of {len(table) + n:,} rows left out: {'; '.join(skipped[:most])}{more}."


def _code(text: str) -> str:
    """As code in Markdown, on one line."""
    return f"`{' '.join(shortened(text, 60).replace('`', ' ').split())}`"


def _as_predictions(cases: pd.DataFrame) -> pd.DataFrame:
    """The columns that error analyses need, of a table of `_read`."""
    columns = ["id", "split", "sex", "reference_months", "prediction_months", "crop_method"]
    return cases.assign(split="own", crop_method="unknown")[columns]


def _read(
    csv: bytes | str | Path,
    name: str | None,
    roles: Sequence[str],
    chosen: Mapping[str, str | None],
    with_chronological_age: bool = False,
    optional: Sequence[str] = (),
) -> pd.DataFrame:
    """Roles that are optional may be missing, in the whole table or in a row."""
    title = name or ("the CSV file" if isinstance(csv, bytes) else str(csv))
    content = csv if isinstance(csv, bytes) else _content(csv)
    cells = (read_parquet_cells if content.startswith(MAGIC) else read_cells)(content, title)
    named = {role: column for role, column in chosen.items() if column}
    columns = find_columns(cells, roles, named, title, optional)
    texts = cells[list(columns.values())].set_axis(list(columns), axis=1)
    table = pd.DataFrame({"id": _ids(_as_text(texts[ID]))})
    notes: list[str] = []
    for role, column in ((REFERENCE, "reference_months"), (PREDICTION, "prediction_months")):
        if role in roles:
            table[column] = _months(texts, columns, role, notes)
    table["reference_months"] = table["reference_months"].where(
        table["reference_months"].between(0, OLDEST_MONTHS)
    )
    table["sex"] = _sexes_or_none(texts, columns, title, notes, SEX in optional)

    needed = [column for role, column in _TABLE_COLUMNS.items() if role in set(roles) - {*optional}]
    usable = table[needed].notna().all(axis=1)
    if with_chronological_age:
        table[CHRONOLOGICAL_AGE], age_notes = _chronological_ages(cells, columns)
        notes += age_notes
    stated = texts.drop(columns=[*optional], errors="ignore")[~usable]
    skipped = _reasons(stated.apply(_as_text), table[~usable])
    if not usable.any():
        raise LabelError(f"{title} has no usable row: {skipped[0]}.")
    table = table[usable].astype({"id": "str"})
    if SEX not in optional:
        table = table.astype({"sex": "str"})
    repeated = table["id"].duplicated(keep=False)
    if optional:
        repeated_ids = table["id"][repeated].unique().tolist()
        if repeated.all():
            raise LabelError(f"{title} has every id more than once; give every image one row.")
        table = table[~repeated]
    else:
        repeated_ids = []
        _check_ids(table["id"], title)
    notes = _check_months(table, columns, title) + notes
    if skipped and not isinstance(csv, bytes):
        logger.warning("%s: %d rows skipped; the first: %s", title, len(skipped), skipped[0])
    if notes and not isinstance(csv, bytes):
        logger.warning("%s: %s", title, " ".join(notes))
    table = table.reset_index(drop=True)
    unused = [column for column in cells.columns if column and column not in columns.values()]
    table.attrs |= {"columns": columns, "unused": unused, "skipped": skipped, "notes": notes}
    table.attrs["repeated"] = repeated_ids
    return table


def _months(
    texts: pd.DataFrame, columns: Mapping[str, str], role: str, notes: list[str]
) -> pd.Series | float:
    """The ages of a role in months, missing without a column; what was converted joins `notes`."""
    if role not in columns:
        return math.nan
    ages = to_numbers(texts[role])
    if unit_named(columns[role]) == YEARS:
        column = _code(columns[role])
        notes.append(f"The ages in the column {column} are years and were multiplied by 12.")
        return 12 * ages
    return ages


def _sexes_or_none(
    texts: pd.DataFrame, columns: dict[str, str], title: str, notes: list[str], is_optional: bool
) -> pd.Series | None:
    """The sexes; None of an optional column that is missing or not understood, which is noted."""
    if SEX not in columns:
        return None
    try:
        return read_sexes(_as_text(texts[SEX]), columns[SEX], title)
    except LabelError as error:
        if not is_optional:
            raise
        notes.append(f"The sex is not used: {error}")
        del columns[SEX]
        return None


def _chronological_ages(
    cells: pd.DataFrame, columns: dict[str, str]
) -> tuple[pd.Series | float, list[str]]:
    """The chronological ages in months, missing where not stated; their column joins `columns`."""
    column = find_chronological_age(cells)
    if column is None:
        return math.nan, []
    ages, unit = to_numbers(cells[column]), unit_named(column)
    if unit is None and not ages.max() > _MAX_YEARS:
        return math.nan, [
            f"The column {_code(column)} does not say whether its ages are years or months, and is "
            "not used; name it chronological_age_years or chronological_age_months."
        ]
    columns[CHRONOLOGICAL] = column
    ages = 12 * ages if unit == YEARS else ages
    return ages.where(ages.between(0, OLDEST_MONTHS)), []


def _content(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise LabelError(f"There is no label file {path}.") from None
    except OSError as error:
        raise LabelError(f"{path} cannot be read: {error.strerror}.") from error


def _as_text(cells: pd.Series) -> pd.Series:
    """Cells as str; numbers of a Parquet file without a fraction are written without one."""
    if not pd.api.types.is_numeric_dtype(cells):
        return cells
    if pd.api.types.is_float_dtype(cells) and (cells.dropna() % 1 == 0).all():
        cells = cells.astype("Int64")
    return cells.astype("str").where(cells.notna(), "")


def _ids(texts: pd.Series) -> pd.Series:
    """Ids, of image files without folder and suffix as `find_images` looks for them."""
    ids, files = texts.copy(), texts.str.contains(".", regex=False).to_numpy()
    ids.loc[files] = texts[files].str.replace(_SUFFIX, r"\1", regex=True).to_numpy()
    return ids.where(ids != "")


def read_sexes(texts: pd.Series, column: str, title: str) -> pd.Series:
    """The sexes that the cells of a column state.

    Args:
        texts: the cells, str.
        column: name of the column.
        title: what errors call the file.

    Returns:
        "female" or "male"; missing where a text is not understood.

    Raises:
        LabelError: a code in the column may mean either sex.
    """
    words = {text: fold(text) for text in texts.unique()}
    meanings = dict(_SEXES)
    if named := sex_named(column):
        other = {"female": "male", "male": "female"}[named]
        meanings |= dict.fromkeys(_TRUE, named) | dict.fromkeys(_FALSE, other)
    elif flags := [text for text, word in words.items() if word in (*_TRUE, *_FALSE, "2", "2.0")]:
        raise LabelError(
            f"{title} has {' and '.join(sorted(flags)[:3])} in the column "
            f"{shortened(column, 40)}, which does not say who is female; write female and male, "
            "or name the column male (1 for boys) or female (1 for girls)."
        )
    letters = {word for word in words.values() if len(word) == 1 and word.isalpha()} - _NEITHER
    if letters & set(_SEXES) and not any(letters <= pair or letters >= pair for pair in _LETTERS):
        several = " and ".join(letter.upper() for letter in sorted(letters)[:3])
        raise LabelError(
            f"{title} has the letters {several} in the column "
            f"{shortened(column, 40)}, which have more than one meaning; write female and male."
        )
    return texts.map({text: meanings.get(word) for text, word in words.items()})


def _reasons(texts: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    """Why each row is left out, without a full stop at the end."""
    rules = {
        ID: "",
        REFERENCE: f"is not a number of months from 0 to {OLDEST_MONTHS}",
        SEX: "is not understood",
        PREDICTION: "is not a number of months",
    }
    each = [f"row {row} (id {_quoted(text)}): " for row, text in texts[ID].items()]
    problems: list[list[str]] = [[] for _ in each]
    for role in texts.columns:
        column, rule = _TABLE_COLUMNS[role], rules[role]
        for place, (text, bad) in enumerate(zip(texts[role], table[column].isna(), strict=True)):
            if bad:
                said = f"{TITLES[role]} {_quoted(text)} {rule}" if text else f"no {TITLES[role]}"
                problems[place].append(said)
    return [start + ", ".join(parts) for start, parts in zip(each, problems, strict=True)]


def _quoted(text: str) -> str:
    return f'"{shortened(" ".join(text.split()), 40)}"'


def _check_ids(ids: pd.Series, title: str) -> None:
    again = ids.duplicated()
    if again.any():
        row = again.idxmax()
        first = (ids == ids[row]).idxmax()
        more = f", and {again.sum() - 1:,} more are repeated" if again.sum() > 1 else ""
        raise LabelError(
            f"Rows {first} and {row} of {title} have the same id {_quoted(ids[row])}{more}; give "
            "every image its own."
        )


def _check_months(table: pd.DataFrame, columns: dict[str, str], title: str) -> list[str]:
    """Refuse ages that seem to be years; a sentence on each column that may hold them."""
    ages = {
        shortened(columns[role], 40): (unit_named(columns[role]), table[name].dropna())
        for role, name in ((REFERENCE, "reference_months"), (PREDICTION, "prediction_months"))
        if role in columns
    }
    # Where the two differ twelvefold, the smaller is in years.
    typical = min(values.median() for _, values in ages.values())
    differ = 6 * typical < max(values.median() for _, values in ages.values()) < 24 * typical
    years: list[str] = []
    unclear: list[str] = []
    for column, (unit, values) in ages.items():
        if unit is None and len(table) >= _ENOUGH_ROWS and values.max() <= _MAX_YEARS:
            fractions = values.max() <= _MAX_BONE_AGE_YEARS and (values % 1 != 0).mean()
            (years if differ or fractions >= _SHARE_OF_FRACTIONS else unclear).append(column)
    if years:
        raise LabelError(
            f"The ages of {title} in the column {' and the column '.join(years)} seem to be years; "
            "multiply them by 12 or let the name of the column end with years (ages of infants in "
            "months are accepted in a column whose name ends with months)."
        )
    return [
        f"The ages in the column {column} are taken as months, although none is above "
        f"{_MAX_YEARS}; if they are years, multiply them by 12."
        for column in unclear
    ]
