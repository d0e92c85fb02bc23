"""The atlas, its standards and what the models predict for them, in sentences."""

from collections.abc import Mapping, Sequence

from boneage.formatting import (
    CI_95,
    age_in_words,
    ages_in_words,
    duration_in_words,
    in_words,
    metric_interval,
    nearest_month,
    over_or_under,
)

STANDARDS_WERE_SEEN = (
    "Most radiographs in the average hands were used for training, so the errors of the models on "
    "average hands do not show their accuracy on new radiographs."
)


def standard_facts(n: int, mean_age_months: float, sd_age_months: float) -> str:
    """What an average hand is made of.

    Args:
        n: The number of radiographs.
        mean_age_months: Their mean bone age.
        sd_age_months: The SD of their bone ages.
    """
    return (
        f"{n} radiographs, mean bone age {age_in_words(mean_age_months)}, "
        f"SD {sd_age_months:.1f} months"
    )


def event_in_words(change: str, low: float, high: float) -> str:
    """When a bone appears or a growth plate fuses: "Appears at a bone age of about 9 years".

    Args:
        change: "appears" or "fuses".
        low: The lower bone age in months.
        high: The higher bone age in months; equal to `low` for a single age.
    """
    return f"{change.capitalize()} at a bone age of about {ages_in_words(low, high)}"


def age_against(months: float, other: float) -> str:
    """An age and how it compares with another: "6 years (12 months younger)".

    Args:
        months: The age in months.
        other: What it is compared with, in months.
    """
    off = nearest_month(months - other)
    if off == 0:
        return f"{age_in_words(months)} (same age)"
    return f"{age_in_words(months)} ({duration_in_words(off)} {'older' if off > 0 else 'younger'})"


def averages_of(radiographs: Sequence[int]) -> str:
    """One sentence on what some average hands are made of and which ages they are shown with.

    Args:
        radiographs: The number of radiographs in each.
    """
    return (
        f"Averages of {in_words([str(n) for n in radiographs])} radiographs, with the mean bone "
        "age of these radiographs."
    )


def image_similarity(
    months: float, most_alike: Sequence[float], error: Mapping[str, float] | None
) -> str:
    """The image-similarity estimate and its error, in sentences of Markdown.

    Args:
        months: The image-similarity estimate in months.
        most_alike: Mean bone ages of the most similar standards, in months.
        error: Of `boneage.atlas.evaluation.similarity_metrics`; None where it was not measured.
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


def standards_read(n: int, n_beyond: int) -> str:
    """One sentence on how many standards the ensemble predicts within 12 months.

    Args:
        n: The number of standards with a prediction.
        n_beyond: Those of them with a larger error.
    """
    read = f"{n - n_beyond} of the {n}" if n_beyond else f"all {n}"
    return f"The ensemble is within 12 months of the mean bone age for {read} average hands."


def standards_missed(beyond: Mapping[str, float]) -> str:
    """One sentence on the standards with an error of more than 12 months.

    Args:
        beyond: Title -> residual in months, at least one.
    """
    each = [
        f"{title[0].lower()}{title[1:]} ({over_or_under(off)} by {abs(off):.1f} months)"
        for title, off in beyond.items()
    ]
    return f"Errors of more than 12 months: {in_words(each)}."


def standards_accepted(n: int, n_refused: int) -> str:
    """One sentence on how many standards the image quality check accepted.

    Args:
        n: The number of standards.
        n_refused: Those of them that were refused.
    """
    accepted = f"{n - n_refused} of the {n}" if n_refused else f"all {n}"
    return f"The image quality check accepted {accepted} average hands."


def standards_refused(titles: Sequence[str]) -> str:
    """One sentence on the standards that the image quality check refused.

    Args:
        titles: Their titles, at least one.
    """
    named = in_words([f"{title[0].lower()}{title[1:]}" for title in titles])
    return (
        f"The image quality check refused the average hands of {named}; their predictions are not "
        "shown."
    )
