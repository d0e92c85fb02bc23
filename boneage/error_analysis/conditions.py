"""A subgroup as conditions that all hold: as text for an address, in words, and as a filter."""

import base64
import binascii
import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from boneage.datasets.blocks import BLOCKS
from boneage.errors import BoneAgeError
from boneage.evaluation.metrics import AGE_BANDS, age_band
from boneage.evaluation.residuals import PREDICTED_AGE, REFERENCE_AGE
from boneage.formatting import CHILDREN, age_in_short, counted
from boneage.radiographs.hand import CROP_METHODS, FULL_FRAME
from boneage.radiographs.text import hand_found_short

# Browsers and servers accept at least this many characters.
MAX_TEXT = 6000
_MAX_CASES = 5_000_000  # a short text can unpack into a long one

_AGES = {"reference": REFERENCE_AGE, "predicted": PREDICTED_AGE}
_BANDS = {f"{age}_band": column for age, column in _AGES.items()}
# Factors whose values are words, in the order in which they are named.
_WORDS = {
    "sex": tuple(CHILDREN),
    **dict.fromkeys(_BANDS, tuple(AGE_BANDS)),
    "crop_method": (*CROP_METHODS, "unknown"),
    "block": tuple(BLOCKS),
}
_SELECTED = "selected"
_TITLES = {"sex": "sex", "crop_method": "hand detection method", "contrast": "contrast"}
_TITLES["block"] = "inferred acquisition block"


class SubgroupError(BoneAgeError):
    """A subgroup that a link does not tell, or that these radiographs do not have."""


@dataclass(frozen=True)
class Condition:
    """What radiographs of a subgroup share in one factor.

    Attributes:
        factor: "sex", "reference_band", "predicted_band", "crop_method", "block" (one of `values`);
            "reference", "predicted" (ages in whole months, low <= age < high), "contrast"
            (low < contrast <= high); or "selected" (`values` holds one text of `select`).
        values: words.
        low: limit; -inf without one.
        high: limit; inf without one.
    """

    factor: str
    values: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf


Subgroup = tuple[Condition, ...]  # no condition: all radiographs


def one_of(factor: str, *values: str) -> Subgroup:
    """The radiographs with one of these values of a factor."""
    return (Condition(factor, values),)


def band_factor(by: str) -> str:
    """The factor of the bands of the age `by`, a column of `evaluation.residuals`."""
    return next(factor for factor, column in _BANDS.items() if column == by)


def age_factor(by: str) -> str:
    """The factor of the age `by`, a column of `evaluation.residuals`."""
    return next(factor for factor, column in _AGES.items() if column == by)


def band_and_sex(band: str, sex: str, by: str) -> Subgroup:
    """One sex in one band of the age `by`, a column of `evaluation.residuals`."""
    return one_of("sex", sex) + one_of(band_factor(by), band)


def select(ids: pd.Series, chosen: pd.Series) -> Subgroup:
    """Some radiographs of a table, without telling their ids.

    Args:
        ids: (n,) str, of all radiographs that could be chosen, each once.
        chosen: (k,) str, ids among them.

    Raises:
        SubgroupError: their text would be longer than MAX_TEXT.
    """
    ordered = np.sort(ids.to_numpy(dtype=str))
    bits = np.packbits(np.isin(ordered, chosen.to_numpy(dtype=str)))
    packed = base64.urlsafe_b64encode(zlib.compress(bits.tobytes(), 9)).decode().rstrip("=")
    text = f"{len(ordered)}.{_checksum(ordered)}.{packed}"
    if len(text) > MAX_TEXT:
        raise SubgroupError(
            f"{counted(len(chosen), 'radiograph')} are too many to be kept in the address: select "
            "fewer, or use the filters at the top of the page."
        )
    return one_of(_SELECTED, text)


def as_text(subgroup: Subgroup) -> str:
    """A subgroup as text that `parse` reads: "sex:female~reference:60..96"."""
    return "~".join(f"{one.factor}:{_values_as_text(one)}" for one in subgroup)


def parse(text: str) -> Subgroup:
    """Read the text of a subgroup; the empty text is that of all radiographs.

    Raises:
        SubgroupError: it is not one.

    Example:
        >>> subgroup = parse("sex:female~reference:60..96")
        >>> in_words(subgroup, "reference_months"), as_text(subgroup)
        ('girls, 5 y to 8 y', 'sex:female~reference:60..96')
    """
    try:
        if len(text) > 2 * MAX_TEXT:
            raise ValueError
        # Each condition once, in the order given.
        return tuple(dict.fromkeys(_condition(part) for part in text.split("~") if part))
    except ValueError:
        raise SubgroupError(
            "The subgroup in the address is not understood, so all radiographs are shown; choose "
            "the subgroup again."
        ) from None


def filter_cases(cases: pd.DataFrame, subgroup: Subgroup) -> np.ndarray:
    """Which cases lie in a subgroup.

    Args:
        cases: predictions table, of all radiographs among which `select` chose.
        subgroup: conditions, all of which must hold.

    Returns:
        bool (n,).

    Raises:
        SubgroupError: the table lacks what a condition is on, or `select` chose in another one.
    """
    inside = np.ones(len(cases), dtype=bool)
    for condition in subgroup:
        inside &= _holds(condition, cases)
    return inside


def in_words(subgroup: Subgroup, by: str) -> str:
    """A subgroup as people read it: "girls, 0-5 years"; "" of all radiographs.

    Args:
        subgroup: the conditions.
        by: column of the age that needs not be named.
    """
    return ", ".join(_in_words(condition, by) for condition in subgroup)


def hand_in_words(methods: Sequence[str]) -> str:
    """How the hand was found: "hand found by bright region or not found"."""
    return "hand " + " or ".join(
        hand_found_short(method)
        if method not in CROP_METHODS or method == FULL_FRAME
        else f"found by {hand_found_short(method)}"
        for method in methods
    )


def block_in_words(blocks: Sequence[str]) -> str:
    """Acquisition blocks of `datasets.blocks`: "inferred block ids 1377-4359"."""
    return "inferred block " + " or ".join(blocks)


def _values_as_text(condition: Condition) -> str:
    if condition.values:
        return "|".join(condition.values)
    ends = (condition.low, condition.high)
    return "..".join("" if math.isinf(end) else f"{end!r}".removesuffix(".0") for end in ends)


def _condition(text: str) -> Condition:
    """Raises ValueError."""
    factor, _, stated = text.partition(":")
    if factor in _WORDS:
        values = tuple(dict.fromkeys(stated.split("|")))
        if not set(values) <= set(_WORDS[factor]):
            raise ValueError
        return Condition(factor, values)
    if factor == _SELECTED:
        _unpacked(stated)
        return Condition(factor, (stated,))
    if factor not in (*_AGES, "contrast"):
        raise ValueError
    low, high = stated.split("..")
    limits = float(low or -math.inf), float(high or math.inf)
    if not limits[0] < limits[1]:
        raise ValueError
    return Condition(factor, (), *limits)


def _unpacked(text: str) -> tuple[int, int, np.ndarray]:
    """Of the text of `select`: number of ids, checksum, and bool (n,). Raises ValueError."""
    n_text, checksum, packed = text.split(".")
    n = int(n_text)
    if not 0 < n <= _MAX_CASES:
        raise ValueError
    try:
        content = base64.b64decode(packed + "=" * (-len(packed) % 4), b"-_", validate=True)
        bits = zlib.decompressobj().decompress(content, n // 8 + 2)
    except (binascii.Error, zlib.error) as error:
        raise ValueError from error
    if len(bits) != -(-n // 8):
        raise ValueError
    return n, int(checksum), np.unpackbits(np.frombuffer(bits, np.uint8), count=n).astype(bool)


def _checksum(ordered: np.ndarray) -> int:
    return zlib.crc32("\n".join(ordered.tolist()).encode())


def _holds(condition: Condition, cases: pd.DataFrame) -> np.ndarray:
    factor, low, high = condition.factor, condition.low, condition.high
    if factor == _SELECTED:
        return _is_selected(condition, cases["id"])
    if factor in _AGES:
        age = np.floor(cases[_AGES[factor]])
        return ((age >= low) & (age < high)).to_numpy()
    if factor in _BANDS:
        return age_band(cases[_BANDS[factor]].clip(lower=0)).isin(condition.values).to_numpy()
    if factor not in cases:
        raise SubgroupError(
            f"These predictions do not state the {_TITLES[factor]}, which the subgroup depends on; "
            "clear the subgroup."
        )
    if factor == "contrast":
        return ((cases[factor] > low) & (cases[factor] <= high)).to_numpy()
    return cases[factor].isin(condition.values).to_numpy()


def _is_selected(condition: Condition, ids: pd.Series) -> np.ndarray:
    n, checksum, chosen = _unpacked(condition.values[0])
    order = np.argsort(ids.to_numpy(dtype=str), kind="stable")
    if n != len(ids) or checksum != _checksum(ids.to_numpy(dtype=str)[order]):
        raise SubgroupError(
            "The radiographs selected are not among these: choose the set of radiographs that they "
            "were selected in, or clear the subgroup."
        )
    inside = np.empty(n, dtype=bool)
    inside[order] = chosen
    return inside


def _in_words(condition: Condition, by: str) -> str:
    factor, values = condition.factor, condition.values
    if factor == _SELECTED:
        return counted(int(_unpacked(values[0])[2].sum()), "selected radiograph")
    if factor in _IN_WORDS:
        return _IN_WORDS[factor](values)
    if factor == "contrast":
        return "contrast " + _range_in_words(condition, "{:.3g}".format)
    named = ""
    if (_AGES | _BANDS)[factor] != by:
        named = f"{factor.removesuffix('_band')} age "
    if factor in _BANDS:
        return named + " or ".join(values)
    return named + _range_in_words(condition, age_in_short)


_IN_WORDS: dict[str, Callable[[Sequence[str]], str]] = {
    "sex": lambda sexes: " or ".join(CHILDREN[sex] for sex in sexes),
    "crop_method": hand_in_words,
    "block": block_in_words,
}


def _range_in_words(condition: Condition, in_words: Callable[[float], str]) -> str:
    if math.isinf(condition.low):
        return f"under {in_words(condition.high)}"
    if math.isinf(condition.high):
        return f"from {in_words(condition.low)}"
    return f"{in_words(condition.low)} to {in_words(condition.high)}"
