"""Whether an error is within a limit of months."""

import numpy as np
from numpy.typing import ArrayLike

WITHIN_MONTHS = (6, 12, 24)  # limits of the figures within_6, within_12 and within_24
LARGE_ERROR = 12  # months; bone age is reported to about a year

# Months. Ages are stored with two decimals, but the binary difference of two of them is off by
# about 1e-13: without a tolerance, chance decides whether an error of exactly 12 months is above.
TOLERANCE = 1e-6


def within(absolute_error: ArrayLike, months: float = LARGE_ERROR) -> np.ndarray:
    """Which errors are within a limit.

    Args:
        absolute_error: (n,), months.
        months: the limit, itself within.

    Returns:
        (n,) bool.

    Example:
        >>> within([3, 12, 13.5])
        array([ True,  True, False])
    """
    return np.asarray(absolute_error) <= months + TOLERANCE


def is_large(absolute_error: ArrayLike) -> np.ndarray:
    """Which errors are above `LARGE_ERROR`, 12 months.

    Args:
        absolute_error: (n,), months.

    Returns:
        (n,) bool.

    Example:
        >>> is_large([3, 12, 13.5])
        array([False, False,  True])
    """
    return ~within(absolute_error)
