from pathlib import Path

import pytest

from boneage.datasets.rsna import LabelError, cases, find_images, find_split_images


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def write_set(folder: Path, name: str, n: int) -> tuple[Path, Path]:
    """A label file of n cases and a folder with a (never opened) image for each."""
    images = folder / name
    images.mkdir()
    lines = ["id,boneage,male"]
    for i in range(n):
        (images / f"{i}.png").touch()
        lines.append(f"{i},{12 + 7 * i % 200},{i % 2 == 0}")
    return images, write(folder / f"{name}.csv", "\n".join(lines))


def test_images_are_found_by_id_in_any_format(tmp_path):
    for name in ["1.png", "2.WEBP", "3.dcm", "4.txt", "5.jpg", "5.png", "6.HEIC", "10.png"]:
        (tmp_path / name).touch()
    found = find_images(tmp_path, ["1", "2", "3", "4", "5", "6", "7"])
    assert {id_: path.name for id_, path in found.items()} == {
        "1": "1.png",
        "2": "2.WEBP",
        "3": "3.dcm",
        "5": "5.png",
        "6": "6.HEIC",
    }


def test_images_in_a_folder_within_the_folder(tmp_path):
    inner = tmp_path / "boneage-training-dataset"
    inner.mkdir()
    (inner / "1.png").touch()
    assert find_images(tmp_path, ["1"]) == {"1": inner / "1.png"}


def test_missing_image_folder(tmp_path):
    with pytest.raises(LabelError, match="no image folder"):
        find_images(tmp_path / "nowhere", ["1"])


def test_cases_carve_validation_out_of_training(tmp_path):
    images, labels = write_set(tmp_path, "train", 100)
    (images / "7.png").unlink()
    test_images, test_labels = write_set(tmp_path, "test", 10)
    table = cases(images, labels, test_images, test_labels)
    assert list(table) == ["id", "split", "sex", "reference_months", "path"]
    assert table["split"].value_counts().to_dict() == {"train": 88, "validation": 12, "test": 10}
    training = table[table["split"] != "test"].set_index("id")
    assert training["path"]["7"] is None
    assert training["path"]["8"] == images / "8.png"
    assert table[table["split"] == "test"]["path"].iloc[8] == test_images / "8.png"


def test_cases_keep_a_validation_set_that_is_given(tmp_path):
    table = cases(
        *write_set(tmp_path, "train", 20),
        validation_images=(given := write_set(tmp_path, "validation", 5))[0],
        validation_labels=given[1],
    )
    assert table["split"].tolist() == ["train"] * 20 + ["validation"] * 5


def test_cases_need_images_and_labels_together(tmp_path):
    images, labels = write_set(tmp_path, "train", 4)
    with pytest.raises(LabelError, match="came without their label file"):
        cases(images, labels, test_images=images)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(LabelError, match="No image in"):
        cases(empty, labels)


def test_rows_left_out_are_told_with_their_label_file(tmp_path):
    images, labels = write_set(tmp_path, "train", 10)
    test_images, test_labels = write_set(tmp_path, "test", 4)
    test_labels.write_text(test_labels.read_text() + "\n4,,True\n")
    table = cases(images, labels, test_images, test_labels)
    assert len(table) == 14
    assert table.attrs["skipped"] == [f'{test_labels}: row 6 (id "4"): no reference bone age']


def test_a_reference_column_is_that_of_all_label_files(tmp_path):
    given = [*write_set(tmp_path, "train", 10), *write_set(tmp_path, "test", 4)]
    for labels in given[1::2]:
        labels.write_text(labels.read_text().replace("boneage", "age"))
    with pytest.raises(LabelError, match="train.csv does not say .* name it with --reference-col"):
        cases(*given)
    table = cases(*given, reference_column="age")
    assert table["reference_months"].between(12, 75).all()


def test_the_whole_challenge(rsna):
    table = cases(
        rsna / "boneage-training-dataset",
        rsna / "boneage-training-dataset.csv",
        rsna / "boneage-test-dataset",
        rsna / "boneage-test-dataset.csv",
    )
    counts = table["split"].value_counts()
    assert counts["validation"] == 1425
    assert counts["test"] == 200
    assert table["path"].notna().all()
    assert not table.duplicated(["split", "id"]).any()


def test_images_of_a_split_are_found_in_the_folders_of_the_download(tmp_path):
    for name, ids in (("training", "12"), ("test", "23")):
        folder = tmp_path / f"boneage-{name}-dataset"
        folder.mkdir()
        for id_ in ids:
            (folder / f"{id_}.png").touch()
    training, test = (tmp_path / f"boneage-{name}-dataset" for name in ("training", "test"))
    ids = ["1", "2", "3", "4"]
    assert find_split_images(tmp_path, "test", ids) == {
        "2": test / "2.png",
        "3": test / "3.png",
    }
    validation = find_split_images(tmp_path, "validation", ids)
    assert validation == {"1": training / "1.png", "2": training / "2.png"}
    own = find_split_images(tmp_path, "own", ids)
    assert own == {"1": training / "1.png", "2": training / "2.png", "3": test / "3.png"}
    with pytest.raises(LabelError, match="holds no folder boneage-test-dataset"):
        find_split_images(training, "test", ids)
