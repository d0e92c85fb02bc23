"""Ages, differences, metrics and other numbers as text."""

import math
from collections.abc import Collection, Mapping, Sequence

from boneage.datasets.challenge import N_READINGS, READING_SD
from boneage.radiographs.hand import FULL_FRAME, MEDIAPIPE, SEGMENTATION

OLDEST_YEARS = 20  # a chronological age or an answer of more years is none of a child

# Hands of which the training data hold few: infants' and those that have stopped growing. Months.
_INFANT, _MATURE = 12, 228

CI_95 = "95% CI"

_HAND_FOUND = {
    MEDIAPIPE: "Hand found by its 21 joint landmarks (MediaPipe), rotated upright and cropped.",
    SEGMENTATION: (
        "No joint landmarks were found, so the largest bright region was taken for the hand. "
        "The crop may be wider than usual or not upright: check the crop box."
    ),
    FULL_FRAME: (
        "No hand was found, so the whole image is the model input. Interpret the bone age with "
        "caution: the models were trained on cropped hands."
    ),
}
_HAND_FOUND_SHORT = {
    MEDIAPIPE: "joint landmarks",
    SEGMENTATION: "bright region",
    FULL_FRAME: "not found",
    "unknown": "not stated",  # results that a researcher brings along
}


CHILDREN = {"female": "girls", "male": "boys"}
SPLITS = {"test": "Test", "validation": "Validation", "train": "Training"}
ABOUT_SPLIT = {
    "test": "The 200 official test radiographs of the RSNA challenge. The reference bone age is "
    f"the mean of six readings. One reading has an SD of about {READING_SD:.0f} months, the mean "
    f"of six about {READING_SD / N_READINGS['test'] ** 0.5:.0f}: this label noise is part of every "
    "residual.",
    "validation": "Radiographs kept out of training. The reference bone age is one clinical "
    f"reading, with an SD of about {READING_SD:.0f} months: this label noise is part of every "
    "residual.",
    "train": "The radiographs used for training. These errors show how well a model fits, not how "
    "accurate it is on new radiographs.",
}
ABOUT_TRAINING_RUNS = (
    "Each model was trained once, with unequal effort: the comparison is between these weights, "
    "not between the architectures."
)

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
    """One of METRIC_TITLES as people read it: "7.3 months", "0.941", "−1.2 months", "64%"."""
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
    """An interval of a figure: "6.9 to 7.7"; "no interval" where one case has none."""
    if math.isnan(low):
        return "no interval"
    return f"{metric_value(name, low, unit=False)} to {metric_value(name, high, unit=False)}"


def p_value(p: float) -> str:
    """A p value in two digits: "0.034", "< 0.001"; its side of 0.05 never gets lost."""
    if p < 0.001:
        return "<\N{NO-BREAK SPACE}0.001"
    text = f"{p:.2g}"
    return text if (float(text) < 0.05) == (p < 0.05) else f"{p:.4g}"


def age_in_words(months: float) -> str:
    """An age to the nearest month: 99.4 -> "8 years 3 months"; a negative one gets a minus sign."""
    return _years_and_months(months, (" year", " years"), (" month", " months"))


def children_aged(sex: str, months: float) -> str:
    """A group of one sex and age: "Girls, 8 years 3 months"."""
    return f"{CHILDREN[sex].capitalize()}, {age_in_words(months)}"


def age_in_short(months: float) -> str:
    """An age for axes and tables: 99.4 -> "8 y 3 m"."""
    return _years_and_months(months, (" y", " y"), (" m", " m"))


def duration_in_words(months: float) -> str:
    """A difference between ages, sign ignored: months below two years, then years and months."""
    whole = nearest_month(abs(months))
    return age_in_words(whole) if whole >= 24 else _count(whole, " month", " months")


def other_sex_in_header(stated: str, used: str) -> str:
    """One sentence on a DICOM header that states another sex than the one used."""
    return (
        f"The DICOM header states {stated}, but {used} was used: check which is right, as the "
        "bone age depends on it."
    )


def ahead_or_behind(bone_age: float, chronological_age: float) -> str:
    """One sentence comparing two ages in months."""
    # Of the ages as they are shown, so that nobody can reckon it otherwise.
    difference = nearest_month(bone_age) - nearest_month(chronological_age)
    if difference == 0:
        return "Bone age equals chronological age, to the nearest month."
    side = "ahead of" if difference > 0 else "behind"
    return f"Bone age is {duration_in_words(difference)} {side} chronological age."


def interval_in_short(level: float, low: float, high: float) -> str:
    """A prediction interval: "90% interval: 9 y 1 m to 11 y 4 m"."""
    return f"{share(level)} interval: {age_in_short(low)} to {age_in_short(high)}"


def about_interval(level: float) -> str:
    """What a prediction interval covers, and for which radiographs it is not valid."""
    return (
        f"For radiographs similar to the training data, about {share(level)} of reference bone "
        f"ages fall in the {share(level)} prediction interval, which covers a single clinical "
        "reading. Not valid for dysplasia, malformation or atypical positioning."
    )


def covered(n: int, coverage: float, low: float, high: float) -> str:
    """A share of reference ages within their intervals: "92.8% (90.7 to 94.5) of 713"."""
    return f"{100 * coverage:.1f}% ({100 * low:.1f} to {100 * high:.1f}) of {n:,}"


BEYOND_CALIBRATION = (
    "The models disagree more than on any calibration radiograph; interpret with caution. The "
    "prediction intervals may not be valid."
)


def in_interval(age: float, level: float, low: float, high: float) -> str:
    """One sentence on whether a chronological age lies in an interval, as far as people see it."""
    if nearest_month(low) <= nearest_month(age) <= nearest_month(high):
        return (
            f"Chronological age lies within the {share(level)} prediction interval: a clinical "
            "reading of bone age may equal it."
        )
    return (
        f"Chronological age lies outside the {share(level)} prediction interval, as do about "
        f"{share(1 - level)} of clinical readings."
    )


def unfamiliar_ages(bone_age: float, chronological_age: float | None) -> list[str]:
    """A sentence for each end of the age range where the models have seen few hands."""
    ages = [age for age in (bone_age, chronological_age) if age is not None]
    sentences = []
    if min(ages) < _INFANT:
        sentences.append("Under 1 year: the training data contain few infants.")
    if max(ages) >= _MATURE:
        sentences.append(
            "19 years and older: the growth plates have fused, so the hand no longer changes with "
            "age, and the training data contain few such hands."
        )
    return sentences


def share(part: float) -> str:
    """A share in 0..1: 0.9 -> "90%"; short of all it never reads as 100%, nor as 0% of some."""
    return f"{_percent(part)}%"


def _percent(part: float) -> str:
    percent, digits = 100 * part, 0
    while digits < 3 and percent not in (0, 100) and round(percent, digits) in (0, 100):
        digits += 1
    return f"{percent:.{digits}f}"


def disagreement(months: Mapping[str, float]) -> str | None:
    """One sentence on how far the predictions of models lie apart.

    months: the model's title -> its bone age in months.
    Returns None for fewer than two models.
    """
    if len(months) < 2:
        return None
    high, low = max(months, key=months.__getitem__), min(months, key=months.__getitem__)
    apart = nearest_month(months[high]) - nearest_month(months[low])
    if apart == 0:
        return "The models predict the same bone age, to the nearest month."
    return f"{high} predicts a bone age {duration_in_words(apart)} higher than {low}."


def bias_on_test(groups: Mapping[str, Sequence[float]]) -> str:
    """One sentence on the bias on test radiographs.

    groups: of `boneage.inference.results.stated_bias`; "all" among them.
    """
    value, low, high = groups["all"]
    each = ", ".join(
        f"{children} {metric_value('bias', groups[sex][0])}"
        for sex, children in CHILDREN.items()
        if sex in groups
    )
    return (
        f"Bias on test radiographs (mean residual): {metric_value('bias', value)} "
        f"({CI_95} {metric_interval('bias', low, high)}{f'; {each}' if each else ''})."
    )


def quality_check_measured(n: int, sources: int, refused: float, low: float, high: float) -> str:
    """One sentence on how many images far from hand radiographs the quality check refuses.

    refused and its interval low and high are shares in 0..1 of `n` images from so many sources.
    """
    return (
        f"The image quality check refused {share(refused)} ({CI_95} {share(low)} to {share(high)}) "
        f"of {n:,} images that are not hand radiographs, made from {sources:,} photographs and "
        "drawings. Other images may pass."
    )


def typical_errors(months: Mapping[str, float]) -> str | None:
    """One sentence on the mean absolute error of models on test radiographs.

    months: the model's title -> its error in months. Returns None where nothing is known.
    """
    if not months:
        return None
    each = in_words([f"{title} {error:.1f} months" for title, error in months.items()])
    return f"Mean absolute error on test radiographs: {each}."


def about_reader_band(low: float, high: float) -> str:
    """What the shaded band of single human readers is, in one sentence; months."""
    return (
        f"Shaded: estimated range of single human readers on the 200 test radiographs, {low:.1f} "
        f"to {high:.1f} months."
    )


def ensemble_weights(shares: Mapping[str, float]) -> str | None:
    """One sentence on the ensemble weights of two or more models.

    shares: the model's title -> its share, in 0..1. Returns None for one model.
    """
    if len(shares) < 2:
        return None
    if len(set(shares.values())) == 1:
        return "Ensemble weights: equal."
    heaviest_first = sorted(shares.items(), key=lambda item: -item[1])
    each = ", ".join(f"{title} {share(part)}" for title, part in heaviest_first)
    return f"Ensemble weights: {each} (chosen on validation)."


ABOUT_GRADCAM = (
    "Regions with most influence on the prediction (low resolution): evidence for older where the "
    "predicted bone age is above the mean of the training set (10 years 7 months), else evidence "
    "for younger. Each map is scaled to its own maximum and does not show which bone was decisive."
)
# Regions of `boneage.sanity_checks.regions`.
REGION_TITLES = {
    "phalanges": "Phalanges",
    "metacarpals": "Metacarpals",
    "carpals": "Carpals",
    "distal_radius_ulna": "Distal radius and ulna",
}
_DIRECTIONS = {"raises": "Evidence for older", "lowers": "Evidence for younger"}


def gradcam_direction(direction: str) -> str:
    """What a Grad-CAM map shows, from `Explanation.direction`."""
    return _DIRECTIONS[direction]


def image_similarity(
    months: float, most_alike: Sequence[float], error: Mapping[str, float] | None
) -> str:
    """The image-similarity estimate, in sentences; ages in months.

    months: the image-similarity estimate. most_alike: ages of the most similar standards.
    error: of `boneage.atlas.evaluation.similarity_metrics`.
    """
    ages = in_words([age_in_words(age) for age in most_alike])
    sentence = (
        f"**Image-similarity estimate** (no neural network): **{age_in_words(months)}**, the mean "
        f"of the average hands weighted by similarity. The most similar are those of {ages}. "
    )
    if error is None:
        return f"{sentence}Its error has not been measured for this atlas."
    interval = metric_interval("mae", error["mae_low"], error["mae_high"])
    return (
        f"{sentence}Mean absolute error on {error['n']:.0f} test radiographs, none of which is in "
        f"the atlas: {error['mae']:.1f} months ({CI_95} {interval})."
    )


def averages_of(radiographs: Sequence[int]) -> str:
    """What some average hands are made of and which ages they are shown with, in a sentence."""
    return (
        f"Averages of {in_words([str(n) for n in radiographs])} radiographs, with the mean bone "
        "age of these radiographs."
    )


PLATES_WERE_SEEN = (
    "Most radiographs in the average hands were used for training, so the errors of the models on "
    "average hands do not show their accuracy on new radiographs."
)


def plates_read(n: int, n_beyond: int) -> str:
    """How many of `n` plates the models read within a year, `n_beyond` not, in a sentence."""
    read = f"{n - n_beyond} of the {n}" if n_beyond else f"all {n}"
    return f"The ensemble is within 12 months of the mean bone age for {read} average hands."


def hands_refused(ids: Sequence[str]) -> str:
    """Which radiographs the image quality check refused, at least one, in a sentence."""
    noun = "radiograph" if len(ids) == 1 else "radiographs"
    return (
        f"The image quality check refused the {noun} {in_words(list(ids))}; the models' "
        "predictions are left out."
    )


def plates_accepted(n: int, n_refused: int) -> str:
    """How many of `n` plates the image quality check accepted, `n_refused` not, in a sentence."""
    accepted = f"{n - n_refused} of the {n}" if n_refused else f"all {n}"
    return f"The image quality check accepted {accepted} average hands."


def plates_refused(titles: Sequence[str]) -> str:
    """Which plates the image quality check refused, at least one, in a sentence."""
    named = in_words([f"{title[0].lower()}{title[1:]}" for title in titles])
    return (
        f"The image quality check refused the average hands of {named}; their predictions are not "
        "shown."
    )


def plates_missed(beyond: Mapping[str, float]) -> str:
    """The plates read more than a year off, in a sentence; title -> months off, at least one."""
    each = [
        f"{title[0].lower()}{title[1:]} ({_side(off)} by {abs(off):.1f} months)"
        for title, off in beyond.items()
    ]
    return f"Errors of more than 12 months: {in_words(each)}."


def answer_against(answer: float, age: float) -> str:
    """A reader's estimate compared with the reference bone age, both in months, in a sentence."""
    return f"Your estimate: {age_in_words(answer)}, {residual_in_words(answer - age)}."


def residual_in_words(months: float) -> str:
    """A residual: 13.2 -> "overestimated by 13 months"."""
    whole = nearest_month(months)
    if whole == 0:
        return "exact to the month"
    return f"{_side(whole)} by {duration_in_words(whole)}"


def _side(residual: float) -> str:
    return "overestimated" if residual > 0 else "underestimated"


def quiz_result(mae: float, low: float, high: float, bias: float) -> str:
    """The result of a reader, in two sentences; months."""
    return (
        f"Mean absolute error **{mae:.1f} months** ({CI_95} {metric_interval('mae', low, high)}). "
        f"Bias {metric_value('bias', bias)} (mean of your estimate minus the reference)."
    )


def hand_found(method: str) -> str:
    """What a crop method means, in one or two sentences."""
    return _HAND_FOUND[method]


def hand_found_short(method: str) -> str:
    """A crop method in two words, for tables."""
    return _HAND_FOUND_SHORT[method]


def prepared_hand(size: int, input_sizes: Collection[int]) -> str:
    """The model input: a preprocessed image of `size` pixels each way, or it resized."""
    prepared = f"{size} × {size} pixels, contrast equalized"
    smaller = sorted(set(input_sizes) - {size})
    if not smaller:
        return f"Model input: {prepared}"
    sizes = in_words([f"{side} × {side}" for side in smaller])
    return f"Preprocessed image: {prepared}; resized to {sizes} for these weights"


def in_words(items: Sequence[str]) -> str:
    """["a", "b", "c"] -> "a, b and c"."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def as_plain_markdown(text: str) -> str:
    """Text that Markdown shows as it stands; for file names and sentences quoting them."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]()<>#+-.!|~$:" else c for c in text)


def ages_in_words(low: float, high: float) -> str:
    """One age, or a range: "10 to 14 months", "13 to 15 years", or in full where units differ."""
    if low == high:
        return age_in_words(low)
    unit, size = ("months", 1) if high < 36 else ("years", 12)
    if low % size == high % size == 0:
        return f"{low // size:.0f} to {high // size:.0f} {unit}"
    return f"{age_in_words(low)} to {age_in_words(high)}"


def event_in_words(change: str, low: float, high: float) -> str:
    """When a bone usually "appears" or a growth plate "fuses"; ages in months.

    Such as "Appears at about 2 years 5 months" or "Fuses at a bone age of about 13 to 15 years".
    """
    words = {"appears": "Appears at about", "fuses": "Fuses at a bone age of about"}[change]
    return f"{words} {ages_in_words(low, high)}"


def plate_facts(n: int, mean_age_months: float, sd_age_months: float) -> str:
    """What an average hand is made of."""
    return (
        f"{n} radiographs, mean bone age {age_in_words(mean_age_months)}, "
        f"SD {sd_age_months:.1f} months"
    )


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
