"""What occlusion and weight randomisation say of the maps, in sentences.

Tables are those of `boneage.evaluation.saliency`; titles are model name -> what people call it.
Texts are Markdown.
"""

from collections.abc import Mapping

import pandas as pd

from boneage.evaluation.saliency import ALL
from boneage.explain.occlusion import CONTROL
from boneage.wording import INTERVAL_95, in_words, nearest_month

# Rank correlations of a map with one of random weights. The authors of the check give no limits;
# with a few dozen cells, two unrelated maps commonly have some 0.2 in common either way.
_CHANGED, _KEPT = 0.3, 0.7

PASSES = "passes the randomisation check"
PARTLY_PASSES = "partly passes the randomisation check"
FAILS = "fails the randomisation check"
_MEANING = {
    PASSES: "The map depends on what the model has learnt, and is not just the picture.",
    PARTLY_PASSES: "Part of what the map shows is the picture rather than what was learnt.",
    FAILS: "The map looks much the same without anything learnt: it shows the picture, and must "
    "not be read as the model's reasons.",
}

_NAMES = {"wrist": "wrist (distal radius and ulna)"}

ABOUT_OCCLUSION = (
    "Each region was blurred until no bone or growth plate could be seen, and the prediction made "
    "again. The control blurs right beside the bones, as many pixels as a region has on average: a "
    "region that moves an answer no more than that says nothing. Large regions have more to hide; "
    "the change for each percent of the picture shows on hovering. What a blur leaves can look "
    "like a younger hand, as carpals do that are not yet bone, and a model in doubt tends to the "
    "middle ages: the size of a change tells what an answer hangs on, its direction less."
)
ABOUT_RANDOMISATION = (
    "A map that explains a model has to change when the model forgets what it has learnt. From the "
    "head down, weights are replaced by random ones, and the map is compared with the original: 1 "
    "is the same order of cells, 0 nothing in common (Adebayo et al., Sanity Checks for Saliency "
    f"Maps, 2018). Bars are {INTERVAL_95}s of the mean; single maps scatter around it, as any two "
    "maps of a few dozen cells have something in common by chance."
)


def in_short(
    occlusion: pd.DataFrame, randomisation: pd.DataFrame, group: str, titles: Mapping[str, str]
) -> str:
    """Which regions move each model most at this age, and how the randomisation check went."""
    regions = occlusion[(occlusion["group"] == group) & (occlusion["region"] != CONTROL)]
    moved = {}
    for name, title in titles.items():
        strongest = _strongest(regions[regions["model"] == name])
        words = " or ".join(strongest["region"].map(_name))
        size = f"{'up to ' if len(strongest) > 1 else ''}{_months(strongest['change'].max())}"
        moved.setdefault(words, []).append(f"{title} (by {size})")
    hiding = [f"hiding the {region} moves {in_words(m)} most" for region, m in moved.items()]
    results = {}
    for name, title in titles.items():
        result = _result(_steps(randomisation, name).iloc[-1])
        results.setdefault(result, []).append(title)
    checks = [f"{result} for {in_words(models)}" for result, models in results.items()]
    return f"{_at(group)}, {in_words(hiding)}. Grad-CAM {in_words(checks)}."


def occlusion_results(occlusion: pd.DataFrame, group: str, titles: Mapping[str, str]) -> list[str]:
    """Which region moves each model most in one group, beside a control; a paragraph a model."""
    shown = occlusion[occlusion["group"] == group]
    return [_most_moving(shown[shown["model"] == name], titles[name]) for name in titles]


def randomisation_results(randomisation: pd.DataFrame, titles: Mapping[str, str]) -> list[str]:
    """Whether Grad-CAM depends on what each model has learnt; a paragraph a model."""
    return [_randomised(_steps(randomisation, name), title) for name, title in titles.items()]


def _most_moving(rows: pd.DataFrame, title: str) -> str:
    control = rows[rows["region"] == CONTROL].iloc[0]
    rows = rows[rows["region"] != CONTROL]
    strongest = _strongest(rows)
    first, as_much = strongest.iloc[0], strongest.iloc[1:]
    sentence = (
        f"Hiding the **{_name(first['region'])}** moves {title} most, by "
        f"{_months(first['change'])} ({INTERVAL_95} {first['change_low']:.0f} to "
        f"{first['change_high']:.0f}), {_direction(first)}"
    )
    if len(as_much):
        names = in_words(list(as_much["region"].map(_name)))
        sentence += f"; by the intervals, the {names} may matter as much"
    for_its_size = rows.loc[rows["change_per_area"].idxmax()]
    if for_its_size["region"] != first["region"]:
        region = _name(for_its_size["region"])
        sentence += f"; hiding the {region} moves it most for the size of the region"
    sentence += f". Blurring beside the bones moves it by {_months(control['change'])}"
    weak = rows[rows["change_low"] <= control["change_high"]]
    if len(weak) == len(rows):
        sentence += ", about as much: at this age no region stands out from the blur itself"
    elif len(weak):
        names = in_words(list(weak["region"].map(_name)))
        sentence += f"; hiding the {names} is not clearly more"
    return f"{sentence}."


def _randomised(rows: pd.DataFrame, title: str) -> str:
    head, last = rows.iloc[0], rows.iloc[-1]
    result = _result(last)
    return (
        f"**Grad-CAM of {title} {result}.** With only the head random, the rank correlation with "
        f"the original map is {_correlation(head)}; with all weights random, {_correlation(last)} "
        f"({last['n']:,} radiographs, each with random weights of its own). {_MEANING[result]}"
    )


def _steps(randomisation: pd.DataFrame, name: str) -> pd.DataFrame:
    return randomisation[randomisation["model"] == name].sort_values("step")


def _result(last: pd.Series) -> str:
    if last["similarity_high"] < _CHANGED:
        return PASSES
    return FAILS if last["similarity_low"] > _KEPT else PARTLY_PASSES


def _direction(row: pd.Series) -> str:
    """Which way the answers go: only where their mean is surely not nought."""
    if row["shift_low"] > 0:
        return f"on average {_months(row['shift'])} older"
    if row["shift_high"] < 0:
        return f"on average {_months(-row['shift'])} younger"
    return "in no clear direction"


def _correlation(row: pd.Series) -> str:
    values = (row["similarity"], row["similarity_low"], row["similarity_high"])
    mean, low, high = (f"{value:.2f}".replace("-0.00", "0.00") for value in values)
    return f"{mean} ({low} to {high})".replace("-", "−")


def _strongest(rows: pd.DataFrame) -> pd.DataFrame:
    """The region that moves the answers most, and after it those whose intervals reach its own."""
    rows = rows.sort_values("change", ascending=False)
    return rows[rows["change_high"] >= rows["change_low"].iloc[0]]


def _name(region: str) -> str:
    return _NAMES.get(region, region)


def _at(group: str) -> str:
    """ "5-10 years" -> "At 5 to 10 years"."""
    return "Over all ages" if group == ALL else f"At {group.replace('-', ' to ')}"


def _months(months: float) -> str:
    """Always months, unlike ages, as in the interval beside it."""
    whole = nearest_month(months)
    return f"{whole} month{'' if whole == 1 else 's'}"
