"""The RSNA 2017 challenge as a table: label files, image files, splits.

To cite as `boneage.datasets.challenge.CITATION`.
"""

import logging
from pathlib import Path
from typing import IO

import pandas as pd

from boneage.datasets.splits import split_train_validation
from boneage.errors import BoneAgeError

logger = logging.getLogger(__name__)

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".dcm")

# The challenge's own validation set holds 1,425 radiographs; a smaller training set gives up the
# same fraction (1,425 of about 12,000).
N_VALIDATION = 1425
VALIDATION_FRACTION = 0.119

# The three label files of the challenge name the same columns differently (here in lower case
# and without spaces).
_COLUMNS = {
    "id": ("id", "imageid", "caseid"),
    "age_months": ("boneage", "boneage(months)", "groundtruthboneage(months)"),
    "sex": ("male", "sex"),
}
_SEXES = {
    "male": {"true": "male", "1": "male", "false": "female", "0": "female"},
    "sex": {"m": "male", "male": "male", "f": "female", "female": "female"},
}
_OLDEST_MONTHS = 300
_SETS = ("training", "validation", "test")
_SETS_OF_SPLIT = {
    "train": ("training",),
    "validation": ("validation", "training"),
    "test": ("test",),
}


class LabelError(BoneAgeError):
    """A label file or image folder cannot be used; `str(error)` is one sentence for people."""


def read_labels(csv: str | Path | IO[bytes], name: str | None = None) -> pd.DataFrame:
    """Read a label file of the challenge (training, official validation or official test).

    csv: its path, or the open file. name: what errors call it, by default the path.
    Column names are matched without regard to case and spaces. Rows whose age or sex is empty or
    invalid are left out, logged, and listed as sentences in `labels.attrs["skipped"]`.

    Returns columns `id` (str), `age_months` (float64, 0 to 300) and `sex` ("female" or "male").
    Raises LabelError when the file is missing, is no CSV, lacks a column, names an id twice, or
    holds no usable row.
    """
    title = name or csv
    raw = _read_csv(csv, title)
    found = {"".join(str(name).split()).lower(): name for name in raw.columns}
    columns = {}
    for column, names in _COLUMNS.items():
        columns[column] = next((name for name in names if name in found), None)
    missing = [" or ".join(_COLUMNS[column]) for column, name in columns.items() if name is None]
    if missing:
        raise LabelError(
            f"{title} lacks a column {', and a column '.join(missing)}; "
            f"it has: {', '.join(map(str, raw.columns))}."
        )

    age_text = raw[found[columns["age_months"]]].str.strip()
    sex_text = raw[found[columns["sex"]]].str.strip()
    labels = pd.DataFrame(
        {
            "id": raw[found[columns["id"]]].str.strip(),
            "age_months": pd.to_numeric(age_text, errors="coerce").astype(float),
            "sex": sex_text.str.lower().map(_SEXES[columns["sex"]]),
        }
    )
    bad_id = labels["id"] == ""
    bad_age = ~labels["age_months"].between(0, _OLDEST_MONTHS)
    bad_sex = labels["sex"].isna()
    usable = ~(bad_id | bad_age | bad_sex)
    skipped = []
    for row in labels.index[~usable]:
        problems = []
        if bad_id[row]:
            problems.append("no id")
        if bad_age[row]:
            problems.append(f"bone age {age_text[row]!r} is not 0 to {_OLDEST_MONTHS} months")
        if bad_sex[row]:
            problems.append(f"sex {sex_text[row]!r} is not understood")
        skipped.append(f"line {row + 2} (id {labels['id'][row]!r}): {', '.join(problems)}")

    labels = labels[usable].reset_index(drop=True).astype({"id": "str", "sex": "str"})
    if labels.empty:
        first = f": {skipped[0]}" if skipped else ""
        raise LabelError(f"{title} has no usable row{first}.")
    twice = labels["id"][labels["id"].duplicated()].unique()
    if len(twice):
        raise LabelError(f"{title} has more than one row for id {', '.join(twice[:5])}.")
    if skipped:
        logger.warning("%s: %d rows skipped; the first: %s", title, len(skipped), skipped[0])
    labels.attrs["skipped"] = skipped
    return labels


def _read_csv(csv, title) -> pd.DataFrame:
    """All cells as text; empty cells as empty strings."""
    try:
        # Blank lines are kept at first, so that row i is line i + 2 of the file.
        raw = pd.read_csv(
            csv,
            dtype=str,
            keep_default_na=False,
            encoding="utf-8-sig",
            skip_blank_lines=False,
            index_col=False,
        ).fillna("")
    except FileNotFoundError:
        raise LabelError(f"There is no label file {title}.") from None
    except (OSError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise LabelError(f"{title} cannot be read as a CSV file: {error}.") from error
    except pd.errors.EmptyDataError:
        raise LabelError(f"{title} is empty.") from None
    return raw[(raw != "").any(axis=1)]


def find_images(folder: str | Path, ids) -> dict[str, Path]:
    """Find the image file `<id>.<png|jpg|jpeg|webp|tif|tiff|dcm>` of each id.

    A folder without images of its own is searched one level deeper, because the published
    archives unpack to a folder within a folder. Ids without an image are absent from the result;
    of several files for one id the first in the order above is taken.

    Raises LabelError when the folder does not exist.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise LabelError(f"There is no image folder {folder}.")
    files = list(folder.iterdir())
    images = _images_by_id(files)
    if not images:
        images = _images_by_id(
            file for inner in sorted(files) if inner.is_dir() for file in inner.iterdir()
        )
    wanted = set(ids)
    return {id_: path for id_, path in images.items() if id_ in wanted}


def find_split_images(root: str | Path, split: str, ids) -> dict[str, Path]:
    """Find the images of cases of one split in a folder laid out like the challenge's download.

    Validation cases may come from the training set, and those of a split unknown here from any.
    Ids without an image are absent from the result.

    Raises LabelError when `root` holds none of the challenge's image folders.
    """
    folders = [Path(root) / f"boneage-{set_}-dataset" for set_ in _SETS_OF_SPLIT.get(split, _SETS)]
    present = [folder for folder in folders if folder.is_dir()]
    if not present:
        raise LabelError(f"{root} holds no folder {' or '.join(f.name for f in folders)}.")
    found = {}
    for folder in reversed(present):
        found |= find_images(folder, ids)
    return found


def _images_by_id(files) -> dict[str, Path]:
    """id -> path, told by the name alone: a stat for each of 12,000 files is slow on a network."""
    rank = {suffix: i for i, suffix in enumerate(IMAGE_SUFFIXES)}
    found = [path for path in files if path.suffix.lower() in rank]
    found.sort(key=lambda path: (rank[path.suffix.lower()], path.name), reverse=True)
    return {path.stem: path for path in found}


def cases(
    images: str | Path,
    labels: str | Path,
    test_images: str | Path | None = None,
    test_labels: str | Path | None = None,
    validation_images: str | Path | None = None,
    validation_labels: str | Path | None = None,
) -> pd.DataFrame:
    """Compose the table of all cases from the challenge's folders and label files.

    `images` and `labels` are the training set. Without a validation set one is carved out of it,
    stratified by sex and year of age (1,425 cases, or 11.9 % of a smaller set).

    Returns columns `id`, `split` ("train", "validation", "test"), `sex`, `age_months` and `path`
    (Path, or None where there is no image). `(split, id)` is unique; `id` alone need not be.
    `attrs["skipped"]` lists the label rows left out.

    Raises LabelError as `read_labels` and `find_images` do, and when only one of a folder and
    its label file is given.
    """
    table = _one_set(images, labels)
    if validation_images is None and validation_labels is None:
        n = min(N_VALIDATION, round(VALIDATION_FRACTION * len(table)))
        table["split"] = split_train_validation(table, n_validation=n)
        parts = [table]
    else:
        validation = _one_set(validation_images, validation_labels)
        parts = [table.assign(split="train"), validation.assign(split="validation")]
    if test_images is not None or test_labels is not None:
        parts.append(_one_set(test_images, test_labels).assign(split="test"))

    whole = pd.concat(parts, ignore_index=True)[["id", "split", "sex", "age_months", "path"]]
    whole.attrs["skipped"] = [line for part in parts for line in part.attrs["skipped"]]
    return whole


def _one_set(images, labels) -> pd.DataFrame:
    if images is None or labels is None:
        given, lacking = ("labels", "image folder") if images is None else ("images", "label file")
        raise LabelError(f"The {given} {labels or images} came without their {lacking}; give both.")
    table = read_labels(labels)
    paths = find_images(images, table["id"])
    if not paths:
        raise LabelError(f"No image in {images} is named after an id of {labels}.")
    table["path"] = pd.Series([paths.get(id_) for id_ in table["id"]], dtype=object)
    return table
