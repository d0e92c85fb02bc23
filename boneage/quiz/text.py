"""A reader's answers and result, in sentences."""

from collections.abc import Sequence

from boneage.atlas.ossification import APPEARS, FUSES, Event
from boneage.formatting import (
    CHILDREN,
    CI_95,
    age_in_words,
    in_words,
    metric_interval,
    metric_value,
    nearest_month,
    residual_in_words,
)

_CHANGES = {APPEARS: "appearance", FUSES: "fusion"}


def answer_against(answer: float, age: float) -> str:
    """One sentence comparing a reader's estimate with the reference bone age, both in months."""
    return f"Your estimate: {age_in_words(answer)}, {residual_in_words(answer - age)}."


def standard_for(whose: str, months: float, shown: float) -> str:
    """What an average hand beside an answer is: "Your estimate: 8 years 3 months".

    Args:
        whose: "Your estimate" or "Reference".
        months: The age that an average hand was asked for.
        shown: The age of the average hand, which differs beyond the oldest and youngest one.
    """
    words = f"{whose}: {age_in_words(months)}"
    if nearest_month(months) == nearest_month(shown):
        return words
    end = "oldest" if months > shown else "youngest"
    return f"{words} ({end} average hand: {age_in_words(shown)})"


def what_separates(sex: str, answer: float, reference: float, events: Sequence[Event]) -> str:
    """What tells an answer from the reference, two different ages, in a sentence.

    Args:
        sex: "female" or "male".
        answer: The reader's estimate in months.
        reference: The reference bone age in months.
        events: Those between the two, which get their numbers.
    """
    younger, older = (age_in_words(months) for months in sorted((answer, reference)))
    if not events:
        return (
            f"Between {younger} and {older}, no ossification center appears and no growth plate "
            f"fuses in most {CHILDREN[sex]}. Compare the shapes and widths of the bones."
        )
    told = [
        f"{noun} of {in_words([_named(event) for event in events if event.change == change])}"
        for change, noun in _CHANGES.items()
        if any(event.change == change for event in events)
    ]
    return f"What separates {younger} from {older} in {CHILDREN[sex]}: {'; '.join(told)}."


def _named(event: Event) -> str:
    return f"{event.name[0].lower()}{event.name[1:]} ({event.number})"


def quiz_result(mae: float, low: float, high: float, bias: float) -> str:
    """The result of a reader, in two sentences of Markdown.

    Args:
        mae: The mean absolute error in months.
        low: Lower limit of its 95% CI in months.
        high: Upper limit of its 95% CI in months.
        bias: The mean residual in months.
    """
    return (
        f"Mean absolute error **{mae:.1f} months** ({CI_95} {metric_interval('mae', low, high)}). "
        f"Bias {metric_value('bias', bias)} (mean of your estimate minus the reference)."
    )


def hands_refused(ids: Sequence[str]) -> str:
    """One sentence on the radiographs that the image quality check refused, at least one."""
    noun = "radiograph" if len(ids) == 1 else "radiographs"
    return (
        f"The image quality check refused the {noun} {in_words(list(ids))}; the models' "
        "predictions are left out."
    )
