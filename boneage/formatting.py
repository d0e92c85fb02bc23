"""Ages, metrics, shares and other numbers as people read them; imports nothing of the package.

Ages and differences are in months, shares in 0..1.
"""

import math
from collections.abc import Sequence

CI_95 = "95% CI"

CHILDREN = {"female": "girls", "male": "boys"}

# Figures of `boneage.evaluation.metrics` as people call them.
METRIC_TITLES = {
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R²",
    "bias": "Bias",
    "median_ae": "Median absolute error",
    "within_6": "Within 6 months",
    "within_12": "Within 12 months",
    "within_24": "Within 24 months",
}


def metric_value(name: str, value: float, unit: bool = True) -> str:
    """One of METRIC_TITLES as people read it: "7.3 months", "0.941", "−1.2 months", "64%".

    Args:
        name: A key of METRIC_TITLES.
        value: The metric: months, R², or a share in 0..1; NaN where it is not defined.
        unit: Whether to add the unit.
    """
    if math.isnan(value):
        return "not defined"
    if name == "r2":
        text, unit_word = f"{value:.3f}", ""
    elif name.startswith("within_"):
        text, unit_word = _percent(value), "%"
    else:
        text, unit_word = f"{value:{'+' if name == 'bias' else ''}.1f}", " months"
        if float(text) == 0:
            text = "0.0"  # and not "−0.0"
    return text.replace("-", "−") + (unit_word if unit else "")


def metric_interval(name: str, low: float, high: float) -> str:
    """The interval of a metric: "6.9 to 7.7"; "no interval" where the limits are NaN."""
    if math.isnan(low):
        return "no interval"
    return f"{metric_value(name, low, unit=False)} to {metric_value(name, high, unit=False)}"


def p_value(p: float) -> str:
    """A p value in two digits: "0.034", "< 0.001"; rounding never moves it across 0.05."""
    if p < 0.001:
        return "<\N{NO-BREAK SPACE}0.001"
    text = f"{p:.2g}"
    return text if (float(text) < 0.05) == (p < 0.05) else f"{p:.4g}"


def share(part: float) -> str:
    """A share in 0..1: 0.9 -> "90%"; only 1 reads as 100%, and only 0 as 0%."""
    return f"{_percent(part)}%"


def covered(n: int, coverage: float, low: float, high: float) -> str:
    """A share of cases with its 95% CI: "92.8% (90.7 to 94.5) of 1,425".

    Args:
        n: The number of cases.
        coverage: The share, in 0..1.
        low: Lower limit of its 95% CI, in 0..1.
        high: Upper limit of its 95% CI, in 0..1.
    """
    return f"{100 * coverage:.1f}% ({100 * low:.1f} to {100 * high:.1f}) of {n:,}"


def _percent(part: float) -> str:
    percent, digits = 100 * part, 0
    while digits < 3 and percent not in (0, 100) and round(percent, digits) in (0, 100):
        digits += 1
    return f"{percent:.{digits}f}"


def age_in_words(months: float) -> str:
    """An age to the nearest month: 99.4 -> "8 years 3 months"; a negative one gets a minus sign."""
    return _years_and_months(months, (" year", " years"), (" month", " months"))


def age_in_short(months: float) -> str:
    """An age for axes and tables: 99.4 -> "8 y 3 m"."""
    return _years_and_months(months, (" y", " y"), (" m", " m"))


def ages_in_words(low: float, high: float) -> str:
    """One age, or a range: "10 to 14 months", "13 to 15 years", or in full where units differ.

    Args:
        low: The lower age in months.
        high: The higher age in months.
    """
    if low == high:
        return age_in_words(low)
    unit, size = ("months", 1) if high < 36 else ("years", 12)
    if low % size == high % size == 0:
        return f"{low // size:.0f} to {high // size:.0f} {unit}"
    return f"{age_in_words(low)} to {age_in_words(high)}"


def children_aged(sex: str, months: float) -> str:
    """A group of one sex and age: "Girls, 8 years 3 months"."""
    return f"{CHILDREN[sex].capitalize()}, {age_in_words(months)}"


def duration_in_words(months: float) -> str:
    """A difference between ages, sign ignored: months below two years, then years and months."""
    whole = nearest_month(abs(months))
    return age_in_words(whole) if whole >= 24 else _count(whole, " month", " months")


def interval_in_short(level: float, low: float, high: float) -> str:
    """A prediction interval: "90% interval: 9 y 1 m to 11 y 4 m"."""
    return f"{share(level)} interval: {age_in_short(low)} to {age_in_short(high)}"


def residual_in_words(months: float) -> str:
    """A residual: 13.2 -> "overestimated by 13 months"."""
    whole = nearest_month(months)
    if whole == 0:
        return "exact to the month"
    return f"{over_or_under(whole)} by {duration_in_words(whole)}"


def over_or_under(residual: float) -> str:
    """Whether a residual other than 0 is "overestimated" or "underestimated"."""
    return "overestimated" if residual > 0 else "underestimated"


def nearest_month(months: float) -> int:
    """Rounded to whole months, halves away from zero (Python's round would go to the even one)."""
    return int(math.copysign(math.floor(abs(months) + 0.5), months))


def _years_and_months(months: float, year: tuple[str, str], month: tuple[str, str]) -> str:
    whole = nearest_month(months)
    years, rest = divmod(abs(whole), 12)
    parts = [_count(years, *year)] if years else []
    if rest or not years:
        parts.append(_count(rest, *month))
    return ("−" if whole < 0 else "") + " ".join(parts)


def counted(number: int, noun: str) -> str:
    """A number of things: "1 radiograph", "1,425 radiographs"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number}{one if number == 1 else many}"


def in_words(items: Sequence[str]) -> str:
    """["a", "b", "c"] -> "a, b and c"."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def as_plain_markdown(text: str) -> str:
    """Text that Markdown shows as it stands; for file names and sentences quoting them."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]()<>#+-.!|~$:" else c for c in text)
