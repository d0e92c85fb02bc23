"""The RSNA 2017 challenge as a table: image files, splits.

To cite as `boneage.datasets.challenge.CITATION`.
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from boneage.datasets.labels import LabelError, read_labels
from boneage.datasets.splits import split_train_validation
from boneage.radiographs.raster import IMAGE_SUFFIXES

# The challenge's own validation set holds 1,425 radiographs; a smaller training set gives up the
# same fraction (1,425 of about 12,000).
N_VALIDATION = 1425
VALIDATION_FRACTION = 0.119

_SETS = ("training", "validation", "test")
_SETS_OF_SPLIT = {
    "train": ("training",),
    "validation": ("validation", "training"),
    "test": ("test",),
}


def find_images(folder: str | Path, ids: Iterable[str]) -> dict[str, Path]:
    """Find the image file of each id: the id and one of `raster.IMAGE_SUFFIXES`.

    A folder without images of its own is searched one level deeper, because the published archives
    unpack to a folder within a folder.

    Args:
        folder: of the images.
        ids: to look for.

    Returns:
        Id -> path. Ids without an image are absent; of several files for one id the first in the
        order above is taken.

    Raises:
        LabelError: the folder does not exist.
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


def find_split_images(root: str | Path, split: str, ids: Iterable[str]) -> dict[str, Path]:
    """Find the images of cases of one split in a folder laid out like the challenge's download.

    Args:
        root: the folder.
        split: "train", "validation" or "test". Validation cases may come from the training set, and
            those of a split unknown here from any.
        ids: to look for.

    Returns:
        Id -> path; ids without an image are absent.

    Raises:
        LabelError: `root` holds none of the challenge's image folders.
    """
    folders = [Path(root) / f"boneage-{set_}-dataset" for set_ in _SETS_OF_SPLIT.get(split, _SETS)]
    present = [folder for folder in folders if folder.is_dir()]
    if not present:
        raise LabelError(f"{root} holds no folder {' or '.join(f.name for f in folders)}.")
    found: dict[str, Path] = {}
    for folder in reversed(present):
        found |= find_images(folder, ids)
    return found


def _images_by_id(files: Iterable[Path]) -> dict[str, Path]:
    """id -> path, told by the name alone: a stat for each of 12,000 files is slow on a network."""
    rank = {suffix: i for i, suffix in enumerate(IMAGE_SUFFIXES)}
    found = [path for path in files if path.suffix.lower() in rank]
    found.sort(key=lambda path: (rank[path.suffix.lower()], path.name), reverse=True)
    return {path.stem: path for path in found}


def labeled_cases(
    images: str | Path, labels: str | Path, reference_column: str | None = None
) -> pd.DataFrame:
    """The cases of a label file with their image files.

    Args:
        images: folder of the images, see `find_images`.
        labels: the label file, see `read_labels`.
        reference_column: column of the reference bone age, where its name does not say.

    Returns:
        What `read_labels` returns, and path (Path, or None where there is no image).

    Raises:
        LabelError: a file cannot be used, or no image is named after an id.
    """
    table = read_labels(labels, reference_column=reference_column)
    paths = find_images(images, table["id"])
    if not paths:
        raise LabelError(f"No image in {images} is named after an id of {labels}.")
    table["path"] = pd.Series([paths.get(id_) for id_ in table["id"]], dtype=object)
    return table


def cases(
    images: str | Path,
    labels: str | Path,
    test_images: str | Path | None = None,
    test_labels: str | Path | None = None,
    validation_images: str | Path | None = None,
    validation_labels: str | Path | None = None,
    reference_column: str | None = None,
) -> pd.DataFrame:
    """Compose the table of all cases from the challenge's folders and label files.

    Args:
        images: folder of the training set.
        labels: label file of the training set.
        test_images: folder of the test set, if there is one.
        test_labels: its label file.
        validation_images: folder of the validation set. Without one it is carved out of the
            training set, stratified by sex and year of age (1,425 cases, or 11.9% of a smaller
            set).
        validation_labels: its label file.
        reference_column: column of the reference bone age in all label files, where their own names
            do not say.

    Returns:
        Columns `id`, `split` ("train", "validation", "test"), `sex`, `reference_months` and `path`
        (Path, or None where there is no image). `(split, id)` is unique; `id` alone need not be.
        `attrs["skipped"]` lists the label rows left out.

    Raises:
        LabelError: as `read_labels` and `find_images` do, and when only one of a folder and its
            label file is given.
    """
    table = _one_set(images, labels, reference_column)
    if validation_images is None and validation_labels is None:
        n = min(N_VALIDATION, round(VALIDATION_FRACTION * len(table)))
        table["split"] = split_train_validation(table, n_validation=n)
        parts = [table]
    else:
        validation = _one_set(validation_images, validation_labels, reference_column)
        parts = [table.assign(split="train"), validation.assign(split="validation")]
    if test_images is not None or test_labels is not None:
        test = _one_set(test_images, test_labels, reference_column)
        parts.append(test.assign(split="test"))

    whole = pd.concat(parts, ignore_index=True)[["id", "split", "sex", "reference_months", "path"]]
    whole.attrs["skipped"] = [line for part in parts for line in part.attrs["skipped"]]
    return whole


def _one_set(
    images: str | Path | None, labels: str | Path | None, reference_column: str | None
) -> pd.DataFrame:
    if images is None or labels is None:
        given, lacking = ("labels", "image folder") if images is None else ("images", "label file")
        raise LabelError(f"The {given} {labels or images} came without their {lacking}; give both.")
    table = labeled_cases(images, labels, reference_column)
    table.attrs["skipped"] = [f"{labels}: {line}" for line in table.attrs["skipped"]]
    return table
