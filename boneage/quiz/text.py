"""A reader's answers and result, in sentences."""

from collections.abc import Sequence

from boneage.formatting import (
    CI_95,
    age_in_words,
    in_words,
    metric_interval,
    metric_value,
    residual_in_words,
)


def answer_against(answer: float, age: float) -> str:
    """One sentence comparing a reader's estimate with the reference bone age, both in months."""
    return f"Your estimate: {age_in_words(answer)}, {residual_in_words(answer - age)}."


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
