import logging
import os
from pathlib import Path

import pandas as pd
import pytest

from boneage.datasets.rsna import LabelError, cases, find_images, find_split_images, read_labels

RSNA = Path(os.environ.get("BONEAGE_RSNA", Path(__file__).parents[3] / "shared" / "rsna"))


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
        lines.append(f"{i},{12 + i % 200},{i % 2 == 0}")
    return images, write(folder / f"{name}.csv", "\n".join(lines))


@pytest.mark.parametrize(
    "text",
    [
        "id,boneage,male\n007,180,False\n8,12.5,True\n",
        "Image ID,male,Bone Age (months)\n007,FALSE,180\n8,TRUE,12.5\n",
        "Case ID,Sex,Ground truth bone age (months)\n007,F,180\n8,M,12.5\n",
        "\ufeffID , Male,BoneAge\n 007,false, 180\n8,1,12.5\n\n",
    ],
    ids=["training", "validation", "test", "spaces, case and byte order mark"],
)
def test_the_three_official_layouts_read_alike(tmp_path, text):
    labels = read_labels(write(tmp_path / "labels.csv", text))
    expected = pd.DataFrame(
        {"id": ["007", "8"], "age_months": [180.0, 12.5], "sex": ["female", "male"]}
    )
    pd.testing.assert_frame_equal(labels, expected, check_column_type=False)
    assert labels.attrs["skipped"] == []


def test_unusable_rows_are_skipped_and_named_by_their_line(tmp_path, caplog):
    text = "id,boneage,male\n1,120,True\n2,,True\n\n3,90,perhaps\n4,-5,False\n5,1200,False\n6,60\n"
    with caplog.at_level(logging.WARNING):
        labels = read_labels(write(tmp_path / "labels.csv", text))
    assert labels["id"].tolist() == ["1"]
    skipped = labels.attrs["skipped"]
    assert [line.split(" (")[0] for line in skipped] == [
        "line 3",
        "line 5",
        "line 6",
        "line 7",
        "line 8",
    ]
    assert "bone age ''" in skipped[0]
    assert "sex 'perhaps'" in skipped[1]
    assert "5 rows skipped" in caplog.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,age,male\n1,2,True\n", "lacks a column boneage.*it has: id, age, male"),
        ("id,boneage,male\n", "no usable row"),
        ("id,boneage,male\n1,old,True\n", "no usable row: line 2"),
        ("", "is empty"),
        ("id,boneage,male\n1,2,True\n1,3,True\n", "more than one row for id 1"),
    ],
)
def test_unusable_files_are_refused_in_a_sentence(tmp_path, text, words):
    with pytest.raises(LabelError, match=words):
        read_labels(write(tmp_path / "labels.csv", text))


def test_missing_or_binary_label_file(tmp_path):
    with pytest.raises(LabelError, match="no label file"):
        read_labels(tmp_path / "nowhere.csv")
    (tmp_path / "image.csv").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    with pytest.raises(LabelError, match="cannot be read as a CSV"):
        read_labels(tmp_path / "image.csv")


def test_images_are_found_by_id_in_any_format(tmp_path):
    for name in ["1.png", "2.WEBP", "3.dcm", "4.txt", "5.jpg", "5.png", "10.png"]:
        (tmp_path / name).touch()
    found = find_images(tmp_path, ["1", "2", "3", "4", "5", "6"])
    assert {id_: path.name for id_, path in found.items()} == {
        "1": "1.png",
        "2": "2.WEBP",
        "3": "3.dcm",
        "5": "5.png",
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
    assert list(table) == ["id", "split", "sex", "age_months", "path"]
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


@pytest.mark.skipif(not RSNA.is_dir(), reason="RSNA radiographs not found; set BONEAGE_RSNA")
def test_the_whole_challenge():
    table = cases(
        RSNA / "boneage-training-dataset",
        RSNA / "boneage-training-dataset.csv",
        RSNA / "boneage-test-dataset",
        RSNA / "boneage-test-dataset.csv",
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
