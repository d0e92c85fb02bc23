"""The comparison of two models on the same radiographs, in sentences.

Every sentence follows from the figures it is given; texts are Markdown. Models are called by the
titles given, the first and the second in the sense of `boneage.comparison.statistics`.

A difference in MAE is significant by the paired t test at 5%. It is of no relevance where its 95%
CI lies within 1 month on either side: equivalence by inclusion of the interval (D. J. Schuirmann,
Journal of Pharmacokinetics and Biopharmaceutics 1987;15:657-680), with the 95% CI that is shown
instead of the 90% CI of two one-sided tests, which is less strict.
"""

import math
from collections.abc import Sequence

import pandas as pd

from boneage.comparison.significance import ALPHA, MIN_CASES
from boneage.comparison.statistics import Comparison
from boneage.datasets.text import SPLITS
from boneage.evaluation.limits import LARGE_ERROR, TOLERANCE
from boneage.formatting import (
    CHILDREN,
    CI_95,
    METRIC_TITLES,
    counted,
    in_words,
    metric_value,
    p_value,
    share,
)

ABOUT_FILES = (
    "The comparison is only as good as the files: check that no radiograph was used to train or "
    "to select the model of either side."
)
ABOUT_TRAINING_RUNS = (
    "Each model was trained once, with unequal effort: the comparison is between these weights, "
    "not between the architectures."
)
MARGIN = 1.0  # months; bone age is reported to the month
_NAMED = 3  # groups listed by name

_WITHIN = "within_"
_LARGE = f"{LARGE_ERROR:.0f} months"
_MARGIN = f"{MARGIN:.0f} month"


def sample_in_words(n: int, split: str, sex: str | None = None) -> str:
    """The sample of a comparison: "these 97 test radiographs of girls".

    Args:
        n: The number of radiographs.
        split: "train", "validation" or "test", or another for a user's radiographs.
        sex: "female" or "male"; None for both.
    """
    of_whom = f" of {CHILDREN[sex]}" if sex else ""
    words = ["these", f"{n:,}", SPLITS.get(split, "").lower(), f"radiographs{of_whom}"]
    return " ".join(filter(None, words))


def weights_of_user(share_of_first: float, titles: tuple[str, str]) -> str:
    """One sentence on ensemble weights that no validation radiographs have chosen."""
    first, second = titles
    return (
        f"Ensemble weights: {first} {share(share_of_first)}, {second} {share(1 - share_of_first)} "
        "(set by hand, as the validation radiographs of both are needed to choose them)."
    )


def conclusion(
    comparison: Comparison,
    differences: pd.DataFrame,
    wins: pd.DataFrame,
    titles: tuple[str, str],
    sample: str,
) -> list[str]:
    """Which model has the smaller error, by how much, where, and what the ensemble gains.

    Args:
        comparison: Of both models on the same radiographs.
        differences: Of `boneage.comparison.statistics.metric_differences`.
        wins: Of `boneage.comparison.head_to_head.group_wins`.
        titles: The titles of both models.
        sample: Of `sample_in_words`.

    Returns:
        Paragraphs of Markdown; a single one below `MIN_CASES` radiographs.
    """
    c = comparison
    if c.n < MIN_CASES:
        return [
            f"**No conclusion: {counted(c.n, 'radiograph')}, fewer than {MIN_CASES}.** The metrics "
            "below are shown without statistical tests."
        ]
    models = list(zip(titles, (c.first_mae, c.second_mae), strict=True))
    better, mae = min(models, key=lambda model: model[1])
    pair = [("the ensemble", c.ensemble_mae), (f"{better} alone", mae)]
    comparison_of_models = (
        _mae(models, c.mae_difference, c.mae_difference_interval, c.mae_p, f" on {sample}"),
        _large_errors(c, differences, titles),
        _other_metrics(differences, titles),
        _groups(wins, titles),
    )
    # The gain is the MAE of the better model - that of the ensemble.
    gain = _mae(pair[::-1], c.ensemble_gain, c.ensemble_gain_interval, c.gain_p)
    return [" ".join(comparison_of_models), gain]


def bias(table: pd.DataFrame, titles: tuple[str, str]) -> str:
    """One sentence on the bias of both models and of the ensemble.

    Args:
        table: Of `boneage.comparison.statistics.bias_by_sex`, in months.
        titles: The titles of both models.
    """
    sexes = [sex for sex in CHILDREN if sex in table]
    each = []
    for (_, row), title in zip(table.iterrows(), (*titles, "ensemble"), strict=True):
        text = f"{title} {metric_value('bias', row['all'])}"
        if len(sexes) > 1:
            of_sexes = [
                f"{CHILDREN[sex]} {metric_value('bias', row[sex], unit=False)}" for sex in sexes
            ]
            text += f" ({', '.join(of_sexes)})"
        each.append(text)
    return f"**Bias** (mean residual, + overestimated): {', '.join(each)}."


def paired_statistics(
    comparison: Comparison, titles: tuple[str, str]
) -> list[tuple[str, str, str]]:
    """Every paired statistic in words.

    Args:
        comparison: Of both models on the same radiographs.
        titles: The titles of both models.

    Returns:
        (name, value, interpretation) of each.
    """
    c, (first, second) = comparison, titles
    large = c.large_errors
    rows = [
        (
            f"MAE of {first} minus MAE of {second}",
            _difference(c.mae_difference, c.mae_difference_interval, c.mae_p, "+"),
            "Paired t test of the absolute errors. An interval that includes zero leaves open "
            f"which model has the smaller error; one within ±{_MARGIN} shows no relevant "
            "difference.",
        ),
        (
            "Wilcoxon signed-rank test",
            _p(c.wilcoxon_p),
            "The same comparison by ranks, on which a few very large errors have little "
            "influence. Shown as a check; the conclusion is that of the t test.",
        ),
        (
            f"Errors > {_LARGE}",
            f"{first} only {large['first_only']:,}, {second} only {large['second_only']:,}",
            f"Both models {large['both']:,}, neither {large['neither']:,} radiographs. The test is "
            "that of the metric within 12 months (McNemar).",
        ),
        (
            "Correlation of the residuals",
            "not defined" if c.residual_correlation is None else _r(c.residual_correlation),
            f"{_corrected(c)} The higher it is, the less an ensemble can gain.",
        ),
        (
            "MAE of the better model minus MAE of the ensemble",
            _difference(c.ensemble_gain, c.ensemble_gain_interval, c.gain_p, "+"),
            "Positive where the ensemble has the smaller error. The better model is chosen on "
            "these radiographs, which favors it.",
        ),
    ]
    if c.disagreement:
        rho, low, high = c.disagreement
        rows.append(
            (
                "Disagreement of the models and error of the ensemble",
                f"Spearman {_r(rho)} ({CI_95} {_r(low)} to {_r(high)})",
                _predicts(rho, low, high),
            )
        )
    return rows


# Differences in MAE -------------------------------------------------------------------------


def _mae(
    models: Sequence[tuple[str, float]],
    difference: float,
    interval: tuple[float, float],
    p: float | None,
    where: str = "",
) -> str:
    """models: title and MAE of two; difference: MAE of the first - MAE of the second."""
    low, high = interval
    if difference < 0:
        models, difference, (low, high) = models[::-1], -difference, (-high, -low)
    (worse, worse_mae), (better, better_mae) = models
    is_significant = p is not None and p < ALPHA
    is_equivalent = low > -MARGIN and high < MARGIN
    numbers = (
        f"MAE {better_mae:.1f} months for {better} and {worse_mae:.1f} for {worse}. Difference "
        f"{_difference(difference, (low, high), p)}"
    )
    if is_equivalent:
        finding = f"No relevant difference between {better} and {worse}"
        reason = f"equivalent within {_MARGIN}"
        if is_significant:
            reason = f"statistically significant, but smaller than the margin of {_MARGIN}"
        numbers += f": {reason}"
    elif is_significant:
        finding = f"{better[0].upper()}{better[1:]} has the smaller error"
        if low >= MARGIN:
            numbers += f": larger than the margin of {_MARGIN}"
        else:
            numbers += f". A difference smaller than the margin of {_MARGIN} is not excluded"
    else:
        finding = f"No significant difference between {better} and {worse}"
        numbers += f". Inconclusive: a difference of more than {_MARGIN} is not excluded"
    return f"**{finding}**{where}: {numbers}."


# Other metrics ------------------------------------------------------------------------------


def _large_errors(c: Comparison, differences: pd.DataFrame, titles: tuple[str, str]) -> str:
    both = c.large_errors["both"]
    only = [c.large_errors["first_only"], c.large_errors["second_only"]]
    if both + sum(only) == 0:
        return f"Neither model has an error > {_LARGE}."
    if sum(only) == 0:
        return f"Errors > {_LARGE} are on the same {counted(both, 'radiograph')}."
    (less, less_often), (more, more_often) = sorted(
        zip(titles, ((both + n) / c.n for n in only), strict=True), key=lambda one: one[1]
    )
    row = differences.set_index("metric").loc["within_12"]
    shares = (
        f"{less} {share(less_often)}, {more} {share(more_often)} of radiographs; {_p(row['p'])}"
    )
    if row["better"]:
        return f"{less} has significantly fewer errors > {_LARGE} ({shares})."
    return f"No significant difference in errors > {_LARGE} ({shares})."


def _other_metrics(differences: pd.DataFrame, titles: tuple[str, str]) -> str:
    """The figures besides the MAE and large errors by which one model is significantly better."""
    others = differences[~differences["metric"].isin(["mae", "within_12"])]
    favors = []
    for model, title in zip(("first", "second"), titles, strict=True):
        ahead = list(others["metric"][others["better"] == model])
        if len(ahead) == len(others):
            return f"{title} is significantly better in all other metrics."
        if ahead:
            favors.append(f"{title} is significantly better in {_metrics_in_words(ahead)}")
    if favors:
        return f"Other metrics: {'; '.join(favors)}."
    return "No significant difference in the other metrics."


def _metrics_in_words(names: Sequence[str]) -> str:
    """("rmse", "bias", "within_6", "within_24") -> "RMSE, bias and the share within 6 and ..."."""
    titles = [METRIC_TITLES[name] for name in names if not name.startswith(_WITHIN)]
    words = [title if title in ("RMSE", "R²") else title.lower() for title in titles]
    limits = [name.removeprefix(_WITHIN) for name in names if name.startswith(_WITHIN)]
    return in_words([*words, *([f"the share within {in_words(limits)} months"] if limits else [])])


def _groups(wins: pd.DataFrame, titles: tuple[str, str]) -> str:
    """Where each model is significantly more often the closer one."""
    if wins["p"].isna().all():
        return f"No subgroup of age and sex has {MIN_CASES} radiographs."
    sentences = []
    for title, side, other in zip(titles, ("first", "second"), ("second", "first"), strict=True):
        groups = wins[(wins[side] > wins[other]) & (wins["p"] < ALPHA)]
        if len(groups):
            groups = groups.assign(share=groups[side]).sort_values("p", kind="stable")
            sentences.append(f"{title} is significantly more often closer among {_listed(groups)}.")
    return " ".join(sentences) or "No significant difference in any subgroup of age and sex."


def _listed(groups: pd.DataFrame) -> str:
    """The groups, the smallest p first: "girls of 0-5 years (61% of 45)"."""
    named = [
        f"{CHILDREN[group.sex]} of {group.age_band} ({share(group.share)} of {group.n:,})"
        for group in groups.head(_NAMED).itertuples()
    ]
    if more := len(groups) - len(named):
        named.append(f"{more} other {'subgroup' if more == 1 else 'subgroups'}")
    return in_words(named)


# Label noise and disagreement -----------------------------------------------------------------


def _corrected(c: Comparison) -> str:
    """What the label noise does to the correlation of the residuals."""
    if c.noise_shares is None:
        return "Not corrected for label noise, which both models share."
    first, second = map(share, c.noise_shares)
    noise = f"Label noise, which both models share, is about {first} and {second} of the variance"
    if c.corrected_correlation is None:
        return f"{noise}; not corrected for it."
    return f"{noise}; corrected for it, the correlation is about {_r(c.corrected_correlation)}."


def _predicts(rho: float, low: float, high: float) -> str:
    if low <= 0 <= high:
        return "Disagreement does not predict the error."
    more = "larger" if rho > 0 else "smaller"
    return f"The error tends to be {more} where the models disagree more."


# Numbers ------------------------------------------------------------------------------------


def _p(p: float | None) -> str:
    if p is None or math.isnan(p):
        return "not tested"
    text = p_value(p)
    sentence = f"p {text}" if text.startswith("<") else f"p = {text}"
    return sentence.replace(" ", "\N{NO-BREAK SPACE}")


def _difference(
    months: float, interval: tuple[float, float], p: float | None, sign: str = ""
) -> str:
    """A difference, its interval (nan ends, of a single case, make none) and its p.

    Such as "0.3 months (95% CI 0.0 to 0.7; p = 0.034)"; small ones have a second digit.
    """
    low, high = interval
    digits = 2 if TOLERANCE < max(abs(low), abs(high)) < 0.1 else 1
    ends = "no interval"
    if not math.isnan(low):
        ends = f"{CI_95} {_number(low, digits, sign)} to {_number(high, digits, sign)}"
    return f"{_number(months, digits, sign)} months ({ends}; {_p(p)})"


def _number(value: float, digits: int, sign: str = "") -> str:
    text = f"{value:{sign}.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("+-")  # no sign of nothing
    return text.replace("-", "−")


def _r(correlation: float) -> str:
    return f"{correlation:.2f}".replace("-", "−")
