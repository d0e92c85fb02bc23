import time

import pandas as pd
import pytest

from boneage.datasets.labeled_images import labeled_images, read_in_order
from boneage.radiographs.reading import UnreadableRadiograph


def read(source):
    if "broken" in str(source):
        raise UnreadableRadiograph("The file is damaged.")
    return f"image of {source}"


def read_case(case):
    return read(case.path)


def test_radiographs_come_with_their_cases_and_what_is_left_out_is_named(caplog):
    cases = pd.DataFrame(
        {
            "id": ["1", "2", "3", "4"],
            "sex": ["male", "female"] * 2,
            "path": ["a", None, "broken", "b"],
        }
    )
    found = [(case.id, case.sex, image) for case, image in labeled_images(cases, read_case)]
    assert found == [("1", "male", "image of a"), ("4", "female", "image of b")]
    assert caplog.messages == [
        "2 of 4 radiographs left out: 2 (no image file); 3 (The file is damaged.)"
    ]


def test_of_many_that_are_left_out_the_first_are_named(caplog):
    cases = pd.DataFrame({"id": [str(number) for number in range(1500)], "path": None})
    assert list(labeled_images(cases, read_case)) == []
    (said,) = caplog.messages
    assert said.startswith("1500 of 1500 radiographs left out: 0 (no image file); 1 (")
    assert said.endswith("; 9 (no image file); and 1,490 more")


def test_nothing_is_said_where_all_can_be_read(caplog, capsys):
    cases = pd.DataFrame({"id": ["1"], "path": ["a"]})
    assert len(list(labeled_images(cases, read_case))) == 1
    assert not caplog.messages
    assert capsys.readouterr().err == ""  # no title, no progress bar


@pytest.mark.parametrize("workers", [1, 3])
def test_files_are_read_in_order_by_any_number_of_threads(workers):
    def slow_at_first(source):
        time.sleep(0.02 if source == "0" else 0)
        return read(source)

    sources = [*map(str, range(30)), "broken", "last"]
    found = list(read_in_order(sources, slow_at_first, workers))
    assert found[:30] == [f"image of {number}" for number in range(30)]
    assert isinstance(found[30], UnreadableRadiograph)
    assert found[31:] == ["image of last"]


@pytest.mark.parametrize("workers", [1, 3])
def test_errors_of_the_program_are_no_unreadable_files(workers):
    with pytest.raises(ZeroDivisionError):
        list(read_in_order([1, 0], lambda source: 1 / source, workers))


def test_threads_read_a_little_ahead_and_stop_with_the_loop():
    n_read = []
    images = read_in_order(range(1000), n_read.append, workers=2)
    next(images)
    images.close()
    assert len(n_read) <= 5
