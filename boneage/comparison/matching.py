"""Two sets of predictions brought onto the same cases by id, and what could not be matched.

A file of predictions is joined with the published models by RSNA id: the reference bone age, the
sex and the split of a case are then those of the data set. Two files may instead be compared on
the reference of their own.
"""

import re
from dataclasses import dataclass

import pandas as pd

from boneage.comparison.compared import Compared
from boneage.datasets.splits import VALIDATION
from boneage.datasets.text import SPLITS
from boneage.errors import BoneAgeError
from boneage.formatting import counted
from boneage.inference.ensemble import MIN_SUBGROUP, ensemble_weights, side_by_side

OWN = "own"  # the split of cases whose reference is that of a file
REFERENCE_TOLERANCE = 1.0  # months: references are rounded differently

_NUMBER = re.compile(r"0*(\d+)(?:\.0+)?")
_REPEATED = "several rows in the file, none used"
_UNKNOWN = "not an RSNA id, or not one of this app"
_INCOMPLETE = "no reference bone age or no sex in the file"
_OTHER_REFERENCE = "another reference bone age in the file, not used"


_COLUMNS = ["id", "predictions", "problem"]


@dataclass(frozen=True, eq=False)
class Matched:
    """Two predictions tables with the same ids in the same order, and what is not among them.

    Attributes:
        first: predictions table.
        second: predictions table.
        problems: a row a case that was left out or whose reference was replaced. Columns id,
            predictions (title of the set) and problem.
    """

    first: pd.DataFrame
    second: pd.DataFrame
    problems: pd.DataFrame


def with_known_cases(
    own: pd.DataFrame, known: pd.DataFrame, compared: Compared
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A user's predictions of RSNA radiographs with what the data set says of them.

    Ids are matched as numbers too: "4360.0" and "04360" are "4360".

    Args:
        own: of `labels.read_predictions_by_id`.
        known: predictions table of a published model, all splits.
        compared: the file.

    Returns:
        The predictions table of the ids that are known, with split, sex and reference of `known`,
        and the problems of the others.

    Raises:
        BoneAgeError: the reference bone ages of most ids differ by more than a month: they are
            other radiographs.
    """
    known = known.drop(columns="prediction_months")
    numbers = own["id"].map(_as_number)
    ids = own["id"].where(own["id"].isin(known["id"]), numbers)
    repeated = ids.duplicated(keep=False)
    is_known = ids.isin(known["id"]) & ~repeated
    joined = own.assign(id=ids)[is_known][["id", "prediction_months", "reference_months"]].merge(
        known, on="id", suffixes=("_own", "")
    )
    apart = (joined["reference_months_own"] - joined["reference_months"]).abs()
    differs = apart > REFERENCE_TOLERANCE
    if differs.sum() > len(joined) / 2:
        example = joined[differs].iloc[0]
        raise BoneAgeError(
            f"{compared.title}: the reference bone ages of {differs.sum():,} of {len(joined):,} "
            f"RSNA ids are not those of the data set (id {example['id']}: "
            f"{example['reference_months_own']:.1f} instead of {example['reference_months']:.1f} "
            "months), so these seem to be other radiographs; give them ids of their own, or "
            "correct the reference."
        )
    problems = _problems(
        compared,
        {
            _REPEATED: [*own.attrs.get("repeated", ()), *own["id"][repeated]],
            _UNKNOWN: own["id"][~ids.isin(known["id"])],
            _OTHER_REFERENCE: joined["id"][differs],
        },
    )
    return joined[[*known.columns, "prediction_months"]], problems


def with_own_reference(own: pd.DataFrame, compared: Compared) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A user's predictions with the reference and sex that the file itself states.

    Args:
        own: of `labels.read_predictions_by_id`.
        compared: the file.

    Returns:
        The predictions table of the complete rows, split "own", and the problems of the others.
    """
    complete = own["reference_months"].notna() & own["sex"].notna()
    problems = _problems(
        compared,
        {_REPEATED: own.attrs.get("repeated", ()), _INCOMPLETE: own["id"][~complete]},
    )
    return own[complete].astype({"sex": "str"}).reset_index(drop=True), problems


def with_reference_of(
    own: pd.DataFrame, other: pd.DataFrame, compared: Compared
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A user's predictions with the reference and sex of another file.

    Args:
        own: of `labels.read_predictions_by_id`.
        other: of `with_own_reference`.
        compared: the file of `own`.

    Returns:
        The predictions table of the ids that `other` has, with its reference, and the problems.
    """
    joined = own[["id", "prediction_months", "reference_months"]].merge(
        other.drop(columns="prediction_months"), on="id", suffixes=("_own", "")
    )
    apart = (joined["reference_months_own"] - joined["reference_months"]).abs()
    problems = _problems(
        compared,
        {
            _REPEATED: own.attrs.get("repeated", ()),
            _OTHER_REFERENCE: joined["id"][apart > REFERENCE_TOLERANCE],
        },
    )
    return joined[other.columns], pd.concat([problems, _only_in(own, joined, compared)])


def match_by_split(
    tables: tuple[pd.DataFrame, pd.DataFrame],
    compared: tuple[Compared, Compared],
    known: pd.DataFrame,
) -> dict[str, Matched]:
    """The radiographs on which two sets of predictions, at least one a file, can be compared.

    Args:
        tables: predictions table of a model, all splits, or `labels.read_predictions_by_id`.
        compared: what both are.
        known: predictions table of a published model, all splits.

    Returns:
        Split of the data set -> the cases of it that both have, and "own" -> those of two files by
        the reference of the first that states one. At least one.

    Raises:
        BoneAgeError: there is none.
    """
    both_own = compared[0].is_own and compared[1].is_own
    found: dict[str, Matched] = {}
    try:
        found |= _on_known_cases(tables, compared, known)
    except BoneAgeError:
        if not both_own:
            raise
    if both_own and (matched := _on_own_reference(tables, compared)):
        found[OWN] = matched
    if not found:
        reference = " and at least one file a reference bone age and a sex" if both_own else ""
        raise BoneAgeError(
            f"{compared[0].title} and {compared[1].title} share no radiograph: both need the same "
            f"ids{reference}. RSNA ids are numbers such as {known['id'].iloc[-1]}."
        )
    return found


def ensemble_weights_of(
    tables: tuple[pd.DataFrame, pd.DataFrame],
    compared: tuple[Compared, Compared],
    known: pd.DataFrame,
) -> tuple[float, float] | None:
    """The weights of both in their ensemble, chosen on validation as those of the models are.

    Args:
        tables: as of `match_by_split`.
        compared: what both are.
        known: predictions table of a published model, all splits.

    Returns:
        1 together; None without enough validation cases in both.
    """
    try:
        resolved, _ = _resolved(tables, compared, known)
    except BoneAgeError:  # radiographs of one's own
        return None
    of_sides = dict(zip(("first", "second"), resolved, strict=True))
    shared = side_by_side(of_sides)
    if (shared.index.get_level_values("split") == VALIDATION).sum() < MIN_SUBGROUP:
        return None
    weights = ensemble_weights(of_sides)
    return weights["first"], weights["second"]


def template(known: pd.DataFrame, split: str) -> pd.DataFrame:
    """A table to fill in: the ids of a split with sex and reference, and no predictions.

    Args:
        known: predictions table of a published model.
        split: "train", "validation" or "test".
    """
    cases = known[known["split"] == split]
    return pd.DataFrame(
        {
            "id": cases["id"],
            "sex": cases["sex"],
            "boneage": cases["reference_months"],
            "prediction": "",
        }
    )


def _on_known_cases(
    tables: tuple[pd.DataFrame, pd.DataFrame],
    compared: tuple[Compared, Compared],
    known: pd.DataFrame,
) -> dict[str, Matched]:
    (first, second), problems = _resolved(tables, compared, known)
    found = {}
    for split in SPLITS:
        sides = first[first["split"] == split], second[second["split"] == split]
        if sides[0]["id"].isin(sides[1]["id"]).any():
            found[split] = match(*sides, compared, problems)
    return found


def _resolved(
    tables: tuple[pd.DataFrame, pd.DataFrame],
    compared: tuple[Compared, Compared],
    known: pd.DataFrame,
) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    """Both as predictions tables of the data set, and the problems of files."""
    resolved, problems = [], [pd.DataFrame(columns=_COLUMNS)]
    for table, one in zip(tables, compared, strict=True):
        if one.is_own:
            table, found = with_known_cases(table, known, one)
            problems.append(found)
        resolved.append(table)
    return resolved, pd.concat(problems)


def _on_own_reference(
    tables: tuple[pd.DataFrame, pd.DataFrame], compared: tuple[Compared, Compared]
) -> Matched | None:
    """Two files by the reference of the first, or where it states none, of the second."""
    for one, other in ((0, 1), (1, 0)):
        stated, problems = with_own_reference(tables[one], compared[one])
        joined, more = with_reference_of(tables[other], stated, compared[other])
        if len(joined):
            sides = (stated, joined) if one == 0 else (joined, stated)
            return match(*sides, compared, pd.concat([problems, more]))
    return None


def match(
    first: pd.DataFrame,
    second: pd.DataFrame,
    compared: tuple[Compared, Compared],
    problems: pd.DataFrame | None = None,
) -> Matched:
    """The cases that two predictions tables of one split share.

    Args:
        first: predictions table.
        second: predictions table.
        compared: what both are.
        problems: found before, on either of them.

    Returns:
        Both tables on the shared ids, in the order of the first.

    Raises:
        BoneAgeError: they share no case.
    """
    shared = first["id"][first["id"].isin(second["id"])]
    if shared.empty:
        raise BoneAgeError(
            f"{compared[0].title} and {compared[1].title} share no id among these radiographs; "
            "compare predictions for the same images, with the same ids."
        )
    tables = [table.set_index("id").loc[shared].reset_index() for table in (first, second)]
    found = [
        _only_in(table, tables[0], one)
        for table, one in zip((first, second), compared, strict=True)
    ]
    if problems is not None:
        found.insert(0, problems)
    unique = pd.concat(found, ignore_index=True).drop_duplicates()
    return Matched(tables[0], tables[1], unique)


def problems_in_words(problems: pd.DataFrame, n: int) -> str:
    """How many radiographs are compared, and how many were not matched and why.

    Args:
        problems: of `Matched`.
        n: number of radiographs compared.
    """
    sentences = [f"{counted(n, 'radiograph')} in both."]
    counts = problems.groupby(["predictions", "problem"], sort=False).size()
    sentences += [f"{title}: {count:,} {problem}." for (title, problem), count in counts.items()]
    return " ".join(sentences)


def _as_number(text: str) -> str:
    number = _NUMBER.fullmatch(text)
    return number[1] if number else text


def _only_in(table: pd.DataFrame, shared: pd.DataFrame, compared: Compared) -> pd.DataFrame:
    return _problems(
        compared, {"not in the other predictions": table["id"][~table["id"].isin(shared["id"])]}
    )


def _problems(compared: Compared, ids: dict) -> pd.DataFrame:
    rows = [(one, compared.title, problem) for problem, each in ids.items() for one in each]
    return pd.DataFrame(rows, columns=_COLUMNS, dtype=object)
