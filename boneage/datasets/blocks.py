"""Where an RSNA radiograph probably comes from, told by its id.

The challenge does not say which hospital or film a radiograph comes from, but along the ids
contrast, whole-year labels and errors change abruptly at two places. The blocks between them are
inferred from these breaks alone; they are not documented sources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boneage.datasets.splits import TRAIN, VALIDATION

if TYPE_CHECKING:
    import pandas as pd

# Name -> first and last id. Training ids start at 1377; 4360 to 4559 are the test set, the mean of
# six readings each, and belong to no block.
BLOCKS: dict[str, tuple[int, int]] = {
    "ids 1377-4359": (1377, 4359),
    "ids 4560-5770": (4560, 5770),
    "ids from 5771": (5771, 15_999),
}


def acquisition_block(cases: pd.DataFrame) -> pd.Series:
    """The inferred block of each case.

    The caller knows that the cases are RSNA's: ids of other data sets mean nothing here.

    Args:
        cases: columns id (str) and split.

    Returns:
        Series of ordered categoricals named "block", indexed like `cases`: a key of BLOCKS, or
        missing, as only training and validation cases have a block.
    """
    import pandas as pd

    number = pd.to_numeric(cases["id"], errors="coerce")
    number = number.where(cases["split"].isin([TRAIN, VALIDATION]))
    names = pd.Series(pd.NA, index=cases.index, dtype="object")
    for name, (first, last) in BLOCKS.items():
        names[number.between(first, last)] = name
    return names.astype(pd.CategoricalDtype(list(BLOCKS), ordered=True)).rename("block")
