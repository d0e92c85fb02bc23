"""What occlusion and weight randomization say of the maps, in sentences.

Tables are those of `boneage.sanity_checks.tables`; texts are Markdown.
"""

from collections.abc import Mapping

import pandas as pd

from boneage.formatting import CI_95, in_words, metric_interval, metric_value
from boneage.sanity_checks.regions import REGION_TITLES
from boneage.sanity_checks.tables import ALL

# Rank correlations of a map with one of random weights. The authors of the check give no limits;
# with a few dozen cells, two unrelated maps commonly have some 0.2 in common either way.
_CHANGED, _KEPT = 0.3, 0.7

PASSES = "passes the weight randomization check"
PARTLY_PASSES = "partly passes the weight randomization check"
FAILS = "fails the weight randomization check"
_MEANING = {
    PASSES: "The map depends on what the model has learned, not on the image alone.",
    PARTLY_PASSES: "Part of the map depends on the image alone, not on what the model has learned.",
    FAILS: "The map is similar with random weights: it shows the image and does not explain "
    "the prediction.",
}


ABOUT_OCCLUSION = (
    "Each region was blurred until no bone or growth plate was visible, and the bone age was "
    "predicted again. The control is a blurred region of the same area next to the bones of the "
    "same radiograph. The difference is the mean absolute change of the prediction minus that of "
    f"the control (paired by radiograph; bootstrap {CI_95}, not adjusted for multiple "
    "comparisons). A region that changes the prediction no more than its control is uninformative "
    "at that age. The size of a change shows what the prediction depends on; its sign is hard to "
    "interpret, because a blurred hand can look younger and an uncertain model predicts the mean."
)
ABOUT_RANDOMIZATION = (
    "A map that explains a model must change when the weights of the model are randomized. From "
    "the head down, weights are replaced by random initial values, and the map is compared with "
    "the original by Spearman's rank correlation: 1 is the same order of pixels, 0 no association "
    "(Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018). Error bars are "
    f"{CI_95}s of the mean."
)


def in_short(
    occlusion: pd.DataFrame, randomization: pd.DataFrame, group: str, titles: Mapping[str, str]
) -> str:
    """Which regions each model depends on most, and the result of the randomization check.

    Args:
        occlusion: The occlusion table.
        randomization: The randomization table.
        group: An age band of the occlusion table, or ALL.
        titles: Model name -> title.
    """
    rows = occlusion[occlusion["group"] == group]
    models: dict[str, list[str]] = {}
    for name, title in titles.items():
        strongest = _strongest(rows[rows["model"] == name])
        regions = " or ".join(strongest["region"].map(_name))
        if not strongest.empty:
            up_to = "up to " if len(strongest) > 1 else ""
            title += f" (by {up_to}{_months(strongest['difference'].max())})"
        models.setdefault(regions, []).append(title)
    changes = [
        f"hiding the {regions} changes the predictions of {in_words(those)} most"
        if regions
        else f"hiding a region does not change the predictions of {in_words(those)} more"
        for regions, those in models.items()
    ]
    results: dict[str, list[str]] = {}
    for name, title in titles.items():
        result = _result(_steps(randomization, name).iloc[-1])
        results.setdefault(result, []).append(title)
    checks = [f"{result} for {in_words(those)}" for result, those in results.items()]
    return (
        f"{_at(group)}, compared with equally large control regions, {in_words(changes)}. "
        f"Grad-CAM {in_words(checks)}."
    )


def occlusion_results(occlusion: pd.DataFrame, group: str, titles: Mapping[str, str]) -> list[str]:
    """Which regions each model depends on in one age band, compared with their controls.

    Args:
        occlusion: The occlusion table.
        group: An age band of it, or ALL.
        titles: Model name -> title.

    Returns:
        A paragraph a model; for ALL, one more on how to read it.
    """
    rows = occlusion[occlusion["group"] == group]
    paragraphs = [_compared(rows[rows["model"] == name], group, titles[name]) for name in titles]
    if group == ALL:
        paragraphs.append("Effects differ between age bands and partly cancel: see each band.")
    return paragraphs


def randomization_results(randomization: pd.DataFrame, titles: Mapping[str, str]) -> list[str]:
    """Whether Grad-CAM depends on what each model has learned.

    Args:
        randomization: The randomization table.
        titles: Model name -> title.

    Returns:
        A paragraph a model.
    """
    return [_randomized(_steps(randomization, name), title) for name, title in titles.items()]


def _compared(rows: pd.DataFrame, group: str, title: str) -> str:
    """The regions above, not clearly apart from and below their control, largest first."""
    rows = rows.sort_values("difference", ascending=False)
    above, below = rows["difference_low"] > 0, rows["difference_high"] < 0
    parts = {
        "larger for": rows[above],
        "not clearly different for": rows[~above & ~below],
        "smaller for": rows[below],
    }
    words = [
        f"{comparison} {in_words([_region(row) for _, row in part.iterrows()])}"
        for comparison, part in parts.items()
        if len(part)
    ]
    return (
        f"**{title}.** {_at(group)}, compared with hiding an equally large control region beside "
        f"the bones, the change of the prediction is {'; '.join(words)}."
    )


def _region(row: pd.Series) -> str:
    interval = metric_interval("mae", row["difference_low"], row["difference_high"])
    return f"the {_name(row['region'])} ({_months(row['difference'])}, {CI_95} {interval})"


def _randomized(rows: pd.DataFrame, title: str) -> str:
    head, last = rows.iloc[0], rows.iloc[-1]
    result = _result(last)
    return (
        f"**Grad-CAM of {title} {result}.** With only the head random, the rank correlation with "
        f"the original map is {_correlation(head)}; with all weights random, {_correlation(last)} "
        f"({CI_95}s; {last['n']:,} radiographs, each with its own random weights). "
        f"{_MEANING[result]}"
    )


def _steps(randomization: pd.DataFrame, name: str) -> pd.DataFrame:
    return randomization[randomization["model"] == name].sort_values("step")


def _result(last: pd.Series) -> str:
    if last["similarity_high"] < _CHANGED:
        return PASSES
    return FAILS if last["similarity_low"] > _KEPT else PARTLY_PASSES


def _correlation(row: pd.Series) -> str:
    values = (row["similarity"], row["similarity_low"], row["similarity_high"])
    mean, low, high = (f"{value:.2f}".replace("-0.00", "0.00") for value in values)
    return f"{mean} ({low} to {high})".replace("-", "−")


def _strongest(rows: pd.DataFrame) -> pd.DataFrame:
    """Of the regions above their control the first, and after it those whose CIs reach its own."""
    rows = rows[rows["difference_low"] > 0].sort_values("difference", ascending=False)
    return rows[rows["difference_high"] >= rows["difference_low"].iloc[:1].max()]


def _name(region: str) -> str:
    return REGION_TITLES[region].lower()


def _at(group: str) -> str:
    """ "5-10 years" -> "At 5 to 10 years"."""
    return "Over all ages" if group == ALL else f"At {group.replace('-', ' to ')}"


def _months(difference: float) -> str:
    return metric_value("mae", difference)
