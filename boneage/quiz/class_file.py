"""The answers of one learner to a set of cases, as a CSV file for the teacher.

One row a case, see `COLUMNS`. It holds no name: a learner is a random code.
"""

import math
import re
import secrets
from collections.abc import Iterable
from dataclasses import astuple, dataclass

import pandas as pd

from boneage.datasets.delimited import LabelError, read_cells, shortened, to_numbers
from boneage.datasets.labels import OLDEST_MONTHS
from boneage.formatting import in_words

# Column -> what it holds, for people.
COLUMNS = {
    "cases": "Kind of cases, as chosen on Learn",
    "set": "Number of the set",
    "youngest_years": "Lowest age of the set, in years; empty for all ages",
    "oldest_years": "Highest age of the set, in years; empty for all ages",
    "reader": "Random code of the learner",
    "case": "Number of the hand in the set",
    "sex": "female or male",
    "reference_months": "Reference bone age, in months",
    "answer_months": "Estimate of the learner, in months",
}
_SET = ["cases", "set", "youngest_years", "oldest_years"]
# No vowels and no digits: codes are no words, and no spreadsheet takes one for a number.
_LETTERS, _LENGTH = "BCDFGHJKLMNPQRSTVWXZ", 6
_READER = re.compile(r"[\w-]{1,20}")
_MAX_BYTES = 100_000
_SAME_AGE = 0.05  # months; what a spreadsheet may round off
_AGAIN = "upload it as it was downloaded from Learn after the set"


@dataclass(frozen=True)
class CaseSet:
    """What a set of cases was drawn from: the same one gives everyone the same hands.

    Attributes:
        cases: kind of cases in words, such as "Synthetic hands".
        number: of the set.
        youngest_years: lowest age; None where all ages come up.
        oldest_years: highest age; None where all ages come up.
    """

    cases: str
    number: int
    youngest_years: float | None = None
    oldest_years: float | None = None

    def __str__(self) -> str:
        """Such as "Synthetic hands, set 7, 6 to 9 years"."""
        ages = ""
        if self.youngest_years is not None and self.oldest_years is not None:
            ages = f", {self.youngest_years:g} to {self.oldest_years:g} years"
        return f"{shortened(self.cases, 40)}, set {self.number}{ages}"


def reader_code() -> str:
    """A random code, such as "KTRWPN"; of a class of 30, two have the same once in 100,000."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def write_answers(cases: pd.DataFrame, case_set: CaseSet, reader: str) -> bytes:
    """The CSV file of one learner.

    Args:
        cases: of `boneage.quiz.quiz.Quiz.cases`, all answered.
        case_set: what they are.
        reader: of `reader_code`.

    Returns:
        The file, UTF-8 with a byte order mark.
    """
    rows = {
        **dict(zip(_SET, astuple(case_set), strict=True)),
        "reader": reader,
        "case": range(1, len(cases) + 1),
        "sex": cases["sex"],
        "reference_months": cases["reference_months"],
        "answer_months": cases["prediction_months"],
    }
    table = pd.DataFrame(rows, columns=list(COLUMNS), index=cases.index)
    return table.to_csv(index=False).encode("utf-8-sig")


def read_answers(
    content: bytes, title: str, case_set: CaseSet, hands: pd.DataFrame
) -> tuple[str, list[float]]:
    """Read the CSV file of one learner.

    Args:
        content: of the file.
        title: what errors call it.
        case_set: that it must be of.
        hands: of that set in their order; columns sex and reference_months.

    Returns:
        The code of the learner, and the answer to each hand in months.

    Raises:
        LabelError: it is not such a file, or of other cases; the sentence names it.
    """
    if len(content) > _MAX_BYTES:
        raise LabelError(f"{title} is too large to be the result of a set; {_AGAIN}.")
    cells = read_cells(content, title)
    if missing := [name for name in COLUMNS if name not in cells]:
        raise LabelError(f"{title} has no column {in_words(missing)}; {_AGAIN}.")
    readers, sets = cells["reader"].unique(), cells[_SET].drop_duplicates()
    if len(readers) > 1 or len(sets) > 1:
        raise LabelError(
            f"{title} holds more than one result; upload a file of each learner and set."
        )
    if not _READER.fullmatch(readers[0]):
        raise LabelError(
            f'The reader of {title} is "{shortened(readers[0], 20)}"; write a code of up to 20 '
            "letters and digits."
        )
    if (found := _case_set(sets.iloc[0], title)) != case_set:
        raise LabelError(
            f"{title} is of another set ({found}); choose that set under Cases, or have the "
            f"learner read the one chosen ({case_set})."
        )
    cells = cells.sort_values("case", key=to_numbers, kind="stable")
    if not _same_hands(cells, hands):
        raise LabelError(
            f"{title} names this set but has other hands than are shown here, as those of another "
            "version are; have the learner read the set again in the same version."
        )
    months = to_numbers(cells["answer_months"])
    bad = ~months.between(0, OLDEST_MONTHS)
    if bad.any():
        row = bad.idxmax()
        raise LabelError(
            f"The answer_months in row {row} of {title} is not a number of months from 0 to "
            f'{OLDEST_MONTHS} ("{shortened(cells["answer_months"][row], 20)}"); correct it.'
        )
    return readers[0], months.tolist()


def read_class(
    files: Iterable[tuple[str, bytes]], case_set: CaseSet, hands: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Read the files of a class; those that cannot be used are left out with a sentence.

    Args:
        files: name and content of each.
        case_set: that they must be of.
        hands: of that set in their order; columns sex and reference_months.

    Returns:
        The answers in months: one row a hand, numbered from 1, one column a reader, named by its
        code. And a sentence on each file left out.
    """
    answers: dict[str, list[float]] = {}
    first: dict[str, str] = {}
    problems = []
    for title, content in files:
        try:
            reader, months = read_answers(content, title, case_set, hands)
        except LabelError as error:
            problems.append(str(error))
            continue
        if reader in answers:
            problems.append(
                f"{title} has the same reader as {first[reader]} ({reader}) and is left out; "
                "remove one of the two."
            )
            continue
        answers[reader], first[reader] = months, title
    numbers = pd.RangeIndex(1, len(hands) + 1, name="case")
    return pd.DataFrame(answers, index=numbers, dtype=float), problems


def _same_hands(cells: pd.DataFrame, hands: pd.DataFrame) -> bool:
    """Whether the rows are of these hands, in their order."""
    if len(cells) != len(hands) or cells["sex"].tolist() != hands["sex"].tolist():
        return False
    numbers = to_numbers(cells["case"]).tolist()
    apart = to_numbers(cells["reference_months"]).to_numpy() - hands["reference_months"].to_numpy()
    return numbers == list(range(1, len(hands) + 1)) and bool((abs(apart) < _SAME_AGE).all())


def _case_set(row: pd.Series, title: str) -> CaseSet:
    number, *ages = to_numbers(row[_SET[1:]]).tolist()
    if math.isnan(number):
        raise LabelError(
            f'The set of {title} is no number ("{shortened(row["set"], 20)}"); {_AGAIN}.'
        )
    return CaseSet(row["cases"], int(number), *(None if math.isnan(age) else age for age in ages))
