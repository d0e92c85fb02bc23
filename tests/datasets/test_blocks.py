"""Blocks of RSNA ids."""

import pandas as pd

from boneage.datasets.blocks import BLOCKS, acquisition_block


def test_a_case_has_the_block_of_its_id():
    ids = ["1377", "4359", "4360", "4559", "4560", "5770", "5771", "15610", "film 7", ""]
    cases = pd.DataFrame({"id": ids, "split": "train"}, index=range(10, 20))
    blocks = acquisition_block(cases)
    first, second, third = BLOCKS
    expected = [first, first, None, None, second, second, third, third, None, None]
    assert [None if pd.isna(block) else block for block in blocks] == expected
    assert list(blocks.index) == list(cases.index)


def test_only_training_and_validation_cases_have_a_block():
    cases = pd.DataFrame({"id": ["1400"] * 4, "split": ["train", "validation", "test", "own"]})
    assert list(acquisition_block(cases).isna()) == [False, False, True, True]
