"""A quiz: hands shown without their age, the learner's answers, and how good they are.

A hand is a row of a table with the columns id, sex and reference_months; answers make a predictions
table as `boneage.evaluation.metrics` takes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from boneage.errors import BoneAgeError
from boneage.evaluation.metrics import summarize
from boneage.evaluation.residuals import agreement, with_residuals
from boneage.formatting import nearest_month

N_HANDS = 10


@dataclass(frozen=True, eq=False)
class Quiz:
    """Ten hands and the answers so far, in months; changes make a new one."""

    hands: pd.DataFrame
    answers: tuple[float, ...] = ()

    @classmethod
    def start(cls, pool: pd.DataFrame, seed: int) -> "Quiz":
        """Ten hands out of a pool, in random order.

        One is drawn from each tenth of the pool by sex and age, so that both sexes and all ages
        come up as they do in the pool.

        Args:
            pool: cases to draw from.
            seed: the same pool and seed give the same ten.

        Returns:
            The quiz, without answers. Its reference_months are whole, so that answers are scored
            against the age that people read.

        Raises:
            BoneAgeError: the pool has fewer than ten cases.
        """
        if len(pool) < N_HANDS:
            raise BoneAgeError(
                f"The quiz needs {N_HANDS} hands of known age and sex, but there are {len(pool)}: "
                "add hands or choose a wider range of bone ages."
            )
        rng = np.random.default_rng(seed)
        pool = pool.sort_values(["sex", "reference_months", "id"], ignore_index=True)
        drawn = [rng.choice(tenth) for tenth in np.array_split(pool.index, N_HANDS)]
        hands = pool.loc[rng.permutation(drawn)].reset_index(drop=True)
        return cls(hands.assign(reference_months=hands["reference_months"].map(nearest_month)))

    @property
    def is_over(self) -> bool:
        return len(self.answers) == len(self.hands)

    @property
    def hand(self) -> pd.Series:
        """The hand to be answered next; id, sex and reference_months."""
        return self.hands.iloc[len(self.answers)]

    def answered(self, months: float) -> "Quiz":
        """The quiz with an answer to its next hand."""
        return replace(self, answers=(*self.answers, float(months)))

    def cases(self) -> pd.DataFrame:
        """The hands answered, each with the answer as prediction_months, and residuals."""
        done = self.hands.iloc[: len(self.answers)]
        return with_residuals(done.assign(prediction_months=list(self.answers)))

    def cases_of(self, predictions: pd.DataFrame) -> pd.DataFrame:
        """The same hands as a model reads them.

        Args:
            predictions: columns id and prediction_months.

        Returns:
            Cases with residuals; those that the model has read.
        """
        months = predictions.set_index("id")["prediction_months"]
        cases = self.cases()
        cases["prediction_months"] = cases["id"].map(months)
        return with_residuals(cases.dropna(subset="prediction_months"))


def within_years(pool: pd.DataFrame, youngest: int, oldest: int) -> pd.DataFrame:
    """The cases of a pool between two ages.

    Args:
        pool: to choose from.
        youngest: years; a case of this age is among them.
        oldest: the same.

    Returns:
        Rows of the pool.
    """
    ages = pool["reference_months"].map(nearest_month)
    return pool[ages.between(12 * youngest, 12 * oldest)]


def scores(readers: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How well each reader did.

    Args:
        readers: name -> cases.

    Returns:
        One row a reader, indexed by name. Columns n; mae with its 95% bootstrap CI (mae_low,
        mae_high); bias with the interval of Bland and Altman (bias_low, bias_high); their 95%
        limits of agreement lower and upper; all but n in months.
    """
    rows = {}
    for name, cases in readers.items():
        found = agreement(cases["reference_months"], cases["prediction_months"])
        figures = summarize(cases).iloc[0]
        rows[name] = {
            **figures[["n", "mae", "mae_low", "mae_high"]],
            "bias": found.bias,
            "bias_low": found.bias_interval[0],
            "bias_high": found.bias_interval[1],
            "lower": found.lower,
            "upper": found.upper,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def most_missed(cases: pd.DataFrame, n: int = 3) -> pd.DataFrame:
    """Up to `n` of the cases that were read wrong, the largest error first."""
    missed = cases[cases["absolute_error"] >= 1]
    return missed.nlargest(n, "absolute_error")
