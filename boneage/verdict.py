"""What the figures of two models on the same radiographs say, in sentences.

Every sentence follows from the figures it is given; texts are Markdown. Models are called by the
titles given, the first and the second in the sense of `boneage.evaluation.comparison`.
"""

from collections.abc import Sequence

import pandas as pd

from boneage.evaluation.comparison import Comparison
from boneage.evaluation.limits import LARGE_ERROR
from boneage.wording import (
    CHILDREN,
    FIGURE_TITLES,
    INTERVAL_95,
    SPLITS,
    figure_interval,
    figure_value,
    in_words,
    share,
)

_CHANCE = 0.05  # p values from here on are called chance
_SMALL = 1.0  # months; bone age is read to the month
_ALIKE, _PARTLY = 0.9, 0.5  # correlations
_NAMED = 3  # groups listed by name

_WITHIN = "within_"
_LARGE = f"{LARGE_ERROR:.0f} months"
_ABOUT_SPLIT = {
    "test": "The reference age of a test radiograph is the mean of six readings, so nearly all of "
    "an error is the model's own.",
    "validation": "The reference age of a validation radiograph is one clinical reading, itself "
    "months off: part of every error is the reading's, the same part for both models.",
    "train": "Both models were trained on these radiographs: the figures say which fits them "
    "better, not which reads new ones better.",
}


def about_split(split: str) -> str:
    """What the reference ages of "train", "validation" or "test" are, in one sentence."""
    return _ABOUT_SPLIT[split]


def sample_in_words(n: int, split: str, sex: str | None = None) -> str:
    """What was compared on: (97, "test", "female") -> "these 97 test radiographs of girls"."""
    of_whom = f" of {CHILDREN[sex]}" if sex else ""
    return f"these {n:,} {SPLITS[split].lower()} radiographs{of_whom}"


def verdict(
    comparison: Comparison,
    differences: pd.DataFrame,
    wins: pd.DataFrame,
    titles: tuple[str, str],
    sample: str,
) -> list[str]:
    """Which model is closer, by how much, where, and what averaging gives: two paragraphs.

    differences: of `comparison.figure_differences`; wins: of `head_to_head.group_wins`;
    sample: of `sample_in_words`.
    """
    if comparison.n == 1:
        return ["One radiograph says nothing about which model is better: choose more."]
    return [
        " ".join(filter(None, sentences))
        for sentences in (
            (
                _closer(comparison, titles, sample),
                _large_errors(comparison, titles),
                _other_figures(differences, titles),
            ),
            (
                _averaging(comparison),
                _why_averaging(comparison),
                _groups(comparison, wins, titles),
            ),
        )
    ]


def paired_statistics(
    comparison: Comparison, titles: tuple[str, str]
) -> list[tuple[str, str, str]]:
    """(name, value, what it means in plain words) of every paired statistic."""
    c, (first, second) = comparison, titles
    large = c.large_errors
    return [
        (
            f"MAE of {first} minus MAE of {second}",
            _with_interval(c.mae_difference, c.mae_difference_interval),
            f"Both are judged on the same radiographs, drawn anew many times; {share(0.95)} of the "
            "draws give a difference in this range. A range that includes zero leaves open which "
            "model is closer.",
        ),
        (
            "Wilcoxon signed-rank test",
            _p(c.wilcoxon_p),
            "How often chance alone would favour one model this much, if neither tended to be "
            "closer. It ranks the differences, so a few very large errors weigh little.",
        ),
        (
            f"McNemar test of errors above {_LARGE}",
            f"{large['first_only']:,} against {large['second_only']:,}, {_p(c.mcnemar_p)}",
            f"Radiographs that only {first} and that only {second} misses by more than {_LARGE}; "
            f"{large['both']:,} are missed by both, {large['neither']:,} by neither.",
        ),
        (
            "Correlation of the residuals",
            "not defined" if c.residual_correlation is None else _rho(c.residual_correlation),
            "1 means that both err alike, 0 that their errors have nothing to do with each "
            f"other. The lower it is, the more averaging promises{_promise(c)}.",
        ),
        (
            "Measured gain of averaging",
            _with_interval(c.ensemble_gain, c.ensemble_gain_interval),
            "MAE of the better model minus MAE of the mean of both: positive when averaging is "
            "better than choosing.",
        ),
    ]


# Which is closer ----------------------------------------------------------------------------


def _closer(c: Comparison, titles: tuple[str, str], sample: str) -> str:
    (better, low), (worse, high) = sorted(
        zip(titles, (c.first_mae, c.second_mae), strict=True), key=lambda model: model[1]
    )
    if _is_chance(c.mae_difference_interval):
        return (
            f"**The two models cannot be told apart on {sample}.** The mean absolute error is "
            f"{low:.1f} months for {better} and {high:.1f} for {worse}. {_undecided(c, titles)}"
        )
    return (
        f"**{better} is closer to the reference age** on {sample}: its mean absolute error is "
        f"{low:.1f} months, that of {worse} {high:.1f}. {_decided(c)}"
    )


def _decided(c: Comparison) -> str:
    low, high = sorted(map(abs, c.mae_difference_interval))
    sentence = (
        f"The difference is {abs(c.mae_difference):.1f} months ({INTERVAL_95} {low:.1f} to "
        f"{high:.1f}). "
    )
    if c.wilcoxon_p < _CHANCE:
        sentence += (
            "That is more than chance: the paired interval excludes zero, and the Wilcoxon "
            f"signed-rank test agrees ({_p(c.wilcoxon_p)})."
        )
    else:
        sentence += (
            "By this paired interval, which excludes zero, that is more than chance; the Wilcoxon "
            f"signed-rank test does not confirm it ({_p(c.wilcoxon_p)}), so it may come from a few "
            "large errors rather than from most radiographs."
        )
    if abs(c.mae_difference) < _SMALL:
        sentence += " Less than a month matters little for a single hand."
    return sentence


def _undecided(c: Comparison, titles: tuple[str, str]) -> str:
    if c.wilcoxon_p is None:
        return "On each of them both are equally far off."
    low, high = c.mae_difference_interval
    sentence = (
        f"The true difference may lie anywhere between {abs(low):.1f} months in favour of "
        f"{titles[0]} and {abs(high):.1f} months in favour of {titles[1]} ({INTERVAL_95})"
    )
    if c.wilcoxon_p < _CHANCE:
        return (
            f"{sentence}. The Wilcoxon signed-rank test does see a difference "
            f"({_p(c.wilcoxon_p)}): one model may be closer on most radiographs and pay for it "
            "with larger errors on a few."
        )
    return f"{sentence}; the Wilcoxon signed-rank test sees none either ({_p(c.wilcoxon_p)})."


def _large_errors(c: Comparison, titles: tuple[str, str]) -> str:
    both = c.large_errors["both"]
    only = [c.large_errors["first_only"], c.large_errors["second_only"]]
    if both + sum(only) == 0:
        return f"Neither is ever more than {_LARGE} off."
    if c.mcnemar_p is None:
        return f"Both are more than {_LARGE} off on the same radiographs, {both:,} in number."
    (less, less_often), (more, more_often) = sorted(
        zip(titles, ((both + n) / c.n for n in only), strict=True), key=lambda one: one[1]
    )
    test = f"McNemar test, {_p(c.mcnemar_p)}"
    if c.mcnemar_p < _CHANCE:
        return (
            f"{more} is more than {_LARGE} off more often: on {share(more_often)} of them, {less} "
            f"on {share(less_often)} ({test})."
        )
    return (
        f"Errors above {_LARGE} do not set them apart: {less} makes them on {share(less_often)} of "
        f"the radiographs, {more} on {share(more_often)} ({test})."
    )


def _other_figures(differences: pd.DataFrame, titles: tuple[str, str]) -> str:
    """The figures besides the MAE by which one model is better beyond chance."""
    others = differences[differences["figure"] != "mae"]
    favours = []
    for model, title in zip(("first", "second"), titles, strict=True):
        ahead = list(others["figure"][others["better"] == model])
        if len(ahead) == len(others):
            return f"Every other figure below favours {title} by more than chance."
        if ahead:
            favours.append(f"{title} is ahead in {_figures_in_words(ahead)}")
    if favours:
        return f"More than chance separates some other figures below: {'; '.join(favours)}."
    return "None of the other figures below differs by more than chance."


def _figures_in_words(names: Sequence[str]) -> str:
    """("rmse", "bias", "within_6", "within_12") -> "RMSE, bias and the share within 6 and ..."."""
    titles = [FIGURE_TITLES[name] for name in names if not name.startswith(_WITHIN)]
    words = [title if title in ("RMSE", "R²") else title.lower() for title in titles]
    limits = [name.removeprefix(_WITHIN) for name in names if name.startswith(_WITHIN)]
    return in_words([*words, *([f"the share within {in_words(limits)} months"] if limits else [])])


# The mean of both ---------------------------------------------------------------------------


def _averaging(c: Comparison) -> str:
    best = f"the better one alone {min(c.first_mae, c.second_mae):.1f}"
    if _is_chance(c.ensemble_gain_interval):
        gain = figure_value("bias", c.ensemble_gain, unit=False)
        return (
            "**Averaging both neither helps nor harms beyond chance**: the mean of both is off by "
            f"{c.ensemble_mae:.1f} months on average, {best} (gain {gain}, {INTERVAL_95} "
            f"{figure_interval('bias', *c.ensemble_gain_interval)})."
        )
    low, high = sorted(map(abs, c.ensemble_gain_interval))
    does, less = ("helps", "less") if c.ensemble_gain > 0 else ("harms", "more")
    return (
        f"**Averaging both {does}**: the mean of both is off by {c.ensemble_mae:.1f} months on "
        f"average, {best}; that is {abs(c.ensemble_gain):.1f} months {less} ({INTERVAL_95} "
        f"{low:.1f} to {high:.1f})."
    )


def _why_averaging(c: Comparison) -> str | None:
    rho = c.residual_correlation
    if rho is None:
        return None
    cancels = (
        "both err alike and little cancels out"
        if rho >= _ALIKE
        else "part of their errors cancels out"
        if rho >= _PARTLY
        else "much of their errors cancels out"
    )
    sentence = f"Their residuals correlate by {_rho(rho)}, so {cancels}{_promise(c)}"
    one_is_closer = not _is_chance(c.mae_difference_interval)
    if one_is_closer and c.ensemble_gain_interval[0] <= 0:
        sentence += "; here one of the two is weaker, and such a gain does not show"
    return f"{sentence}."


def _promise(c: Comparison) -> str:
    if c.ensemble_sd_ratio is None:
        return ""
    less = share(1 - c.ensemble_sd_ratio)
    return f": residuals of the mean of two equally good models would spread {less} less"


# Groups -------------------------------------------------------------------------------------


def _groups(c: Comparison, wins: pd.DataFrame, titles: tuple[str, str]) -> str:
    """Where each is closer more often, and where the one behind on the whole perhaps is."""
    first, second = titles
    ahead = {
        first: _ahead(wins, "first", "second"),
        second: _ahead(wins, "second", "first"),
    }
    certain = {title: groups[groups["p"] < _CHANCE] for title, groups in ahead.items()}
    sentences = [
        f"{title} is closer more often than chance explains {_where(groups, len(wins))}."
        for title, groups in certain.items()
        if len(groups)
    ] or ["In no group of age and sex is either closer more often than chance explains."]
    behind = first if c.first_mae > c.second_mae else second
    if certain[behind].empty:
        sentences.append(_perhaps(behind, ahead[behind]))
    return " ".join(sentences)


def _ahead(wins: pd.DataFrame, side: str, other: str) -> pd.DataFrame:
    """Groups in which `side` is closer more often, the surest first, with its share."""
    groups = wins[wins[side] > wins[other]]
    return groups.assign(share=groups[side]).sort_values("p", kind="stable")


def _where(groups: pd.DataFrame, n_groups: int) -> str:
    everywhere = len(groups) == n_groups
    return "in every group of age and sex" if everywhere else f"among {_listed(groups)}"


def _perhaps(title: str, groups: pd.DataFrame) -> str:
    if groups.empty:
        return f"{title} is ahead in no group."
    return f"{title} is ahead among {_listed(groups)}, which may be chance."


def _listed(groups: pd.DataFrame) -> str:
    """The groups, the surest first: "girls of 0-5 years (61 % of 45)"."""
    named = [
        f"{CHILDREN[group.sex]} of {group.age_band} ({share(group.share)} of {group.n:,})"
        for group in groups.head(_NAMED).itertuples()
    ]
    if more := len(groups) - len(named):
        named.append(f"{more} other {'group' if more == 1 else 'groups'}")
    return in_words(named)


# Numbers ------------------------------------------------------------------------------------


def _is_chance(interval: Sequence[float]) -> bool:
    low, high = interval
    return low <= 0 <= high


def _p(p: float | None) -> str:
    if p is None:
        return "not defined"
    text = "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _with_interval(months: float, interval: tuple[float, float]) -> str:
    """Months with their sign; nan ends, of a single case, make no interval."""
    return f"{figure_value('bias', months)} ({figure_interval('bias', *interval)})"


def _rho(correlation: float) -> str:
    return f"{correlation:.2f}".replace("-", "−")
